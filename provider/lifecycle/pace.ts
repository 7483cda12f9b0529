/** Maximum interval of polls: the end of an operation is visible within 1.5 s, including the request. */
const LONGEST_GAP_MS = 1_350;
/** Minimum average interval of polls: less than one per second for each operation. */
const AVERAGE_GAP_MS = 1_100;
const SHORTEST_GAP_MS = 100;
/**
 * The time to the first poll if nothing is known, and its spread: operations started together are not polled together.
 */
const FIRST_GAP_MS = 1_200;
const SPREAD = 0.15;
/** If several of a sort are in flight, the first few are polled sooner, to find out for the others. */
const SCOUTS = 4;
const SCOUT_MS = 300;
const OTHERS_MS = 900;
const GOLDEN = 0.618;
/** Interval of polls of an operation that takes longer than others of its sort did. */
const LATE_GAP_MS = 300;
/** Interval at which a poll that is put off while requests queue is reconsidered. */
const BUSY_GAP_MS = 200;
/** Number of durations remembered, and how many are needed to say that none ends sooner. */
const MEMORY = 8;
const SHORTEST_OF = 4;
/** Time that the server may need to show the end. */
const MARGIN_MS = 50;
/**
 * Polls are made at common moments, this far apart: sent ten at a time, each costs the process half of what it costs
 * alone.
 */
const TICK_MS = 100;

/** The polls of one operation so far; times are those of `performance.now()`, which clock changes do not affect. */
export interface Looks {
    readonly startedAt: number;
    /** When the last one was sent, as far as is known: the operation may have ended at any time after that. */
    readonly lookedAt: number | undefined;
    readonly count: number;
    /** The time to the next one that the server recommends, if it does. */
    readonly recommendedMs?: number | undefined;
}

interface Waiting {
    readonly looks: Looks;
    /** The time to the poll, if nothing is known by then. */
    readonly gapMs: number;
    /** Resets the timer. */
    arm(): void;
}

/**
 * Decides when to poll operations of one sort if the server does not say, or recommends polling too often: learns from
 * those that have ended how long the others will take. A thousand operations of two seconds are polled twice each, the
 * second time as they end.
 */
export class Pace {
    private readonly tookMs: number[] = [];
    private expectedMs: number | undefined;
    private readonly waiting = new Set<Waiting>();
    private followers = 0;

    /**
     * Resolves when it is time to poll; rejects with the signal's reason if it is aborted.
     *
     * @param isBusy whether requests are queued
     */
    async wait(looks: Looks, signal: AbortSignal, isBusy = (): boolean => false): Promise<void> {
        signal.throwIfAborted();
        let timer: NodeJS.Timeout | undefined;
        let abort = () => {};
        const gapMs = looks.count === 0 ? this.firstGapMs(looks) : LONGEST_GAP_MS;
        const waiting: Waiting = { looks, gapMs, arm: () => {} };
        this.waiting.add(waiting);
        try {
            await new Promise<void>((resolve, reject) => {
                abort = () => reject(signal.reason);
                signal.addEventListener("abort", abort, { once: true });
                const due = () => {
                    const leftMs = isBusy() ? looks.startedAt + this.shortestMs() - performance.now() : 0;
                    if (leftMs > 0) {
                        timer = setTimeout(due, Math.min(leftMs, BUSY_GAP_MS));
                    } else {
                        resolve();
                    }
                };
                waiting.arm = () => {
                    clearTimeout(timer);
                    // An overdue poll is due now: newer Node.js versions warn of a timer in the past.
                    timer = setTimeout(due, Math.max(0, this.dueAt(waiting) - performance.now()));
                };
                waiting.arm();
            });
        } finally {
            clearTimeout(timer);
            signal.removeEventListener("abort", abort);
            this.waiting.delete(waiting);
        }
    }

    /** Records how long an operation of this sort took. */
    ended(ms: number): void {
        this.tookMs.push(ms);
        if (this.tookMs.length > MEMORY) {
            this.tookMs.shift();
        }
        // The longest or, of four or more, the second longest: a single one that took much longer does not count.
        const sorted = this.tookMs.toSorted((a, b) => b - a);
        const long = sorted[sorted.length < 4 ? 0 : 1] ?? ms;
        const expectedMs = long + MARGIN_MS;
        const isNews = this.expectedMs === undefined || Math.abs(expectedMs - this.expectedMs) > MARGIN_MS;
        this.expectedMs = expectedMs;
        if (isNews) {
            for (const waiting of this.waiting) {
                waiting.arm();
            }
        }
    }

    /** Whether enough have ended to tell how long the others will take. */
    get isKnown(): boolean {
        return this.tookMs.length >= SHORTEST_OF;
    }

    /** The time before which none has ended; 0 if too few have ended to tell. */
    private shortestMs(): number {
        return this.isKnown ? Math.min(...this.tookMs) + MARGIN_MS : 0;
    }

    private dueAt({ looks: { startedAt, lookedAt, count }, gapMs }: Waiting): number {
        const since = lookedAt ?? startedAt;
        const earliest = Math.max(since + SHORTEST_GAP_MS, startedAt + count * AVERAGE_GAP_MS);
        const latest = since + LONGEST_GAP_MS;
        const dueAt = Math.min(Math.max(this.wantedAt(since, startedAt, gapMs), earliest), latest);
        return onTick(dueAt, earliest, latest);
    }

    private wantedAt(since: number, startedAt: number, gapMs: number): number {
        if (this.expectedMs === undefined) {
            return since + gapMs;
        }
        const leftMs = startedAt + this.expectedMs - since;
        return since + (leftMs > 0 ? leftMs / Math.ceil(leftMs / LONGEST_GAP_MS) : LATE_GAP_MS);
    }

    private firstGapMs({ recommendedMs }: Looks): number {
        if (this.waiting.size === 0) {
            return recommendedMs ?? FIRST_GAP_MS * (1 - SPREAD + 2 * SPREAD * Math.random());
        }
        this.followers += 1;
        const isScout = this.followers <= SCOUTS;
        if (isScout && recommendedMs !== undefined) {
            return recommendedMs;
        }
        const soonestMs = isScout ? SCOUT_MS : OTHERS_MS;
        return soonestMs + ((this.followers * GOLDEN) % 1) * (LONGEST_GAP_MS - soonestMs);
    }
}

/**
 * How long to wait for a recommended poll: until the first common moment after it, if the end is then visible soon
 * enough.
 */
export function recommendedWaitMs(recommendedMs: number): number {
    const now = performance.now();
    return onTick(now + recommendedMs, now + recommendedMs, now + LONGEST_GAP_MS) - now;
}

/**
 * The common moment next to the time at which a poll is due, within its bounds; that time if the bounds contain none.
 */
function onTick(dueAt: number, earliest: number, latest: number): number {
    const next = Math.ceil(dueAt / TICK_MS) * TICK_MS;
    const last = next - TICK_MS;
    return next <= latest ? next : last >= earliest ? last : dueAt;
}
