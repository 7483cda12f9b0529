import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Timestamp } from "../proto/generated/google/protobuf/timestamp";
import type { AsyncOperation } from "../proto/generated/temporal/api/cloud/operation/v1/message";
import { ResourceState } from "../proto/generated/temporal/api/cloud/resource/v1/message";
import type { Client } from "./client/client";
import { failed, RpcError } from "./client/errors";
import type { Source } from "./client/reads";
import { CONTEXT_KEY, contextOf, READ_TIMEOUT_MS, type ResourceContext } from "./context";
import type { Call, Created, Definition, Desired, Live, Wait } from "./definition";
import {
    type Bag,
    type Change,
    changes,
    checkFields,
    hasUnknown,
    isBag,
    managedPaths,
    overlay,
    pick,
    respell,
    same,
} from "./fields";
import { awaitOperation, isEnded, OperationError, operationOrId } from "./operation";
import { createOperationId, deleteOperationId } from "./operation-id";

/** Hidden output: the paths of the fields that the program set when the resource was last written. */
export const MANAGED_KEY = "__managed";
/** Hidden output: the resource never came to be, or is gone; the next `up` replaces it. */
export const REPLACE_KEY = "__replace";

/** After a create, the server can deny or not find what it has just made for up to a minute. */
const READ_LAG_MS = 90_000;
const CONFLICT_DELAY_MS = 500;
const CONFLICT_MAX_DELAY_MS = 10_000;
/** How often a state is looked at that no operation id stands for. */
const WAIT_INTERVAL_MS = 1_200;
/** A write that was accepted so many times and still does not show has no effect. */
const SAME_CALL_LIMIT = 3;
/** An operation of an earlier life that is older is not taken up: by then the resource may be somebody else's. */
const TAKE_OVER_MS = 24 * 3_600_000;
/** More lives than anyone has; the bound keeps a server that answers oddly from holding the provider for ever. */
const MAX_LIVES = 50;

/** Where the lifecycle speaks to: Temporal Cloud, and the person who watches. */
export interface Session {
    readonly client: Client;
    readonly log: Log;
    /** The salt and the backend of the stack, for derived operation ids. */
    readonly salt: string;
    readonly backend: string;
}

export interface Log {
    /** Shown on the resource's own row while it is being worked on. */
    status(urn: string, text: string): void;
    warn(urn: string, text: string): void;
}

export interface CheckResult {
    readonly inputs: Bag;
    readonly failures: { readonly property: string; readonly reason: string }[];
}

export interface DiffResult {
    readonly changes: boolean;
    readonly replaces: string[];
    readonly deleteBeforeReplace: boolean;
}

/** A failure after which the resource is kept in the state, so that the next `up` goes on from there. */
export class HalfFinishedError extends Error {
    override readonly name = "HalfFinishedError";
    readonly reasons: string[];

    constructor(
        message: string,
        readonly id: string,
        readonly properties: Bag,
        options?: ErrorOptions,
    ) {
        super(message, options);
        this.reasons = [message];
    }
}

/** A failure that changed nothing that the state would have to know. */
export class LifecycleError extends Error {
    override readonly name = "LifecycleError";
}

/** One run of one method for one resource. */
interface Run {
    readonly session: Session;
    readonly context: ResourceContext;
    readonly signal: AbortSignal;
    readonly timeoutMs: number;
}

/** What is still to be done to a resource that exists. */
interface Task {
    readonly args: Bag;
    readonly managed: ReadonlySet<string>;
    readonly removed: ReadonlySet<string>;
    readonly changed: ReadonlySet<string>;
    /** Nothing but a create has happened to it yet, so that reads may lag. */
    readonly fresh: boolean;
}

/** The lifecycle of every resource: check, diff, create, read, update and delete, for whatever a definition describes. */
export class Lifecycle<Args extends object, Resource extends Live> {
    /** How often the resources of this deployment have been replaced before, by URN, as their old inputs say. */
    private readonly generations = new Map<string, number>();
    /** The ids of resources that existed before a create of this deployment took them. */
    private readonly taken = new Set<string>();

    constructor(private readonly definition: Definition<Args, Resource>) {}

    /** Says what is wrong with the program's values. Never asks the server: this runs at preview, one by one. */
    check(old: Bag, bag: Bag): CheckResult {
        const failures: CheckResult["failures"] = [];
        const report = (property: string, reason: string) =>
            failures.push({ property, reason: `\`${property}\` ${reason}` });
        const context = contextOf(bag);
        const args = visible(bag);
        const { nameField } = this.definition;
        const named = nameField !== undefined && args[nameField] === undefined && context.name !== "";
        const complete: Bag = named ? { ...args, [nameField]: context.name } : args;
        checkFields(this.definition.fields, complete, "", (property, reason) =>
            report(
                property,
                named && property === nameField
                    ? `${reason} It defaults to the logical name; set it to something else.`
                    : reason,
            ),
        );
        if (failures.length === 0) {
            const before = Object.keys(visible(old)).length > 0 ? visible(old) : undefined;
            this.definition.check?.(complete, before, report, context.importId !== undefined || context.adopt);
        }
        return { inputs: { ...hidden(bag), ...complete, ...this.withGeneration(old, bag, context) }, failures };
    }

    /**
     * Counts replacements in the hidden inputs, so that a replacement is never mistaken for the create of what it
     * replaces. The engine checks a resource that is in the state with its old inputs, and once more without them when
     * it is to be replaced.
     */
    private withGeneration(old: Bag, bag: Bag, { urn }: ResourceContext): Bag {
        if (!isBag(bag[CONTEXT_KEY]) || urn === "") {
            return {};
        }
        const inState = Object.keys(old).length > 0;
        const before = inState ? contextOf(old).generation : this.generations.get(urn);
        if (inState) {
            this.generations.set(urn, before ?? 0);
        }
        const generation = before === undefined ? 0 : inState ? before : before + 1;
        return generation === 0 ? {} : { [CONTEXT_KEY]: { ...bag[CONTEXT_KEY], generation } };
    }

    /** Says what an update would do. Never asks the server. */
    diff(session: Pick<Session, "log">, old: Bag, bag: Bag, now: Date): DiffResult {
        const args = visible(bag);
        const changed = this.changes(old, args);
        const replaces = new Set(changed.filter(({ replace }) => replace).map(({ name }) => name));
        for (const name of this.definition.replaceNow?.(old, args, now) ?? []) {
            replaces.add(name);
        }
        if (old[REPLACE_KEY] === true) {
            // The engine wants a property's name, and nothing that the person sees has changed.
            replaces.add("id");
        }
        for (const warning of this.definition.warnings?.(old, args) ?? []) {
            session.log.warn(contextOf(bag).urn, warning);
        }
        const key = this.naturalKey(args);
        return {
            changes: changed.length > 0 || replaces.size > 0,
            replaces: [...replaces],
            // Two resources cannot have one name at a time. Otherwise the new one comes first, so that it can be used
            // before the old one goes.
            deleteBeforeReplace: key !== undefined && key === this.naturalKey(old),
        };
    }

    async create(session: Session, bag: Bag): Promise<{ id: string; outs: Bag }> {
        return this.run(session, bag, "create", async (run) => {
            const args = visible(bag);
            const task: Task = {
                args,
                managed: new Set(managedPaths(this.definition.fields, args)),
                removed: new Set(),
                changed: new Set(managedPaths(this.definition.fields, args)),
                fresh: true,
            };
            const adopted = await this.adoptable(run, args);
            if (adopted !== undefined) {
                return this.adopt(run, bag, adopted, task);
            }
            const created = await this.createOrTakeOver(run, bag, task);
            const resource = await this.settleNew(run, bag, created, task);
            return { id: created.id, outs: this.outputs(resource, bag, created.once) };
        });
    }

    /** The resource as it is; undefined when it is gone. */
    async read(session: Session, id: string, old: Bag): Promise<{ props: Bag; inputs: Bag } | undefined> {
        const signal = AbortSignal.timeout(READ_TIMEOUT_MS);
        return this.explain("read", contextOf(old), signal, READ_TIMEOUT_MS, id, async () => {
            await session.client.checkAccount();
            const resource = await unlessMissing(session.client.reads.read(this.source(session), id, signal));
            if (resource === undefined || isGone(resource)) {
                return undefined;
            }
            const managed = managedOf(old);
            const outputs = this.outputs(resource, old, this.once(old));
            const inputs = managed
                ? pick(this.definition.fields, outputs, managed)
                : withoutResets(this.definition, this.definition.see(resource).args as Bag);
            return {
                props: managed ? { ...outputs, [MANAGED_KEY]: [...managed] } : outputs,
                inputs: { ...hidden(old, MANAGED_KEY, REPLACE_KEY), ...inputs },
            };
        });
    }

    async update(session: Session, id: string, old: Bag, bag: Bag): Promise<{ outs: Bag }> {
        return this.run(
            session,
            bag,
            "update",
            async (run) => {
                const args = visible(bag);
                const managed = new Set(managedPaths(this.definition.fields, args));
                const changed = this.changes(old, args).map(({ path }) => path);
                const removed = [...(managedOf(old) ?? [])].filter((path) => !managed.has(path));
                const task: Task = {
                    args,
                    managed,
                    removed: new Set(removed),
                    changed: new Set(changed),
                    fresh: false,
                };
                return session.client.writes.run(`${this.definition.kind}/${id}`, async () => {
                    const resource = await this.settle(run, bag, id, task, this.once(old));
                    return { outs: this.outputs(resource, bag, this.once(old)) };
                });
            },
            id,
        );
    }

    async delete(session: Session, id: string, old: Bag): Promise<void> {
        const refusal = this.definition.refuseDelete?.(old);
        if (refusal !== undefined) {
            throw new LifecycleError(`${this.title(contextOf(old), id)} is not deleted: ${refusal}`);
        }
        if (this.taken.has(id)) {
            session.log.warn(
                contextOf(old).urn,
                `${this.definition.kind} ${id} is not deleted: another resource of this program has just taken it over.`,
            );
            return;
        }
        await this.run(
            session,
            old,
            "delete",
            (run) => session.client.writes.run(`${this.definition.kind}/${id}`, () => this.remove(run, id)),
            id,
        );
    }

    // -- create ------------------------------------------------------------------------------------------------------

    /**
     * Starts the create, under the operation id that belongs to this resource of this stack; or, where an earlier run
     * has started it and was killed, takes over what that run made.
     */
    private async createOrTakeOver(run: Run, bag: Bag, task: Task): Promise<Created> {
        let unseen: { created: Created; operation: AsyncOperation } | undefined;
        for (let life = 0; life < MAX_LIVES; life += 1) {
            const operationId = this.operationId(run, task.args, life);
            const earlier = await this.knownOperation(run, operationId);
            if (earlier !== undefined) {
                const outcome = await this.takeOver(run, bag, task, earlier);
                if (outcome?.taken) {
                    return outcome.created;
                }
                unseen = outcome && { created: outcome.created, operation: earlier };
                continue;
            }
            try {
                return await this.send(run, task, operationId);
            } catch (error) {
                if (unseen && failed(error, "alreadyExists", "invalid", "conflict")) {
                    // The name is taken by what the earlier run made: it only was not visible yet.
                    const resource = await this.look(run, unseen.created.id, Date.now() + READ_LAG_MS);
                    if (resource !== undefined && isMadeBy(resource, unseen.operation)) {
                        return this.take(run, unseen.created, unseen.operation);
                    }
                }
                throw (await this.takenError(run, task, error)) ?? error;
            }
        }
        throw new LifecycleError(
            "its operation ids are used up. Set temporalcloud:operationSalt to any new value " +
                `(now ${JSON.stringify(run.session.salt)}).`,
        );
    }

    private async send(run: Run, task: Task, operationId: string, earlier?: AsyncOperation): Promise<Created> {
        const { session, signal } = run;
        session.log.status(run.context.urn, "creating");
        session.client.reads.changed(this.definition.kind);
        const created = await this.definition.create(session.client.cloud, task.args as Args, {
            operationId,
            earlier,
            now: new Date(),
            signal,
        });
        if (created.id === "") {
            throw new LifecycleError(`The server accepted the create (operation ${operationId}) but named no id.`);
        }
        return { ...created, asyncOperation: operationOrId(created.asyncOperation, operationId) };
    }

    /** The operation of that id, if the server knows it. */
    private async knownOperation({ session, signal }: Run, operationId: string): Promise<AsyncOperation | undefined> {
        try {
            const { asyncOperation } = await session.client.cloud.getAsyncOperation(
                { asyncOperationId: operationId },
                { signal },
            );
            return asyncOperation;
        } catch (error) {
            if (failed(error, "notFound", "denied", "invalid", "conflict")) {
                return undefined;
            }
            throw error;
        }
    }

    /**
     * Takes over what an operation of an earlier run made, if it is there, recent, and what the program wants.
     *
     * @returns what it made, and whether it is taken; undefined where that is not known
     */
    private async takeOver(
        run: Run,
        bag: Bag,
        task: Task,
        earlier: AsyncOperation,
    ): Promise<{ created: Created; taken: boolean } | undefined> {
        if (timeMs(earlier.startedTime) < Date.now() - TAKE_OVER_MS) {
            return undefined;
        }
        let created: Created;
        try {
            // The same id again makes nothing new: the server repeats its first answer, the only one that names the
            // resource.
            created = await this.send(run, task, earlier.id, earlier);
        } catch (error) {
            if (failed(error, "invalid", "alreadyExists", "conflict", "nothingToChange", "notFound")) {
                return undefined;
            }
            throw error;
        }
        try {
            if (created.asyncOperation) {
                await this.awaitOperation(run, created.asyncOperation, "creating");
            }
        } catch (error) {
            if (!(error instanceof OperationError)) {
                throw this.halfFinished(run, bag, created, error);
            }
        }
        const resource = await this.lookForOurs(run, created, earlier);
        if (resource === undefined || isGone(resource) || resource.state === ResourceState.RESOURCE_STATE_DELETING) {
            return { created, taken: false };
        }
        // A name can be had again by anybody once it is free.
        if (!isMadeBy(resource, earlier)) {
            return undefined;
        }
        const named = this.naturalKey(task.args) !== undefined;
        if (!named && !this.isSettled(resource, task)) {
            return undefined;
        }
        const lost = (this.definition.onceOutputs ?? []).filter((name) => !created.once?.[name]);
        if (lost.length > 0) {
            run.session.log.warn(
                run.context.urn,
                `Deleting ${this.definition.kind} ${created.id}, which an earlier run of this stack made (operation ` +
                    `${earlier.id}): its ${lost.join(", ")} was lost with that run. A new one is made.`,
            );
            await this.remove(run, created.id);
            return undefined;
        }
        return { created: this.take(run, created, earlier), taken: true };
    }

    private take(run: Run, created: Created, { id }: AsyncOperation): Created {
        this.taken.add(created.id);
        run.session.log.warn(
            run.context.urn,
            `Taking over ${this.definition.kind} ${created.id}, which an earlier run of this stack started to create (operation ${id}).`,
        );
        return created;
    }

    /** What an earlier run made. Not to be seen means either deleted, or not to be seen yet. */
    private async lookForOurs(run: Run, created: Created, operation: AsyncOperation): Promise<Resource | undefined> {
        const recent = Date.now() - timeMs(operation.finishedTime ?? operation.startedTime) < READ_LAG_MS;
        // A natural key settles it: if the name is free, it is gone. Else a delete by this provider has left its id.
        const deleted =
            this.definition.naturalKey !== undefined ||
            (await this.knownOperation(run, deleteOperationId(this.definition.kind, created.id))) !== undefined;
        try {
            return await this.look(run, created.id, recent && !deleted ? Date.now() + READ_LAG_MS : 0);
        } catch (error) {
            if (failed(error, "denied")) {
                return undefined;
            }
            throw error;
        }
    }

    /** A create that failed because the natural key is taken: whose is it, and what to do? */
    private async takenError(run: Run, task: Task, error: unknown): Promise<Error | undefined> {
        const { find, kind } = this.definition;
        const key = this.naturalKey(task.args);
        if (!find || key === undefined || !failed(error, "alreadyExists", "invalid", "conflict")) {
            return undefined;
        }
        const existing = await unlessMissing(find(run.session.client.cloud, key, { signal: run.signal }));
        if (existing === undefined || isGone(existing)) {
            return undefined;
        }
        const id = this.definition.idOf(existing);
        return new LifecycleError(
            `A ${kind} ${JSON.stringify(key)} exists already (id ${id}), and this stack did not make it. Nothing was changed. ` +
                `To manage it here, give this resource the option \`import: ${JSON.stringify(id)}\` or the argument \`adopt: true\`; ` +
                `else choose another name. (${error.message})`,
            { cause: error },
        );
    }

    /** Waits for the create and makes whatever a create alone cannot make. */
    private async settleNew(run: Run, bag: Bag, created: Created, task: Task): Promise<Resource> {
        try {
            if (created.asyncOperation) {
                await this.awaitOperation(run, created.asyncOperation, "creating");
            }
        } catch (error) {
            if (error instanceof OperationError) {
                throw await this.failedCreate(run, bag, created, error);
            }
            throw this.halfFinished(run, bag, created, error);
        }
        try {
            return await this.settle(run, bag, created.id, task, created.once);
        } catch (error) {
            throw error instanceof HalfFinishedError ? error : this.halfFinished(run, bag, created, error);
        }
    }

    /** The create's operation failed: if something came of it, the state has to know it; the next `up` replaces it. */
    private async failedCreate(run: Run, bag: Bag, created: Created, error: OperationError): Promise<Error> {
        const resource = await this.look(run, created.id).catch(() => undefined);
        if (resource === undefined || isGone(resource)) {
            return new LifecycleError(`${error.message} Nothing was created. The next \`pulumi up\` tries again.`, {
                cause: error,
            });
        }
        return this.halfFinished(run, { ...bag, [REPLACE_KEY]: true }, created, error);
    }

    private halfFinished(run: Run, bag: Bag, created: Created, error: unknown): HalfFinishedError {
        const goesOn =
            bag[REPLACE_KEY] === true
                ? "The next `pulumi up` replaces it."
                : "It is kept in the state: the next `pulumi up` goes on from there.";
        return new HalfFinishedError(
            `${this.title(run.context, created.id)} was created but is not finished: ${this.reason(run, error)} ${goesOn}`,
            created.id,
            // The token, if there is one, is only ever in this one answer.
            { ...bag, ...created.once, [MANAGED_KEY]: managedPaths(this.definition.fields, visible(bag)) },
            { cause: error },
        );
    }

    // -- adopt -------------------------------------------------------------------------------------------------------

    private async adoptable(run: Run, args: Bag): Promise<string | undefined> {
        const { importId, adopt, generation } = run.context;
        if (generation > 0) {
            // What was adopted is being replaced: adopting it again would replace it by itself.
            return undefined;
        }
        if (importId !== undefined) {
            return importId;
        }
        const key = this.naturalKey(args);
        if (!adopt || key === undefined || !this.definition.find) {
            return undefined;
        }
        const existing = await unlessMissing(
            this.definition.find(run.session.client.cloud, key, { signal: run.signal }),
        );
        return existing === undefined || isGone(existing) ? undefined : this.definition.idOf(existing);
    }

    /** Takes an existing resource into the state and brings it to what the program says. */
    private async adopt(run: Run, bag: Bag, id: string, task: Task): Promise<{ id: string; outs: Bag }> {
        const { fields, kind } = this.definition;
        return run.session.client.writes.run(`${kind}/${id}`, async () => {
            const existing = await this.look(run, id);
            if (existing === undefined || isGone(existing)) {
                throw new LifecycleError(
                    `There is no ${kind} ${JSON.stringify(id)} to import. Check the id, and that the API key's owner may see it.`,
                );
            }
            const live = this.definition.see(existing).args as Bag;
            const differing = changes(fields, live, respell(fields, task.args, live), task.managed);
            const impossible = differing.filter(({ replace }) => replace).map(({ path }) => `\`${path}\``);
            if (impossible.length > 0) {
                throw new LifecycleError(
                    `${kind} ${JSON.stringify(id)} cannot be imported as it is declared: ${impossible.join(", ")} would have to change, ` +
                        "which only a replacement could do. Nothing was changed. Declare what is there.",
                );
            }
            const adoption = { ...task, fresh: false };
            this.taken.add(id);
            const resource = await this.settle(run, bag, id, adoption, undefined);
            const written = differing
                .filter(({ name }) => !fields[name]?.options.programOnly)
                .map(({ path }) => `\`${path}\``);
            if (written.length > 0) {
                run.session.log.warn(
                    run.context.urn,
                    `Imported ${kind} ${id} and set what differed: ${written.join(", ")}.`,
                );
            }
            return { id: this.definition.idOf(resource) || id, outs: this.outputs(resource, bag, undefined) };
        });
    }

    // -- what exists -------------------------------------------------------------------------------------------------

    /** Looks, writes what is missing, waits for it, and looks again, until nothing is missing. */
    private async settle(run: Run, bag: Bag, id: string, task: Task, once: Bag | undefined): Promise<Resource> {
        const { signal } = run;
        const lagUntil = task.fresh ? Date.now() + READ_LAG_MS : 0;
        const made = new Map<string, number>();
        let conflicts = 0;
        let resource: Resource | undefined;
        try {
            for (;;) {
                resource = await this.look(run, id, lagUntil);
                if (resource === undefined || isGone(resource)) {
                    throw this.gone(run, bag, id, once);
                }
                if (resource.state === ResourceState.RESOURCE_STATE_ACTIVATION_FAILED) {
                    throw this.neverActive(run, bag, id, resource, once);
                }
                if (isInFlight(resource)) {
                    await this.awaitOthers(run, resource);
                    continue;
                }
                const next = this.definition.next(resource, this.desired(resource, task, made));
                if (next === undefined) {
                    return resource;
                }
                if (!isCall(next)) {
                    await this.awaitEvent(run, next);
                    continue;
                }
                const times = (made.get(next.purpose) ?? 0) + 1;
                made.set(next.purpose, times);
                if (times > SAME_CALL_LIMIT + conflicts) {
                    throw new LifecycleError(
                        `The server accepted ${next.purpose} ${SAME_CALL_LIMIT} times, but the resource does not show it.`,
                    );
                }
                if (!(await this.perform(run, next, resource, id))) {
                    conflicts += 1;
                    await sleep(
                        Math.min(CONFLICT_DELAY_MS * 2 ** conflicts, CONFLICT_MAX_DELAY_MS) * Math.random(),
                        undefined,
                        { signal },
                    );
                }
            }
        } catch (error) {
            if (error instanceof HalfFinishedError || resource === undefined || made.size === 0) {
                throw error;
            }
            throw await this.halfChanged(run, bag, id, error, once);
        }
    }

    /** Makes one write and waits for it. False when the resource had changed under it, so that it has to be thought over. */
    private async perform(run: Run, call: Call, resource: Resource, id: string): Promise<boolean> {
        const { session, signal } = run;
        session.log.status(run.context.urn, call.purpose);
        session.client.reads.changed(this.definition.kind);
        const operationId = randomUUID();
        try {
            const { asyncOperation } = await call.send(session.client.cloud, operationId, { signal });
            await this.awaitOperation(run, operationOrId(asyncOperation, operationId), call.purpose);
            return true;
        } catch (error) {
            if (failed(error, "nothingToChange")) {
                return true;
            }
            if (await this.isConflict(run, error, resource, id)) {
                return false;
            }
            throw error;
        } finally {
            session.client.reads.changed(this.definition.kind);
        }
    }

    /**
     * Whether a write was refused because the resource has changed since it was read, or is being changed. Which code
     * the server uses for that is not documented, so the resource itself decides.
     */
    private async isConflict(run: Run, error: unknown, resource: Resource, id: string): Promise<boolean> {
        if (!failed(error, "conflict", "invalid", "alreadyExists")) {
            return false;
        }
        const now = await this.look(run, id);
        return now !== undefined && (now.resourceVersion !== resource.resourceVersion || isInFlight(now));
    }

    private async remove(run: Run, id: string): Promise<void> {
        const { session, signal } = run;
        session.client.reads.changed(this.definition.kind);
        // An id that is never given twice can be derived; it tells later that the resource is gone and not just unseen.
        let operationId = this.definition.naturalKey ? randomUUID() : deleteOperationId(this.definition.kind, id);
        for (let conflicts = 0; ; conflicts += 1) {
            const resource = await this.look(run, id);
            if (resource === undefined || isGone(resource)) {
                return;
            }
            if (isInFlight(resource)) {
                await this.awaitOthers(run, resource);
                continue;
            }
            try {
                session.log.status(run.context.urn, "deleting");
                const { asyncOperation } = await this.definition.delete(
                    session.client.cloud,
                    id,
                    resource.resourceVersion,
                    operationId,
                    { signal },
                );
                await this.awaitOperation(run, operationOrId(asyncOperation, operationId), "deleting");
                return;
            } catch (error) {
                if (failed(error, "notFound")) {
                    return;
                }
                // The answer may be that of an earlier attempt under this id; only a new id makes a new attempt.
                const repeated = !this.definition.naturalKey && conflicts === 0 && error instanceof OperationError;
                if (!repeated && !(await this.isConflict(run, error, resource, id))) {
                    throw error;
                }
                operationId = randomUUID();
            } finally {
                session.client.reads.changed(this.definition.kind);
            }
            await sleep(
                Math.min(CONFLICT_DELAY_MS * 2 ** conflicts, CONFLICT_MAX_DELAY_MS) * Math.random(),
                undefined,
                { signal },
            );
        }
    }

    /** The resource as it is now; undefined when there is none. Until `lagUntil`, none means not yet. */
    private async look({ session, signal }: Run, id: string, lagUntil = 0): Promise<Resource | undefined> {
        for (let delayMs = 200; ; delayMs = Math.min(delayMs * 1.6, 5_000)) {
            try {
                const resource = await this.definition.get(session.client.cloud, id, { signal });
                if (resource !== undefined || Date.now() > lagUntil) {
                    return resource;
                }
            } catch (error) {
                if (Date.now() > lagUntil || !failed(error, "notFound", "denied")) {
                    if (failed(error, "notFound")) {
                        return undefined;
                    }
                    throw error;
                }
            }
            await sleep(delayMs, undefined, { signal });
        }
    }

    /** Waits for an operation on the resource that is not ours: how it ends is not our concern. */
    private async awaitOthers(run: Run, { asyncOperationId }: Resource): Promise<void> {
        await this.awaitEvent(run, {
            purpose: "waiting for another operation on it",
            operationId: asyncOperationId || undefined,
        });
    }

    private async awaitEvent(run: Run, { purpose, operationId }: Wait): Promise<void> {
        run.session.log.status(run.context.urn, purpose);
        const known = operationId === undefined ? undefined : await this.knownOperation(run, operationId);
        if (known === undefined || isEnded(known)) {
            // The resource shows the end of its operation a little later.
            await sleep(WAIT_INTERVAL_MS, undefined, { signal: run.signal });
            return;
        }
        try {
            await this.awaitOperation(run, known, purpose);
        } catch (error) {
            if (!(error instanceof OperationError)) {
                throw error;
            }
        }
    }

    private async awaitOperation(run: Run, operation: AsyncOperation, purpose: string): Promise<void> {
        const { session, signal, context } = run;
        const startedAt = Date.now();
        let shownAt = 0;
        await awaitOperation(session.client.cloud, operation, {
            signal,
            onProgress: () => {
                const now = Date.now();
                if (now - shownAt >= 5_000) {
                    shownAt = now;
                    const seconds = Math.round((now - startedAt) / 1000);
                    session.log.status(context.urn, seconds > 0 ? `${purpose} (${seconds} s)` : purpose);
                }
            },
        });
    }

    // -- views -------------------------------------------------------------------------------------------------------

    private changes(old: Bag, args: Bag): Change[] {
        const managed = managedOf(old) ?? new Set(managedPaths(this.definition.fields, args));
        return changes(this.definition.fields, old, args, managed);
    }

    private desired(resource: Resource, task: Task, made: ReadonlyMap<string, number> = new Map()): Desired<Args> {
        const live = this.definition.see(resource).args as Bag;
        return {
            args: overlay(this.definition.fields, live, task.args, task.removed) as Args,
            changed: task.changed,
            managed: task.managed,
            made,
        };
    }

    private isSettled(resource: Resource, task: Task): boolean {
        return this.definition.next(resource, this.desired(resource, task)) === undefined;
    }

    private outputs(resource: Resource, bag: Bag, once: Bag | undefined): Bag {
        const { fields } = this.definition;
        const { args, outputs } = this.definition.see(resource);
        const values = visible(bag);
        return clean({
            ...hidden(bag, REPLACE_KEY),
            ...respell(fields, args as Bag, values),
            ...outputs,
            ...once,
            [MANAGED_KEY]: managedPaths(fields, values),
            ...(resource.state === ResourceState.RESOURCE_STATE_ACTIVATION_FAILED ? { [REPLACE_KEY]: true } : {}),
        });
    }

    private once(old: Bag): Bag {
        const names = this.definition.onceOutputs ?? [];
        return Object.fromEntries(names.flatMap((name) => (old[name] === undefined ? [] : [[name, old[name]]])));
    }

    private source({ client }: Session): Source<Resource> {
        const { definition } = this;
        return {
            kind: definition.kind,
            get: async (id, signal) => {
                const resource = await definition.get(client.cloud, id, { signal });
                if (resource === undefined) {
                    throw new MissingError();
                }
                return resource;
            },
            list: (pageToken, signal) => definition.list(client.cloud, pageToken, { signal }),
            idOf: (resource) => definition.idOf(resource),
        };
    }

    private naturalKey(args: Bag): string | undefined {
        const key = this.definition.naturalKey?.(args as Partial<Args>);
        return hasUnknown(key) ? undefined : key;
    }

    private operationId({ session, context }: Run, args: Bag, life: number): string {
        const { organization, urn, generation } = context;
        const naturalKey = this.naturalKey(args) ?? "";
        return createOperationId(
            { organization, urn, naturalKey, salt: session.salt, backend: session.backend, generation },
            life,
        );
    }

    // -- errors ------------------------------------------------------------------------------------------------------

    private gone(run: Run, bag: Bag, id: string, once: Bag | undefined): HalfFinishedError {
        return new HalfFinishedError(
            `${this.title(run.context, id)} does not exist any more: it was deleted outside this stack. ` +
                "The next `pulumi up` creates it anew.",
            id,
            { ...bag, ...once, [MANAGED_KEY]: managedPaths(this.definition.fields, visible(bag)), [REPLACE_KEY]: true },
        );
    }

    private neverActive(run: Run, bag: Bag, id: string, resource: Resource, once: Bag | undefined): HalfFinishedError {
        return new HalfFinishedError(
            `${this.title(run.context, id)} never became active: its creation failed. The next \`pulumi up\` replaces it.`,
            id,
            { ...this.outputs(resource, bag, once), [REPLACE_KEY]: true },
        );
    }

    /** Some writes may have happened before the error: the state takes what there is now. */
    private async halfChanged(run: Run, bag: Bag, id: string, error: unknown, once: Bag | undefined): Promise<Error> {
        const signal = AbortSignal.timeout(10_000);
        const resource = await this.look({ ...run, signal }, id).catch(() => undefined);
        if (resource === undefined || isGone(resource)) {
            return error instanceof Error ? error : new LifecycleError(String(error));
        }
        return new HalfFinishedError(
            `${this.title(run.context, id)} is not as declared yet: ${this.reason(run, error)} ` +
                "What was done is in the state; the next `pulumi up` does the rest.",
            id,
            this.outputs(resource, bag, once),
            { cause: error },
        );
    }

    private async run<T>(
        session: Session,
        bag: Bag,
        method: "create" | "update" | "delete",
        work: (run: Run) => Promise<T>,
        id?: string,
    ): Promise<T> {
        const context = contextOf(bag);
        const timeoutMs = context.timeoutsMs[method];
        const signal = AbortSignal.timeout(Math.min(timeoutMs, 2 ** 31 - 1));
        return this.explain(method, context, signal, timeoutMs, id, async () => {
            await session.client.checkAccount();
            return work({ session, context, signal, timeoutMs });
        });
    }

    private async explain<T>(
        method: "create" | "update" | "delete" | "read",
        context: ResourceContext,
        signal: AbortSignal,
        timeoutMs: number,
        id: string | undefined,
        work: () => Promise<T>,
    ): Promise<T> {
        try {
            return await work();
        } catch (error) {
            if (error instanceof HalfFinishedError) {
                throw error;
            }
            const reason = this.reason({ signal, timeoutMs }, error);
            throw new LifecycleError(`${this.title(context, id)} could not be ${PAST[method]}: ${reason}`, {
                cause: error,
            });
        }
    }

    private reason({ signal, timeoutMs }: Pick<Run, "signal" | "timeoutMs">, error: unknown): string {
        if (signal.aborted && !(error instanceof RpcError)) {
            return (
                `it was not finished after ${Math.round(timeoutMs / 1000)} s (\`customTimeouts\` sets that time). ` +
                "The operation goes on in Temporal Cloud."
            );
        }
        return error instanceof Error ? error.message : String(error);
    }

    private title(context: ResourceContext, id?: string): string {
        const name = context.name === "" ? "" : ` ${JSON.stringify(context.name)}`;
        return `${this.definition.kind}${name}${id === undefined ? "" : ` (${id})`}`;
    }
}

const PAST = { create: "created", update: "updated", delete: "deleted", read: "read" } as const;

/** Thrown to the coalesced reads where a Get answers without a resource. */
class MissingError extends Error {}

async function unlessMissing<T>(reading: Promise<T | undefined>): Promise<T | undefined> {
    try {
        return await reading;
    } catch (error) {
        if (error instanceof MissingError || failed(error, "notFound")) {
            return undefined;
        }
        throw error;
    }
}

function isCall(next: Call | Wait): next is Call {
    return "send" in next;
}

function isGone(resource: Live): boolean {
    return resource.state === ResourceState.RESOURCE_STATE_DELETED;
}

function isInFlight({ state }: Live): boolean {
    return (
        state === ResourceState.RESOURCE_STATE_ACTIVATING ||
        state === ResourceState.RESOURCE_STATE_UPDATING ||
        state === ResourceState.RESOURCE_STATE_DELETING
    );
}

function timeMs(time: Timestamp | undefined): number {
    return time === undefined ? 0 : Number(time.seconds) * 1000 + time.nanos / 1e6;
}

/** Whether a resource can be what that operation made, by the server's own clock. */
function isMadeBy({ createdTime }: Live, { startedTime, finishedTime }: AsyncOperation): boolean {
    if (createdTime === undefined || startedTime === undefined) {
        return true;
    }
    const slackMs = 60_000;
    return (
        timeMs(createdTime) >= timeMs(startedTime) - slackMs &&
        timeMs(createdTime) <= timeMs(finishedTime ?? createdTime) + slackMs
    );
}

function visible(bag: Bag): Bag {
    return Object.fromEntries(Object.entries(bag).filter(([name, value]) => !name.startsWith("__") && value !== null));
}

function hidden(bag: Bag, ...without: string[]): Bag {
    return Object.fromEntries(Object.entries(bag).filter(([name]) => name.startsWith("__") && !without.includes(name)));
}

function managedOf(old: Bag): ReadonlySet<string> | undefined {
    const managed = old[MANAGED_KEY];
    return Array.isArray(managed)
        ? new Set(managed.filter((path): path is string => typeof path === "string"))
        : undefined;
}

/** What the server has beyond its defaults: the inputs of a resource that no program has described yet. */
function withoutResets<Args extends object, Resource extends Live>(
    { fields }: Definition<Args, Resource>,
    args: Bag,
): Bag {
    return Object.fromEntries(
        Object.entries(args).filter(([name, value]) => {
            const field = fields[name];
            return field !== undefined && value !== undefined && !same(field, value, undefined);
        }),
    );
}

/** Without what JSON does not have, which the host would stumble over. */
function clean(bag: Bag): Bag {
    return JSON.parse(JSON.stringify(bag)) as Bag;
}
