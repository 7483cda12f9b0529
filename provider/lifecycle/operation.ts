import { setTimeout as sleep } from "node:timers/promises";
import type { AsyncOperation } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { AsyncOperation_State as State } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { shorten, unlessFailed } from "../client/errors";
import type { Cloud } from "../definition";
import { durationSeconds, timeMs } from "../wire";
import { Glances } from "./glances";
import { Pace, recommendedWaitMs } from "./pace";

/** A recommendation from here on is followed. A shorter one says when a first look may be worth it, and no more. */
const SHORTEST_CHECK_MS = 1_000;
const LONGEST_CHECK_MS = 60_000;
/** After a write, the operation can be invisible to reads for up to a minute. */
const INVISIBLE_MS = 60_000;
/** What is being made at so many glances is not glanced at again: the operation can have failed without a trace of that. */
const MOST_GLANCES = 2;
/** A look that was answered after longer than this has mostly waited for its turn, and saw the operation at the end of that. */
const LONGEST_LOOK_MS = 500;

/** An operation that ended, but not well. */
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

/** Whether an operation has ended, well or not. */
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

export interface AwaitOptions {
    readonly signal: AbortSignal;
    /** Whether requests have to wait for their turn. */
    readonly isBusy?: () => boolean;
    /**
     * A glance at what the operation makes: whether it is there; false where it is being made, undefined where that cannot be
     * told. It takes the place of a look at the operation once it is known how long these take, and saves whoever has to see
     * the resource anyway the request.
     */
    readonly isMade?: (() => Promise<boolean | undefined>) | undefined;
    /** Told of the start and of every look. */
    readonly onProgress?: (operation: AsyncOperation) => void;
}

/**
 * Waits until an operation has ended. A state that this version does not know counts as not ended.
 *
 * @returns the ended operation; undefined where `isMade` says so, or the server no longer knows it, so that its end has to
 * be seen from the resource
 * @throws {OperationError} when it ended FAILED, REJECTED or CANCELLED
 */
export async function awaitOperation(
    cloud: Cloud,
    started: AsyncOperation,
    { signal, isBusy, isMade, onProgress }: AwaitOptions,
): Promise<AsyncOperation | undefined> {
    let operation = started;
    const startedAt = performance.now();
    const { pace, glances } = sortOf(cloud, started.operationType);
    let glance: AwaitOptions["isMade"];
    let lookedAt: number | undefined;
    let seen = false;
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
            const asking = cloud.getAsyncOperation({ asyncOperationId: started.id }, { signal });
            const answer = await unlessFailed(asking, "notFound", "denied");
            if (answer === undefined && (seen || performance.now() - startedAt > INVISIBLE_MS)) {
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
    if (operation.state !== State.STATE_FULFILLED) {
        throw new OperationError(operation);
    }
    return operation;
}

/** A server's answer that came without the operation it has to carry; its id is the one that was asked for. */
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

/** What is known of the operations of one sort, which take about as long as one another. */
class Sort {
    readonly pace = new Pace();
    readonly glances = new Glances();
}

/** What is known of them belongs to the connection. */
const sorts = new WeakMap<Cloud, Map<string, Sort>>();

function sortOf(cloud: Cloud, operationType: string): Sort {
    const ofCloud = sorts.get(cloud) ?? new Map<string, Sort>();
    const sort = ofCloud.get(operationType) ?? new Sort();
    sorts.set(cloud, ofCloud.set(operationType, sort));
    return sort;
}

/** How long it took, by the server's clock. */
function durationMs({ startedTime, finishedTime }: AsyncOperation): number | undefined {
    const ms = startedTime && finishedTime ? timeMs(finishedTime) - timeMs(startedTime) : Number.NaN;
    return ms >= 0 ? ms : undefined;
}

/** The time to the next look that the server recommends, if it does. */
function checkDurationMs({ checkDuration }: AsyncOperation): number | undefined {
    const recommended = checkDuration ? durationSeconds(checkDuration) * 1000 : 0;
    return recommended > 0 ? Math.min(recommended, LONGEST_CHECK_MS) : undefined;
}
