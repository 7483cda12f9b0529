import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import type { Names } from "../context";
import type { Created, Definition, Desired, LiveResource, Tolerated } from "../definition";
import type { Bag } from "../fields";
import { hasUnknown, holds, same } from "../fields";
import type { Change } from "../overlay";
import { changes, managedPaths, overlay, pick, respell, withIgnored, withRequired } from "../overlay";
import {
    ACCOUNT_KEY,
    CLAIM_KEY,
    hidden,
    isUnseen,
    MANAGED_KEY,
    managedOf,
    PASSING_KEYS,
    REPLACE_KEY,
    UNSEEN_KEY,
    unseenSince,
    visible,
} from "./hidden";
import { OperationError } from "./operation";
import { createNote } from "./origin";
import type { Run, Task } from "./run";
import { HalfFinishedError, reason, title } from "./run";

/** What may be left of a task. */
type Unfinished = Pick<Task, "removed" | "changed">;
const NOTHING: Unfinished = { removed: new Set(), changed: new Set() };

/** What a task is made from, besides the program's values. */
export interface TaskOptions {
    readonly old?: Bag;
    readonly ignores?: Names | undefined;
    /** Whether the resource exists, although there is no old state: it is adopted. */
    readonly takesOver?: boolean;
}

/** Maps the resources of one kind to what programs, the state and the lifecycle see of them. */
export class View<Args extends object, Resource extends LiveResource> {
    constructor(private readonly definition: Definition<Args, Resource>) {}

    /** The paths of the fields that these values set. */
    managed(values: Bag): string[] {
        return managedPaths(this.definition.fields, values);
    }

    /**
     * The changes from the state to the program's values, except ignored ones; `but.ignores` is read only if there are
     * any.
     */
    changes(old: Bag, args: Bag, but: { readonly ignores?: Names | undefined } = {}): Change[] {
        const managed = managedOf(old) ?? new Set(this.managed(args));
        const found = changes(this.definition.fields, old, args, managed);
        const ignores = found.length > 0 ? but.ignores : undefined;
        if (ignores === undefined) {
            return found;
        }
        const values = this.withIgnored({ args, ignores, isFirst: false }, old);
        return changes(this.definition.fields, old, values, managed).filter(({ path }) => !ignores(path));
    }

    /**
     * The task that brings an old state to the program's values, except ignored ones. Without an old state, and until a
     * create has finished, it covers all of the program's values, ignored or not: nothing has been set yet that could
     * be left alone. For an adopted resource, ignored properties are left alone.
     */
    task(args: Bag, { old, ignores, takesOver = false }: TaskOptions = {}): Task {
        const isFirst = old === undefined ? !takesOver : isUnseen(old);
        const ignored = isFirst ? undefined : ignores;
        const managed = new Set(this.managed(args));
        const before = old === undefined ? new Set<string>() : (managedOf(old) ?? new Set());
        const heeded = (paths: Iterable<string>) => new Set([...paths].filter((path) => !ignored?.(path)));
        const written = heeded(managed);
        return {
            declared: args,
            // An ignored property has its old value here, which must not overwrite the one that somebody else has set.
            args: written.size === managed.size ? args : pick(this.definition.fields, args, written),
            managed: written,
            removed: heeded([...before].filter((path) => !managed.has(path))),
            changed:
                old === undefined
                    ? written
                    : new Set(this.changes(old, args, { ignores: ignored }).map(({ path }) => path)),
            ignores,
            isFirst,
        };
    }

    desired(resource: Resource, task: Task, writesMade: ReadonlyMap<string, number> = new Map()): Desired<Args> {
        const live = this.definition.fromLive(resource).args as Bag;
        const args = withRequired(this.definition.fields, live, this.withIgnored(task, live), task.declared);
        return {
            args: overlay(this.definition.fields, live, args, task.removed) as Args,
            changed: task.changed,
            managed: task.managed,
            writesMade,
        };
    }

    /**
     * The program's values, with ignored properties as they are in `there`. Until a create has finished, only those
     * that the program does not set.
     */
    private withIgnored({ args, ignores, isFirst }: Pick<Task, "args" | "ignores" | "isFirst">, there: Bag): Bag {
        return ignores ? withIgnored(this.definition.fields, there, args, ignores, isFirst ? "missing" : "all") : args;
    }

    /** How the program's values differ from a resource that is not in the state, in what the server stores. */
    differences(resource: Resource, task: Pick<Task, "args" | "ignores" | "isFirst">): Change[] {
        const { fields } = this.definition;
        const live = this.definition.fromLive(resource).args as Bag;
        const values = this.withIgnored(task, live);
        const differing = changes(fields, respell(fields, live, values), values, new Set(this.managed(task.args)));
        return differing.filter(({ name }) => !fields[name]?.options.programOnly);
    }

    /** The paths in which a resource that is not in the state differs from the program, and that no update can change. */
    unchangeable(resource: Resource, task: Task, differing = this.differences(resource, task)): string[] {
        const { fromLive, replaceNow } = this.definition;
        const due = replaceNow?.(fromLive(resource).args as Bag, task.declared, new Date());
        const paths = differing.flatMap(({ path, replace }) => (replace ? [path] : []));
        const isNamed = paths.some((path) => path === due?.property || path.startsWith(`${due?.property}.`));
        return due === undefined || due.why !== undefined || isNamed ? paths : [...paths, due.property];
    }

    /**
     * The outputs after a write: the server's values, in the program's spelling if equivalent. After a partial write,
     * the fields still to be reset to their defaults remain managed, so that the next write resets them.
     */
    outputs(resource: Resource, bag: Bag, carried: Bag | undefined, unfinished: Unfinished = NOTHING): Bag {
        const values = visible(bag);
        const state = this.state(resource, bag, values, carried, [...this.managed(values), ...unfinished.removed]);
        return Object.assign(state, this.tolerated(resource, { args: values, changed: unfinished.changed })?.values);
    }

    /** What a write for that task deliberately leaves different. */
    tolerated(resource: Resource, { args, changed }: Pick<Task, "args" | "changed">): Tolerated<Args> | undefined {
        return this.definition.tolerated?.(resource, { args: args as Args, changed });
    }

    /** The outputs and inputs after a read. */
    read(resource: Resource, old: Bag, carried: Bag): { props: Bag; inputs: Bag } {
        const { fields } = this.definition;
        const managed = managedOf(old);
        const values = managed ? pick(fields, old, managed) : {};
        const props = this.state(resource, old, values, carried);
        const inputs = managed ? pick(fields, props, managed) : this.withoutDefaults(props);
        // No read brings back what only the response to the create had.
        const isUseless =
            old[REPLACE_KEY] === true && this.definition.createOnlyOutputs?.some((name) => old[name] === undefined);
        return {
            props: isUseless ? { ...props, [REPLACE_KEY]: true } : props,
            inputs: Object.assign(hidden(old, MANAGED_KEY, ...PASSING_KEYS, CLAIM_KEY, ACCOUNT_KEY), inputs),
        };
    }

    /** The outputs of a resource that has not been visible yet. */
    unseen(bag: Bag, carried: Bag | undefined, mark: Bag): Bag {
        return { ...bag, ...carried, [MANAGED_KEY]: this.managed(visible(bag)).join(" "), ...mark };
    }

    /** The error of a create that started a resource and did not finish, with the outputs for the state. */
    halfCreated(run: Run, bag: Bag, created: Created, error: unknown, next: "resume" | "replace"): HalfFinishedError {
        return new HalfFinishedError(
            `${title({ ...run, id: created.id })} was created but is not ready: ${reason(run, error)} ` +
                (next === "replace"
                    ? "The next `pulumi up` replaces it."
                    : "It stays in the state; the next `pulumi up` resumes."),
            created.id,
            // A token is only in this one response.
            this.unseen(bag, created.carried, {
                [UNSEEN_KEY]: true,
                ...(next === "replace" && {
                    [REPLACE_KEY]: true,
                    ...(error instanceof OperationError && unseenSince(new Date())),
                }),
                ...(this.definition.idIsName &&
                    created.asyncOperation &&
                    createNote(created.asyncOperation, new Date(Date.now() - run.timeoutMs))),
            }),
            { cause: error },
        );
    }

    /** The outputs that do not come from reading the resource, such as those that only its create returned. */
    carried(old: Bag): Bag {
        const carried: Record<string, unknown> = {};
        for (const name of [...(this.definition.createOnlyOutputs ?? []), CLAIM_KEY, ACCOUNT_KEY]) {
            if (old[name] !== undefined) {
                carried[name] = old[name];
            }
        }
        return carried;
    }

    /** The value that is unique in the account; undefined if there is none, or it is unknown. */
    naturalKey(args: Bag): string | undefined {
        const key = this.definition.naturalKey?.of(args as Partial<Args>);
        return hasUnknown(key) ? undefined : key;
    }

    /** The outputs. Managed paths come from the bag unless given. */
    private state(
        resource: Resource,
        bag: Bag,
        values: Bag,
        carried: Bag | undefined,
        managed?: readonly string[],
    ): Bag {
        const { args, outputs } = this.definition.fromLive(resource);
        const neverActive = resource.state === ResourceState.RESOURCE_STATE_ACTIVATION_FAILED;
        // Not spread: for each property that a second spread adds, V8 would rebuild the object's layout.
        return defined(
            Object.assign(
                respell(this.definition.fields, args as Bag, values),
                hidden(bag, ...PASSING_KEYS),
                outputs,
                carried,
                managed && { [MANAGED_KEY]: managed.join(" ") },
                neverActive && { [REPLACE_KEY]: true },
            ),
        );
    }

    /** The inputs of a resource that no program has declared yet: what differs from the defaults. */
    private withoutDefaults(args: Bag): Bag {
        const { fields } = this.definition;
        return Object.fromEntries(
            Object.entries(args).filter(([name, value]) => {
                const field = fields[name];
                return field !== undefined && value !== undefined && !same(field, value, undefined);
            }),
        );
    }
}

/** The paths for the user: `` `name`, `tags` ``. */
export function quoted(paths: readonly string[]): string {
    return paths.map((path) => `\`${path}\``).join(", ");
}

/** A copy without undefined, which the host cannot handle; the value itself if it contains none. */
function defined<Value>(value: Value): Value {
    if (!holds(value, undefined)) {
        return value;
    }
    if (Array.isArray(value)) {
        return value.map(defined) as Value;
    }
    const copy: Record<string, unknown> = {};
    for (const [name, part] of Object.entries(value as Bag)) {
        if (part !== undefined) {
            copy[name] = defined(part);
        }
    }
    return copy as Value;
}
