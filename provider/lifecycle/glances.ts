/** Every so many operations one is asked itself, which knows by the server's clock how long it took. */
const ASKED_EVERY = 8;
/** After a glance that told nothing, so many operations are asked themselves: the next ones hardly would. */
const PAUSE = 50;

/** Of which operations of one sort the end is looked for at what they make, where that has to be looked at anyway. */
export class Glances {
    private count = 0;
    private pausedUntil = 0;

    /** Whether it is of the next one. */
    isDue(): boolean {
        this.count += 1;
        return this.count > this.pausedUntil && this.count % ASKED_EVERY !== 0;
    }

    /** A glance did not even tell that it is being made. */
    toldNothing(): void {
        this.pausedUntil = this.count + PAUSE;
    }
}
