import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { AsyncOperation } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { AsyncOperation_State } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import type { CallOptions } from "../client/client";
import { failed, shorten, unlessFailed } from "../client/errors";
import type { Source } from "../client/source";
import type { Cloud, Definition, LiveResource, Wait } from "../definition";
import type { Bag } from "../fields";
import { fromTimestamp, isGone, timeMs } from "../wire";
import { GONE, lagUntil, REPLACE_KEY } from "./hidden";
import type { AwaitOptions } from "./operation";
import { isEnded, OperationError, operationOrId } from "./operation";
import { deleteOperationId } from "./operation-id";
import { isLaterThan, isLeftBy, isMadeWithin, notedCreate } from "./origin";
import type { Run } from "./run";
import { ActionRequiredError, LifecycleError, title } from "./run";
import type { View } from "./view";

const LOOK_DELAY_MS = 200;
const LOOK_MAX_DELAY_MS = 5_000;
const CONFLICT_DELAY_MS = 500;
const CONFLICT_MAX_DELAY_MS = 10_000;
/** Interval of reads while waiting for a state without a known operation. */
const WAIT_INTERVAL_MS = 1_200;
/**
 * When the user is first shown what takes so long, and how often after that. The engine already shows that a resource
 * is being created or deleted; a step of an update is shown at once.
 */
const FIRST_STATUS_MS = 2_000;
const STATUS_INTERVAL_MS = 5_000;
/** A refusal that could mean a conflict, without a visible change, is final after this many attempts. */
const UNEXPLAINED_LIMIT = 3;
/** A resource created this much later than the state says is another one. */
const ANOTHER_MS = 60_000;

/** What a half-finished create turns out to have left to somebody else. */
export const STRANGER = "its create failed, and what has its name now is somebody else's.";

/** The result of reading a resource. */
export interface Look<Resource> {
    readonly resource: Resource | undefined;
    /** Whether it comes from a list, which may lag behind a single read. */
    readonly mayBeOld: boolean;
}

interface AwaitEndOptions extends Pick<AwaitOptions, "isMade"> {
    /** When the user is first shown it. */
    readonly firstStatusMs?: number;
}

/** Reads existing resources, waits for their operations, and deletes them. */
export class Existing<Args extends object, Resource extends LiveResource> {
    /** Others' operations that have ended or are not visible: only the resource shows how they ended. */
    private readonly exhausted = new Set<string>();

    constructor(
        readonly definition: Definition<Args, Resource>,
        readonly view: View<Args, Resource>,
    ) {}

    /**
     * The resource as it is now; undefined if there is none. Until `lagUntil`, by `performance.now()`, not found means
     * not visible yet.
     */
    async look(run: Run, id: string, lagUntil = 0): Promise<Resource | undefined> {
        const { cloud } = run.session.client;
        return this.lookBy(() => getExactly(this.definition, cloud, id, { signal: run.signal }), run, lagUntil);
    }

    /** The same, but while requests queue, list pages serve many reads. A list may lag behind a single read. */
    async lookTogether(run: Run, id: string, lagUntil: number): Promise<Look<Resource>> {
        const { reads, cloud } = run.session.client;
        const source = sourceOf<Resource>(this.definition, cloud);
        let mayBeOld = false;
        const read = async () => {
            const { item, isListed } = await reads.readNow(source, id, run);
            mayBeOld = isListed;
            return item;
        };
        return { resource: await this.lookBy(read, run, lagUntil), mayBeOld };
    }

    /** The resource as `lookTogether` reads it; undefined if the read is denied, which may be temporary. */
    glance(run: Run, id: string): Promise<Look<Resource> | undefined> {
        return unlessFailed(this.lookTogether(run, id, 0), "denied");
    }

    private async lookBy(
        read: () => Promise<Resource>,
        { signal }: Run,
        lagUntil: number,
    ): Promise<Resource | undefined> {
        for (let delayMs = LOOK_DELAY_MS; ; delayMs = Math.min(delayMs * 1.6, LOOK_MAX_DELAY_MS)) {
            const patient = performance.now() < lagUntil;
            try {
                const resource = await read();
                return isGone(resource) ? undefined : resource;
            } catch (error) {
                if (!patient && failed(error, "notFound")) {
                    return undefined;
                }
                if (!patient || !failed(error, "notFound", "denied")) {
                    throw error;
                }
            }
            await sleep(delayMs, undefined, { signal });
        }
    }

    /**
     * Deletes the resource, if it exists; one that the state marks as not seen may not be visible yet. Returns whether
     * it existed.
     */
    async remove(run: Run, id: string, old?: Bag): Promise<boolean> {
        const { session } = run;
        const { kind, idIsName } = this.definition;
        // If ids are never reused, the operation id can be derived; it tells later that the resource was deleted and is
        // not just invisible.
        const derivedId = idIsName ? undefined : deleteOperationId(kind, id);
        let operationId = derivedId ?? randomUUID();
        let mayLagUntil = lagUntil(old);
        let wasThere = false;
        const create = notedCreate(old);
        for (let attempt = 0; ; ) {
            const resource =
                wasThere || create !== undefined
                    ? await this.look(run, id, mayLagUntil)
                    : (await this.lookTogether(run, id, mayLagUntil)).resource;
            if (resource === undefined) {
                return wasThere;
            }
            if (!wasThere && (await this.isStranger(run, resource, create))) {
                session.log.warn(run.context.urn, `${title(run)} is not deleted: ${STRANGER}`);
                return false;
            }
            wasThere = true;
            this.refuseSuccessor(run, resource, old);
            if (isInFlight(resource)) {
                mayLagUntil = resource.state === ResourceState.RESOURCE_STATE_DELETING ? 0 : mayLagUntil;
                await this.awaitOthers(run, resource);
                continue;
            }
            try {
                const write = () => this.sendDelete(run, resource, id, operationId);
                if ((await session.client.reads.changing(kind, write)) !== undefined) {
                    return true;
                }
                // The server no longer tells how it ended: the next read does.
            } catch (error) {
                if (failed(error, "notFound")) {
                    return true;
                }
                // The response may be that of an earlier attempt under this id, or the id be refused because of one;
                // only a new id makes a new attempt.
                const repeated =
                    operationId === derivedId &&
                    (error instanceof OperationError || failed(error, "conflict", "invalid", "alreadyExists"));
                if (!repeated && !(await this.isConflict(run, error, resource, id, attempt))) {
                    throw this.deleteError(resource, error);
                }
            }
            operationId = randomUUID();
            mayLagUntil = 0;
            await this.pause(run, attempt);
            attempt += 1;
        }
    }

    /**
     * Whether somebody deleted the resource that the state knows, and created another with its id.
     *
     * @returns when the other was created
     */
    anotherSince(resource: Resource, old: Bag | undefined): string | undefined {
        if (!this.definition.idIsName || typeof old?.createdTime !== "string") {
            return undefined;
        }
        const { createdTime } = resource;
        return createdTime && timeMs(createdTime) - Date.parse(old.createdTime) > ANOTHER_MS
            ? fromTimestamp(createdTime)
            : undefined;
    }

    /**
     * Refuses a resource that somebody else may have created since under the same name, and may be using. A resource
     * without a natural key cannot be recreated by anybody else.
     */
    refuseSuccessor(run: Run, resource: Resource, old: Bag | undefined): void {
        const isBack = old?.[REPLACE_KEY] === GONE && this.view.naturalKey(old) !== undefined;
        const since = this.anotherSince(resource, old);
        if (!isBack && since === undefined) {
            return;
        }
        const what = isBack
            ? "it was gone at the last update, and exists again: it may be somebody else's."
            : `it was deleted outside this stack, and recreated on ${since}: it may be somebody else's.`;
        throw new ActionRequiredError(
            `${what} Nothing was changed. Run \`pulumi refresh\` first to manage the existing one, or ` +
                `\`pulumi state delete '${run.context.urn}'\` to leave it alone.`,
        );
    }

    /**
     * Whether the resource is not what that operation, of an earlier run, created: the operation has failed, or the
     * resource was there before it.
     */
    async isStranger(run: Run, resource: Resource, create: AsyncOperation | undefined): Promise<boolean> {
        if (create === undefined || resource.asyncOperationId === create.id) {
            return false;
        }
        const ended = await this.endOf(run, create);
        if (ended === undefined) {
            // Later, it may have failed long ago, and the name have been free.
            return !isMadeWithin(resource, create, run.context.timeoutMs("create"));
        }
        // If it has succeeded, the name was free, whatever the clocks say.
        return ended.state === AsyncOperation_State.STATE_FULFILLED
            ? isLaterThan(resource, ended)
            : !isLeftBy(resource, ended);
    }

    /** The end of an operation; undefined if the server does not tell it. */
    private async endOf(run: Run, operation: AsyncOperation): Promise<AsyncOperation | undefined> {
        // One answer may be wrong.
        const known = (await this.knownOperation(run, operation.id)) ?? (await this.knownOperation(run, operation.id));
        return known && this.awaitCreate(run, known);
    }

    /** Sends a delete and waits for it. Undefined if the server does not tell how it ended. */
    private async sendDelete(
        run: Run,
        { resourceVersion }: Resource,
        id: string,
        operationId: string,
    ): Promise<AsyncOperation | undefined> {
        const { cloud, reads } = run.session.client;
        const { asyncOperation } = await this.definition.delete(cloud, id, resourceVersion, operationId, {
            signal: run.signal,
        });
        reads.changed(this.definition.kind);
        return this.awaitOperation(run, operationOrId(asyncOperation, operationId), "deleting");
    }

    /** Waits until a resource that is being deleted is gone, or no longer being deleted. */
    async awaitGone(run: Run, id: string): Promise<void> {
        for (;;) {
            const resource = await this.look(run, id);
            if (resource?.state !== ResourceState.RESOURCE_STATE_DELETING) {
                return;
            }
            await this.awaitOthers(run, resource);
        }
    }

    /** The operation of that id, if the server knows it and it is visible. */
    async knownOperation({ session, signal }: Run, operationId: string): Promise<AsyncOperation | undefined> {
        const asking = session.client.cloud.getAsyncOperation({ asyncOperationId: operationId }, { signal });
        const answer = await unlessFailed(asking, "notFound", "denied", "invalid", "conflict");
        return answer?.asyncOperation && { ...answer.asyncOperation, id: operationId };
    }

    /**
     * Waits for an operation and shows its progress.
     *
     * @returns the ended operation; undefined if the server does not tell how it ended, or `isMade` does
     * @throws {OperationError} if it ended FAILED, REJECTED or CANCELLED
     */
    async awaitOperation(
        run: Run,
        operation: AsyncOperation,
        purpose: string,
        { firstStatusMs = FIRST_STATUS_MS, isMade }: AwaitEndOptions = {},
    ): Promise<AsyncOperation | undefined> {
        const { session, signal, context } = run;
        const { limiter } = session.client;
        const startedAt = performance.now();
        let showAt = startedAt + firstStatusMs;
        return session.operations.awaitEnd(operation, {
            signal,
            isBusy: () => limiter.isBusy,
            isMade,
            onProgress: (state) => {
                const now = performance.now();
                if (!isEnded(state) && now >= showAt) {
                    showAt = now + STATUS_INTERVAL_MS;
                    const seconds = Math.round((now - startedAt) / 1000);
                    session.log.status(context.urn, seconds > 0 ? `${purpose} (${seconds} s)` : purpose);
                }
            },
        });
    }

    /**
     * Whether a write was refused because the resource has changed since it was read, or has an operation in flight.
     * Which code the server uses for that is undocumented, so the resource itself decides.
     */
    async isConflict(run: Run, error: unknown, resource: Resource, id: string, attempts: number): Promise<boolean> {
        if (!failed(error, "conflict", "invalid", "alreadyExists", "notFound")) {
            return false;
        }
        const now = await this.look(run, id);
        const changed = now === undefined || now.resourceVersion !== resource.resourceVersion || isInFlight(now);
        // The change may not be visible yet. gRPC's codes for conflicts get more attempts than those that usually mean
        // an invalid request.
        return changed || attempts < (failed(error, "conflict") ? UNEXPLAINED_LIMIT : 1);
    }

    /** Waits for somebody else's operation on the resource. */
    awaitOthers(run: Run, { asyncOperationId }: Resource): Promise<void> {
        return this.awaitEvent(run, {
            purpose: "waiting for another operation on it",
            operationId: asyncOperationId || undefined,
        });
    }

    async awaitEvent(run: Run, { purpose, operationId }: Wait): Promise<void> {
        if (operationId !== undefined && !this.exhausted.has(operationId)) {
            const known = await this.knownOperation(run, operationId);
            const isAtWork = known !== undefined && !isEnded(known);
            if (isAtWork) {
                await this.awaitOperation(run, known, purpose).catch(unlessOperationError);
            }
            this.exhausted.add(operationId);
            if (isAtWork) {
                return;
            }
        }
        // The resource shows the end of its operation a little later.
        run.session.log.status(run.context.urn, purpose);
        await sleep(WAIT_INTERVAL_MS, undefined, { signal: run.signal });
    }

    /** Waits for a create to end, successfully or not; undefined if the server does not tell how it ended. */
    async awaitCreate(run: Run, operation: AsyncOperation): Promise<AsyncOperation | undefined> {
        try {
            return await this.awaitOperation(run, operation, "creating");
        } catch (error) {
            if (error instanceof OperationError) {
                return error.operation;
            }
            throw error;
        }
    }

    pause({ signal }: Run, conflicts: number): Promise<void> {
        const mostMs = Math.min(CONFLICT_DELAY_MS * 2 ** conflicts, CONFLICT_MAX_DELAY_MS);
        return sleep(mostMs * (0.2 + 0.8 * Math.random()), undefined, { signal });
    }

    private deleteError(resource: Resource, error: unknown): unknown {
        const hint = this.definition.deleteHint?.(resource);
        return hint && error instanceof Error
            ? new LifecycleError(`${error.message} ${hint}`, { cause: error })
            : error;
    }
}

/**
 * The resource of that id. A response without it is an error, not a resource that is gone; so is one with another
 * resource, or the next step would be done to that.
 */
async function getExactly<Resource extends LiveResource>(
    { kind, get, idOf }: Pick<Definition<never, Resource>, "kind" | "get" | "idOf">,
    cloud: Cloud,
    id: string,
    options: CallOptions,
): Promise<Resource> {
    const resource = await get(cloud, id, options);
    const found = resource && idOf(resource);
    if (resource === undefined || found !== id) {
        const what = found ? `the ${kind} ${JSON.stringify(shorten(found))}` : `no ${kind}`;
        throw new LifecycleError(
            `the server was asked for the ${kind} ${JSON.stringify(id)} and returned ${what}. If that persists, check ` +
                "temporalcloud:endpoint.",
        );
    }
    return resource;
}

/** How to read resources of that definition. */
export function sourceOf<Resource extends LiveResource>(
    definition: Pick<Definition<never, Resource>, "kind" | "get" | "list" | "idOf">,
    cloud: Cloud,
): Source<Resource> {
    return {
        kind: definition.kind,
        get: (id, options) => getExactly(definition, cloud, id, options),
        list: (pageToken, options) => definition.list(cloud, pageToken, options),
        idOf: (resource) => definition.idOf(resource),
        isGone,
    };
}

/** How somebody else's operation ends does not matter here. */
function unlessOperationError(error: unknown): void {
    if (!(error instanceof OperationError)) {
        throw error;
    }
}

/** Whether an operation is in flight on it. */
export function isInFlight({ state }: LiveResource): boolean {
    return (
        state === ResourceState.RESOURCE_STATE_ACTIVATING ||
        state === ResourceState.RESOURCE_STATE_UPDATING ||
        state === ResourceState.RESOURCE_STATE_DELETING
    );
}
