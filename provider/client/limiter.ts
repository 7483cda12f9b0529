/** What goes first when requests have to wait: a write, then a look at an operation, then a read. */
export type Priority = "write" | "poll" | "read";

const PRIORITIES: readonly Priority[] = ["write", "poll", "read"];

/** Below the lowest documented limit, 40 requests/s for a user. https://docs.temporal.io/cloud/limits */
const INITIAL_RATE = 36;
/** Requests that may go at once at the start, so that a small stack does not wait at all. */
const INITIAL_BURST = 16;
const LOWEST_RATE = 0.5;
/** What can be saved up during a pause: so many seconds' worth. */
const BURST_SECONDS = 0.05;
/** How often the rate is thought over. */
const INTERVAL_MS = 250;
/** Growth per interval until the server has refused anything: tenfold in 1.7 s. */
const GROWTH = 1.4;
/** Growth per interval towards what was refused, in requests/s. */
const CAREFUL_GROWTH = 0.25;
/** Growth per interval beyond it, when it is long ago: tenfold in 6 s. */
const RENEWED_GROWTH = 1.1;
/** How much of what got through before a refusal is tried again afterwards. */
const BACKOFF = 0.75;
/** One refusal is answered once: those that were on their way at the same moment say nothing new. */
const REFUSAL_PAUSE_MS = 300;
/** After this long without a refusal, the limit may be another: others use less of it, or it was raised. */
const DOUBT_MS = 20_000;

interface Waiting {
    readonly go: () => void;
    readonly signal: AbortSignal | undefined;
}

export interface LimiterOptions {
    /** So many requests at most in any second; without it, the server's refusals set the pace. */
    readonly requestsPerSecond?: number | undefined;
    readonly now?: () => number;
}

/**
 * Spaces the requests of one account and key. It starts below the documented limits, grows while requests wait and
 * none is refused, and falls back under what the server let through when it says ResourceExhausted.
 */
export class Limiter {
    private readonly queues: Record<Priority, Waiting[]> = { write: [], poll: [], read: [] };
    private readonly cap: number;
    private readonly now: () => number;
    private rate: number;
    /** The rate that was refused, until that is long ago. */
    private ceiling = Number.POSITIVE_INFINITY;
    private growth = GROWTH;
    private tokens: number;
    private refilledAt: number;
    private adjustedAt: number;
    private refusedAt = Number.NEGATIVE_INFINITY;
    private waited = false;
    /** Moments of the requests of the last second, to know what rate a refusal answered. */
    private readonly sent: number[] = [];
    private timer: NodeJS.Timeout | undefined;

    constructor(options: LimiterOptions = {}) {
        const cap = options.requestsPerSecond ?? Number.POSITIVE_INFINITY;
        // A second can begin with what was saved up; all but the first of that has to be held back.
        this.cap = Math.min(cap, (cap + 1) / (1 + BURST_SECONDS));
        this.now = options.now ?? (() => performance.now());
        this.rate = Math.min(INITIAL_RATE, this.cap);
        this.tokens = this.cap === Number.POSITIVE_INFINITY ? INITIAL_BURST : this.burst;
        this.refilledAt = this.adjustedAt = this.now();
    }

    /** The present rate, in requests per second. */
    get requestsPerSecond(): number {
        return this.rate;
    }

    /** Resolves when a request of this priority may be sent; rejects with the signal's reason when it is aborted. */
    async acquire(priority: Priority, signal?: AbortSignal): Promise<void> {
        signal?.throwIfAborted();
        this.refill();
        if (this.tokens >= 1 && this.nothingWaits()) {
            this.take();
            return;
        }
        this.waited = true;
        await new Promise<void>((resolve, reject) => {
            const waiting: Waiting = {
                signal,
                go: () => {
                    signal?.removeEventListener("abort", abort);
                    resolve();
                },
            };
            const abort = () => {
                const queue = this.queues[priority];
                queue.splice(queue.indexOf(waiting), 1);
                reject(signal?.reason);
            };
            signal?.addEventListener("abort", abort, { once: true });
            this.queues[priority].push(waiting);
            this.schedule();
        });
    }

    /** The server said ResourceExhausted. */
    refused(): void {
        const now = this.now();
        if (now - this.refusedAt < REFUSAL_PAUSE_MS) {
            return;
        }
        this.forget(now);
        const seen = this.sent.length;
        // Few requests before a refusal say nothing of the limit: somebody else has used it up.
        this.ceiling = seen >= this.rate / 2 ? Math.min(this.rate, seen) : this.rate;
        this.growth = RENEWED_GROWTH;
        this.rate = Math.max(LOWEST_RATE, this.ceiling * BACKOFF);
        this.refusedAt = this.adjustedAt = now;
        // Whatever had been saved up belongs to a rate that was too high.
        this.tokens = 0;
        this.refilledAt = now + REFUSAL_PAUSE_MS;
    }

    /** Requests that may go at once after a pause. */
    private get burst(): number {
        return Math.max(1, this.rate * BURST_SECONDS);
    }

    private refill(): void {
        const now = this.now();
        if (now > this.refilledAt) {
            this.adjust(now);
            this.tokens = Math.min(this.burst, this.tokens + ((now - this.refilledAt) / 1000) * this.rate);
            this.refilledAt = now;
        }
    }

    private adjust(now: number): void {
        if (now - this.adjustedAt < INTERVAL_MS) {
            return;
        }
        this.adjustedAt = now;
        // A rate that nobody waits for is not tested, so its success says nothing.
        if (!this.waited) {
            return;
        }
        this.waited = this.waitingCount() > 0;
        if (now - this.refusedAt > DOUBT_MS) {
            this.ceiling = Number.POSITIVE_INFINITY;
        }
        const grown =
            this.ceiling === Number.POSITIVE_INFINITY
                ? this.rate * this.growth
                : Math.min(this.rate + CAREFUL_GROWTH, this.ceiling * 0.95);
        this.rate = Math.min(Math.max(grown, this.rate), this.cap);
    }

    private take(): void {
        this.tokens -= 1;
        const now = this.now();
        this.sent.push(now);
        if (this.sent.length > 64) {
            this.forget(now);
        }
    }

    private forget(now: number): void {
        let old = 0;
        while (old < this.sent.length && (this.sent[old] ?? now) < now - 1000) {
            old += 1;
        }
        this.sent.splice(0, old);
    }

    private nothingWaits(): boolean {
        return PRIORITIES.every((priority) => this.queues[priority].length === 0);
    }

    private waitingCount(): number {
        return PRIORITIES.reduce((sum, priority) => sum + this.queues[priority].length, 0);
    }

    private schedule(): void {
        if (this.timer) {
            return;
        }
        const waitMs = Math.max(0, this.refilledAt - this.now()) + ((1 - this.tokens) / this.rate) * 1000;
        this.timer = setTimeout(
            () => {
                this.timer = undefined;
                this.refill();
                this.drain();
                if (!this.nothingWaits()) {
                    this.schedule();
                }
            },
            Math.max(1, Math.ceil(waitMs)),
        );
    }

    private drain(): void {
        for (const priority of PRIORITIES) {
            const queue = this.queues[priority];
            let served = 0;
            while (served < queue.length && this.tokens >= 1) {
                this.take();
                queue[served]?.go();
                served += 1;
            }
            queue.splice(0, served);
        }
    }
}
