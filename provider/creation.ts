import type { AsyncOperation } from "../proto/generated/temporal/api/cloud/operation/v1/message";
import { AsyncOperation_State } from "../proto/generated/temporal/api/cloud/operation/v1/message";
import { ResourceState } from "../proto/generated/temporal/api/cloud/resource/v1/message";
import { failed } from "./client/errors";
import type { Created, Definition, Live } from "./definition";
import type { Existing } from "./existing";
import { isGone, READ_LAG_MS } from "./existing";
import type { Bag } from "./fields";
import { isEnded, OperationError, operationOrId } from "./operation";
import { createOperationId, deleteOperationId } from "./operation-id";
import type { Run, Task } from "./run";
import { HalfFinishedError, LifecycleError, reason, title } from "./run";
import type { View } from "./view";
import { timeMs } from "./view";

/** An operation of an earlier run that is older is not taken up: by then the resource may be somebody else's. */
const TAKE_OVER_MS = 24 * 3_600_000;
/** More lives than anyone has; the bound keeps a server that answers oddly from holding the provider for ever. */
const MAX_LIVES = 50;
/** What the server's clocks may differ by. */
const CLOCK_SLACK_MS = 60_000;

/** What became of an operation of an earlier run. */
type Earlier =
    /** It made what is wanted. */
    | { readonly outcome: "taken"; readonly created: Created }
    /** It made something that cannot be seen: gone, or not visible yet. */
    | { readonly outcome: "unseen"; readonly created: Created }
    /** What it made, if anything, is none of this resource's concern. */
    | { readonly outcome: "passed" };

/**
 * Creates, exactly once. The operation id of a create is derived from the resource's place in the stack, and asked for
 * before it is used: if the server knows it, an earlier run was killed before it could save what it had started, and
 * this one goes on from there.
 */
export class Creation<Args extends object, Resource extends Live> {
    /** The ids of resources that existed before a create of this process took them over. */
    readonly taken = new Set<string>();

    constructor(
        private readonly definition: Definition<Args, Resource>,
        private readonly view: View<Args, Resource>,
        private readonly existing: Existing<Args, Resource>,
    ) {}

    /** Makes the resource, or takes over what an earlier run of this stack made, and brings it to what is wanted. */
    async create(run: Run, bag: Bag, task: Task): Promise<{ created: Created; resource: Resource }> {
        const created = await this.start(run, bag, task);
        try {
            if (created.asyncOperation) {
                await this.existing.awaitOperation(run, created.asyncOperation, "creating");
            }
            const { once } = created;
            return { created, resource: await this.existing.settle(run, bag, created.id, task, { fresh: true, once }) };
        } catch (error) {
            if (error instanceof OperationError) {
                throw await this.failedCreate(run, bag, created, error);
            }
            throw error instanceof HalfFinishedError ? error : this.halfFinished(run, bag, created, error, false);
        }
    }

    /** Sends the create under the first operation id of this resource that has not been used up by an earlier life. */
    private async start(run: Run, bag: Bag, task: Task): Promise<Created> {
        let unseen: { readonly created: Created; readonly operation: AsyncOperation } | undefined;
        for (let life = 0; life < MAX_LIVES; life += 1) {
            const operationId = this.operationId(run, task, life);
            const operation = await this.existing.knownOperation(run, operationId);
            if (operation === undefined) {
                const created = await this.startAnew(run, task, operationId, unseen);
                if (await this.isComplete(run, created)) {
                    return created;
                }
                continue;
            }
            const earlier = await this.takeUp(run, bag, task, operation);
            if (earlier.outcome === "taken") {
                return earlier.created;
            }
            unseen = earlier.outcome === "unseen" ? { created: earlier.created, operation } : undefined;
        }
        throw new LifecycleError(
            "its operation ids are used up. Set temporalcloud:operationSalt to any new value " +
                `(now ${JSON.stringify(run.session.salt)}).`,
        );
    }

    private async startAnew(
        run: Run,
        task: Task,
        operationId: string,
        unseen: { readonly created: Created; readonly operation: AsyncOperation } | undefined,
    ): Promise<Created> {
        try {
            return await this.send(run, task, operationId);
        } catch (error) {
            if (!failed(error, "alreadyExists", "invalid", "conflict")) {
                throw error;
            }
            // The name may be taken by what an earlier run made, which only was not visible yet.
            if (unseen) {
                const resource = await this.existing.look(run, unseen.created.id, Date.now() + READ_LAG_MS);
                if (resource !== undefined && isMadeBy(resource, unseen.operation)) {
                    return this.take(run, unseen.created, unseen.operation);
                }
            }
            throw (await this.takenError(run, task, error)) ?? error;
        }
    }

    private async send(run: Run, task: Task, operationId: string, earlier?: AsyncOperation): Promise<Created> {
        const { session, signal } = run;
        session.client.reads.changed(this.definition.kind);
        const created = await this.definition.create(session.client.cloud, task.args as Args, {
            operationId,
            earlier,
            now: new Date(),
            signal,
        });
        if (created.id === "") {
            throw new LifecycleError(`the server accepted the create (operation ${operationId}) but named no id.`);
        }
        return { ...created, asyncOperation: operationOrId(created.asyncOperation, operationId) };
    }

    /** Takes over what an operation of an earlier run made, if it is there, recent, and what the program wants. */
    private async takeUp(run: Run, bag: Bag, task: Task, operation: AsyncOperation): Promise<Earlier> {
        if (timeMs(operation.startedTime) < Date.now() - TAKE_OVER_MS) {
            return { outcome: "passed" };
        }
        let created: Created;
        try {
            // The same id again makes nothing new: the server repeats its first answer, the only one that names the
            // resource.
            created = await this.send(run, task, operation.id, operation);
        } catch (error) {
            if (failed(error, "invalid", "alreadyExists", "conflict", "nothingToChange", "notFound")) {
                return { outcome: "passed" };
            }
            throw error;
        }
        let ended = operation;
        try {
            if (created.asyncOperation && !isEnded(operation)) {
                await this.existing.awaitOperation(run, created.asyncOperation, "creating");
                ended = (await this.existing.knownOperation(run, operation.id)) ?? operation;
            }
        } catch (error) {
            if (!(error instanceof OperationError)) {
                throw this.halfFinished(run, bag, created, error, false);
            }
            ended = error.operation;
        }
        const resource = await this.lookForOurs(run, created, ended);
        if (resource === undefined) {
            return ended.state === AsyncOperation_State.STATE_FULFILLED
                ? { outcome: "unseen", created }
                : { outcome: "passed" };
        }
        // A name can be had again by anybody once it is free; and what goes is as good as gone.
        if (!isMadeBy(resource, ended) || resource.state === ResourceState.RESOURCE_STATE_DELETING) {
            return { outcome: "passed" };
        }
        if (this.view.naturalKey(task.args) === undefined && !this.view.isSettled(resource, task)) {
            return { outcome: "passed" };
        }
        return (await this.isComplete(run, created))
            ? { outcome: "taken", created: this.take(run, created, operation) }
            : { outcome: "passed" };
    }

    /**
     * Whether the answer holds what only the first answer to a create is sure to hold, such as a token. If not, nobody
     * has it, and what was created is of no use to anyone: it is deleted.
     */
    private async isComplete(run: Run, created: Created): Promise<boolean> {
        const lost = (this.definition.onceOutputs ?? []).filter((name) => !created.once?.[name]);
        if (lost.length === 0) {
            return true;
        }
        run.session.log.warn(
            run.context.urn,
            `Deleting ${this.definition.kind} ${created.id}: its ${lost.join(", ")} was lost when the answer to its create ` +
                "was. A new one is made.",
        );
        if (created.asyncOperation) {
            await this.existing.awaitOperation(run, created.asyncOperation, "creating");
        }
        await this.existing.look(run, created.id, Date.now() + READ_LAG_MS);
        await this.existing.remove(run, created.id);
        return false;
    }

    private take(run: Run, created: Created, { id }: AsyncOperation): Created {
        this.taken.add(created.id);
        run.session.log.warn(
            run.context.urn,
            `Taking over ${this.definition.kind} ${created.id}, which an earlier run of this stack started to create ` +
                `(operation ${id}).`,
        );
        return created;
    }

    /** What an earlier run made. Not to be seen means either deleted, or not to be seen yet. */
    private async lookForOurs(run: Run, created: Created, operation: AsyncOperation): Promise<Resource | undefined> {
        // By our clock or the server's, whichever is patient for less.
        const endedAt = Math.min(timeMs(operation.finishedTime ?? operation.startedTime), Date.now());
        // Where the name is the id, the name settles it later: if it is free, the resource is gone. Else a delete by this
        // provider has left its own operation id.
        const settled =
            this.definition.idRecurs ||
            (await this.existing.knownOperation(run, deleteOperationId(this.definition.kind, created.id))) !==
                undefined;
        try {
            return await this.existing.look(run, created.id, settled ? 0 : endedAt + READ_LAG_MS);
        } catch (error) {
            if (failed(error, "denied")) {
                return undefined;
            }
            throw error;
        }
    }

    /** A create that failed because the natural key is taken: whose is it, and what to do? */
    private async takenError(run: Run, task: Task, error: Error): Promise<Error | undefined> {
        const { find, kind } = this.definition;
        const key = this.view.naturalKey(task.args);
        if (!find || key === undefined) {
            return undefined;
        }
        const existing = await find(run.session.client.cloud, key, { signal: run.signal });
        if (existing === undefined || isGone(existing)) {
            return undefined;
        }
        const id = this.definition.idOf(existing);
        return new LifecycleError(
            `a ${kind} ${JSON.stringify(key)} exists already (id ${id}), and this stack did not make it. Nothing was ` +
                `changed. To manage it here, give this resource the option \`import: ${JSON.stringify(id)}\` or the ` +
                `argument \`adopt: true\`; else choose another name. (${error.message})`,
            { cause: error },
        );
    }

    /** The create's operation failed: if something came of it, the state has to know it; the next `up` replaces it. */
    private async failedCreate(run: Run, bag: Bag, created: Created, error: OperationError): Promise<Error> {
        const resource = await this.existing.look(run, created.id).catch(() => undefined);
        return resource === undefined
            ? new LifecycleError(`${error.message} Nothing was created. The next \`pulumi up\` tries again.`, {
                  cause: error,
              })
            : this.halfFinished(run, bag, created, error, true);
    }

    private halfFinished(run: Run, bag: Bag, created: Created, error: unknown, replace: boolean): HalfFinishedError {
        return new HalfFinishedError(
            `${title({ ...run, id: created.id })} was created but is not finished: ${reason(run, error)} ` +
                (replace
                    ? "The next `pulumi up` replaces it."
                    : "It is kept in the state: the next `pulumi up` goes on from there."),
            created.id,
            // The token, if there is one, is only ever in this one answer.
            this.view.unseen(bag, created.once, replace),
            { cause: error },
        );
    }

    private operationId({ session, context }: Run, task: Task, life: number): string {
        const { organization, urn, generation } = context;
        const naturalKey = this.view.naturalKey(task.args) ?? "";
        const { salt, backend } = session;
        return createOperationId({ organization, urn, naturalKey, salt, backend, generation }, life);
    }
}

/** Whether a resource can be what that operation made, by the server's own clocks. */
function isMadeBy({ createdTime }: Live, { startedTime, finishedTime }: AsyncOperation): boolean {
    if (createdTime === undefined || startedTime === undefined) {
        return true;
    }
    return (
        timeMs(createdTime) >= timeMs(startedTime) - CLOCK_SLACK_MS &&
        timeMs(createdTime) <= timeMs(finishedTime ?? createdTime) + CLOCK_SLACK_MS
    );
}
