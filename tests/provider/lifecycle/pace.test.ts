// On fake time: hundreds of operations take minutes.

import { setMaxListeners } from "node:events";
import { Pace } from "../../../provider/lifecycle/pace";

beforeEach(() => {
    jest.useFakeTimers();
});
afterEach(() => {
    jest.useRealTimers();
});

const ROUND_TRIP_MS = 50;
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const never = new AbortController().signal;
// Everything here waits on the one signal; in the provider, each resource has its own.
setMaxListeners(0, never);

/** One operation of that duration, looked at until its end is seen. */
async function operation(
    pace: Pace,
    durationMs: number,
    recommendedMs?: number,
    isBusy?: () => boolean,
): Promise<{ looks: number; lateMs: number; inFlightMs: number; lookedAtMs: number[] }> {
    const startedAt = performance.now();
    const lookedAtMs: number[] = [];
    let lookedAt: number | undefined;
    for (let count = 0; ; count += 1) {
        await pace.wait({ startedAt, lookedAt, count, recommendedMs }, never, isBusy);
        lookedAt = performance.now();
        lookedAtMs.push(lookedAt);
        await sleep(ROUND_TRIP_MS / 2);
        const isOver = performance.now() - startedAt >= durationMs;
        await sleep(ROUND_TRIP_MS / 2);
        if (isOver) {
            pace.ended(durationMs);
            const inFlightMs = performance.now() - startedAt;
            return { looks: count + 1, lateMs: inFlightMs - durationMs, inFlightMs, lookedAtMs };
        }
    }
}

/** So many operations, so many at a time, each started within that time after the one before it ended. */
async function many(
    count: number,
    atOnce: number,
    durationMs: (index: number) => number,
    { startedWithinMs = 1, recommendedMs = undefined as number | undefined, isBusy = (): boolean => false } = {},
) {
    const pace = new Pace();
    const ended: Awaited<ReturnType<typeof operation>>[] = [];
    let next = 0;
    const all = Promise.all(
        Array.from({ length: atOnce }, async () => {
            while (next < count) {
                next += 1;
                const index = next;
                await sleep((index * 7_919) % startedWithinMs);
                ended.push(await operation(pace, durationMs(index), recommendedMs, isBusy));
            }
        }),
    );
    while (ended.length < count) {
        await jest.advanceTimersByTimeAsync(100);
    }
    await all;
    const moments = new Set(ended.flatMap(({ lookedAtMs }) => lookedAtMs));
    const sum = (of: (one: (typeof ended)[number]) => number) => ended.reduce((total, one) => total + of(one), 0);
    return {
        /** Of each operation, a second that has begun counts whole: it takes one look to see any end. */
        perBegunSecond: sum(({ looks }) => looks) / sum(({ inFlightMs }) => Math.ceil(inFlightMs / 1000)),
        perSecond: sum(({ looks }) => looks) / (sum(({ inFlightMs }) => inFlightMs) / 1000),
        looks: sum(({ looks }) => looks) / count,
        lateMs: sum(({ lateMs }) => lateMs) / count,
        latestMs: Math.max(...ended.map(({ lateMs }) => lateMs)),
        perMoment: sum(({ looks }) => looks) / moments.size,
    };
}

test.each([1_100, 1_300, 2_000, 2_600, 3_000, 7_300, 30_000, 120_000])(
    "operations of %i ms: less than one look a second, and the end seen soon",
    async (durationMs) => {
        const { perSecond, lateMs, latestMs } = await many(300, 100, () => durationMs);
        expect(perSecond).toBeLessThan(1);
        expect(latestMs).toBeLessThan(1_500);
        // The first hundred have nothing to go by.
        expect(lateMs).toBeLessThan(350 + durationMs * 0.03);
    },
);

test.each([1_400, 1_600, 1_800])(
    "operations of %i ms: two looks, since an early end has to be seen within 1.5 s, too",
    async (durationMs) => {
        const { perSecond, looks, latestMs } = await many(300, 100, () => durationMs);
        expect(looks).toBeLessThanOrEqual(2);
        expect(perSecond).toBeLessThan(1.2);
        expect(latestMs).toBeLessThan(1_500);
    },
);

test("operations of any duration: less than one look a second, and the end seen within 1.5 s", async () => {
    const { perSecond, latestMs } = await many(300, 50, (index) => 1_000 + ((index * 7_919) % 20_000));
    expect(perSecond).toBeLessThan(1);
    expect(latestMs).toBeLessThan(1_500);
});

test.each<[string, number, number]>([
    ["most at once, some of 5 s", 400, 5_000],
    ["most in half a second, some of 2 s", 500, 2_000],
    ["most in 2 s, some of 400 ms", 2_000, 400],
])("operations that take unequally long (%s): no more looks than seconds they have begun", async (_, often, seldom) => {
    const { perBegunSecond, latestMs } = await many(300, 100, (index) => (index % 5 === 0 ? seldom : often));
    expect(perBegunSecond).toBeLessThanOrEqual(1);
    expect(latestMs).toBeLessThan(1_500);
});

test.each([100, 500, 900])(
    "a recommendation of %i ms, which is too short for operations of 2 s, costs no more",
    async (ms) => {
        const { perSecond, latestMs } = await many(300, 100, () => 2_000, { recommendedMs: ms });
        expect(perSecond).toBeLessThan(1);
        expect(latestMs).toBeLessThan(1_500);
    },
);

test("a lone one is looked at first when the server recommends it", async () => {
    const end = operation(new Pace(), 2_000, 300);
    await jest.advanceTimersByTimeAsync(10_000);
    const { lookedAtMs } = await end;
    expect(lookedAtMs[0]).toBeLessThanOrEqual(400);
    expect(lookedAtMs.length).toBeLessThanOrEqual(3);
});

test("operations that start one by one are looked at together, since a request alone costs more of the process", async () => {
    const { perMoment, perSecond } = await many(600, 100, () => 2_000, { startedWithinMs: 997 });
    expect(perSecond).toBeLessThan(1);
    expect(perMoment).toBeGreaterThan(5);
});

test("operations that are over at once: one look each, and soon", async () => {
    const { looks, lateMs } = await many(300, 100, () => 0);
    expect(looks).toBe(1);
    expect(lateMs).toBeLessThan(400);
});

test("no timer is set for the past, of which Node.js 24 warns on the user's screen", async () => {
    const setTimer = jest.spyOn(globalThis, "setTimeout");
    await many(60, 20, (index) => (index * 7_919) % 5_000);
    const delays = setTimer.mock.calls.map(([, ms]) => ms ?? 0);
    expect(delays.length).toBeGreaterThan(60);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
});

test("a lone one is looked at after about a second", async () => {
    const { looks, latestMs } = await many(1, 1, () => 0);
    expect(looks).toBe(1);
    expect(latestMs).toBeGreaterThanOrEqual(1_000);
    expect(latestMs).toBeLessThan(1_500);
});

test("one that took much longer than the others does not make the next wait", async () => {
    const pace = new Pace();
    for (const ms of [500, 500, 500, 500, 60_000]) {
        pace.ended(ms);
    }
    const end = operation(pace, 500);
    await jest.advanceTimersByTimeAsync(2_000);
    const { looks, lateMs } = await end;
    expect(looks).toBe(1);
    expect(lateMs).toBeLessThan(300);
});

describe("while requests wait for their turn", () => {
    const isBusy = () => true;

    test.each([2_000, 7_300, 30_000])(
        "operations of %i ms are looked at as they end, and hardly before",
        async (ms) => {
            const { looks, latestMs } = await many(1_000, 100, () => ms, { isBusy });
            // The first hundred have nothing to go by.
            expect(looks).toBeLessThan(1 + (0.1 * ms) / 1_000 + 0.2);
            expect(latestMs).toBeLessThan(1_500);
        },
    );

    test("those of any duration are looked at no more often than else, and their end is seen as soon", async () => {
        const { perSecond, lateMs } = await many(300, 50, (index) => 1_000 + ((index * 7_919) % 20_000), { isBusy });
        expect(perSecond).toBeLessThan(1);
        // On average: one that ends sooner than the last eight did is seen when the first of those would have ended.
        expect(lateMs).toBeLessThan(1_000);
    });

    test("but once none waits any more, as if none had", async () => {
        const pace = new Pace();
        for (let index = 0; index < 8; index += 1) {
            pace.ended(60_000);
        }
        const freeAt = performance.now() + 10_000;
        const end = operation(pace, 60_000, undefined, () => performance.now() < freeAt);
        await jest.advanceTimersByTimeAsync(62_000);
        const { lookedAtMs } = await end;
        expect(lookedAtMs[0]).toBeGreaterThanOrEqual(freeAt);
        expect(lookedAtMs[0]).toBeLessThanOrEqual(freeAt + 200);
        expect(lookedAtMs.length).toBeGreaterThan(30);
    });
});

test("an abort ends the waiting, and leaves no timer", async () => {
    const pace = new Pace();
    const controller = new AbortController();
    const wait = pace.wait({ startedAt: performance.now(), lookedAt: undefined, count: 0 }, controller.signal);
    controller.abort(new Error("stop"));
    await expect(wait).rejects.toThrow("stop");
    await expect(pace.wait({ startedAt: 0, lookedAt: undefined, count: 0 }, controller.signal)).rejects.toThrow("stop");
    // Nor does news of how long they take set one for who waits no more.
    pace.ended(60_000);
    expect(jest.getTimerCount()).toBe(0);
});
