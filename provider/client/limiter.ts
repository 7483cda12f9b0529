import { Refusals } from "./refusals";

/**
 * Order of requests while they queue: first a page that many reads have waited for, then writes, operation polls, and
 * reads.
 */
export type Priority = "first" | "write" | "poll" | "read";

const PRIORITIES: readonly Priority[] = ["first", "write", "poll", "read"];

/**
 * Initial rate in requests/s, below the lowest documented limit, 40 requests/s for a user.
 * https://docs.temporal.io/cloud/limits
 */
const INITIAL_RATE = 36;
/**
 * Requests that may be sent at once at the start, so that a small stack does not wait. They are borrowed: later
 * requests wait until as many could have been sent at the initial rate.
 */
const INITIAL_BURST = 16;
const LOWEST_RATE = 0.5;
/** How much can be saved up during a pause: the requests of this many seconds. */
const BURST_SECONDS = 0.05;
/** One turn in this many goes to the oldest request: an update begins with a read, which must not wait forever. */
const TURNS_PER_OLDEST = 4;
/** Minimum interval between rate adjustments. */
const INTERVAL_MS = 250;
/**
 * The same in response times: until a refusal arrives, everything sent too fast is refused too. With 5, less than 2 %
 * of 1,200 requests are refused if the server is up to 2 s away; with 4, up to 500 ms away.
 */
const INTERVAL_LATENCIES = 5;
/** Maximum response time to count: a longer one, as of a large page, does not show how soon a refusal arrives. */
const LONGEST_LATENCY_MS = 2_000;
/** Growth factor per interval until the server first refuses: tenfold in 1.7 s. */
const GROWTH = 1.4;
/** Growth per interval towards the refused rate, in requests/s. */
const CAREFUL_GROWTH = 0.25;
/** Growth factor per interval once the refusal is long ago: tenfold in 6 s. */
const RENEWED_GROWTH = 1.1;
/** Fraction of the refused rate at which requests continue. */
const BACKOFF = 0.75;
/** Pause after a refusal, so that the server's bucket refills a little. */
const REFUSAL_PAUSE_MS = 300;
/** Time without a refusal after which the limit may have changed: others use less of it, or it was raised. */
const DOUBT_MS = 20_000;

/** Permission to send one request. */
export interface Turn {
    /** When it was given, by the limiter's clock. */
    readonly at: number;
    /** Number of requests in the second up to it, itself included. */
    readonly pace: number;
}

/** A call, each attempt of which takes a turn. */
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
    /** Maximum number of requests in any second; without it, the server's refusals determine the rate. */
    readonly requestsPerSecond?: number | undefined;
    readonly now?: () => number;
}

/**
 * Paces the requests of one account and key. Starts below the documented limits, speeds up while requests queue and are
 * accepted, slows down on ResourceExhausted. If only one method or call is refused, as when a quota is exhausted, the
 * others do not wait for it.
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
    /** The refused rate, until the refusal is long ago. */
    private ceiling = Number.POSITIVE_INFINITY;
    private growth = GROWTH;
    private tokens: number;
    private refilledAt: number;
    private adjustedAt: number;
    private slowedAt = Number.NEGATIVE_INFINITY;
    /** Whether the server has accepted anything since then. */
    private hasPassed = true;
    private turns = 0;
    private waited = false;
    /** The longest response time to a request sent at the current rate; undefined before the first response. */
    private latencyMs: number | undefined;
    /** Times of the requests of the last second. */
    private readonly sent: number[] = [];
    private timer: NodeJS.Timeout | undefined;

    constructor(options: LimiterOptions = {}) {
        const cap = options.requestsPerSecond ?? Number.POSITIVE_INFINITY;
        // A second may begin with what was saved up: all but its first request has to be held back.
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

    /** The current rate, in requests per second. */
    get requestsPerSecond(): number {
        return this.rate;
    }

    /** Whether requests are queued. */
    get isBusy(): boolean {
        return PRIORITIES.some((priority) => this.queues[priority].length > 0);
    }

    /** Resolves when the call may make an attempt; rejects with the signal's reason if it is aborted. */
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

    /**
     * Since when the server has refused all calls of the method, or this call whatever the rate; undefined if neither.
     */
    refusedSince(call: Call): number | undefined {
        return this.refusals.since(call);
    }

    /** The server accepted the attempt, even if it then returned another error. */
    passed(call: Call, { at }: Turn): void {
        this.refusals.passed(call);
        this.hasPassed = true;
        if (at >= this.adjustedAt) {
            this.latencyMs = Math.min(Math.max(this.latencyMs ?? 0, this.now() - at), LONGEST_LATENCY_MS);
        }
    }

    /** The server answered ResourceExhausted. */
    refused(call: Call, turn: Turn): void {
        const now = this.now();
        const { blamesRate, wrongedRate } = this.refusals.refused(call, turn, now, this.slowedAt, this.rate);
        if (wrongedRate !== undefined) {
            // The rate was not to blame: undo what the refusals cost the other requests.
            this.ceiling = Number.POSITIVE_INFINITY;
            this.setRate(Math.max(this.rate, wrongedRate), now);
        }
        if (blamesRate) {
            this.slowDown(turn.pace, now);
        }
    }

    private slowDown(pace: number, now: number): void {
        // A refusal after few requests says nothing about the limit: somebody else has used it up.
        const refusedRate = this.isReachedBy(pace) ? Math.min(this.rate, pace) : this.rate;
        // If nothing was accepted since the last refusal, somebody else is using up the limit, which is still the same.
        if (this.hasPassed) {
            this.ceiling = refusedRate;
        }
        this.hasPassed = false;
        this.growth = RENEWED_GROWTH;
        this.setRate(Math.min(Math.max(LOWEST_RATE, refusedRate * BACKOFF), this.cap), now);
        this.slowedAt = now;
        // What was saved up belongs to a rate that was too high.
        this.tokens = 0;
        this.refilledAt = now + REFUSAL_PAUSE_MS;
    }

    /** Requests that may be sent at once after a pause. */
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
        // Includes the request about to be sent: at a low rate it is the only one of its second.
        const pace = this.pace(now) + 1;
        if (!this.waited || !this.isReachedBy(pace)) {
            // A rate at which nothing queues, or which this process does not reach, is not tested: its success says
            // nothing.
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

    /** The next rate to try. */
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

    /** Whether this many requests in a second test the rate. */
    private isReachedBy(pace: number): boolean {
        return pace >= this.rate / 2;
    }

    /** The actual rate since the last adjustment, over at most a second, including the request about to be sent. */
    private reached(now: number): number {
        const windowMs = Math.min(now - this.adjustedAt, 1000);
        return ((this.sent.filter((at) => at > now - windowMs).length + 1) / windowMs) * 1000;
    }

    /** Number of requests in the last second. */
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

    /** Removes the next request from its queue. */
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
