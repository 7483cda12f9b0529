import { randomUUID } from "node:crypto";
import { CloudServiceDefinition } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import type { AsyncOperation } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { AsyncOperation_State } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import type { CallOptions } from "../client/client";
import { failed, READ_LAG_MS, unlessFailed } from "../client/errors";
import type { Cloud, Created, Definition, Live } from "../definition";
import type { Bag } from "../fields";
import { accountNote } from "./accounts";
import { beginningOf } from "./beginning";
import type { Existing, Look } from "./existing";
import { isInFlight } from "./existing";
import { isEnded, OperationError, operationOrId } from "./operation";
import { createOperationId, deleteOperationId } from "./operation-id";
import type { Owners } from "./owners";
import type { Run, Task } from "./run";
import { HalfFinishedError, LifecycleError, reason, title } from "./run";
import { Settlement } from "./settlement";
import type { View } from "./view";
import { REPLACE_KEY, timeMs, UNSEEN_KEY } from "./view";

/** An operation of an earlier run that is older is not taken up: by then the resource may be somebody else's. */
const TAKE_OVER_MS = 24 * 3_600_000;
/**
 * What it made and cannot be taken over is deleted only so soon after its end: by then it can be in use under another
 * logical name, of which the engine does not always tell in time.
 */
const DISCARD_MS = 3_600_000;
/** So many earlier lives are looked through; the bound keeps a server that answers oddly from holding the provider. */
const MAX_LIVES = 100;
/** What the server's clocks may differ by. */
const CLOCK_SLACK_MS = 60_000;

/** How a server refuses a create whose operation id it knows, or whose name is taken. */
const REFUSALS = ["invalid", "alreadyExists", "conflict", "nothingToChange", "notFound"] as const;

/** What became of an operation of an earlier run. */
type Earlier =
    /** It made what is wanted. */
    | { readonly outcome: "taken"; readonly created: Created }
    /** It made something that cannot be seen: gone, or not visible yet. */
    | { readonly outcome: "unseen"; readonly created: Created }
    /** The server did not say what it made. */
    | { readonly outcome: "unnamed" }
    /** What it made, if anything, is none of this resource's concern. */
    | { readonly outcome: "passed" };

/** The life before the one that is to begin. */
interface Before {
    readonly operation: AsyncOperation;
    /** What it made, where that was named. */
    readonly created?: Created;
}

/**
 * Creates, exactly once. The operation id of a create is derived from the resource's place in the stack: if the server
 * knows it, an earlier run was killed before it could save what it had started, and this one goes on from there. The first
 * create of a process asks for it before it uses it. From then on it is known when this process began, and the operation
 * that a create is answered with tells by its start whose it is: one request less for each.
 */
export class Creation<Args extends object, Resource extends Live> {
    /** The operation ids that this process has sent: what comes back under one of them again is not of a new create. */
    private readonly sent = new Set<string>();

    private readonly definition: Definition<Args, Resource>;
    private readonly view: View<Args, Resource>;

    constructor(
        private readonly existing: Existing<Args, Resource>,
        private readonly owners: Owners,
    ) {
        this.definition = existing.definition;
        this.view = existing.view;
    }

    /** Makes the resource, or takes over what an earlier run of this stack made, and brings it to what is wanted. */
    create(run: Run, bag: Bag, task: Task): Promise<{ created: Created; resource: Resource }> {
        return run.session.client.reads.changing(this.definition.kind, () => this.make(run, bag, task));
    }

    private async make(run: Run, bag: Bag, task: Task): Promise<{ created: Created; resource: Resource }> {
        const note = accountNote(run.session);
        const beginning = beginningOf(run.session.client.cloud);
        await beginning.wait();
        const started = await this.start(run, bag, task).finally(() => beginning.end());
        const noted = async () => ({ ...started, once: { ...started.once, ...(await note) } });
        try {
            const seen = started.asyncOperation && (await this.awaitMade(run, started.id, started.asyncOperation));
            const created = await noted();
            const { id, once } = created;
            const goal = { run, id, bag, task, once, seen, justMade: true };
            return { created, resource: await new Settlement(this.existing, goal).settle() };
        } catch (error) {
            const created = await noted();
            if (error instanceof OperationError) {
                throw await this.failedCreate(run, bag, task, created, error);
            }
            throw error instanceof HalfFinishedError ? error : this.halfFinished(run, bag, created, error, false);
        }
    }

    /**
     * Waits for a create to end. An id that is given only once stands for what the operation makes, so that its end can be
     * seen from that; a name can be somebody else's, which is what the operation fails for.
     *
     * @returns the resource, where the end was seen from it
     */
    private async awaitMade(run: Run, id: string, operation: AsyncOperation): Promise<Look<Resource> | undefined> {
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
        await this.existing.awaitOperation(run, operation, "creating", this.definition.idRecurs ? {} : { isMade });
        return seen;
    }

    /** Sends the create under the first operation id of this resource that has not been used up by an earlier life. */
    private async start(run: Run, bag: Bag, task: Task): Promise<Created> {
        let before: Before | undefined;
        for (let life = 0; ; life += 1) {
            // Past the bound, an id at random: no run could take it up, but this one can go on.
            const operationId = life < MAX_LIVES ? this.operationId(run, task, life) : randomUUID();
            const answer = await this.sendAtOnce(run, task, operationId);
            const operation = await this.earlierOperation(run, operationId, answer);
            if (operation === undefined) {
                const created = answer ? this.begun(run, answer) : await this.startAnew(run, task, operationId, before);
                if (await this.isComplete(run, created)) {
                    return created;
                }
                continue;
            }
            beginningOf(run.session.client.cloud).end();
            const earlier = await this.takeUp(run, bag, task, operation, answer);
            switch (earlier.outcome) {
                case "taken":
                    return earlier.created;
                case "unseen":
                    before = { operation, created: earlier.created };
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
     * Sends the create without having asked, where its answer can tell whose it is. Undefined where it cannot, and where it
     * was refused: the server may know the id with another request, or the name be taken.
     */
    private async sendAtOnce(run: Run, task: Task, operationId: string): Promise<Created | undefined> {
        if (!beginningOf(run.session.client.cloud).isKnown || this.sent.has(operationId)) {
            return undefined;
        }
        return unlessFailed(this.send(run, task, operationId), ...REFUSALS);
    }

    /** The operation of that id, unless the create that was sent under it has just started it. */
    private async earlierOperation(
        run: Run,
        operationId: string,
        answer: Created | undefined,
    ): Promise<AsyncOperation | undefined> {
        const beginning = beginningOf(run.session.client.cloud);
        const answered = answer?.asyncOperation?.startedTime;
        if (answered !== undefined && beginning.isOurs(answered)) {
            return undefined;
        }
        const operation = await this.existing.knownOperation(run, operationId);
        const startedTime = answered ?? operation?.startedTime;
        // What has no time of its start has not been there for long.
        return answer !== undefined && (startedTime === undefined || beginning.isOurs(startedTime))
            ? undefined
            : operation;
    }

    private async startAnew(run: Run, task: Task, operationId: string, before: Before | undefined): Promise<Created> {
        try {
            const created = await this.send(run, task, operationId);
            beginningOf(run.session.client.cloud).note(created.asyncOperation);
            return this.begun(run, created);
        } catch (error) {
            if (!failed(error, "alreadyExists", "invalid", "conflict")) {
                throw error;
            }
            // The name may be taken by what an earlier run made, which only was not visible yet.
            if (before?.created) {
                const resource = await this.existing.look(run, before.created.id, performance.now() + READ_LAG_MS);
                if (resource !== undefined && isMadeBy(resource, before.operation)) {
                    return this.take(run, before.created, before.operation);
                }
            }
            const existing = await this.findNamesake(run, task);
            if (existing === undefined) {
                throw error;
            }
            const id = this.definition.idOf(existing);
            const ours = before !== undefined && isMadeBy(existing, before.operation) ? before.operation : undefined;
            // Under this id an earlier run has begun to make it, with other arguments; only its operation cannot be seen yet.
            const hidden =
                existing.asyncOperationId === operationId ? operationOrId(undefined, operationId) : undefined;
            const operation = ours !== undefined && isRecent(ours) ? ours : hidden;
            if (operation !== undefined && !this.owners.isOthers(id, run.context)) {
                return this.take(run, { id, asyncOperation: operation }, operation);
            }
            throw this.takenError(run, task, id, ours, error);
        }
    }

    private async send(run: Run, task: Task, operationId: string, earlier?: AsyncOperation): Promise<Created> {
        const { session, signal } = run;
        const cloud = earlier ? repeating(session.client.cloud, earlier) : session.client.cloud;
        this.sent.add(operationId);
        const created = await this.definition.create(cloud, task.args as Args, {
            operationId,
            earlier,
            now: new Date(),
            signal,
        });
        session.client.reads.changed(this.definition.kind);
        if (created.id === "") {
            throw new LifecycleError(`the server accepted the create (operation ${operationId}) but named no id.`);
        }
        return { ...created, asyncOperation: operationOrId(created.asyncOperation, operationId) };
    }

    /**
     * Takes over what an operation of an earlier run made, if it is there, recent, and no other resource's. Where it
     * cannot become what the program wants, it is deleted: no state has ever known it.
     */
    private async takeUp(
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
        const created = answer ?? (await unlessFailed(this.send(run, task, operation.id, operation), ...REFUSALS));
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
        // A name can be had again by anybody once it is free. And what an operation of this resource made can be another
        // resource's by now: one that was renamed, and left its old name to this one.
        if (!this.isResultOf(resource, ended) || this.owners.isOthers(created.id, run.context)) {
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
            ...(replaceNow?.(see(resource).args as Bag, task.args, new Date()) ?? []),
        ];
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

    /**
     * Whether the answer holds what only the first answer to a create is sure to hold, such as a token. If not, nobody
     * has it, and what was created is of no use to anyone: it is deleted.
     */
    private async isComplete(run: Run, created: Created): Promise<boolean> {
        const lost = (this.definition.onceOutputs ?? []).filter((name) => !created.once?.[name]);
        if (lost.length === 0) {
            return true;
        }
        await this.discard(run, created, `its ${lost.join(", ")} was lost when the answer to its create was`);
        return false;
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
    private async discard(run: Run, created: Created, why: string): Promise<void> {
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

    private take(run: Run, created: Created, { id }: AsyncOperation): Created {
        run.session.log.warn(
            run.context.urn,
            `Taking over ${this.definition.kind} ${created.id}, which an earlier run of this stack started to create ` +
                `(operation ${id}).`,
        );
        return this.claimed(run, created);
    }

    /** What this run has begun to make. Where a name is the id, that of a resource that was gone is the new one's, too. */
    private begun(run: Run, created: Created): Created {
        return this.definition.idRecurs ? this.claimed(run, created) : created;
    }

    private claimed(run: Run, created: Created): Created {
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

    /** What has the natural key that a create was refused, where it may be looked for. */
    private async findNamesake({ session, signal }: Run, task: Task): Promise<Resource | undefined> {
        const key = this.view.naturalKey(task.args);
        if (key === undefined || !this.definition.find) {
            return undefined;
        }
        return unlessFailed(this.definition.find(session.client.cloud, key, { signal }), "denied");
    }

    /** A create that was refused because the natural key is taken: whose is it, and what to do? */
    private takenError(run: Run, task: Task, id: string, ours: AsyncOperation | undefined, error: Error): Error {
        const { kind } = this.definition;
        const key = JSON.stringify(this.view.naturalKey(task.args));
        const whose = ours
            ? `an operation of this stack made it (${ours.id}), but it may be another resource's by now`
            : "no recent operation of this stack made it";
        // A replacement takes nothing over: what it would find is most often what it replaces.
        const what = run.context.generation > 0 ? "declare it under another logical name with" : "give this resource";
        return new LifecycleError(
            `a ${kind} ${key} exists already (id ${id}), and ${whose}. Nothing was ` +
                `changed. To manage it here, ${what} the option \`import: ${JSON.stringify(id)}\` or the ` +
                `argument \`adopt: true\`; else choose another name. If it is what this resource is to replace, give this ` +
                `resource the option \`deleteBeforeReplace: true\`. (${error.message})`,
            { cause: error },
        );
    }

    /** The create's operation failed: if something came of it, the state has to know it; the next `up` replaces it. */
    private async failedCreate(
        run: Run,
        bag: Bag,
        task: Task,
        created: Created,
        error: OperationError,
    ): Promise<Error> {
        const resource = await this.existing.look(run, created.id).catch(() => undefined);
        if (resource !== undefined && !this.isResultOf(resource, error.operation)) {
            // The name was taken, and it was the operation that found out.
            return this.takenError(run, task, created.id, undefined, error);
        }
        // What a failed create has left can be invisible for a while. An id that is given only once can be kept until then:
        // to delete what is not there is no error. A name could be somebody else's by then; what it is, the operation tells
        // the next run.
        const isRejected = error.operation.state === AsyncOperation_State.STATE_REJECTED;
        return resource === undefined && (isRejected || this.definition.idRecurs)
            ? new LifecycleError(`${error.message} Nothing was created. The next \`pulumi up\` tries again.`, {
                  cause: error,
              })
            : this.halfFinished(run, bag, created, error, true);
    }

    /**
     * Whether a resource can be what that operation left. Where the name is the id, what is active after a create that failed
     * is somebody else's, unless it says otherwise.
     */
    private isResultOf(resource: Resource, operation: AsyncOperation): boolean {
        const failedNamesake =
            this.definition.idRecurs === true &&
            operation.state !== AsyncOperation_State.STATE_FULFILLED &&
            resource.state === ResourceState.RESOURCE_STATE_ACTIVE;
        return failedNamesake ? resource.asyncOperationId === operation.id : isMadeBy(resource, operation);
    }

    private halfFinished(run: Run, bag: Bag, created: Created, error: unknown, replace: boolean): HalfFinishedError {
        return new HalfFinishedError(
            `${title({ ...run, id: created.id })} was created but is not finished: ${reason(run, error)} ` +
                (replace
                    ? "The next `pulumi up` replaces it."
                    : "It is kept in the state: the next `pulumi up` goes on from there."),
            created.id,
            // The token, if there is one, is only ever in this one answer.
            this.view.unseen(bag, created.once, replace ? { [REPLACE_KEY]: true } : { [UNSEEN_KEY]: true }),
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

/** Whether an operation of an earlier run is young enough for what it made to be this resource's still. */
function isRecent({ startedTime }: AsyncOperation): boolean {
    return startedTime === undefined || timeMs(startedTime) >= Date.now() - TAKE_OVER_MS;
}

/**
 * The API, but for a create: whatever it is asked for, it repeats the request that an operation began with. The program
 * may have changed since, and a server takes an operation id only for the request that it was first given with.
 */
function repeating(cloud: Cloud, { operationInput, id }: AsyncOperation): Cloud {
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
