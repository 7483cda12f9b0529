import { setTimeout as sleep } from "node:timers/promises";
import type { AsyncOperation } from "../proto/generated/temporal/api/cloud/operation/v1/message";
import { AsyncOperation_State as State } from "../proto/generated/temporal/api/cloud/operation/v1/message";
import { failed, shorten } from "./client/errors";
import type { Cloud } from "./definition";
import { Pace, recommendedWaitMs } from "./pace";
import { timeMs } from "./view";
import { durationSeconds } from "./wire";

/** A recommendation from here on is followed. A shorter one says when a first look may be worth it, and no more. */
const SHORTEST_CHECK_MS = 1_000;
const LONGEST_CHECK_MS = 60_000;
/** After a write, the operation can be invisible to reads for up to a minute. */
const INVISIBLE_MS = 60_000;
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
    /** Told of the start and of every look. */
    readonly onProgress?: (operation: AsyncOperation) => void;
}

/**
 * Waits until an operation has ended. A state that this version does not know counts as not ended.
 *
 * @returns the ended operation, or undefined where the server no longer knows it, so that its end has to be seen
 * from the resource
 * @throws {OperationError} when it ended FAILED, REJECTED or CANCELLED
 */
export async function awaitOperation(
    cloud: Cloud,
    started: AsyncOperation,
    { signal, isBusy, onProgress }: AwaitOptions,
): Promise<AsyncOperation | undefined> {
    let operation = started;
    const startedAt = performance.now();
    const pace = paceOf(cloud, started.operationType);
    let lookedAt: number | undefined;
    let seen = false;
    for (let count = 0; !isEnded(operation); count += 1) {
        onProgress?.(operation);
        const recommendedMs = checkDurationMs(operation);
        await (recommendedMs === undefined || recommendedMs < SHORTEST_CHECK_MS
            ? pace.wait({ startedAt, lookedAt, count, recommendedMs }, signal, isBusy)
            : sleep(recommendedWaitMs(recommendedMs), undefined, { signal }));
        const askedAt = performance.now();
        try {
            const answer = await cloud.getAsyncOperation({ asyncOperationId: started.id }, { signal });
            operation = answer.asyncOperation ?? operation;
            seen = true;
        } catch (error) {
            if (!failed(error, "notFound", "denied")) {
                throw error;
            }
            if (seen || performance.now() - startedAt > INVISIBLE_MS) {
                return undefined;
            }
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

/** Operations of one sort take about as long as one another; what is known of them belongs to the connection. */
const paces = new WeakMap<Cloud, Map<string, Pace>>();

function paceOf(cloud: Cloud, operationType: string): Pace {
    const ofCloud = paces.get(cloud) ?? new Map<string, Pace>();
    const pace = ofCloud.get(operationType) ?? new Pace();
    paces.set(cloud, ofCloud.set(operationType, pace));
    return pace;
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
