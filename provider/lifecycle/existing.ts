import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { AsyncOperation } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import type { CallOptions } from "../client/client";
import { failed, READ_LAG_MS, shorten, unlessFailed } from "../client/errors";
import type { Source } from "../client/source";
import type { Cloud, Definition, Live, Wait } from "../definition";
import type { Bag } from "../fields";
import { fromTimestamp, isGone, timeMs } from "../wire";
import { GONE, isUnseen, REPLACE_KEY } from "./hidden";
import type { AwaitOptions } from "./operation";
import { awaitOperation, isEnded, OperationError, operationOrId } from "./operation";
import { deleteOperationId } from "./operation-id";
import type { Run } from "./run";
import { LifecycleError } from "./run";
import type { View } from "./view";

const LOOK_DELAY_MS = 200;
const LOOK_MAX_DELAY_MS = 5_000;
const CONFLICT_DELAY_MS = 500;
const CONFLICT_MAX_DELAY_MS = 10_000;
/** How often a state is looked at that no operation id stands for. */
const WAIT_INTERVAL_MS = 1_200;
/**
 * When the person who watches is first told what takes so long, and how often from then on. That it is being created or
 * deleted, the engine has said already; a step of an update is told at once.
 */
const FIRST_STATUS_MS = 2_000;
const STATUS_INTERVAL_MS = 5_000;
/** A refusal that could mean a change, of which nothing is to be seen, is believed to be final after so many attempts. */
const UNEXPLAINED_LIMIT = 3;
/** A resource that was made so much later than the state says is another one. */
const ANOTHER_MS = 60_000;

/** What was seen of a resource. */
export interface Look<Resource> {
    readonly resource: Resource | undefined;
    /** Whether it may be seen later than by itself. */
    readonly mayBeOld: boolean;
}

interface AwaitEndOptions extends Pick<AwaitOptions, "isMade"> {
    /** When the person who watches is first told of it. */
    readonly firstStatusMs?: number;
}

/** What is done to resources that exist: looked at, waited for, removed. */
export class Existing<Args extends object, Resource extends Live> {
    /** Operations of others that have ended or cannot be seen: what becomes of them, only the resource shows. */
    private readonly exhausted = new Set<string>();

    constructor(
        readonly definition: Definition<Args, Resource>,
        readonly view: View<Args, Resource>,
    ) {}

    /** The resource as it is now; undefined when there is none. Until `lagUntil`, by `performance.now()`, none means not yet. */
    async look(run: Run, id: string, lagUntil = 0): Promise<Resource | undefined> {
        const { cloud } = run.session.client;
        return this.lookBy(() => getExactly(this.definition, cloud, id, { signal: run.signal }), run, lagUntil);
    }

    /**
     * The same, but while requests wait for their turn one looks for many, by a list. That may show later than a single look
     * what has changed.
     */
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

    /** The resource as `lookTogether` sees it, or undefined where it cannot be seen, which may pass. */
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
     * Deletes the resource, if it is there; one that nobody has seen, as its old state says, may just not be visible yet.
     * Returns whether it was there.
     */
    async remove(run: Run, id: string, old?: Bag): Promise<boolean> {
        const { session } = run;
        const { kind, idRecurs } = this.definition;
        // An id that is never given twice can be derived; it tells later that the resource is gone and not just unseen.
        const derivedId = idRecurs ? undefined : deleteOperationId(kind, id);
        let operationId = derivedId ?? randomUUID();
        let lagUntil = isUnseen(old) ? performance.now() + READ_LAG_MS : 0;
        let wasThere = false;
        for (let attempt = 0; ; ) {
            const resource = wasThere
                ? await this.look(run, id, lagUntil)
                : (await this.lookTogether(run, id, lagUntil)).resource;
            if (resource === undefined) {
                return wasThere;
            }
            wasThere = true;
            this.refuseSuccessor(run, resource, old);
            if (isInFlight(resource)) {
                lagUntil = resource.state === ResourceState.RESOURCE_STATE_DELETING ? 0 : lagUntil;
                await this.awaitOthers(run, resource);
                continue;
            }
            try {
                const write = () => this.sendDelete(run, resource, id, operationId);
                if ((await session.client.reads.changing(kind, write)) !== undefined) {
                    return true;
                }
                // The server no longer tells how it ended: the next look does.
            } catch (error) {
                if (failed(error, "notFound")) {
                    return true;
                }
                // The answer may be that of an earlier attempt under this id, or the id be refused because of one; only a
                // new id makes a new attempt.
                const repeated =
                    operationId === derivedId &&
                    (error instanceof OperationError || failed(error, "conflict", "invalid", "alreadyExists"));
                if (!repeated && !(await this.isConflict(run, error, resource, id, attempt))) {
                    throw this.deleteError(resource, error);
                }
            }
            operationId = randomUUID();
            lagUntil = 0;
            await this.pause(run, attempt);
            attempt += 1;
        }
    }

    /**
     * Whether somebody has deleted the resource that an old state knows, and made another under its id.
     *
     * @returns when the other was made
     */
    anotherSince(resource: Resource, old: Bag | undefined): string | undefined {
        if (!this.definition.idRecurs || typeof old?.createdTime !== "string") {
            return undefined;
        }
        const { createdTime } = resource;
        return createdTime && timeMs(createdTime) - Date.parse(old.createdTime) > ANOTHER_MS
            ? fromTimestamp(createdTime)
            : undefined;
    }

    /**
     * What has the id that the state knows may be what somebody else has made of that name since, and be in use. What has no
     * name cannot be had by anybody else.
     */
    refuseSuccessor(run: Run, resource: Resource, old: Bag | undefined): void {
        const isBack = old?.[REPLACE_KEY] === GONE && this.view.naturalKey(old) !== undefined;
        const since = this.anotherSince(resource, old);
        if (!isBack && since === undefined) {
            return;
        }
        const what = isBack
            ? "it was gone when an update looked for it, and now there is one again, which can be somebody else's."
            : `it was deleted outside this stack, and what has its id now was made on ${since}, and can be somebody else's.`;
        throw new LifecycleError(
            `${what} Nothing was changed. Run \`pulumi refresh\` first to manage what is there, or ` +
                `\`pulumi state delete '${run.context.urn}'\` to leave it alone.`,
        );
    }

    /** Sends a delete and waits for it. Undefined where the server does not tell how it ended. */
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

    /** Waits until a resource that is being deleted is gone, or else is not being deleted any more. */
    async awaitGone(run: Run, id: string): Promise<void> {
        for (;;) {
            const resource = await this.look(run, id);
            if (resource?.state !== ResourceState.RESOURCE_STATE_DELETING) {
                return;
            }
            await this.awaitOthers(run, resource);
        }
    }

    /** The operation of that id, if the server knows it and lets it be seen. */
    async knownOperation({ session, signal }: Run, operationId: string): Promise<AsyncOperation | undefined> {
        const asking = session.client.cloud.getAsyncOperation({ asyncOperationId: operationId }, { signal });
        const answer = await unlessFailed(asking, "notFound", "denied", "invalid", "conflict");
        return answer?.asyncOperation && { ...answer.asyncOperation, id: operationId };
    }

    /**
     * Waits for an operation and shows that it takes.
     *
     * @returns the ended operation; undefined where the server does not tell how it ended, or `isMade` does
     * @throws {OperationError} when it does not end well
     */
    async awaitOperation(
        run: Run,
        operation: AsyncOperation,
        purpose: string,
        { firstStatusMs = FIRST_STATUS_MS, isMade }: AwaitEndOptions = {},
    ): Promise<AsyncOperation | undefined> {
        const { session, signal, context } = run;
        const { cloud, limiter } = session.client;
        const startedAt = performance.now();
        let showAt = startedAt + firstStatusMs;
        return awaitOperation(cloud, operation, {
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
     * Whether a write was refused because the resource has changed since it was read, or is being changed. Which code
     * the server uses for that is not documented, so the resource itself decides.
     */
    async isConflict(run: Run, error: unknown, resource: Resource, id: string, attempts: number): Promise<boolean> {
        if (!failed(error, "conflict", "invalid", "alreadyExists", "notFound")) {
            return false;
        }
        const now = await this.look(run, id);
        const changed = now === undefined || now.resourceVersion !== resource.resourceVersion || isInFlight(now);
        // The change may just not be visible yet. The codes that gRPC has for conflicts are given more time than those that
        // mostly say that the request is at fault.
        return changed || attempts < (failed(error, "conflict") ? UNEXPLAINED_LIMIT : 1);
    }

    /** Waits for an operation on the resource that is not ours. */
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
 * The resource of that id. An answer without it is an error, and not a resource that is gone; one with another resource
 * too, or what is done next would be done to that.
 */
async function getExactly<Resource extends Live>(
    { kind, get, idOf }: Pick<Definition<never, Resource>, "kind" | "get" | "idOf">,
    cloud: Cloud,
    id: string,
    options: CallOptions,
): Promise<Resource> {
    const resource = await get(cloud, id, options);
    const found = resource && idOf(resource);
    if (resource === undefined || found !== id) {
        const what = found ? `with the ${kind} ${JSON.stringify(shorten(found))}` : `without a ${kind}`;
        throw new LifecycleError(`the server, asked for the ${kind} ${JSON.stringify(id)}, answered ${what}.`);
    }
    return resource;
}

/** How resources of that definition are read. */
export function sourceOf<Resource extends Live>(
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

/** How an operation ends that is not ours is not our concern. */
function unlessOperationError(error: unknown): void {
    if (!(error instanceof OperationError)) {
        throw error;
    }
}

/** Whether an operation is at work on it. */
export function isInFlight({ state }: Live): boolean {
    return (
        state === ResourceState.RESOURCE_STATE_ACTIVATING ||
        state === ResourceState.RESOURCE_STATE_UPDATING ||
        state === ResourceState.RESOURCE_STATE_DELETING
    );
}
