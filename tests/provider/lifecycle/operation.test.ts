// On fake time: an operation takes minutes.

import { Status } from "nice-grpc-common";
import {
    type AsyncOperation,
    AsyncOperation_State as State,
} from "../../../proto/generated/temporal/api/cloud/operation/v1/message";
import { type Failure, RpcError } from "../../../provider/client/errors";
import type { Cloud } from "../../../provider/definition";
import { isEnded, OperationError, Operations, operationOrId } from "../../../provider/lifecycle/operation";

jest.mock("node:timers/promises", () => ({
    // The fake timers do not know this module; node's own does the same on the global setTimeout.
    setTimeout: (ms: number, value: unknown, { signal }: { signal?: AbortSignal } = {}) =>
        new Promise((resolve, reject) => {
            const abort = () => {
                clearTimeout(timer);
                reject(signal?.reason);
            };
            const timer = setTimeout(() => {
                signal?.removeEventListener("abort", abort);
                resolve(value);
            }, ms);
            if (signal?.aborted) {
                abort();
            }
            signal?.addEventListener("abort", abort, { once: true });
        }),
}));

beforeEach(() => {
    jest.useFakeTimers();
});
afterEach(() => {
    jest.useRealTimers();
});

const PENDING = operation({ state: State.STATE_PENDING });

function operation(partial: Partial<AsyncOperation>): AsyncOperation {
    return {
        id: "op-1",
        state: State.STATE_UNSPECIFIED,
        checkDuration: undefined,
        operationType: "",
        operationInput: undefined,
        failureReason: "",
        startedTime: undefined,
        finishedTime: undefined,
        ...partial,
    };
}

const failure = (what: Failure) => new RpcError("GetAsyncOperation", Status.UNKNOWN, "", what, undefined, undefined);

type Answer = Partial<AsyncOperation> | Error | "nothing";

/** A server that gives these answers one after the other, the last for ever, and notes when it was asked. */
function server(...answers: Answer[]) {
    const askedAtMs: number[] = [];
    const startedAt = Date.now();
    const cloud = {
        getAsyncOperation: async () => {
            const answer = answers[Math.min(askedAtMs.length, answers.length - 1)];
            askedAtMs.push(Date.now() - startedAt);
            if (answer instanceof Error) {
                throw answer;
            }
            return { asyncOperation: answer === "nothing" || !answer ? undefined : operation(answer) };
        },
    } as unknown as Cloud;
    return { operations: new Operations(cloud), askedAtMs };
}

/** Waits for it, at most so long, and says how it ended, and when. */
async function wait(
    operations: Operations,
    started: AsyncOperation = PENDING,
    atMostMs = 600_000,
    signal?: AbortSignal,
) {
    const startedAt = Date.now();
    let end: { operation?: AsyncOperation | undefined; error?: unknown; afterMs: number } | undefined;
    operations.awaitEnd(started, { signal: signal ?? new AbortController().signal }).then(
        (operation) => {
            end = { operation, afterMs: Date.now() - startedAt };
        },
        (error: unknown) => {
            end = { error, afterMs: Date.now() - startedAt };
        },
    );
    do {
        await jest.advanceTimersByTimeAsync(end === undefined ? 10 : 0);
    } while (end === undefined && Date.now() - startedAt < atMostMs);
    return end;
}

const fulfilled = { state: State.STATE_FULFILLED };

test("one that has ended already is not asked for", async () => {
    const { operations, askedAtMs } = server(fulfilled);
    const end = await wait(operations, operation(fulfilled));
    expect(end?.operation).toMatchObject({ id: "op-1", state: State.STATE_FULFILLED });
    expect(askedAtMs).toEqual([]);
});

describe("when to look", () => {
    test.each<[string, { seconds: bigint; nanos: number } | undefined, number, number]>([
        ["as the server recommends", { seconds: 5n, nanos: 500_000_000 }, 5_500, 5_510],
        [
            "first, and sooner than after a second, where it recommends that",
            { seconds: 0n, nanos: 300_000_000 },
            300,
            410,
        ],
        ["no sooner than after a tenth of a second", { seconds: 0n, nanos: 1 }, 100, 210],
        ["at least once a minute", { seconds: 86_400n, nanos: 0 }, 60_000, 60_010],
        ["about every second without a recommendation", undefined, 1_000, 1_400],
        ["about every second where it recommends none", { seconds: 0n, nanos: 0 }, 1_000, 1_400],
        ["about every second where it recommends nonsense", { seconds: -5n, nanos: 0 }, 1_000, 1_400],
    ])("%s", async (_, checkDuration, soonest, latest) => {
        const { operations, askedAtMs } = server(fulfilled);
        await wait(operations, operation({ state: State.STATE_PENDING, checkDuration }));
        expect(askedAtMs).toHaveLength(1);
        expect(askedAtMs[0]).toBeGreaterThanOrEqual(soonest);
        expect(askedAtMs[0]).toBeLessThanOrEqual(latest);
    });

    test("from the second look on, a recommendation of less than a second does not count", async () => {
        const short = { checkDuration: { seconds: 0n, nanos: 100_000_000 } };
        const answers = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(() => ({ state: State.STATE_IN_PROGRESS, ...short }));
        const { operations, askedAtMs } = server(...answers, fulfilled);
        const end = await wait(operations, operation({ state: State.STATE_PENDING, ...short }));
        expect(askedAtMs).toHaveLength(10);
        expect(end?.afterMs).toBeGreaterThan(10_000);
    });

    test.each([50, 250, 400])("%i ms away: an end that a look has just missed is seen within 1.5 s", async (awayMs) => {
        let endedAt: number | undefined;
        let looks = 0;
        const travel = () => new Promise((resolve) => setTimeout(resolve, awayMs / 2));
        const cloud = {
            getAsyncOperation: async () => {
                await travel();
                looks += 1;
                const answer = endedAt === undefined ? PENDING : operation(fulfilled);
                endedAt ??= looks === 3 ? Date.now() : undefined;
                await travel();
                return { asyncOperation: answer };
            },
        } as unknown as Cloud;
        await wait(new Operations(cloud));
        expect(looks).toBe(4);
        expect(Date.now() - (endedAt ?? 0)).toBeLessThanOrEqual(1_510);
    });

    test("a clock that is set forward or back changes nothing", async () => {
        const { operations, askedAtMs } = server(
            { state: State.STATE_IN_PROGRESS },
            { state: State.STATE_IN_PROGRESS },
            fulfilled,
        );
        const waiting = wait(operations);
        jest.setSystemTime(Date.now() - 3_600_000);
        await waiting;
        expect(askedAtMs).toHaveLength(3);
    });

    test("each answer's recommendation counts for the next", async () => {
        const checkDuration = (seconds: bigint) => ({ checkDuration: { seconds, nanos: 0 } });
        const { operations, askedAtMs } = server(
            { state: State.STATE_IN_PROGRESS, ...checkDuration(10n) },
            { state: State.STATE_IN_PROGRESS, ...checkDuration(2n) },
            fulfilled,
        );
        await wait(operations, operation({ state: State.STATE_PENDING, ...checkDuration(1n) }));
        const [first = 0, second = 0, third = 0] = askedAtMs;
        // Where it is short, a look waits for others, a tenth of a second at most.
        expect(first).toBeGreaterThanOrEqual(1_000);
        expect(first).toBeLessThanOrEqual(1_110);
        expect([second - first, third - second].map((ms) => Math.round(ms / 100))).toEqual([100, 20]);
    });
});

describe("a glance at what the operation makes", () => {
    /** Waits for so many, one after the other; returns how the last one ended. */
    async function waitForEach(count: number, operations: Operations, isMade: () => Promise<boolean | undefined>) {
        const { signal } = new AbortController();
        let end: AsyncOperation | undefined;
        for (let index = 0; index < count; index += 1) {
            const waiting = operations.awaitEnd(PENDING, { signal, isMade });
            waiting.catch(() => {});
            await jest.advanceTimersByTimeAsync(10_000);
            end = await waiting;
        }
        return end;
    }

    test("takes the place of a look once it is known how long such operations take, but for every eighth", async () => {
        const { operations, askedAtMs } = server(fulfilled);
        const isMade = jest.fn(async () => true);
        expect(await waitForEach(4, operations, isMade)).toMatchObject(fulfilled);
        expect(isMade).not.toHaveBeenCalled();
        expect(askedAtMs).toHaveLength(4);
        await waitForEach(80, operations, isMade);
        expect(isMade).toHaveBeenCalledTimes(70);
        expect(askedAtMs).toHaveLength(4 + 10);
        // Of another connection, nothing is known.
        await waitForEach(1, server(fulfilled).operations, isMade);
        expect(isMade).toHaveBeenCalledTimes(70);
    });

    test("at what is still being made is one of two, then the operation is asked for what has become of it", async () => {
        const { operations, askedAtMs } = server(fulfilled);
        const isMade = jest.fn(async () => false);
        await waitForEach(4, operations, isMade);
        expect(await waitForEach(1, operations, isMade)).toMatchObject(fulfilled);
        expect(isMade).toHaveBeenCalledTimes(2);
        expect(askedAtMs).toHaveLength(5);
    });

    test("that tells nothing is followed by a look at once, and by no other at the next fifty", async () => {
        const failedEnd = { state: State.STATE_FAILED, failureReason: "no capacity" };
        const { operations, askedAtMs } = server(...Array.from({ length: 4 }, () => fulfilled), failedEnd, fulfilled);
        const isMade = jest.fn(async () => undefined);
        await waitForEach(4, operations, isMade);
        await expect(waitForEach(1, operations, isMade)).rejects.toThrow("ended FAILED: no capacity");
        expect(isMade).toHaveBeenCalledTimes(1);
        await waitForEach(50, operations, isMade);
        expect(isMade).toHaveBeenCalledTimes(1);
        await waitForEach(2, operations, isMade);
        expect(isMade).toHaveBeenCalledTimes(2);
        expect(askedAtMs).toHaveLength(4 + 1 + 50 + 2);
    });
});

describe("how long the others take", () => {
    const lookAt = async (operations: Operations, operationType: string): Promise<void> => {
        const { signal } = new AbortController();
        const waiting = operations.awaitEnd(operation({ state: State.STATE_PENDING, operationType }), { signal });
        await jest.advanceTimersByTimeAsync(70_000);
        await waiting;
    };

    test("is known of each sort, by the server's clock", async () => {
        const at = (seconds: bigint) => ({ seconds, nanos: 0 });
        const quick = { ...fulfilled, startedTime: at(100n), finishedTime: at(100n) };
        const { operations, askedAtMs } = server(quick);
        // The first is looked at after a second, as nothing is known of it, though it was over at once; the second sooner.
        await lookAt(operations, "quick");
        await lookAt(operations, "quick");
        await lookAt(operations, "another");
        const [first = 0, second = 0, third = 0] = askedAtMs.map((ms, index) => ms - index * 70_000);
        expect(first).toBeGreaterThanOrEqual(1_000);
        expect(second).toBeLessThan(500);
        expect(third).toBeGreaterThanOrEqual(1_000);
    });
});

test.each<[State, string, string]>([
    [State.STATE_REJECTED, "quota.", "The operation op-1 ended REJECTED: quota."],
    [State.STATE_FAILED, " no capacity ", "The operation op-1 ended FAILED: no capacity."],
    [State.STATE_CANCELLED, "", "The operation op-1 ended CANCELLED: the server gave no reason."],
])("the end %i is an error at once", async (state, failureReason, message) => {
    const { operations, askedAtMs } = server({ state, failureReason });
    const end = await wait(operations);
    expect(end?.error).toBeInstanceOf(OperationError);
    expect(end?.error).toMatchObject({ message, operation: { id: "op-1" } });
    expect(askedAtMs).toHaveLength(1);
    expect(end?.afterMs).toBeLessThan(2_000);
    // Also when the answer to the write says so.
    await expect((await wait(server(fulfilled).operations, operation({ state, failureReason })))?.error).toMatchObject({
        message,
    });
});

test.each<[string, Answer]>([
    ["pending", { state: State.STATE_PENDING }],
    ["in progress", { state: State.STATE_IN_PROGRESS }],
    ["unspecified", { state: State.STATE_UNSPECIFIED }],
    ["one that this version does not know", { state: 99 as State }],
    ["an answer without an operation", "nothing"],
])("%s is not the end", async (_, answer) => {
    const { operations, askedAtMs } = server(answer, answer, answer, answer, answer, fulfilled);
    const end = await wait(operations);
    expect(end?.operation).toMatchObject({ state: State.STATE_FULFILLED });
    expect(askedAtMs).toHaveLength(6);
});

describe("an operation that is not found", () => {
    test.each<Failure>(["notFound", "denied"])("yet (%s) is asked for again, for a minute", async (what) => {
        const { operations } = server(failure(what), failure(what), failure(what), fulfilled);
        expect((await wait(operations))?.operation).toMatchObject({ state: State.STATE_FULFILLED });
        const never = await wait(server(failure(what)).operations);
        expect(never?.operation).toBeUndefined();
        expect(never?.error).toBeUndefined();
        expect(never?.afterMs).toBeGreaterThan(60_000);
        expect(never?.afterMs).toBeLessThan(65_000);
    });

    test("any more, after it was, is over: how it ended has to be seen elsewhere", async () => {
        const { operations, askedAtMs } = server({ state: State.STATE_IN_PROGRESS }, failure("notFound"));
        const end = await wait(operations);
        expect(end).toMatchObject({ operation: undefined });
        expect(end).not.toHaveProperty("error");
        // One answer may be wrong.
        expect(askedAtMs).toHaveLength(3);
    });

    test("once, after it was, is asked for again", async () => {
        const { operations } = server({ state: State.STATE_IN_PROGRESS }, failure("notFound"), fulfilled);
        expect((await wait(operations))?.operation).toMatchObject({ state: State.STATE_FULFILLED });
    });
});

test.each<Failure>(["unauthenticated", "unreachable", "invalid", "other"])(
    "%s is an error: it says nothing of the operation",
    async (what) => {
        const end = await wait(server(failure(what)).operations);
        expect(end?.error).toMatchObject({ failure: what });
    },
);

test("an abort ends the waiting, and leaves no timer", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("timed out")), 5_000);
    const end = await wait(server({ state: State.STATE_PENDING }).operations, PENDING, 60_000, controller.signal);
    expect(end?.error).toMatchObject({ message: "timed out" });
    expect(end?.afterMs).toBeLessThan(5_100);
    expect(jest.getTimerCount()).toBe(0);
});

test("progress is told of every look", async () => {
    const seen: State[] = [];
    const { operations } = server({ state: State.STATE_IN_PROGRESS }, fulfilled);
    const waiting = operations.awaitEnd(PENDING, {
        signal: new AbortController().signal,
        onProgress: ({ state }) => seen.push(state),
    });
    await jest.advanceTimersByTimeAsync(10_000);
    await waiting;
    expect(seen).toEqual([State.STATE_PENDING, State.STATE_IN_PROGRESS, State.STATE_FULFILLED]);
});

test("which states are ends", () => {
    const ends = [State.STATE_FULFILLED, State.STATE_FAILED, State.STATE_CANCELLED, State.STATE_REJECTED];
    for (const state of [...Object.values(State), 99]) {
        if (typeof state === "number") {
            expect([state, isEnded(operation({ state }))]).toEqual([state, ends.includes(state)]);
        }
    }
});

test("an answer without an operation gets the id that was asked for", () => {
    expect(operationOrId(undefined, "mine")).toMatchObject({ id: "mine", state: State.STATE_PENDING });
    expect(operationOrId(operation({ id: "", state: State.STATE_IN_PROGRESS }), "mine")).toMatchObject({
        id: "mine",
        state: State.STATE_IN_PROGRESS,
    });
    expect(operationOrId(operation({ id: "theirs" }), "mine")).toMatchObject({ id: "theirs" });
});
