/** One operation in this many is polled in any case: it tells, by the server's clock, how long it took. */
const ASKED_EVERY = 8;
/** Operations to poll after a glance that told nothing: the next glances are unlikely to. */
const PAUSE = 50;

/**
 * Decides which operations of one sort not to poll: a glance at the resource that they create, which has to be read
 * anyway, shows their end.
 */
export class Glances {
    private count = 0;
    private pausedUntil = 0;

    /** Whether to glance instead of polling the next operation. */
    isDue(): boolean {
        this.count += 1;
        return this.count > this.pausedUntil && this.count % ASKED_EVERY !== 0;
    }

    /** A glance did not even show the resource as being created. */
    toldNothing(): void {
        this.pausedUntil = this.count + PAUSE;
    }
}
