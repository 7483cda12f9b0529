import { randomUUID } from "node:crypto";
import type { AsyncOperation } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import { failed, GivenUpError, READ_LAG_MS, RpcError } from "../client/errors";
import type { Definition, LiveResource, Wait, Write } from "../definition";
import type { Bag } from "../fields";
import type { Change } from "../overlay";
import { refuseOtherAccount } from "./accounts";
import type { Existing, Look } from "./existing";
import { isInFlight, STRANGER } from "./existing";
import { ACCOUNT_KEY, GONE, isUnseen, lagUntil, REPLACE_KEY, UNSEEN_KEY } from "./hidden";
import { isEnded, OperationError, operationOrId } from "./operation";
import { isLeftBy, notedCreate } from "./origin";
import type { Run, Task } from "./run";
import { ActionRequiredError, HalfFinishedError, LifecycleError, reason, title } from "./run";
import type { View } from "./view";
import { quoted } from "./view";

/** A write accepted this many times without a visible change has no effect, or somebody reverts it each time. */
const SAME_WRITE_LIMIT = 6;
/** Timeout of the last read, made after the timeout of the work itself. */
const LAST_LOOK_MS = 10_000;

/** A resource and what it should become. */
interface Goal<Resource> {
    readonly run: Run;
    readonly id: string;
    /** Its inputs, as the engine passes them. */
    readonly bag: Bag;
    readonly task: Task;
    /** The outputs that do not come from the resource. */
    readonly carried: Bag | undefined;
    /** Its outputs in the state. */
    readonly old?: Bag;
    /** What has already been read of it. */
    readonly seen?: Look<Resource> | undefined;
    /** Whether it was just created, so that it may not be visible yet. */
    readonly justMade?: boolean;
    /** The operation that created it, if its id is the name, which may be somebody else's. */
    readonly create?: AsyncOperation | undefined;
}

/** What has the resource's name is not what this stack has created. Nothing was changed. */
export class StrangerError extends ActionRequiredError {
    constructor() {
        super(
            `${STRANGER} Nothing was changed. Run \`pulumi refresh\` to remove it from the state. Then choose another ` +
                "name, or, to manage it here, give this resource the argument `adopt: true`.",
        );
    }
}

/** The result of a step: nothing is left to do, a write is done, or the resource has to be read again. */
type Step = "done" | "written" | "again";

/** Brings one existing resource to the desired state. */
export class Reconciliation<Args extends object, Resource extends LiveResource> {
    private readonly definition: Definition<Args, Resource>;
    private readonly view: View<Args, Resource>;
    private readonly lagUntil: number;
    /** The versions that this run has overwritten: by which write, and until when a read may still show one. */
    private readonly overwritten = new Map<string, { readonly purpose: string; readonly until: number }>();
    /** How often in a row a read has shown one. */
    private stale = 0;
    /** How often each write was made, by purpose. */
    private readonly writesMade = new Map<string, number>();
    private conflicts = 0;
    private hasWritten = false;
    /** How the server answered the last write. */
    private answer = "";

    constructor(
        private readonly existing: Existing<Args, Resource>,
        private readonly goal: Goal<Resource>,
    ) {
        this.definition = existing.definition;
        this.view = existing.view;
        this.lagUntil = goal.justMade ? performance.now() + READ_LAG_MS : lagUntil(goal.old);
    }

    /**
     * Reads the resource if it has not been read yet, makes the write that is due, waits for it, and reads again, until
     * nothing is due.
     */
    async reconcile(): Promise<Resource> {
        const { seen, old } = this.goal;
        let isNew = this.goal.justMade === true;
        try {
            let look = seen ?? (notedCreate(old) ? await this.lookAlone() : await this.lookTogether());
            for (let isFirst = true; ; isFirst = false) {
                if (look.mayBeOld && this.isDoubtful(look)) {
                    look = await this.lookAlone();
                }
                if (isFirst) {
                    await this.refuse(look);
                }
                const resource = await this.present(look, isNew);
                const step = await this.step(resource, look.mayBeOld, isNew || this.hasWritten);
                if (step === "done") {
                    return resource;
                }
                isNew = false;
                look = step === "written" ? await this.lookTogether() : await this.lookAlone();
            }
        } catch (error) {
            if (error instanceof HalfFinishedError || !this.hasWritten) {
                throw error;
            }
            throw await this.halfChanged(error);
        }
    }

    private lookTogether(): Promise<Look<Resource>> {
        return this.existing.lookTogether(this.goal.run, this.goal.id, this.lagUntil);
    }

    private async lookAlone(): Promise<Look<Resource>> {
        const { run, id } = this.goal;
        return { resource: await this.existing.look(run, id, this.lagUntil), mayBeOld: false };
    }

    /** Whether an old list may show a resource that had the name before. */
    private isDoubtful({ resource }: Look<Resource>): boolean {
        const { create } = this.goal;
        return (
            resource?.state === ResourceState.RESOURCE_STATE_ACTIVATION_FAILED ||
            (resource !== undefined && create !== undefined && !isLeftBy(resource, create))
        );
    }

    /** Refuses what is not the resource that a create of this stack has made, or has made as the program no longer says. */
    private async refuse({ resource }: Look<Resource>): Promise<void> {
        const { run, old, create, task } = this.goal;
        if (resource === undefined) {
            return;
        }
        // The end of the operation shows that it is, also by a clock that is wrong.
        const isKnown = create === undefined || isEnded(create) || isLeftBy(resource, create);
        if (!isKnown || (await this.existing.isStranger(run, resource, notedCreate(old)))) {
            throw new StrangerError();
        }
        const differing = isUnseen(old) ? this.view.differences(resource, task).filter(({ replace }) => replace) : [];
        if (differing.length > 0) {
            throw this.outdated(resource, differing);
        }
    }

    /** The resource that was read, if it exists and may be changed. */
    private async present({ resource }: Look<Resource>, isNew: boolean): Promise<Resource> {
        const { run, old, carried } = this.goal;
        if (resource === undefined) {
            if (isNew) {
                throw new LifecycleError(`it did not become visible within ${READ_LAG_MS / 1000} s.`);
            }
            await refuseOtherAccount(run, carried?.[ACCOUNT_KEY]);
            throw this.gone();
        }
        this.existing.refuseSuccessor(run, resource, old);
        if (resource.state === ResourceState.RESOURCE_STATE_ACTIVATION_FAILED) {
            throw this.neverActive(resource);
        }
        return resource;
    }

    /** `hasChanged`: whether this run has created it or written to it. */
    private async step(resource: Resource, mayBeOld: boolean, hasChanged: boolean): Promise<Step> {
        const { run, task } = this.goal;
        if (isInFlight(resource)) {
            if (!mayBeOld) {
                await this.existing.awaitOthers(run, resource);
            }
            return "again";
        }
        let next: Write | Wait | undefined;
        try {
            next = this.definition.next(resource, this.view.desired(resource, task, this.writesMade));
        } catch (error) {
            // What a stale list shows may have been corrected since.
            if (mayBeOld) {
                return "again";
            }
            throw error;
        }
        // A stale list may not show this run's write yet, or may hide a change by others. A first write based on one is
        // safe: the server refuses a stale version.
        if (mayBeOld && hasChanged !== (next === undefined)) {
            return "again";
        }
        if (next === undefined) {
            return "done";
        }
        if ("send" in next) {
            return this.write(next, resource, mayBeOld);
        }
        await this.existing.awaitEvent(run, next);
        return "again";
    }

    private async write(write: Write, resource: Resource, mayBeOld: boolean): Promise<Step> {
        const { run } = this.goal;
        const last = this.overwritten.get(resource.resourceVersion);
        if (last?.purpose === write.purpose && performance.now() < last.until) {
            // The read lags behind that write: what it shows as due may be done.
            await this.existing.pause(run, this.stale);
            this.stale += 1;
            return "again";
        }
        this.stale = 0;
        const times = (this.writesMade.get(write.purpose) ?? 0) + 1;
        if (times > SAME_WRITE_LIMIT + this.conflicts) {
            throw new LifecycleError(
                `The server ${this.answer} ${times - 1} times, but the change is not visible: ${write.purpose}. ` +
                    "Either it has no effect, or somebody else reverts it each time: find out who, or leave the property " +
                    "to them with the option `ignoreChanges`.",
            );
        }
        this.writesMade.set(write.purpose, times);
        const outcome = await this.send(write, resource, mayBeOld);
        this.answer = outcome === "nothing" ? "said that there is nothing to change" : "accepted this";
        if (outcome === "conflict") {
            this.conflicts += 1;
            await this.existing.pause(run, this.conflicts);
        } else if (times > 1 + this.conflicts) {
            // Whoever reverted it may be about to do so again.
            await this.existing.pause(run, times - this.conflicts - 2);
        }
        return outcome === "done" ? "written" : "again";
    }

    /**
     * Makes one write and waits for it. "conflict": the resource changed in between, so that the write has to be
     * decided again. "nothing": the server sees nothing to change.
     */
    private async send(write: Write, resource: Resource, mayBeOld: boolean): Promise<"done" | "nothing" | "conflict"> {
        const { run, id } = this.goal;
        const { cloud, reads } = run.session.client;
        const operationId = randomUUID();
        try {
            await reads.changing(this.definition.kind, async () => {
                const { asyncOperation } = await write.send(cloud, operationId, { signal: run.signal });
                reads.changed(this.definition.kind);
                this.hasWritten = true;
                const operation = operationOrId(asyncOperation, operationId);
                await this.existing.awaitOperation(run, operation, write.purpose, { firstStatusMs: 0 });
            });
            const { resourceVersion } = resource;
            const { until = performance.now() + READ_LAG_MS } = this.overwritten.get(resourceVersion) ?? {};
            this.overwritten.set(resourceVersion, { purpose: write.purpose, until });
            return "done";
        } catch (error) {
            if (failed(error, "nothingToChange")) {
                return "nothing";
            }
            const isConflict = await this.existing.isConflict(run, error, resource, id, this.conflicts);
            // The definition itself may have refused it, by what an old list shows.
            const isOfServer =
                error instanceof RpcError || error instanceof OperationError || error instanceof GivenUpError;
            if (isConflict || (mayBeOld && !isOfServer)) {
                return "conflict";
            }
            throw error;
        }
    }

    private get title(): string {
        const { run, id } = this.goal;
        return title({ kind: run.kind, context: run.context, id });
    }

    private gone(): HalfFinishedError {
        const { id, bag, carried, old } = this.goal;
        const why = isUnseen(old)
            ? "does not exist: its create, which an earlier run started, has failed, or it was deleted since."
            : "no longer exists: it was deleted outside this stack.";
        return new HalfFinishedError(
            `${this.title} ${why} The next \`pulumi up\` recreates it.`,
            id,
            this.view.unseen(bag, carried, { [REPLACE_KEY]: GONE }),
        );
    }

    /** An earlier run created it from other values, which the state does not know. */
    private outdated(resource: Resource, changes: readonly Change[]): HalfFinishedError {
        const { id, bag, carried } = this.goal;
        const paths = quoted(changes.map(({ path }) => path));
        return new HalfFinishedError(
            `${this.title} was created with another value of ${paths}, which only a replacement can change. The next ` +
                "`pulumi up` replaces it.",
            id,
            { ...this.view.outputs(resource, bag, carried), [REPLACE_KEY]: true },
        );
    }

    private neverActive(resource: Resource): HalfFinishedError {
        const { id, bag, carried } = this.goal;
        return new HalfFinishedError(
            `${this.title} never became active: its creation failed. The next \`pulumi up\` replaces it.`,
            id,
            { ...this.view.outputs(resource, bag, carried), [REPLACE_KEY]: true },
        );
    }

    /** Some writes may have been made before the error: the state records what there is now. */
    private async halfChanged(error: unknown): Promise<unknown> {
        const { run, id, bag, carried, task } = this.goal;
        const signal = AbortSignal.timeout(Math.min(LAST_LOOK_MS, run.timeoutMs));
        const resource = await this.existing.look({ ...run, signal }, id).catch(() => undefined);
        if (resource === undefined) {
            return error;
        }
        return new HalfFinishedError(
            `${this.title} is only partly updated: ${reason(run, error)} ` +
                "The state records what was done; the next `pulumi up` does the rest.",
            id,
            { ...this.view.outputs(resource, bag, carried, task), ...(task.isFirst && { [UNSEEN_KEY]: true }) },
            { cause: error },
        );
    }
}
