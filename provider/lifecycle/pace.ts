/** The end of an operation is to be seen within 1.5 s, the request itself included. */
const LONGEST_GAP_MS = 1_350;
/** On average, an operation is looked at less often than once a second. */
const AVERAGE_GAP_MS = 1_100;
const SHORTEST_GAP_MS = 100;
/** The time to the first look where nothing is known, and its spread: what was started together is not looked at together. */
const FIRST_GAP_MS = 1_200;
const SPREAD = 0.15;
/** Where several of a sort are in flight, the first looks at a few come sooner, to find out for the others. */
const SCOUTS = 4;
const SCOUT_MS = 300;
const OTHERS_MS = 900;
const GOLDEN = 0.618;
/** An operation that takes longer than its like did is looked at again after this time. */
const LATE_GAP_MS = 300;
/** A look that waits until no request has to wait is thought over after this time. */
const BUSY_GAP_MS = 200;
/** How many durations are remembered, and how many of them it takes to say that none ends sooner. */
const MEMORY = 8;
const SHORTEST_OF = 4;
/** What the server may need to show the end. */
const MARGIN_MS = 50;
/** Looks are made at common moments, so far apart: sent ten at once, each costs the process half of what it costs alone. */
const TICK_MS = 100;

/** The looks at one operation so far; moments are those of `performance.now()`, which a change of the clock does not touch. */
export interface Looks {
    readonly startedAt: number;
    /** When the last one was sent, as far as is known: from then on the operation can have ended unseen. */
    readonly lookedAt: number | undefined;
    readonly count: number;
    /** When the server recommends the next one, if it does. */
    readonly recommendedMs?: number | undefined;
}

interface Waiting {
    readonly looks: Looks;
    /** The time to the look, if nothing is known until then. */
    readonly gapMs: number;
    /** Sets the timer anew. */
    arm(): void;
}

/**
 * When to look at operations of one sort, where the server does not say, or recommends looks so close together that they
 * would be too many: it learns from those that have ended how long the others will take. A thousand operations of two
 * seconds are looked at twice each, the second time as they end.
 */
export class Pace {
    private readonly tookMs: number[] = [];
    private expectedMs: number | undefined;
    private readonly waiting = new Set<Waiting>();
    private followers = 0;

    /**
     * Resolves when it is time to look; rejects with the signal's reason when it is aborted.
     *
     * @param isBusy whether requests have to wait for their turn
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
                    // What is overdue is due now: newer Node.js warns of a timer for the past.
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

    /** One of this sort has taken so long. */
    ended(ms: number): void {
        this.tookMs.push(ms);
        if (this.tookMs.length > MEMORY) {
            this.tookMs.shift();
        }
        // Longer than most, but a single one that took much longer does not count.
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

    /** Whether enough have ended to say how long the others will take. */
    get isKnown(): boolean {
        return this.tookMs.length >= SHORTEST_OF;
    }

    /** None has ended sooner; 0 where too few have to say so. */
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

/** How long to wait where the server recommends it: to the first common moment after that, if the end is then seen soon enough. */
export function recommendedWaitMs(recommendedMs: number): number {
    const now = performance.now();
    return onTick(now + recommendedMs, now + recommendedMs, now + LONGEST_GAP_MS) - now;
}

/** The common moment next to one at which a look is due, within its bounds; or that one, where the bounds hold none. */
function onTick(dueAt: number, earliest: number, latest: number): number {
    const next = Math.ceil(dueAt / TICK_MS) * TICK_MS;
    const last = next - TICK_MS;
    return next <= latest ? next : last >= earliest ? last : dueAt;
}
