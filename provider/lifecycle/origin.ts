import type { AsyncOperation } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import type { LiveResource } from "../definition";
import type { Bag } from "../fields";
import { fromTimestamp, timeMs, toTimestamp } from "../wire";
import { CREATE_KEY } from "./hidden";
import { hasFailed, operationOrId } from "./operation";

/** Maximum difference assumed between the server's clocks. */
const CLOCK_SLACK_MS = 60_000;

/** Whether the operation can have created this resource, by the server's own clocks. */
export function isMadeBy({ createdTime }: LiveResource, { startedTime, finishedTime }: AsyncOperation): boolean {
    if (createdTime === undefined || startedTime === undefined) {
        return true;
    }
    return (
        timeMs(createdTime) >= timeMs(startedTime) - CLOCK_SLACK_MS &&
        timeMs(createdTime) <= timeMs(finishedTime ?? createdTime) + CLOCK_SLACK_MS
    );
}

/** Whether a failed create has left this resource, if its id is the name: any other is somebody else's. */
export function isLeftByFailed(resource: LiveResource, create: AsyncOperation): boolean {
    return (
        resource.asyncOperationId === create.id ||
        (resource.state === ResourceState.RESOURCE_STATE_ACTIVATION_FAILED && isMadeBy(resource, create))
    );
}

/** Whether a create, as far as its operation is known, can have made this resource, if its id is the name. */
export function isLeftBy(resource: LiveResource, create: AsyncOperation): boolean {
    return hasFailed(create)
        ? isLeftByFailed(resource, create)
        : resource.asyncOperationId === create.id || isMadeBy(resource, create);
}

/** Whether the resource was created that soon after the operation had started, of which nothing else is known. */
export function isMadeWithin({ createdTime }: LiveResource, { startedTime }: AsyncOperation, ms: number): boolean {
    const afterMs = createdTime && startedTime ? timeMs(createdTime) - timeMs(startedTime) : Number.NaN;
    return afterMs >= -CLOCK_SLACK_MS && afterMs <= ms + CLOCK_SLACK_MS;
}

/** Whether the resource was created after that operation had ended. */
export function isLaterThan({ createdTime }: LiveResource, { finishedTime }: AsyncOperation): boolean {
    return finishedTime !== undefined && timeMs(createdTime) > timeMs(finishedTime) + CLOCK_SLACK_MS;
}

/**
 * The hidden output that records which operation creates the resource, and when that started: if the server does not
 * tell, the earliest possible time.
 */
export function createNote({ id, startedTime }: AsyncOperation, earliest: Date): Bag {
    return { [CREATE_KEY]: `${id} ${startedTime ? fromTimestamp(startedTime) : earliest.toISOString()}` };
}

/** The operation that creates the resource, as far as the state knows it. */
export function notedCreate(old: Bag | undefined): AsyncOperation | undefined {
    const note = old?.[CREATE_KEY];
    if (typeof note !== "string") {
        return undefined;
    }
    const [id = "", startedTime] = note.split(" ");
    return { ...operationOrId(undefined, id), startedTime: startedTime ? toTimestamp(startedTime) : undefined };
}
