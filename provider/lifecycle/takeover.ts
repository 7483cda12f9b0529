import type { AsyncOperation } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { AsyncOperation_State } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import { READ_LAG_MS, unlessFailed } from "../client/errors";
import type { Created, Definition, LiveResource } from "../definition";
import type { Bag } from "../fields";
import { timeMs } from "../wire";
import type { Existing } from "./existing";
import { hasFailed, isEnded } from "./operation";
import { deleteOperationId } from "./operation-id";
import { isLeftByFailed, isMadeBy } from "./origin";
import type { Owners } from "./owners";
import type { Run, Task } from "./run";
import type { View } from "./view";
import { quoted } from "./view";

/** Maximum age of an earlier run's operation to take over: after that, the resource may be somebody else's. */
const TAKE_OVER_MS = 24 * 3_600_000;
/**
 * What it created and cannot be taken over is deleted only this soon after its end: later, it may be in use under
 * another logical name, of which the engine does not always tell in time.
 */
const DISCARD_MS = 3_600_000;

/** How the server refuses a create whose operation id it knows, or whose name is taken. */
export const REFUSALS = ["invalid", "alreadyExists", "conflict", "nothingToChange", "notFound"] as const;

/** What became of an earlier run's operation. */
export type Earlier =
    /** It created the resource, which is taken over. */
    | { readonly outcome: "taken"; readonly created: Created }
    /** It created a resource that is not visible: gone, or not visible yet. */
    | { readonly outcome: "unseen"; readonly created: Created; readonly operation: AsyncOperation }
    /** It is too old, or the server did not say what it created. */
    | { readonly outcome: "unnamed" }
    /** It left nothing to take over. */
    | { readonly outcome: "passed" };

/** Repeats the create request of an earlier run's operation. */
type Repeat = (run: Run, task: Task, operation: AsyncOperation) => Promise<Created>;

/** Resumes a create that an earlier run of this stack started before it was killed without saving the result. */
export class Takeover<Args extends object, Resource extends LiveResource> {
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
     * Takes over what an earlier run's operation created, if it is there, recent, and no other resource's. If it cannot
     * become what the program declares, it is deleted, since no state has ever recorded it, or left alone if it may be
     * in use.
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
        // The same id creates nothing new: the server repeats its first response, the only one that names the resource.
        const created = answer ?? (await unlessFailed(this.repeat(run, task, operation), ...REFUSALS));
        if (created === undefined) {
            return { outcome: "unnamed" };
        }
        // It may be another resource's by now: one that was renamed and left its old logical name to this one.
        if (this.owners.other(created.id, run.context) !== undefined) {
            return { outcome: "passed" };
        }
        const ended = await this.endOf(run, bag, created, operation);
        const resource = await this.lookForOurs(run, created, ended);
        if (resource === undefined) {
            // A name tells later whether a failed create has left something.
            return ended.state === AsyncOperation_State.STATE_FULFILLED || this.definition.idIsName
                ? { outcome: "unseen", created, operation: ended }
                : { outcome: "passed" };
        }
        // Anybody can take a name once it is free.
        if (!this.isResultOf(resource, ended) || this.owners.other(created.id, run.context) !== undefined) {
            return { outcome: "passed" };
        }
        if (resource.state === ResourceState.RESOURCE_STATE_DELETING) {
            await this.existing.awaitGone(run, created.id);
            return { outcome: "passed" };
        }
        if (resource.state === ResourceState.RESOURCE_STATE_ACTIVATION_FAILED) {
            await this.discardFailed(run, created);
            return { outcome: "passed" };
        }
        const impossible = this.view.unchangeable(resource, task);
        if (impossible.length > 0) {
            const why = `the program has since changed in ${quoted(impossible)}`;
            await this.discardIfRecent(run, created, ended, why);
            return { outcome: "passed" };
        }
        const { createOnlyOutputs } = this.definition;
        if (createOnlyOutputs !== undefined) {
            // A server may repeat them. But the key may be here because it is to be replaced, which the engine does not
            // always say, and it has the lifetime that was declared when it was created.
            const lost = `its ${createOnlyOutputs.join(", ")} may be lost, or known elsewhere`;
            await this.discardIfRecent(run, created, ended, lost);
            return { outcome: "passed" };
        }
        return { outcome: "taken", created: this.take(run, created, operation) };
    }

    /** Waits for the create of an earlier run; its operation as far as it is known. */
    private async endOf(run: Run, bag: Bag, created: Created, operation: AsyncOperation): Promise<AsyncOperation> {
        if (created.asyncOperation === undefined || isEnded(operation)) {
            return operation;
        }
        try {
            return (
                (await this.existing.awaitCreate(run, created.asyncOperation)) ??
                (await this.existing.knownOperation(run, operation.id)) ??
                operation
            );
        } catch (error) {
            // What only the first response had, such as a token, is lost.
            const next = this.definition.createOnlyOutputs === undefined ? "resume" : "replace";
            throw this.view.halfCreated(run, bag, created, error, next);
        }
    }

    /**
     * Deletes what an earlier run created and cannot be taken over; leaves it alone if the operation ended long ago.
     */
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
            `${this.definition.kind} ${created.id} is left alone: ${why}. That was long enough ago for it to be in ` +
                "use. Delete it if it is not.",
        );
    }

    /** Deletes what a failed create of an earlier run has left. */
    discardFailed(run: Run, created: Created): Promise<void> {
        return this.discard(run, created, "its creation, which an earlier run of this stack started, failed");
    }

    /** Deletes what an operation of this resource created, and nobody uses. */
    async discard(run: Run, created: Created, why: string): Promise<void> {
        const { log } = run.session;
        log.warn(run.context.urn, `Deleting ${this.definition.kind} ${created.id}: ${why}. A new one is created.`);
        const lagUntil = performance.now() + READ_LAG_MS;
        const ended = created.asyncOperation && (await this.existing.awaitCreate(run, created.asyncOperation));
        await this.existing.look(run, created.id, ended && hasFailed(ended) ? 0 : lagUntil);
        await this.existing.remove(run, created.id);
    }

    take(run: Run, created: Created, { id }: AsyncOperation): Created {
        run.session.log.warn(
            run.context.urn,
            `Taking over ${this.definition.kind} ${created.id}, which an earlier run of this stack started to create ` +
                `(operation ${id}).`,
        );
        return { ...created, carried: { ...created.carried, ...this.owners.claim(created.id, run.context) } };
    }

    /** What an earlier run created. If it is not visible, it was deleted or is not visible yet. */
    private async lookForOurs(run: Run, created: Created, operation: AsyncOperation): Promise<Resource | undefined> {
        // If the server's clock is ahead of this machine's, it has just ended.
        const endedMsAgo = Math.max(Date.now() - timeMs(operation.finishedTime ?? operation.startedTime), 0);
        // A rejected create leaves nothing to wait for. If the id is the name, the name settles it later: if it is free,
        // the resource is gone. Otherwise, the server knows the operation id of a delete by this provider.
        const settled =
            operation.state === AsyncOperation_State.STATE_REJECTED ||
            this.definition.idIsName ||
            (await this.existing.knownOperation(run, deleteOperationId(this.definition.kind, created.id))) !==
                undefined;
        const lagUntil = settled ? 0 : performance.now() + READ_LAG_MS - endedMsAgo;
        return unlessFailed(this.existing.look(run, created.id, lagUntil), "denied");
    }

    /** Whether the operation has left this resource. If the id is the name, only an end without failure makes it so. */
    isResultOf(resource: Resource, operation: AsyncOperation): boolean {
        return this.definition.idIsName && operation.state !== AsyncOperation_State.STATE_FULFILLED
            ? isLeftByFailed(resource, operation)
            : isMadeBy(resource, operation);
    }
}

/** Whether an earlier run's operation is recent enough for its resource still to be this one's. */
export function isRecent({ startedTime }: AsyncOperation): boolean {
    return startedTime === undefined || timeMs(startedTime) >= Date.now() - TAKE_OVER_MS;
}
