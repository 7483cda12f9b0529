import { isDeepStrictEqual } from "node:util";
import { unlessFailed } from "../client/errors";
import type { ResourceContext } from "../context";
import { CONTEXT_KEY, contextOf, segmentsOf } from "../context";
import type { Definition, LiveResource } from "../definition";
import type { Bag } from "../fields";
import { checkFields, own } from "../fields";
import { isNamed, valueAt, withoutBroken } from "../overlay";
import { findByNaturalKey } from "../pages";
import { isGone } from "../wire";
import { accountNote, refuseOtherAccount } from "./accounts";
import { Creation } from "./creation";
import { Existing, STRANGER, sourceOf } from "./existing";
import { ACCOUNT_KEY, hidden, isFirstRead, lagUntil, managedOf, REPLACE_KEY, visible } from "./hidden";
import { notedCreate } from "./origin";
import { Owners } from "./owners";
import { Reconciliation } from "./reconciliation";
import type { Log, Method, Run, Session, Task } from "./run";
import { HalfFinishedError, LifecycleError, TakenError, title, within } from "./run";
import { quoted, View } from "./view";

export interface CheckResult {
    readonly inputs: Bag;
    readonly failures: { readonly property: string; readonly reason: string }[];
}

export interface DiffResult {
    readonly changes: boolean;
    /** The properties whose change requires a replacement. */
    readonly replaces: string[];
    readonly deleteBeforeReplace: boolean;
}

/**
 * What the check of a resource in the state records for its replacement, which the engine checks without the old
 * inputs.
 */
interface InState {
    /**
     * How often it has been replaced. Part of the hidden inputs, so that the create of a replacement is never mistaken
     * for the create of what it replaces.
     */
    readonly generation: number;
    /** Its default name. */
    readonly name: string | undefined;
    /** The id in its option `import`. */
    readonly importId: string | undefined;
    /** Its own id, once the engine has passed it. */
    readonly id?: string;
}

/** An existing resource that the program adopts. */
interface Adoptable<Resource> {
    readonly id: string;
    /** The resource, if it had to be looked up by its natural key. */
    readonly found: Resource | undefined;
}

/**
 * The lifecycle of all resources of one kind: check, diff, create, read, update and delete, as its definition
 * describes.
 */
export class Lifecycle<Args extends object, Resource extends LiveResource> {
    private readonly view: View<Args, Resource>;
    private readonly existing: Existing<Args, Resource>;
    private readonly creation: Creation<Args, Resource>;
    private readonly owners = new Owners();
    /** URNs of the resources whose due replacement has been reported. */
    private readonly reportedDue = new Set<string>();
    /** The resources of this deployment that are in the state, by URN. */
    private readonly inState = new Map<string, InState>();

    constructor(private readonly definition: Definition<Args, Resource>) {
        this.view = new View(definition);
        this.existing = new Existing(definition, this.view);
        this.creation = new Creation(this.existing, this.owners);
    }

    /** Validates the program's values and fills in the name. Sends no request: previews run it serially. */
    check(old: Bag, bag: Bag): CheckResult {
        const { nameField } = this.definition;
        const context = contextOf(bag);
        const before = contextOf(old);
        const { ignores } = context;
        const isInState = Object.keys(old).length > 0;
        const replaced = isInState ? undefined : this.inState.get(context.urn);
        const generation = replaced ? replaced.generation + 1 : before.generation;
        const given = visible(bag);
        const defaultName = this.defaultName(given, context, replaced?.name ?? this.nameInState(old, before));
        const named: Bag =
            nameField === undefined || defaultName === undefined ? given : { ...given, [nameField]: defaultName };
        const args = ignores ? withoutBroken(this.definition.fields, named, visible(old), ignores) : named;
        if (isInState && context.urn !== "") {
            this.inState.set(context.urn, { generation, name: defaultName, importId: before.importId });
        }
        const adopts = replaced === undefined ? isAdopting(context, generation) : importsAnother(context, replaced);
        if (!isInState && adopts) {
            const { importId: id } = context;
            this.owners.announce(context, {
                id,
                naturalKey: id === undefined ? this.view.naturalKey(args) : undefined,
            });
        }
        const noted = {
            ...(generation > 0 && { generation }),
            ...(replaced !== undefined && adopts && { replacementAdopts: true }),
            ...(defaultName !== undefined && defaultName !== context.name && { givenName: defaultName }),
        };
        const hiddenInputs = Object.keys(noted).length === 0 ? {} : { [CONTEXT_KEY]: context.with(noted) };
        return {
            inputs: { ...hidden(bag), ...args, ...hiddenInputs },
            failures: this.failures(old, args, context, adopts, defaultName !== undefined),
        };
    }

    /** What is wrong with the program's values: first field by field, then, if nothing is, as a whole. */
    private failures(
        old: Bag,
        args: Bag,
        context: ResourceContext,
        adopts: boolean,
        isNamedByDefault: boolean,
    ): CheckResult["failures"] {
        const { fields, nameField } = this.definition;
        const failures: CheckResult["failures"] = [];
        const report = (property: string, reason: string) => {
            const isIgnored = context.ignoresPartOf(segmentsOf(property)[0] ?? "");
            const why = isIgnored ? " (What `ignoreChanges` names has the value in the state, not the program's.)" : "";
            failures.push({ property, reason: `\`${property}\` ${reason}${why}` });
        };
        // For an ignored property the engine passes the value of the last refresh, which this version may not know.
        const isAsBefore = (property: string) => {
            const segments = segmentsOf(property);
            return segments.some((_, index) => {
                const path = segments.slice(0, index + 1);
                const value = valueAt(args, path);
                const isIgnored = value !== undefined && context.ignores?.(path) === true;
                return isIgnored && isDeepStrictEqual(value, valueAt(old, path));
            });
        };
        checkFields(fields, args, "", (property, reason) => {
            if (isAsBefore(property)) {
                return;
            }
            const why = "It defaults to the logical name; set it to something else.";
            report(property, isNamedByDefault && property === nameField ? `${reason} ${why}` : reason);
        });
        if (failures.length === 0) {
            const was = visible(old);
            const isNew = Object.keys(was).length === 0 || this.isReplacedOn(was, args, context);
            this.definition.check?.(args, isNew ? undefined : was, report, adopts);
        }
        return failures;
    }

    /** Whether the option `replaceOnChanges` makes this change a replacement. */
    private isReplacedOn(old: Bag, args: Bag, context: ResourceContext): boolean {
        const { replacesOn } = context;
        return (
            replacesOn !== undefined &&
            this.view.changes(old, args).some(({ path }) => isNamed(replacesOn, path, old, args))
        );
    }

    /** What an update would do. Sends no request. */
    diff({ log, id }: { readonly log: Log; readonly id?: string }, old: Bag, bag: Bag, now: Date): DiffResult {
        const args = visible(bag);
        const context = contextOf(bag);
        const before = contextOf(old);
        if (id !== undefined) {
            this.owners.note(id, context, old);
            this.noteInState(context.urn, id, old, before);
        }
        const changed = this.view.changes(old, args, context);
        const replacing = changed.filter(
            (change) => change.replace || isNamed(context.replacesOn, change.path, old, args),
        );
        const replaces = new Set(replacing.map(({ name }) => name));
        const due = this.definition.replaceNow?.(old, args, now);
        // Without another reason, it is a change of that property, which may be ignored.
        if (due !== undefined && (due.why !== undefined || context.ignores?.(due.property) !== true)) {
            replaces.add(due.property);
            if (due.why !== undefined && !this.reportedDue.has(context.urn)) {
                this.reportedDue.add(context.urn);
                log.info(
                    context.urn,
                    `${title({ kind: this.definition.kind, context, id })} is due to be replaced: ${due.why}.`,
                );
            }
        }
        if (old[REPLACE_KEY] !== undefined) {
            // The engine requires the name of a property, and none that the program sets has changed.
            replaces.add("id");
        }
        for (const warning of this.definition.warnings?.(old, args, managedOf(old) ?? new Set()) ?? []) {
            log.warn(context.urn, warning);
        }
        const { importId } = context;
        const isNewImport = importId !== undefined && importId !== id && importId !== before.importId;
        if (id !== undefined && isNewImport && replaces.size === 0) {
            log.warn(
                context.urn,
                `The option \`import: ${JSON.stringify(importId)}\` has no effect: the state already has ` +
                    `${title({ kind: this.definition.kind, context, id })}. To manage the other one too, declare it ` +
                    "under a logical name of its own.",
            );
        }
        // A read and a delete receive only the outputs, and only an update writes a new timeout to them.
        const hasNewTimeout =
            old[CONTEXT_KEY] !== bag[CONTEXT_KEY] &&
            (before.timeoutMs("delete") !== context.timeoutMs("delete") ||
                before.timeoutMs("read") !== context.timeoutMs("read"));
        const key = this.view.naturalKey(args);
        return {
            changes: changed.length > 0 || replaces.size > 0 || hasNewTimeout,
            replaces: [...replaces],
            // Two resources cannot have the same name at once. Otherwise the new one is created first, so that it can
            // be used before the old one is deleted.
            deleteBeforeReplace: key !== undefined && key === this.view.naturalKey(old),
        };
    }

    async create(session: Session, bag: Bag): Promise<{ id: string; outs: Bag }> {
        return this.attempt("create", session, bag, undefined, async (run) => {
            const task = this.view.task(visible(bag), { ignores: run.context.ignores });
            try {
                const made = (await this.adopt(run, bag, task)) ?? (await this.createOrAdopt(run, bag, task));
                this.owners.succeed(run.context);
                return made;
            } catch (error) {
                if (!(error instanceof HalfFinishedError)) {
                    this.owners.fail(run.context);
                }
                throw error;
            }
        });
    }

    private async createOrAdopt(run: Run, bag: Bag, task: Task): Promise<{ id: string; outs: Bag }> {
        try {
            const { created, resource } = await this.creation.create(run, bag, task);
            return { id: created.id, outs: this.view.outputs(resource, bag, created.carried) };
        } catch (error) {
            // Somebody else, such as another stack that would adopt it too, was faster.
            const adopted = error instanceof TakenError ? await this.adopt(run, bag, task) : undefined;
            if (adopted === undefined) {
                throw error;
            }
            return adopted;
        }
    }

    /** Reads the resource; undefined if it is gone. */
    async read(session: Session, id: string, old: Bag): Promise<{ props: Bag; inputs: Bag } | undefined> {
        return this.attempt("read", session, old, id, async (run) => {
            // A resource just created may not be visible yet: it is read as for an update or a delete.
            const create = notedCreate(old);
            const until = lagUntil(old);
            const found =
                until > 0 || create !== undefined ? await this.existing.look(run, id, until) : await this.find(run, id);
            const isStranger = found !== undefined && (await this.existing.isStranger(run, found, create));
            if (isStranger) {
                session.log.warn(run.context.urn, `${title(run)} leaves the state: ${STRANGER}`);
            }
            const resource = isStranger ? undefined : found;
            if (resource === undefined) {
                await refuseOtherAccount(run, old[ACCOUNT_KEY]);
                if (isFirstRead(old)) {
                    throw this.missing(id);
                }
                return undefined;
            }
            const since = this.existing.anotherSince(resource, old);
            if (since !== undefined) {
                session.log.warn(
                    run.context.urn,
                    `${title(run)} was deleted outside this stack, and recreated on ${since}. This stack now manages ` +
                        `the new one. If that is somebody else's, run \`pulumi state delete '${run.context.urn}'\`.`,
                );
            }
            const read = this.view.read(resource, old, await this.carried(session, old));
            return this.withDefaultName(read, old);
        });
    }

    async update(session: Session, id: string, old: Bag, bag: Bag): Promise<{ outs: Bag }> {
        return this.attempt("update", session, bag, id, (run) =>
            this.alone(session, id, async () => {
                const carried = await this.carried(session, old);
                const task = this.view.task(visible(bag), { old, ignores: run.context.ignores });
                const goal = { run, id, bag, task, carried, old };
                const resource = await new Reconciliation(this.existing, goal).reconcile();
                const tolerated = this.view.tolerated(resource, task);
                if (tolerated) {
                    run.session.log.warn(run.context.urn, tolerated.warning);
                }
                return { outs: this.view.outputs(resource, bag, carried) };
            }),
        );
    }

    async delete(session: Session, id: string, old: Bag): Promise<void> {
        const { kind } = this.definition;
        const context = contextOf(old);
        const keeper = this.owners.keeper(id, old);
        const failing =
            keeper === undefined
                ? this.owners.expectant(id, this.view.naturalKey(old), context)
                : this.owners.hasFailed(keeper) && keeper;
        if (failing) {
            const why =
                failing.urn === context.urn
                    ? "its replacement would adopt it, because of `import`. Remove that from the program first."
                    : `${failing.urn} was to take it over, and could not. It stays in the state until that succeeds.`;
            throw new LifecycleError(`${title({ kind, context, id })} is not deleted: ${why}`);
        }
        if (keeper !== undefined) {
            const isReplacement = keeper.urn === context.urn && (keeper.adopt || keeper.importId !== undefined);
            const why = isReplacement
                ? "its replacement has adopted it, because of `import` or `adopt`. To create another in its place, " +
                  "remove that from the program first."
                : "a resource of this program has taken it over and manages it now.";
            session.log.warn(context.urn, `${kind} ${id} is not deleted: ${why}`);
            this.owners.release(id, old);
            return;
        }
        const refusal = this.definition.refuseDelete?.(old);
        if (refusal !== undefined) {
            throw new LifecycleError(`${title({ kind, context, id })} is not deleted: ${refusal}`);
        }
        // Its outputs may still have a URN that an alias has changed since.
        this.noteInState(this.owners.holder(id, old, context)?.urn ?? context.urn, id, old, context);
        this.owners.forget(id);
        await this.attempt("delete", session, old, id, (run) =>
            this.alone(session, id, async () => {
                if (!(await this.existing.remove(run, id, old))) {
                    await refuseOtherAccount(run, old[ACCOUNT_KEY]);
                }
            }),
        );
    }

    /**
     * Records what a replacement has to know of the resource in the state, if no check has: what depends on a resource
     * that is deleted before it is replaced is diffed and deleted, and then checked as if it were new.
     */
    private noteInState(urn: string, id: string, old: Bag, before: ResourceContext): void {
        const { generation, importId } = before;
        const noted = this.inState.get(urn) ?? { generation, name: this.nameInState(old, before) };
        // The inputs that the check has seen also have an `import` that came later, and was ignored.
        this.inState.set(urn, { ...noted, importId, id });
    }

    /**
     * The default name of a resource: its logical name. It is kept if an alias or `pulumi state rename` changes the
     * logical name, since that must not replace anything. Undefined if the program sets the name.
     */
    private defaultName(given: Bag, context: ResourceContext, nameInState: string | undefined): string | undefined {
        const { nameField } = this.definition;
        if (nameField === undefined || given[nameField] !== undefined || context.name === "") {
            return undefined;
        }
        return nameInState ?? context.name;
    }

    /** What was read, with a note of the default name if somebody has changed it, so that it is still known as that. */
    private withDefaultName(read: { props: Bag; inputs: Bag }, old: Bag): { props: Bag; inputs: Bag } {
        const { nameField } = this.definition;
        if (nameField === undefined || read.props[nameField] === old[nameField]) {
            return read;
        }
        const before = contextOf(old);
        const givenName = this.nameInState(old, before);
        if (givenName === undefined) {
            return read;
        }
        const noted = { [CONTEXT_KEY]: before.with({ givenName }) };
        return { props: { ...read.props, ...noted }, inputs: { ...read.inputs, ...noted } };
    }

    /** The default name that the resource in the state was given; undefined if the program has set its name. */
    private nameInState(old: Bag, { name, givenName }: ResourceContext): string | undefined {
        const { nameField } = this.definition;
        const isDefault = nameField !== undefined && name !== "" && old[nameField] === name;
        return givenName ?? (isDefault ? name : undefined);
    }

    /** The resource to adopt: by its id, or by its natural key, if there is one. */
    private async adoptable(run: Run, { args }: Task): Promise<Adoptable<Resource> | undefined> {
        const { importId, adopt, generation, replacementAdopts } = run.context;
        if (generation > 0 && !replacementAdopts) {
            // An adopted resource is being replaced: adopting it again would replace it with itself.
            return undefined;
        }
        if (importId !== undefined) {
            return { id: importId, found: undefined };
        }
        const key = this.view.naturalKey(args);
        if (!adopt || key === undefined) {
            return undefined;
        }
        const { cloud } = run.session.client;
        const found = await findByNaturalKey(this.definition, cloud, { key }, { signal: run.signal });
        return found && { id: this.definition.idOf(found), found };
    }

    /** Reads the resource in as few requests as possible; undefined if there is none. */
    private async find(run: Run, id: string): Promise<Resource | undefined> {
        const { client } = run.session;
        const reading = client.reads.read(sourceOf<Resource>(this.definition, client.cloud), id, run);
        const resource = await unlessFailed(reading, "notFound");
        return resource === undefined || isGone(resource) ? undefined : resource;
    }

    private missing(id: string): LifecycleError {
        const { kind } = this.definition;
        return new LifecycleError(
            `there is no ${kind} ${JSON.stringify(id)}. Check the id, and that the API key's owner may see it.`,
        );
    }

    /**
     * The outputs that do not come from the resource. The account is added if the state, of an earlier version, has
     * none.
     */
    private async carried(session: Session, old: Bag): Promise<Bag> {
        const carried = this.view.carried(old);
        return old[ACCOUNT_KEY] === undefined ? { ...(await accountNote(session)), ...carried } : carried;
    }

    /** Adopts the existing resource, if the program wants that and there is one. */
    private async adopt(run: Run, bag: Bag, task: Task): Promise<{ id: string; outs: Bag } | undefined> {
        const adoptable = await this.adoptable(run, task);
        return adoptable && this.adoptExisting({ ...run, id: adoptable.id }, bag, adoptable);
    }

    /**
     * Adopts an existing resource: changes what differs from the program, and takes it into the state. If nothing
     * differs, it is not read again; otherwise the server refuses a stale version, and it is.
     */
    private async adoptExisting(
        run: Run,
        bag: Bag,
        { id, found }: Adoptable<Resource>,
    ): Promise<{ id: string; outs: Bag }> {
        const { kind } = this.definition;
        // The engine keeps ignored properties as in the old state, and there is none.
        const task = this.view.task(visible(bag), { ignores: run.context.ignores, takesOver: true });
        const adopter = this.owners.adopter(id, run.context);
        if (adopter !== undefined) {
            throw new LifecycleError(
                `another resource of this program has just adopted it (${adopter.urn}). Nothing was changed. Remove one ` +
                    "of the two.",
            );
        }
        // At once: if the adoption fails, another entry of the state may still have the resource, which must not be
        // deleted under that name then.
        const claim = this.owners.claim(id, run.context);
        return this.alone(run.session, id, async () => {
            const existing = found ?? (await this.find(run, id));
            if (existing === undefined) {
                throw this.missing(id);
            }
            const differing = this.view.differences(existing, task);
            const impossible = this.view.unchangeable(existing, task, differing);
            const liveValue = (path: string) =>
                JSON.stringify(valueAt(this.definition.fromLive(existing).args as Bag, path)) ?? "not set";
            if (impossible.length > 0) {
                const values = impossible.map((path) => `\`${path}\` is ${liveValue(path)}`);
                throw new LifecycleError(
                    `it exists but differs in ${quoted(impossible)}, which only a replacement could change. Nothing ` +
                        `was changed. Declare what exists: ${values.join(", ")}.`,
                );
            }
            const grave = differing.find(({ name }) => own(this.definition.fields, name)?.options.adoptAsIs);
            if (grave !== undefined) {
                throw new LifecycleError(
                    `it exists but differs in \`${grave.name}\`, which adoption does not change. Nothing was changed. ` +
                        `Declare the existing value, ${liveValue(grave.name)}; a later \`pulumi up\` can change it.`,
                );
            }
            const carried = { ...(await accountNote(run.session)), ...claim };
            const seen = { resource: existing, mayBeOld: false };
            const resource = await new Reconciliation(this.existing, { run, id, bag, task, carried, seen }).reconcile();
            if (differing.length > 0) {
                const paths = quoted(differing.map(({ path }) => path));
                run.session.log.warn(run.context.urn, `Adopted ${kind} ${id} and changed ${paths}.`);
            } else if (found !== undefined) {
                // The engine says that it was created, as it says of those that did not exist.
                run.session.log.info(
                    run.context.urn,
                    `Adopted ${kind} ${id}, which already existed. Nothing was changed.`,
                );
            }
            return { id, outs: this.view.outputs(resource, bag, carried) };
        });
    }

    private attempt<T>(
        method: Method,
        session: Session,
        bag: Bag,
        id: string | undefined,
        work: (run: Run) => Promise<T>,
    ): Promise<T> {
        const context = contextOf(bag);
        const timeoutMs = context.timeoutMs(method);
        return within({ method, session, kind: this.definition.kind, id, context, timeoutMs }, work);
    }

    /** Serialises the writes to one resource: concurrently, each would make the version of the others stale. */
    private alone<T>(session: Session, id: string, work: () => Promise<T>): Promise<T> {
        return session.client.writes.run(`${this.definition.kind}/${id}`, work);
    }
}

/** Whether a replacement imports a resource that its predecessor was not to import. */
function importsAnother({ importId }: ResourceContext, replaced: InState): boolean {
    return importId !== undefined && importId !== replaced.importId && importId !== replaced.id;
}

/** Whether a create adopts what exists. A replacement does not, even if the resource that it replaces was adopted. */
function isAdopting({ importId, adopt }: ResourceContext, generation: number): boolean {
    return generation === 0 && (importId !== undefined || adopt);
}
