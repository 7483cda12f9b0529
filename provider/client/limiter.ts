import { Refusals } from "./refusals";

/**
 * What goes first when requests have to wait: a page that many have waited for, then a write, then a look at an operation,
 * then a read.
 */
export type Priority = "first" | "write" | "poll" | "read";

const PRIORITIES: readonly Priority[] = ["first", "write", "poll", "read"];

/** Below the lowest documented limit, 40 requests/s for a user. https://docs.temporal.io/cloud/limits */
const INITIAL_RATE = 36;
/**
 * Requests that may go at once at the start, so that a small stack does not wait at all. They are taken from the time to
 * come: whatever follows waits until as many would have gone at the initial rate.
 */
const INITIAL_BURST = 16;
const LOWEST_RATE = 0.5;
/** What can be saved up during a pause: so many seconds' worth. */
const BURST_SECONDS = 0.05;
/** Every so many turns, one goes to whoever has waited longest: an update begins with a read, which must not wait for ever. */
const TURNS_PER_OLDEST = 4;
/** The rate is thought over no sooner than this after the last time. */
const INTERVAL_MS = 250;
/**
 * And no sooner than so many times what an answer takes: until a refusal is heard of, all that is sent too fast is refused
 * too. With 5, less than 2 % of 1,200 requests are, up to 2 s away; with 4, up to 500 ms away.
 */
const INTERVAL_LATENCIES = 5;
/** An answer that takes longer, such as a large page, says nothing of how soon a refusal is heard of. */
const LONGEST_LATENCY_MS = 2_000;
/** Growth per interval until the server has refused anything: tenfold in 1.7 s. */
const GROWTH = 1.4;
/** Growth per interval towards what was refused, in requests/s. */
const CAREFUL_GROWTH = 0.25;
/** Growth per interval beyond it, when it is long ago: tenfold in 6 s. */
const RENEWED_GROWTH = 1.1;
/** How much of what got through before a refusal is tried again afterwards. */
const BACKOFF = 0.75;
/** How long nothing is sent after a refusal, so that the server's bucket fills a little. */
const REFUSAL_PAUSE_MS = 300;
/** After this long without a refusal, the limit may be another: others use less of it, or it was raised. */
const DOUBT_MS = 20_000;

/** A request that may be sent. */
export interface Turn {
    /** When, by the limiter's clock. */
    readonly at: number;
    /** So many requests there have been in the second that ended with it, itself among them. */
    readonly pace: number;
}

/** One call, each attempt of which takes a turn. */
export interface Call {
    readonly method: string;
    readonly priority: Priority;
}

interface Waiting {
    readonly call: Call;
    readonly since: number;
    readonly go: (turn: Turn) => void;
}

export interface LimiterOptions {
    /** So many requests at most in any second; without it, the server's refusals set the pace. */
    readonly requestsPerSecond?: number | undefined;
    readonly now?: () => number;
}

/**
 * Spaces the requests of one account and key. It starts below the documented limits, grows while requests wait and
 * those that went at its rate were let through, and falls back under that when the server says ResourceExhausted. Where it
 * says so to one method alone, or to one call, as it may where a quota is used up, the others do not wait for that.
 */
export class Limiter {
    private readonly queues: Record<Priority, Waiting[]> = {
        first: [],
        write: [],
        poll: [],
        read: [],
    };
    private readonly refusals = new Refusals();
    private readonly cap: number;
    private readonly now: () => number;
    private rate: number;
    /** The rate that was refused, until that is long ago. */
    private ceiling = Number.POSITIVE_INFINITY;
    private growth = GROWTH;
    private tokens: number;
    private refilledAt: number;
    private adjustedAt: number;
    private slowedAt = Number.NEGATIVE_INFINITY;
    /** Whether anything has been let through since. */
    private hasPassed = true;
    private turns = 0;
    private waited = false;
    /** How long the slowest answer took to a request sent at the present rate; undefined before there is one. */
    private latencyMs: number | undefined;
    /** Moments of the requests of the last second. */
    private readonly sent: number[] = [];
    private timer: NodeJS.Timeout | undefined;

    constructor(options: LimiterOptions = {}) {
        const cap = options.requestsPerSecond ?? Number.POSITIVE_INFINITY;
        // A second can begin with what was saved up; all but the first of that has to be held back.
        this.cap = Math.min(cap, (cap + 1) / (1 + BURST_SECONDS));
        this.now = options.now ?? (() => performance.now());
        this.rate = Math.min(INITIAL_RATE, this.cap);
        this.tokens = this.burst;
        this.refilledAt = this.adjustedAt = this.now();
        if (this.cap === Number.POSITIVE_INFINITY) {
            this.tokens = INITIAL_BURST;
            this.refilledAt += (INITIAL_BURST / this.rate) * 1000;
        }
    }

    /** The present rate, in requests per second. */
    get requestsPerSecond(): number {
        return this.rate;
    }

    /** Whether requests have to wait for their turn. */
    get isBusy(): boolean {
        return PRIORITIES.some((priority) => this.queues[priority].length > 0);
    }

    /** Resolves when the call may make an attempt; rejects with the signal's reason when it is aborted. */
    async acquire(call: Call, signal?: AbortSignal): Promise<Turn> {
        signal?.throwIfAborted();
        this.refill();
        if (this.tokens >= 1 && !this.isBusy) {
            return this.take();
        }
        this.waited = true;
        const queue = this.queues[call.priority];
        return new Promise<Turn>((resolve, reject) => {
            const waiting: Waiting = {
                call,
                since: this.now(),
                go: (turn) => {
                    signal?.removeEventListener("abort", abort);
                    resolve(turn);
                },
            };
            const abort = () => {
                queue.splice(queue.indexOf(waiting), 1);
                reject(signal?.reason);
            };
            signal?.addEventListener("abort", abort, { once: true });
            queue.push(waiting);
            this.schedule();
        });
    }

    /** Since when the server has refused all of the call's method, or the call at any rate; undefined where neither. */
    refusedSince(call: Call): number | undefined {
        return this.refusals.since(call);
    }

    /** The server has let the attempt through, whatever else it said. */
    passed(call: Call, { at }: Turn): void {
        this.refusals.passed(call);
        this.hasPassed = true;
        if (at >= this.adjustedAt) {
            this.latencyMs = Math.min(Math.max(this.latencyMs ?? 0, this.now() - at), LONGEST_LATENCY_MS);
        }
    }

    /** The server said ResourceExhausted. */
    refused(call: Call, turn: Turn): void {
        const now = this.now();
        const { blamesRate, wrongedRate } = this.refusals.refused(call, turn, now, this.slowedAt, this.rate);
        if (wrongedRate !== undefined) {
            // The others get back what it has cost them.
            this.ceiling = Number.POSITIVE_INFINITY;
            this.setRate(Math.max(this.rate, wrongedRate), now);
        }
        if (blamesRate) {
            this.slowDown(turn.pace, now);
        }
    }

    private slowDown(pace: number, now: number): void {
        // Few requests before a refusal say nothing of the limit: somebody else has used it up.
        const refusedRate = this.isReachedBy(pace) ? Math.min(this.rate, pace) : this.rate;
        if (this.hasPassed) {
            this.ceiling = refusedRate;
        }
        // Where nothing was let through since the last refusal, somebody else uses the limit up: it is still the same.
        this.hasPassed = false;
        this.growth = RENEWED_GROWTH;
        this.setRate(Math.min(Math.max(LOWEST_RATE, refusedRate * BACKOFF), this.cap), now);
        this.slowedAt = now;
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
        const { latencyMs = Number.POSITIVE_INFINITY } = this;
        if (now - this.adjustedAt < Math.max(INTERVAL_MS, INTERVAL_LATENCIES * latencyMs)) {
            return;
        }
        // With the request that is about to go; at a low rate it is the only one of its second.
        const pace = this.pace(now) + 1;
        if (!this.waited || !this.isReachedBy(pace)) {
            // A rate that nobody waits for, or that this process does not reach, is not tested: its success says nothing.
            this.setRate(this.rate, now);
            return;
        }
        this.waited = this.isBusy;
        if (now - this.slowedAt > DOUBT_MS) {
            this.ceiling = Number.POSITIVE_INFINITY;
        }
        const grown = this.grown(now);
        this.setRate(Math.min(Math.max(grown, this.rate), this.cap), now);
    }

    /** The rate that is tried next. */
    private grown(now: number): number {
        if (this.ceiling === Number.POSITIVE_INFINITY) {
            return Math.min(this.rate, this.reached(now)) * this.growth;
        }
        const safe = this.ceiling * BACKOFF;
        return this.rate < safe
            ? Math.min(this.rate * GROWTH, safe)
            : Math.min(this.rate + CAREFUL_GROWTH, this.ceiling * 0.95);
    }

    private setRate(rate: number, now: number): void {
        this.rate = rate;
        this.adjustedAt = now;
        this.latencyMs = undefined;
    }

    private take(): Turn {
        this.tokens -= 1;
        const at = this.now();
        this.sent.push(at);
        return { at, pace: this.pace(at) };
    }

    /** Whether so many requests in a second put the rate to the test. */
    private isReachedBy(pace: number): boolean {
        return pace >= this.rate / 2;
    }

    /** The rate of the requests since it was last thought over, with the one that is about to go; of a second at most. */
    private reached(now: number): number {
        const windowMs = Math.min(now - this.adjustedAt, 1000);
        return ((this.sent.filter((at) => at > now - windowMs).length + 1) / windowMs) * 1000;
    }

    /** How many requests there have been in the second until now. */
    private pace(now: number): number {
        let old = 0;
        while ((this.sent[old] ?? now) < now - 1000) {
            old += 1;
        }
        if (old > 0) {
            this.sent.splice(0, old);
        }
        return this.sent.length;
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
                if (this.isBusy) {
                    this.schedule();
                }
            },
            Math.max(1, Math.ceil(waitMs)),
        );
    }

    private drain(): void {
        while (this.tokens >= 1 && this.isBusy) {
            this.turns += 1;
            this.next()?.go(this.take());
        }
    }

    /** Takes whose turn it is out of its queue. */
    private next(): Waiting | undefined {
        const queues = PRIORITIES.map((priority) => this.queues[priority]).filter(({ length }) => length > 0);
        if (this.turns % TURNS_PER_OLDEST === 0) {
            return queues.toSorted(byAge)[0]?.shift();
        }
        for (const queue of queues) {
            const index = queue.findIndex(({ call }) => !this.refusals.isSuspect(call));
            if (index >= 0) {
                return queue.splice(index, 1)[0];
            }
        }
        return queues[0]?.shift();
    }
}

function byAge([left]: readonly Waiting[], [right]: readonly Waiting[]): number {
    return (left?.since ?? 0) - (right?.since ?? 0);
}
