import { randomUUID } from "node:crypto";
import type { AsyncOperation } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { AsyncOperation_State } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import { failed, READ_LAG_MS, unlessFailed } from "../client/errors";
import { repeating } from "../client/repeating";
import type { Created, Definition, LiveResource } from "../definition";
import type { Bag } from "../fields";
import { AmbiguousError, findByNaturalKey } from "../pages";
import { timeMs } from "../wire";
import { accountNote } from "./accounts";
import type { Existing, Look } from "./existing";
import { isInFlight } from "./existing";
import { hasFailed, OperationError, operationOrId } from "./operation";
import { createOperationId } from "./operation-id";
import { isMadeBy } from "./origin";
import type { Owners } from "./owners";
import { newClaim } from "./owners";
import { Reconciliation, StrangerError } from "./reconciliation";
import type { Run, Task } from "./run";
import { HalfFinishedError, LifecycleError, TakenError } from "./run";
import { isRecent, REFUSALS, Takeover } from "./takeover";
import type { View } from "./view";

/** Maximum number of derived operation ids to try: a bound in case the server answers inconsistently. */
const MAX_LIVES = 100;

/** After this many creates in a row whose first response was lost, the server or the network is to blame. */
const MOST_INCOMPLETE = 5;

/** The previous life of a resource. */
interface Before {
    readonly operation: AsyncOperation;
    /** What it created, if the server named it. */
    readonly created?: Created;
}

/** What waiting for a create has shown. */
interface Made<Resource> {
    readonly seen?: Look<Resource> | undefined;
    readonly create?: AsyncOperation;
}

/**
 * Creates a resource exactly once. The operation id of a create is derived from the resource's place in the stack: if
 * the server knows it, an earlier run was killed before it could save what it had started, and this run resumes it. The
 * first create of a process queries its operation before sending anything. From then on the start of this process is
 * known, and the start time of the operation in each response tells which run started it, which saves a request per
 * create.
 */
export class Creation<Args extends object, Resource extends LiveResource> {
    /** Operation ids that this process has sent: a second response under one of them is not that of a new create. */
    private readonly sent = new Set<string>();

    private readonly definition: Definition<Args, Resource>;
    private readonly view: View<Args, Resource>;
    private readonly takeover: Takeover<Args, Resource>;

    constructor(
        private readonly existing: Existing<Args, Resource>,
        private readonly owners: Owners,
    ) {
        this.definition = existing.definition;
        this.view = existing.view;
        this.takeover = new Takeover(existing, owners, (run, task, operation) =>
            this.send(run, task, operation.id, operation),
        );
    }

    /**
     * Creates the resource, or takes over what an earlier run of this stack created, and brings it to the desired
     * state.
     */
    create(run: Run, bag: Bag, task: Task): Promise<{ created: Created; resource: Resource }> {
        return run.session.client.reads.changing(this.definition.kind, () => this.make(run, bag, task));
    }

    private async make(run: Run, bag: Bag, task: Task): Promise<{ created: Created; resource: Resource }> {
        const note = accountNote(run.session);
        const { beginning } = run.session;
        await beginning.wait();
        const started = await this.start(run, bag, task).finally(() => beginning.end());
        const noted = async () => ({ ...started, carried: { ...started.carried, ...(await note) } });
        try {
            const made = started.asyncOperation && (await this.awaitMade(run, started.id, started.asyncOperation));
            const created = await noted();
            const { id, carried } = created;
            if (this.definition.idIsName) {
                this.owners.note(id, run.context, carried);
            }
            const goal = { run, id, bag, task, carried, ...made, justMade: true };
            return { created, resource: await new Reconciliation(this.existing, goal).reconcile() };
        } catch (error) {
            const created = await noted();
            if (error instanceof OperationError && error.operation.id === started.asyncOperation?.id) {
                throw await this.failedCreate(run, bag, task, created, error);
            }
            if (error instanceof StrangerError) {
                const untold = `the server no longer tells how the operation ${started.asyncOperation?.id} ended`;
                throw this.takenError(run, task, created.id, undefined, new LifecycleError(untold));
            }
            throw error instanceof HalfFinishedError
                ? error
                : this.view.halfCreated(run, bag, created, error, "resume");
        }
    }

    /**
     * Waits for a create to end. If ids are never reused, only this operation can create a resource with this id, which
     * then shows that it has ended; a name may be somebody else's, in which case the operation fails.
     *
     * @returns the resource, if it showed the end; if its id is the name, the operation as far as it is known
     */
    private async awaitMade(run: Run, id: string, operation: AsyncOperation): Promise<Made<Resource>> {
        if (this.definition.idIsName) {
            return { create: (await this.existing.awaitOperation(run, operation, "creating")) ?? operation };
        }
        let seen: Look<Resource> | undefined;
        const isMade = async () => {
            const look = await this.existing.glance(run, id);
            const resource = look?.resource;
            if (resource === undefined || !isMadeBy(resource, operation)) {
                return undefined;
            }
            if (resource.state === ResourceState.RESOURCE_STATE_ACTIVE) {
                seen = look;
                return true;
            }
            return isInFlight(resource) ? false : undefined;
        };
        await this.existing.awaitOperation(run, operation, "creating", { isMade });
        return { seen };
    }

    /** Sends the create under the first operation id of the series that no earlier life of the resource has used. */
    private async start(run: Run, bag: Bag, task: Task): Promise<Created> {
        let before: Before | undefined;
        let incomplete = 0;
        for (let life = 0; ; life += 1) {
            // Past the bound, a random id: no later run could take it over, but this one can continue.
            const operationId = life < MAX_LIVES ? this.operationId(run, task, life) : randomUUID();
            const answer = await this.sendAtOnce(run, task, operationId);
            const operation = await this.earlierOperation(run, operationId, answer);
            if (operation === undefined) {
                const created = answer ? this.begun(run, answer) : await this.startAnew(run, task, operationId, before);
                if (await this.isComplete(run, created)) {
                    return created;
                }
                incomplete += 1;
                if (incomplete >= MOST_INCOMPLETE) {
                    throw new LifecycleError(
                        `the server's response to its create was lost or incomplete ${incomplete} times in a row. ` +
                            "What was created has been deleted. Try again later.",
                    );
                }
                continue;
            }
            run.session.beginning.end();
            const earlier = await this.takeover.takeUp(run, bag, task, operation, answer);
            switch (earlier.outcome) {
                case "taken":
                    return earlier.created;
                case "unseen":
                    before = { operation: earlier.operation, created: earlier.created };
                    break;
                case "unnamed":
                    before = { operation };
                    break;
                case "passed":
                    before = undefined;
            }
        }
    }

    /**
     * Sends the create without querying its operation first, if the response can tell which run started it. Undefined
     * if it cannot, or the create is refused: the server may know the id with another request, or the name may be
     * taken.
     */
    private async sendAtOnce(run: Run, task: Task, operationId: string): Promise<Created | undefined> {
        if (!run.session.beginning.isKnown || this.sent.has(operationId)) {
            return undefined;
        }
        return unlessFailed(this.send(run, task, operationId), ...REFUSALS);
    }

    /** The operation of that id, unless the create just sent has started it. */
    private async earlierOperation(
        run: Run,
        operationId: string,
        answer: Created | undefined,
    ): Promise<AsyncOperation | undefined> {
        const { beginning } = run.session;
        const answered = answer?.asyncOperation?.startedTime;
        if (answered !== undefined && beginning.isOurs(answered)) {
            return undefined;
        }
        const operation = await this.existing.knownOperation(run, operationId);
        if (answered !== undefined) {
            return operation ?? answer?.asyncOperation;
        }
        const startedTime = operation?.startedTime;
        // An operation without a start time is new.
        return answer !== undefined && (startedTime === undefined || beginning.isOurs(startedTime))
            ? undefined
            : operation;
    }

    private async startAnew(run: Run, task: Task, operationId: string, before: Before | undefined): Promise<Created> {
        try {
            const created = await this.send(run, task, operationId);
            run.session.beginning.note(created.asyncOperation);
            return this.begun(run, created);
        } catch (error) {
            if (!failed(error, "alreadyExists", "invalid", "conflict")) {
                throw error;
            }
            // The name may be taken by what an earlier run created, which was not visible before.
            if (before?.created) {
                const resource = await this.existing.look(run, before.created.id, performance.now() + READ_LAG_MS);
                if (resource !== undefined && this.takeover.isResultOf(resource, before.operation)) {
                    if (!hasFailed(before.operation)) {
                        return this.takeover.take(run, before.created, before.operation);
                    }
                    await this.takeover.discardFailed(run, before.created);
                    return this.startAnew(run, task, operationId, undefined);
                }
            }
            const existing = await this.findNamesake(run, task);
            if (existing === undefined) {
                throw error;
            }
            const id = this.definition.idOf(existing);
            const ours =
                before !== undefined && !hasFailed(before.operation) && isMadeBy(existing, before.operation)
                    ? before.operation
                    : undefined;
            // An earlier run started to create it under this id, with other arguments; only its operation is not
            // visible yet.
            const hidden =
                existing.asyncOperationId === operationId ? operationOrId(undefined, operationId) : undefined;
            const operation = ours !== undefined && isRecent(ours) ? ours : hidden;
            if (operation !== undefined && this.owners.other(id, run.context) === undefined) {
                return this.takeover.take(run, { id, asyncOperation: operation }, operation);
            }
            throw this.takenError(run, task, id, ours, error);
        }
    }

    /**
     * What this run has started to create. If the id is the name, the state needs a claim, since it may still have an
     * entry for a resource that was gone, with the same id; and the name may be somebody else's until the operation has
     * ended.
     */
    private begun(run: Run, created: Created): Created {
        if (this.definition.idIsName) {
            return { ...created, carried: { ...created.carried, ...newClaim() } };
        }
        this.owners.note(created.id, run.context);
        return created;
    }

    private async send(run: Run, task: Task, operationId: string, earlier?: AsyncOperation): Promise<Created> {
        const { session, signal } = run;
        const cloud = earlier ? repeating(session.client.cloud, earlier) : session.client.cloud;
        this.sent.add(operationId);
        const created = await this.definition.create(cloud, task.args as Args, {
            operationId,
            now: earlier?.startedTime ? new Date(timeMs(earlier.startedTime)) : new Date(),
            signal,
        });
        session.client.reads.changed(this.definition.kind);
        if (created.id === "") {
            throw new LifecycleError(`the server accepted the create (operation ${operationId}) but named no id.`);
        }
        return { ...created, asyncOperation: operationOrId(created.asyncOperation, operationId) };
    }

    /**
     * Whether the response has what only the first response to a create is sure to have, such as a token. If not,
     * nobody has it, and the resource is useless: it is deleted.
     */
    private async isComplete(run: Run, created: Created): Promise<boolean> {
        const lost = (this.definition.createOnlyOutputs ?? []).filter((name) => !created.carried?.[name]);
        if (lost.length === 0) {
            return true;
        }
        await this.takeover.discard(run, created, `its ${lost.join(", ")} was lost with the response to its create`);
        return false;
    }

    /** The resource that has the natural key of a refused create, if it may be read. */
    private async findNamesake({ session, signal }: Run, task: Task): Promise<Resource | undefined> {
        const key = this.view.naturalKey(task.args);
        if (key === undefined) {
            return undefined;
        }
        const finding = findByNaturalKey(this.definition, session.client.cloud, { key }, { signal });
        return unlessFailed(finding.catch(unlessAmbiguous), "denied");
    }

    /** The error of a create that was refused because the natural key is taken: by whom, and what to do. */
    private takenError(run: Run, task: Task, id: string, ours: AsyncOperation | undefined, error: Error): Error {
        const { kind } = this.definition;
        const key = JSON.stringify(this.view.naturalKey(task.args));
        const manager = this.owners.other(id, run.context);
        if (manager !== undefined) {
            return new LifecycleError(
                `a ${kind} ${key} already exists (id ${id}): another resource of this program manages it ` +
                    `(${manager.urn}). Nothing was changed. Choose another name, or remove one of the two. ` +
                    `(${error.message})`,
                { cause: error },
            );
        }
        const whose = ours
            ? `an operation of this stack created it (${ours.id}), but another resource may manage it by now`
            : "no recent operation of this resource created it";
        // A replacement adopts nothing by name: what it would find is usually what it replaces.
        const what = run.context.generation > 0 ? "declare it under another logical name with" : "give this resource";
        return new TakenError(
            `a ${kind} ${key} already exists (id ${id}), and ${whose}. Nothing was ` +
                `changed. To manage it here, ${what} the option \`import: ${JSON.stringify(id)}\` or the ` +
                `argument \`adopt: true\`; otherwise choose another name. If this resource had another logical name ` +
                "in this stack, give it the option `aliases`. If it is meant to replace the other, set the option " +
                `\`deleteBeforeReplace: true\`. (${error.message})`,
            { cause: error },
        );
    }

    /**
     * The create's operation failed: if it left a resource, the state has to record it, and the next `up` replaces it.
     */
    private async failedCreate(
        run: Run,
        bag: Bag,
        task: Task,
        created: Created,
        error: OperationError,
    ): Promise<Error> {
        const resource = await this.existing.look(run, created.id).catch(() => undefined);
        if (resource !== undefined && !this.takeover.isResultOf(resource, error.operation)) {
            // The name was taken, as only the operation found out.
            return this.takenError(run, task, created.id, undefined, error);
        }
        // What a failed create left may not be visible yet. An id that is never reused can be kept until it is:
        // deleting what does not exist is no error. A name could be somebody else's by then; the operation tells the
        // next run.
        const isRejected = error.operation.state === AsyncOperation_State.STATE_REJECTED;
        const what = isRejected ? "Nothing was created." : "Nothing of it is visible.";
        return resource === undefined && (isRejected || this.definition.idIsName)
            ? new LifecycleError(`${error.message} ${what} The next \`pulumi up\` tries again.`, { cause: error })
            : this.view.halfCreated(run, bag, created, error, "replace");
    }

    private operationId({ session, context }: Run, task: Task, life: number): string {
        const { organization, urn, generation } = context;
        const naturalKey = this.view.naturalKey(task.args) ?? "";
        const { salt, backend } = session;
        return createOperationId({ organization, urn, naturalKey, salt, backend, generation }, life);
    }
}

/** If several have the name, none of them is why the create was refused. */
function unlessAmbiguous(error: unknown): undefined {
    if (!(error instanceof AmbiguousError)) {
        throw error;
    }
}
