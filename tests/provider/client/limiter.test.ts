// All on fake time: what takes minutes of a server's clock takes none of ours.

import { type Call, Limiter, type LimiterOptions, type Priority } from "../../../provider/client/limiter";

beforeEach(() => {
    jest.useFakeTimers();
});
afterEach(() => {
    jest.useRealTimers();
});

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const aCall = (priority: Priority, method = "UpdateUser"): Call => ({ method, priority });

/** A server that counts as Temporal Cloud does: a bucket with one second's worth. */
class Server {
    requests = 0;
    refused = 0;
    /** Whether somebody else uses all of it. */
    usedUp = false;
    private tokens: number;
    private filledAt = performance.now();

    constructor(
        private readonly perSecond: number,
        tokens = perSecond,
        private readonly latencyMs = 20,
    ) {
        this.tokens = tokens;
    }

    /** Whether the request was let through. */
    async request(): Promise<boolean> {
        await sleep(this.latencyMs / 2);
        this.requests += 1;
        const admitted = this.admit();
        await sleep(this.latencyMs / 2);
        return admitted;
    }

    private admit(): boolean {
        const now = performance.now();
        this.tokens = Math.min(this.perSecond, this.tokens + ((now - this.filledAt) / 1000) * this.perSecond);
        this.filledAt = now;
        if (this.tokens < 1 || this.usedUp) {
            this.tokens = this.usedUp ? 0 : this.tokens;
            this.refused += 1;
            return false;
        }
        this.tokens -= 1;
        return true;
    }
}

/** One call as the client makes it: again and again until it is let through, or it is over. */
async function call(
    limiter: Limiter,
    server: { request(): Promise<boolean> },
    one: Call = aCall("write"),
    isOver = () => false,
): Promise<void> {
    for (let attempt = 0; !isOver(); attempt += 1) {
        const turn = await limiter.acquire(one);
        if (await server.request()) {
            limiter.passed(one, turn);
            return;
        }
        limiter.refused(one, turn);
        // The middle of the retry's jittered delay.
        await sleep(0.5 * Math.min(250 * 2 ** attempt, 10_000));
    }
}

/** Makes so many calls at once, and returns how many seconds that took, at most so many. */
async function rush(limiter: Limiter, server: Server, calls: number, withinS = 600): Promise<number> {
    const startedAt = performance.now();
    let endedAt = Number.NaN;
    const all = Promise.all(Array.from({ length: calls }, () => call(limiter, server))).then(() => {
        endedAt = performance.now();
    });
    while (Number.isNaN(endedAt) && performance.now() - startedAt < withinS * 1000) {
        await jest.advanceTimersByTimeAsync(100);
    }
    if (Number.isNaN(endedAt)) {
        throw new Error(`${server.requests - server.refused} of ${calls} calls in ${withinS} s`);
    }
    await all;
    return (endedAt - startedAt) / 1000;
}

/** For 20 s, so many calls at once at the beginning of each second. */
async function bursts(limiter: Limiter, server: Server, calls: number): Promise<void> {
    for (let second = 0; second < 20; second += 1) {
        for (let index = 0; index < calls; index += 1) {
            void call(limiter, server);
        }
        await jest.advanceTimersByTimeAsync(1_000);
    }
}

describe("against a server's limit", () => {
    test("of 40/s: near it, and less than 2 % are refused", async () => {
        const server = new Server(40);
        const seconds = await rush(new Limiter(), server, 1200);
        expect(server.refused / server.requests).toBeLessThan(0.02);
        // Not longer than 36/s would take, and nobody is faster than the limit and the bucket allow.
        expect(seconds).toBeLessThan(1200 / 36);
        expect(seconds).toBeGreaterThan((1200 - 40) / 40 - 1);
    });

    test.each([100, 250, 500, 1_000, 2_000])("of 40/s, %i ms away: the same, and hardly slower", async (latencyMs) => {
        const server = new Server(40, 40, latencyMs);
        const seconds = await rush(new Limiter(), server, 1200);
        expect(server.refused / server.requests).toBeLessThan(0.02);
        expect(seconds).toBeLessThan(1200 / 36 + latencyMs / 1000);
        const short = new Server(40, 40, latencyMs);
        await rush(new Limiter(), short, 140);
        expect(short.refused).toBeLessThan(10);
    });

    test("of 40/s, met by a process that stands still now and then: the rate does not run away", async () => {
        const server = new Server(40);
        const limiter = new Limiter();
        // All that it asks for at once goes at once, and nothing in between: far less than the rate would let through.
        await bursts(limiter, server, 10);
        expect(limiter.requestsPerSecond).toBeLessThan(60);
        await rush(limiter, server, 140);
        expect(server.refused).toBeLessThan(10);
    });

    test("of a server far away, met in bursts: the rate grows no further than it is put to the test", async () => {
        const server = new Server(1_000, 1_000, 250);
        const limiter = new Limiter();
        await bursts(limiter, server, 45);
        expect(limiter.requestsPerSecond).toBeGreaterThan(45);
        // A second can hold parts of two bursts.
        expect(limiter.requestsPerSecond).toBeLessThan(90);
    });

    test.each([80, 160])("of %i/s: more than three quarters of it", async (perSecond) => {
        const server = new Server(perSecond);
        const calls = perSecond * 40;
        const seconds = await rush(new Limiter(), server, calls);
        expect(server.refused / server.requests).toBeLessThan(0.02);
        expect(calls / seconds).toBeGreaterThan(perSecond * 0.75);
    });

    test("of 5/s: it ends, and not much later than the limit allows", async () => {
        const server = new Server(5);
        const seconds = await rush(new Limiter(), server, 300);
        expect(seconds).toBeLessThan((300 / 5) * 1.5);
        expect(server.refused / server.requests).toBeLessThan(0.1);
    });

    test("of 1/s: it ends", async () => {
        const server = new Server(1);
        const seconds = await rush(new Limiter(), server, 60);
        expect(seconds).toBeLessThan(120);
    });

    test("that another client has used up: the first refusals say little, and full speed comes back", async () => {
        const server = new Server(40, 0);
        const seconds = await rush(new Limiter(), server, 400);
        expect(seconds).toBeLessThan((400 / 40) * 1.5);
    });

    test("that is lifted later: the speed grows again", async () => {
        const limiter = new Limiter();
        await rush(limiter, new Server(5), 50);
        const seconds = await rush(limiter, new Server(1000), 3000);
        expect(seconds).toBeLessThan(90);
    });

    test("that is met only after quiet times: a lone refusal does not make a slow program", async () => {
        const limiter = new Limiter();
        await rush(limiter, new Server(1000), 10);
        await jest.advanceTimersByTimeAsync(60_000);
        await rush(limiter, new Server(40, 0), 1);
        const seconds = await rush(limiter, new Server(40), 400);
        expect(seconds).toBeLessThan((400 / 40) * 1.5);
    });
});

test("a small stack does not wait at all, and what follows makes up for it", async () => {
    const limiter = new Limiter();
    const startedAt = performance.now();
    const sent: number[] = [];
    // As on a real clock, which does not stand still until the first request.
    await jest.advanceTimersByTimeAsync(2);
    for (let index = 0; index < 60; index += 1) {
        void limiter.acquire(aCall("write")).then(() => sent.push(performance.now() - startedAt));
    }
    await jest.advanceTimersByTimeAsync(5_000);
    expect(sent.filter((ms) => ms <= 2)).toHaveLength(16);
    expect(sent.filter((ms) => ms < 1_000).length).toBeLessThan(40);
    expect(sent).toHaveLength(60);
});

test("after a refusal nothing is sent for a while, so that the server's bucket fills a little", async () => {
    const limiter = new Limiter();
    const refused = aCall("write");
    limiter.refused(refused, await limiter.acquire(refused));
    let served = false;
    void limiter.acquire(aCall("write")).then(() => {
        served = true;
    });
    await jest.advanceTimersByTimeAsync(299);
    expect(served).toBe(false);
    await jest.advanceTimersByTimeAsync(100);
    expect(served).toBe(true);
});

test("a cap that is lower than what a refusal falls back to holds after one, too", async () => {
    const limiter = new Limiter({ requestsPerSecond: 0.2 });
    const refused = aCall("read");
    limiter.refused(refused, await limiter.acquire(refused));
    expect(limiter.requestsPerSecond).toBeLessThanOrEqual(0.2);
});

test.each([2, 5, 10, 30])(
    "a limit that somebody else uses up for %i s is used again soon after that",
    async (seconds) => {
        const limiter = new Limiter();
        const server = new Server(40);
        let done = 0;
        const worker = async (priority: Priority) => {
            for (;;) {
                await call(limiter, server, aCall(priority, priority));
                done += 1;
            }
        };
        for (let index = 0; index < 100; index += 1) {
            void worker((["write", "poll", "read"] as const)[index % 3] ?? "read");
        }
        await jest.advanceTimersByTimeAsync(10_000);
        server.usedUp = true;
        await jest.advanceTimersByTimeAsync(seconds * 1000);
        server.usedUp = false;
        // The longest pause between the attempts of one call is 10 s, of which those of the test take half.
        await jest.advanceTimersByTimeAsync(Math.min(seconds, 10) * 1000);
        done = 0;
        await jest.advanceTimersByTimeAsync(5_000);
        expect(done / 5).toBeGreaterThan(25);
    },
);

test("without a limit: more than 300/s within 4 s", async () => {
    const limiter = new Limiter();
    const server = new Server(1e6);
    const done = Promise.all(Array.from({ length: 10_000 }, () => call(limiter, server)));
    void done;
    await jest.advanceTimersByTimeAsync(4_000);
    const before = server.requests;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(server.requests - before).toBeGreaterThan(300);
    expect(server.refused).toBe(0);
});

test("without a limit, after a page that took 15 s: no slower for that", async () => {
    const limiter = new Limiter();
    const page = aCall("read", "GetNamespaces");
    const turn = await limiter.acquire(page);
    await jest.advanceTimersByTimeAsync(15_000);
    limiter.passed(page, turn);
    expect(await rush(limiter, new Server(1e6), 1200)).toBeLessThan(12);
});

test.each([0.5, 1, 3, 10, 40, 200])("a cap of %d/s is never exceeded", async (requestsPerSecond) => {
    const limiter = new Limiter({ requestsPerSecond });
    const sent: number[] = [];
    for (let index = 0; index < 400; index += 1) {
        void limiter.acquire(aCall("write")).then(() => sent.push(performance.now()));
    }
    await jest.advanceTimersByTimeAsync(5_000);
    // Then a pause, after which nothing may have been saved up that overflows a second.
    await jest.advanceTimersByTimeAsync((400 / requestsPerSecond) * 1000 + 5_000);
    for (let index = 0; index < 50; index += 1) {
        void limiter.acquire(aCall("read")).then(() => sent.push(performance.now()));
    }
    await jest.advanceTimersByTimeAsync((50 / requestsPerSecond) * 1000 + 5_000);
    expect(sent).toHaveLength(450);
    const allowed = Math.max(1, Math.ceil(requestsPerSecond));
    let from = 0;
    let most = 0;
    for (let to = 0; to < sent.length; to += 1) {
        while ((sent[from] ?? 0) <= (sent[to] ?? 0) - 1000) {
            from += 1;
        }
        most = Math.max(most, to - from + 1);
    }
    expect(most).toBeLessThanOrEqual(allowed);
});

describe("whom it serves first", () => {
    const queued = async (limiter: Limiter, priorities: Priority[]) => {
        const served: string[] = [];
        priorities.forEach((priority, index) => {
            void limiter.acquire(aCall(priority)).then(() => served.push(`${priority} ${index}`));
        });
        await jest.advanceTimersByTimeAsync(10_000);
        return served;
    };

    test("writes, then polls, then reads, each in their order", async () => {
        const limiter = new Limiter({ requestsPerSecond: 5 });
        await limiter.acquire(aCall("read"));
        expect(await queued(limiter, ["read", "poll", "write", "poll", "read", "write"])).toEqual([
            "write 2",
            "write 5",
            "poll 1",
            "poll 3",
            "read 0",
            "read 4",
        ]);
    });

    test("a write that comes late overtakes what still waits", async () => {
        const limiter = new Limiter({ requestsPerSecond: 1 });
        const served: string[] = [];
        const ask = (priority: Priority, name: string) =>
            limiter.acquire(aCall(priority)).then(() => served.push(name));
        const all = [ask("read", "first"), ask("read", "second"), ask("read", "third")];
        await jest.advanceTimersByTimeAsync(1_500);
        all.push(ask("write", "late"));
        await jest.advanceTimersByTimeAsync(5_000);
        await Promise.all(all);
        expect(served).toEqual(["first", "second", "late", "third"]);
    });

    test("who comes when a turn is due that the timer has not given yet takes it from nobody who waits", async () => {
        let now = 0;
        const limiter = new Limiter({ requestsPerSecond: 1, now: () => now });
        const served: string[] = [];
        const ask = (priority: Priority, name: string) =>
            limiter.acquire(aCall(priority)).then(() => served.push(name));
        const all = [ask("read", "first"), ask("write", "second")];
        now = 1_001;
        all.push(ask("read", "third"));
        await jest.advanceTimersByTimeAsync(1_001);
        now = 2_002;
        await jest.advanceTimersByTimeAsync(1_001);
        await Promise.all(all);
        expect(served).toEqual(["first", "second", "third"]);
    });

    test.each(["write", "read"] as const)("polling of many operations starves no %s", async (priority) => {
        const limiter = new Limiter();
        const server = new Server(40);
        let polling = true;
        for (let operation = 0; operation < 300; operation += 1) {
            void (async () => {
                while (polling) {
                    await call(limiter, server, aCall("poll"));
                    await sleep(1_000);
                }
            })();
        }
        await jest.advanceTimersByTimeAsync(5_000);
        const startedAt = performance.now();
        let took = Number.NaN;
        void call(limiter, server, aCall(priority)).then(() => {
            took = performance.now() - startedAt;
        });
        await jest.advanceTimersByTimeAsync(20_000);
        polling = false;
        // An update or a delete begins with a read. That waits about as long as the looks do.
        expect(took).toBeLessThan(priority === "write" ? 1_500 : 15_000);
    });
});

describe("giving up", () => {
    test("a signal that is aborted already takes nothing", async () => {
        const limiter = new Limiter();
        await expect(limiter.acquire(aCall("read"), AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
    });

    test("a request that no longer waits takes no turn", async () => {
        const limiter = new Limiter({ requestsPerSecond: 1 });
        await limiter.acquire(aCall("write"));
        const controller = new AbortController();
        const given = expect(limiter.acquire(aCall("write"), controller.signal)).rejects.toThrow("stop");
        const kept = limiter.acquire(aCall("write"));
        controller.abort(new Error("stop"));
        await given;
        let served = false;
        void kept.then(() => {
            served = true;
        });
        await jest.advanceTimersByTimeAsync(1_100);
        expect(served).toBe(true);
    });

    test("an abort after the turn has come does no harm", async () => {
        const limiter = new Limiter({ requestsPerSecond: 1 });
        const controller = new AbortController();
        await limiter.acquire(aCall("write"));
        const second = limiter.acquire(aCall("write"), controller.signal);
        const third = limiter.acquire(aCall("write"));
        await jest.advanceTimersByTimeAsync(1_100);
        await second;
        controller.abort();
        await jest.advanceTimersByTimeAsync(1_100);
        await expect(third).resolves.toHaveProperty("at");
    });

    test("nothing is left behind: no timer when nobody waits", async () => {
        const limiter = new Limiter({ requestsPerSecond: 2 });
        const all = [1, 2, 3].map(() => limiter.acquire(aCall("read")));
        await jest.advanceTimersByTimeAsync(3_000);
        await Promise.all(all);
        expect(jest.getTimerCount()).toBe(0);
    });
});

test("the clock can be given", async () => {
    let now = 0;
    const options: LimiterOptions = { requestsPerSecond: 1, now: () => now };
    const limiter = new Limiter(options);
    await limiter.acquire(aCall("read"));
    let served = false;
    void limiter.acquire(aCall("read")).then(() => {
        served = true;
    });
    await jest.advanceTimersByTimeAsync(1_000);
    expect(served).toBe(false);
    now = 1_001;
    await jest.advanceTimersByTimeAsync(1_001);
    expect(served).toBe(true);
});

describe("refused whatever the rate is, as where a quota is used up", () => {
    /** Creates that are refused, each again and again, beside others that are let through, all on one server. */
    async function beside(refused: number, seconds: number, others: string[], server = new Server(40)) {
        const limiter = new Limiter();
        const sent = { refused: 0, others: 0 };
        let over = false;
        const full = {
            request: async () => {
                sent.refused += 1;
                await server.request();
                return false;
            },
        };
        const ones = Array.from({ length: refused }, () => aCall("write", "CreateNamespace"));
        for (const one of ones) {
            void call(limiter, full, one, () => over);
        }
        for (let worker = 0; worker < 100; worker += 1) {
            void (async () => {
                while (!over) {
                    for (const method of others) {
                        await call(limiter, server, aCall(method.startsWith("Get") ? "poll" : "write", method));
                        sent.others += 1;
                    }
                }
            })();
        }
        await jest.advanceTimersByTimeAsync(seconds * 1000);
        over = true;
        return { limiter, sent, one: ones[0] as Call };
    }

    test("a lone method does not slow down the others", async () => {
        const { limiter, sent, one } = await beside(1, 120, ["GetAsyncOperation"]);
        expect(sent.others / 120).toBeGreaterThan(30);
        expect(limiter.refusedSince(one)).toBeLessThan(1_000);
    });

    test("many of one method leave the others the most of the rate", async () => {
        const { sent } = await beside(300, 300, ["GetAsyncOperation"]);
        expect(sent.others / 300).toBeGreaterThan(20);
        expect(sent.refused).toBeGreaterThan(300);
    });

    test.each([
        [1, 30],
        [10, 30],
        // Before anything is let through, so many look like a limit.
        [50, 20],
    ])("%i calls, beside others of their method: those are not slowed down", async (refused, leastPerSecond) => {
        const { limiter, sent, one } = await beside(refused, 300, ["CreateNamespace", "GetAsyncOperation"]);
        expect((sent.others + sent.refused) / 300).toBeGreaterThan(leastPerSecond);
        expect(sent.others).toBeGreaterThan(sent.refused * 3);
        // From its first refusal on, so that the client's patience with it has an end.
        expect(limiter.refusedSince(one)).toBeLessThan(10_000);
    });

    test("once it is let through, it is one like the others", async () => {
        const { limiter, one } = await beside(1, 60, ["GetAsyncOperation"]);
        limiter.passed(one, { at: performance.now(), pace: 1 });
        expect(limiter.refusedSince(one)).toBeUndefined();
    });

    test("where nothing is let through, it is the rate that is too high", async () => {
        const limiter = new Limiter();
        const calls = ["CreateNamespace", "GetAsyncOperation"].map((method) => aCall("write", method));
        for (let count = 0; count < 40; count += 1) {
            for (const one of calls) {
                const turn = limiter.acquire(one);
                await jest.advanceTimersByTimeAsync(5_000);
                limiter.refused(one, await turn);
            }
        }
        expect(limiter.requestsPerSecond).toBe(0.5);
    });

    test.each([30, 100])(
        "where somebody else uses up the most of the limit, and %i wait, it is the rate, and no call is given up",
        async (workers) => {
            const limiter = new Limiter();
            const server = new Server(40);
            let over = false;
            let longestMs = 0;
            // Whatever it is told, more than twice what the limit allows.
            const other = setInterval(() => void server.request(), 10);
            for (let worker = 0; worker < workers; worker += 1) {
                void (async () => {
                    while (!over) {
                        const one = aCall("write");
                        await call(limiter, server, one, () => {
                            const since = limiter.refusedSince(one);
                            longestMs = Math.max(longestMs, since === undefined ? 0 : performance.now() - since);
                            return over;
                        });
                    }
                })();
            }
            await jest.advanceTimersByTimeAsync(600_000);
            over = true;
            clearInterval(other);
            // The client's patience is of 5 minutes.
            expect(longestMs).toBeLessThan(100_000);
            expect(limiter.requestsPerSecond).toBeLessThan(20);
        },
    );
});
