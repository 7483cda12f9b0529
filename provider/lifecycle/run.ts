import type { Client } from "../client/client";
import type { ErrorCause } from "../client/errors";
import { GivenUpError, RpcError } from "../client/errors";
import type { Names, ResourceContext } from "../context";
import type { Bag } from "../fields";
import { Beginning } from "./beginning";
import { Operations } from "./operation";

/** What the lifecycle talks to: Temporal Cloud over one connection, and the user. */
export class Session {
    readonly operations: Operations;
    readonly beginning = new Beginning();

    /**
     * @param salt of the stack, for derived operation ids
     * @param backend of the stack, likewise
     */
    constructor(
        readonly client: Client,
        readonly log: Log,
        readonly salt: string,
        readonly backend: string,
    ) {
        this.operations = new Operations(client.cloud);
    }
}

export interface Log {
    /** Shown on the resource's own row while an operation on it is in flight. */
    status(urn: string, text: string): void;
    info(urn: string, text: string): void;
    warn(urn: string, text: string): void;
}

export type Method = "create" | "read" | "update" | "delete";

/** One run of one method for one resource. */
export interface Run {
    readonly method: Method;
    readonly session: Session;
    readonly kind: string;
    readonly id: string | undefined;
    readonly context: ResourceContext;
    /** Aborted after the timeout, which starts when the signal is first accessed. */
    readonly signal: AbortSignal;
    readonly timeoutMs: number;
}

/** What a write should achieve for a resource. */
export interface Task {
    /** The program's values. */
    readonly declared: Bag;
    /** The same without ignored fields. */
    readonly args: Bag;
    /** The paths of the fields that they set, without ignored ones. */
    readonly managed: ReadonlySet<string>;
    /** The paths of the fields that the program used to set. */
    readonly removed: ReadonlySet<string>;
    /** The paths of the fields in which they differ from the last known state. */
    readonly changed: ReadonlySet<string>;
    /** What to ignore: fields, which `args` lacks, and entries and parts of others. */
    readonly ignores: Names | undefined;
    /** Whether it is a create's task, or what is left of one. */
    readonly isFirst: boolean;
}

/** A failure that changed nothing that the state would have to record. */
export class LifecycleError extends Error {
    override readonly name = "LifecycleError";
}

/** A failure that the next run would meet again: somebody has to act first, as the message says. */
export class ActionRequiredError extends LifecycleError {}

/** A create that was refused because something that this program does not manage has the natural key. */
export class TakenError extends LifecycleError {}

/** A failure after which the resource is kept in the state, so that the next `up` resumes. */
export class HalfFinishedError extends Error {
    override readonly name = "HalfFinishedError";

    constructor(
        message: string,
        readonly id: string,
        public properties: Bag,
        options?: ErrorCause,
    ) {
        super(message, options);
        // The engine asks for it; not enumerable, so that printing the error does not show tokens.
        Object.defineProperty(this, "properties", { enumerable: false });
    }

    /** What the engine shows. */
    get reasons(): string[] {
        return [this.message];
    }
}

const PAST: Readonly<Record<Method, string>> = {
    create: "created",
    read: "read",
    update: "updated",
    delete: "deleted",
};

/** What happens next, where that does not depend on the error. */
const NEXT: Readonly<Record<Method, string>> = {
    create: "",
    read: "",
    update: " The next `pulumi up` retries.",
    delete: " It stays in the state; the next `pulumi up` or `pulumi destroy` retries.",
};

/** Maximum delay of a Node.js timer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Does the work within its timeout; errors name the resource. */
export async function within<T>(run: Omit<Run, "signal">, work: (run: Run) => Promise<T>): Promise<T> {
    let controller: AbortController | undefined;
    let timer: NodeJS.Timeout | undefined;
    const whole: Run = {
        ...run,
        // Created on first access: a read served by data that is already there does not need it.
        get signal() {
            if (controller === undefined) {
                const made = new AbortController();
                timer = setTimeout(() => made.abort(), Math.min(run.timeoutMs, LONGEST_TIMER_MS));
                controller = made;
            }
            return controller.signal;
        },
    };
    try {
        await run.session.client.account.check(whole);
        return await work(whole);
    } catch (error) {
        if (error instanceof HalfFinishedError) {
            throw error;
        }
        const why = reason(whole, error);
        const next = error instanceof ActionRequiredError ? "" : NEXT[run.method];
        throw new LifecycleError(`${title(run)} could not be ${PAST[run.method]}: ${why}${next}`, { cause: error });
    } finally {
        clearTimeout(timer);
    }
}

/** The resource, for the user: `Namespace "orders" (orders.a1b2c)`. */
export function title({ kind, context, id }: Pick<Run, "kind" | "context" | "id">): string {
    const name = context.name === "" ? "" : ` ${JSON.stringify(context.name)}`;
    return `${kind}${name}${id === undefined ? "" : ` (${id})`}`;
}

/**
 * Why it failed. For a timeout: how long it was, how to change it and, for a write, what becomes of the operation.
 */
export function reason(
    { method, signal, timeoutMs }: Pick<Run, "method" | "signal" | "timeoutMs">,
    error: unknown,
): string {
    if (signal.aborted && !(error instanceof RpcError)) {
        return [
            `it was not finished after ${Math.round(timeoutMs / 1000)} s (change that with \`customTimeouts\`).`,
            ...(error instanceof GivenUpError ? [error.message] : []),
            ...(method === "read" ? [] : ["Anything started continues in Temporal Cloud."]),
        ].join(" ");
    }
    return error instanceof Error ? error.message : String(error);
}
