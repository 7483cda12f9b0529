import { CloudServiceDefinition } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import type { AsyncOperation } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { AsyncOperation_State } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import type { CallOptions } from "../client/client";
import { READ_LAG_MS, unlessFailed } from "../client/errors";
import type { Cloud, Created, Definition, Live } from "../definition";
import type { Bag } from "../fields";
import { timeMs } from "../wire";
import type { Existing } from "./existing";
import { isEnded, OperationError } from "./operation";
import { deleteOperationId } from "./operation-id";
import type { Owners } from "./owners";
import type { Run, Task } from "./run";
import type { View } from "./view";

/** An operation of an earlier run that is older is not taken up: by then the resource may be somebody else's. */
const TAKE_OVER_MS = 24 * 3_600_000;
/**
 * What it made and cannot be taken over is deleted only so soon after its end: by then it can be in use under another
 * logical name, of which the engine does not always tell in time.
 */
const DISCARD_MS = 3_600_000;
/** What the server's clocks may differ by. */
const CLOCK_SLACK_MS = 60_000;

/** How a server refuses a create whose operation id it knows, or whose name is taken. */
export const REFUSALS = ["invalid", "alreadyExists", "conflict", "nothingToChange", "notFound"] as const;

/** What became of an operation of an earlier run. */
export type Earlier =
    /** It made what is wanted. */
    | { readonly outcome: "taken"; readonly created: Created }
    /** It made something that cannot be seen: gone, or not visible yet. */
    | { readonly outcome: "unseen"; readonly created: Created }
    /** The server did not say what it made. */
    | { readonly outcome: "unnamed" }
    /** What it made, if anything, is none of this resource's concern. */
    | { readonly outcome: "passed" };

/** Repeats the create that an operation of an earlier run began with. */
type Repeat = (run: Run, task: Task, operation: AsyncOperation) => Promise<Created>;

/** What becomes of a create that an earlier run of this stack started, and was killed before it could save its result. */
export class Takeover<Args extends object, Resource extends Live> {
    private readonly definition: Definition<Args, Resource>;
    private readonly view: View<Args, Resource>;

    constructor(
        private readonly existing: Existing<Args, Resource>,
        private readonly owners: Owners,
        private readonly repeat: Repeat,
    ) {
        this.definition = existing.definition;
        this.view = existing.view;
    }

    /**
     * Takes over what an operation of an earlier run made, if it is there, recent, and no other resource's. Where it
     * cannot become what the program wants, it is deleted: no state has ever known it.
     */
    async takeUp(
        run: Run,
        bag: Bag,
        task: Task,
        operation: AsyncOperation,
        answer: Created | undefined,
    ): Promise<Earlier> {
        if (!isRecent(operation)) {
            return { outcome: "unnamed" };
        }
        // The same id again makes nothing new: the server repeats its first answer, the only one that names the resource.
        const created = answer ?? (await unlessFailed(this.repeat(run, task, operation), ...REFUSALS));
        if (created === undefined) {
            return { outcome: "unnamed" };
        }
        let ended = operation;
        try {
            if (created.asyncOperation && !isEnded(operation)) {
                await this.existing.awaitOperation(run, created.asyncOperation, "creating");
                ended = (await this.existing.knownOperation(run, operation.id)) ?? operation;
            }
        } catch (error) {
            if (!(error instanceof OperationError)) {
                throw this.view.halfCreated(run, bag, created, error, "resume");
            }
            ended = error.operation;
        }
        const resource = await this.lookForOurs(run, created, ended);
        if (resource === undefined) {
            return ended.state === AsyncOperation_State.STATE_FULFILLED
                ? { outcome: "unseen", created }
                : { outcome: "passed" };
        }
        // A name can be had again by anybody once it is free. And what an operation of this resource made can be another
        // resource's by now: one that was renamed, and left its old name to this one.
        if (!this.isResultOf(resource, ended) || this.owners.other(created.id, run.context) !== undefined) {
            return { outcome: "passed" };
        }
        if (resource.state === ResourceState.RESOURCE_STATE_DELETING) {
            await this.existing.awaitGone(run, created.id);
            return { outcome: "passed" };
        }
        if (resource.state === ResourceState.RESOURCE_STATE_ACTIVATION_FAILED) {
            await this.discard(run, created, "its creation, which an earlier run of this stack started, failed");
            return { outcome: "passed" };
        }
        const differing = this.view.differences(resource, task).filter(({ replace }) => replace);
        const { replaceNow, see } = this.definition;
        const impossible = [
            ...differing.map(({ path }) => path),
            replaceNow?.(see(resource).args as Bag, task.args, new Date())?.property ?? [],
        ].flat();
        if (impossible.length > 0) {
            const paths = [...new Set(impossible)].map((path) => `\`${path}\``).join(", ");
            await this.discardIfRecent(run, created, ended, `the program has since changed in ${paths}`);
            return { outcome: "passed" };
        }
        const { onceOutputs } = this.definition;
        if (onceOutputs !== undefined) {
            // A server may repeat them. But a key can be here because it is to be replaced, which the engine does not always
            // say, and it has the lifetime that was declared when it was made.
            const lost = `its ${onceOutputs.join(", ")} can be lost, or known elsewhere`;
            await this.discardIfRecent(run, created, ended, lost);
            return { outcome: "passed" };
        }
        return { outcome: "taken", created: this.take(run, created, operation) };
    }

    /** Deletes what an earlier run made and cannot be taken over, or leaves it where that is long ago. */
    private async discardIfRecent(
        run: Run,
        created: Created,
        operation: AsyncOperation,
        because: string,
    ): Promise<void> {
        const why = `an earlier run of this stack started to create it, and ${because}`;
        const endedMs = timeMs(operation.finishedTime ?? operation.startedTime);
        if (Date.now() - endedMs < DISCARD_MS) {
            await this.discard(run, created, why);
            return;
        }
        run.session.log.warn(
            run.context.urn,
            `${this.definition.kind} ${created.id} is left as it is: ${why}. But that is long enough ago for it to be in use. ` +
                "Delete it, if it is not.",
        );
    }

    /** Deletes what an operation of this resource made, and nobody has. */
    async discard(run: Run, created: Created, why: string): Promise<void> {
        const { log } = run.session;
        log.warn(run.context.urn, `Deleting ${this.definition.kind} ${created.id}: ${why}. A new one is made.`);
        let lagUntil = performance.now() + READ_LAG_MS;
        try {
            if (created.asyncOperation) {
                await this.existing.awaitOperation(run, created.asyncOperation, "creating");
            }
        } catch (error) {
            if (!(error instanceof OperationError)) {
                throw error;
            }
            lagUntil = 0;
        }
        await this.existing.look(run, created.id, lagUntil);
        await this.existing.remove(run, created.id);
    }

    take(run: Run, created: Created, { id }: AsyncOperation): Created {
        run.session.log.warn(
            run.context.urn,
            `Taking over ${this.definition.kind} ${created.id}, which an earlier run of this stack started to create ` +
                `(operation ${id}).`,
        );
        return this.claimed(run, created);
    }

    claimed(run: Run, created: Created): Created {
        return { ...created, once: { ...created.once, ...this.owners.claim(created.id, run.context) } };
    }

    /** What an earlier run made. Not to be seen means either deleted, or not to be seen yet. */
    private async lookForOurs(run: Run, created: Created, operation: AsyncOperation): Promise<Resource | undefined> {
        // Should the server's clock be ahead of ours, it has just ended.
        const endedMsAgo = Math.max(Date.now() - timeMs(operation.finishedTime ?? operation.startedTime), 0);
        // A create that failed leaves nothing that would have to be waited for. Where the name is the id, the name settles
        // it later: if it is free, the resource is gone. Else a delete by this provider has left its own operation id.
        const settled =
            operation.state !== AsyncOperation_State.STATE_FULFILLED ||
            this.definition.idRecurs ||
            (await this.existing.knownOperation(run, deleteOperationId(this.definition.kind, created.id))) !==
                undefined;
        const lagUntil = settled ? 0 : performance.now() + READ_LAG_MS - endedMsAgo;
        return unlessFailed(this.existing.look(run, created.id, lagUntil), "denied");
    }

    /**
     * Whether a resource can be what that operation left. Where the name is the id, what is active after a create that failed
     * is somebody else's, unless it says otherwise.
     */
    isResultOf(resource: Resource, operation: AsyncOperation): boolean {
        const failedNamesake =
            this.definition.idRecurs === true &&
            operation.state !== AsyncOperation_State.STATE_FULFILLED &&
            resource.state === ResourceState.RESOURCE_STATE_ACTIVE;
        return failedNamesake ? resource.asyncOperationId === operation.id : isMadeBy(resource, operation);
    }
}

/** Whether a resource can be what that operation made, by the server's own clocks. */
export function isMadeBy({ createdTime }: Live, { startedTime, finishedTime }: AsyncOperation): boolean {
    if (createdTime === undefined || startedTime === undefined) {
        return true;
    }
    return (
        timeMs(createdTime) >= timeMs(startedTime) - CLOCK_SLACK_MS &&
        timeMs(createdTime) <= timeMs(finishedTime ?? createdTime) + CLOCK_SLACK_MS
    );
}

/** Whether an operation of an earlier run is young enough for what it made to be this resource's still. */
export function isRecent({ startedTime }: AsyncOperation): boolean {
    return startedTime === undefined || timeMs(startedTime) >= Date.now() - TAKE_OVER_MS;
}

/**
 * The API, but for a create: whatever it is asked for, it repeats the request that an operation began with. The program
 * may have changed since, and a server takes an operation id only for the request that it was first given with.
 */
export function repeating(cloud: Cloud, { operationInput, id }: AsyncOperation): Cloud {
    const name = /\.Create(\w+)Request$/.exec(operationInput?.typeUrl ?? "")?.[1];
    const key = `create${name}`;
    const method = Object.entries(CloudServiceDefinition.methods).find(([candidate]) => candidate === key)?.[1];
    if (operationInput === undefined || method === undefined) {
        return cloud;
    }
    let request: object;
    try {
        request = { ...method.requestType.decode(operationInput.value), asyncOperationId: id };
    } catch {
        return cloud;
    }
    const create = cloud[key as keyof Cloud] as (request: object, options: CallOptions) => Promise<unknown>;
    return Object.assign(Object.create(cloud) as Cloud, {
        [key]: (_: object, options: CallOptions) => create(request, options),
    });
}
