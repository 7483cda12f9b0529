import { setTimeout as sleep } from "node:timers/promises";
import type { AsyncOperation } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { AsyncOperation_State as State } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { shorten, unlessFailed } from "../client/errors";
import type { Cloud } from "../definition";
import { durationSeconds, timeMs } from "../wire";
import { Glances } from "./glances";
import { Pace, recommendedWaitMs } from "./pace";

/** A recommended interval from this on is followed. A shorter one only says when a first poll may be worth it. */
const SHORTEST_CHECK_MS = 1_000;
const LONGEST_CHECK_MS = 60_000;
/** After a write, the operation may be invisible for up to a minute. */
const INVISIBLE_MS = 60_000;
/** An operation that was visible is forgotten once it is not found this many times in a row: one answer may be wrong. */
const FORGOTTEN_AFTER = 2;
/**
 * After this many glances at a resource still being created, the operation is polled: it may have failed without
 * showing in the resource.
 */
const MOST_GLANCES = 2;
/** A poll that took longer than this has mostly been queued: it saw the operation as it was at the end of that time. */
const LONGEST_LOOK_MS = 500;

/** An operation that ended FAILED, REJECTED or CANCELLED. */
export class OperationError extends Error {
    override readonly name = "OperationError";

    constructor(readonly operation: AsyncOperation) {
        const reason = shorten(operation.failureReason.trim());
        super(
            `The operation ${operation.id} ended ${State[operation.state]?.replace("STATE_", "") ?? operation.state}` +
                `: ${reason === "" ? "the server gave no reason" : reason.replace(/\.$/, "")}.`,
        );
    }
}

/** Whether an operation has ended, successfully or not. */
export function isEnded(operation: AsyncOperation): boolean {
    switch (operation.state) {
        case State.STATE_FULFILLED:
        case State.STATE_FAILED:
        case State.STATE_CANCELLED:
        case State.STATE_REJECTED:
            return true;
        default:
            return false;
    }
}

/** Whether an operation has ended without success. */
export function hasFailed(operation: AsyncOperation): boolean {
    return isEnded(operation) && operation.state !== State.STATE_FULFILLED;
}

export interface AwaitOptions {
    readonly signal: AbortSignal;
    /** Whether requests are queued. */
    readonly isBusy?: () => boolean;
    /**
     * Reads the resource that the operation creates: true if it is there, false if it is being created, undefined if
     * that is unclear. Takes the place of a poll once it is known how long such operations take, which saves a request
     * if the resource has to be read anyway.
     */
    readonly isMade?: (() => Promise<boolean | undefined>) | undefined;
    /** Called at the start and after every poll. */
    readonly onProgress?: (operation: AsyncOperation) => void;
}

/** What is known about the operations of one sort, which take similarly long. */
class Sort {
    readonly pace = new Pace();
    readonly glances = new Glances();
}

/** The operations of one connection, which learn from each other how long they take. */
export class Operations {
    private readonly sorts = new Map<string, Sort>();

    constructor(private readonly cloud: Cloud) {}

    /**
     * Waits until an operation has ended. A state that this version does not know counts as not ended.
     *
     * @returns the ended operation; undefined if `isMade` has shown the end, or the server no longer knows the
     * operation, so that only the resource shows how it ended
     * @throws {OperationError} if it ended FAILED, REJECTED or CANCELLED
     */
    async awaitEnd(
        started: AsyncOperation,
        { signal, isBusy, isMade, onProgress }: AwaitOptions,
    ): Promise<AsyncOperation | undefined> {
        let operation = started;
        const startedAt = performance.now();
        const { pace, glances } = this.sortOf(started.operationType);
        let glance: AwaitOptions["isMade"];
        let lookedAt: number | undefined;
        let seen = false;
        let misses = 0;
        for (let count = 0; !isEnded(operation); count += 1) {
            onProgress?.(operation);
            const recommendedMs = checkDurationMs(operation);
            await (recommendedMs === undefined || recommendedMs < SHORTEST_CHECK_MS
                ? pace.wait({ startedAt, lookedAt, count, recommendedMs }, signal, isBusy)
                : sleep(recommendedWaitMs(recommendedMs), undefined, { signal }));
            const askedAt = performance.now();
            if (count === 0 && isMade !== undefined && pace.isKnown && glances.isDue()) {
                glance = isMade;
            }
            const made = await glance?.();
            if (made === true) {
                return undefined;
            }
            if (made === undefined) {
                if (glance !== undefined) {
                    glances.toldNothing();
                }
                const asking = this.cloud.getAsyncOperation({ asyncOperationId: started.id }, { signal });
                const answer = await unlessFailed(asking, "notFound", "denied");
                misses = answer === undefined ? misses + 1 : 0;
                if (misses >= FORGOTTEN_AFTER && (seen || performance.now() - startedAt > INVISIBLE_MS)) {
                    return undefined;
                }
                seen ||= answer !== undefined;
                operation = answer?.asyncOperation ?? operation;
            }
            if (made === undefined || count + 1 >= MOST_GLANCES) {
                glance = undefined;
            }
            const answeredAt = performance.now();
            lookedAt = Math.max(askedAt, answeredAt - LONGEST_LOOK_MS);
            if (isEnded(operation)) {
                pace.ended(durationMs(operation) ?? answeredAt - startedAt);
            }
        }
        onProgress?.(operation);
        if (hasFailed(operation)) {
            throw new OperationError(operation);
        }
        return operation;
    }

    private sortOf(operationType: string): Sort {
        const sort = this.sorts.get(operationType) ?? new Sort();
        this.sorts.set(operationType, sort);
        return sort;
    }
}

/** The operation of a response, which may lack it or its id; the id is then the requested one. */
export function operationOrId(operation: AsyncOperation | undefined, operationId: string): AsyncOperation {
    return operation?.id ? operation : { ...(operation ?? PENDING), id: operationId };
}

const PENDING: AsyncOperation = {
    id: "",
    state: State.STATE_PENDING,
    checkDuration: undefined,
    operationType: "",
    operationInput: undefined,
    failureReason: "",
    startedTime: undefined,
    finishedTime: undefined,
};

/** How long it took, by the server's clock. */
function durationMs({ startedTime, finishedTime }: AsyncOperation): number | undefined {
    const ms = startedTime && finishedTime ? timeMs(finishedTime) - timeMs(startedTime) : Number.NaN;
    return ms >= 0 ? ms : undefined;
}

/** The time to the next poll that the server recommends, if it does. */
function checkDurationMs({ checkDuration }: AsyncOperation): number | undefined {
    const recommended = checkDuration ? durationSeconds(checkDuration) * 1000 : 0;
    return recommended > 0 ? Math.min(recommended, LONGEST_CHECK_MS) : undefined;
}
