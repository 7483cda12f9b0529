import type { Client } from "../client/client";
import type { ErrorCause } from "../client/errors";
import { GivenUpError, RpcError } from "../client/errors";
import type { Names, ResourceContext } from "../context";
import type { Bag } from "../fields";

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
    /** Aborted when the time is up; it runs from when the signal is first asked for. */
    readonly signal: AbortSignal;
    readonly timeoutMs: number;
}

/** What is wanted of a resource. */
export interface Task {
    /** What the program says. */
    readonly args: Bag;
    /** The paths of the fields that it sets, and that are not to be ignored. */
    readonly managed: ReadonlySet<string>;
    /** The paths of the fields that it used to set. */
    readonly removed: ReadonlySet<string>;
    /** The paths of the fields in which it differs from the last known state. */
    readonly changed: ReadonlySet<string>;
    /** What is to be ignored: fields, which the task is without, and entries and parts of others. */
    readonly ignores: Names | undefined;
    /** Whether it is a create's, or what a create has left to be done. */
    readonly isFirst: boolean;
}

/** A failure that changed nothing that the state would have to know. */
export class LifecycleError extends Error {
    override readonly name = "LifecycleError";
}

/** A failure after which the resource is kept in the state, so that the next `up` goes on from there. */
export class HalfFinishedError extends Error {
    override readonly name = "HalfFinishedError";

    constructor(
        message: string,
        readonly id: string,
        readonly properties: Bag,
        options?: ErrorCause,
    ) {
        super(message, options);
        // The engine asks for it; whoever prints the error does not get to see tokens.
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

/** What becomes of it, where that does not depend on the error. */
const NEXT: Readonly<Record<Method, string>> = {
    create: "",
    read: "",
    update: " The next `pulumi up` goes on with it.",
    delete: " It stays in the state: the next `pulumi up` or `pulumi destroy` goes on with it.",
};

/** Longer than Node's timers go. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Does the work within its time; what goes wrong says to which resource. */
export async function within<T>(run: Omit<Run, "signal">, work: (run: Run) => Promise<T>): Promise<T> {
    let controller: AbortController | undefined;
    let timer: NodeJS.Timeout | undefined;
    const whole: Run = {
        ...run,
        // Made for whoever waits: a read that another has paid for already does not.
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
        throw new LifecycleError(`${title(run)} could not be ${PAST[run.method]}: ${why}${NEXT[run.method]}`, {
            cause: error,
        });
    } finally {
        clearTimeout(timer);
    }
}

/** The resource, for a person: `Namespace "orders" (orders.a1b2c)`. */
export function title({ kind, context, id }: Pick<Run, "kind" | "context" | "id">): string {
    const name = context.name === "" ? "" : ` ${JSON.stringify(context.name)}`;
    return `${kind}${name}${id === undefined ? "" : ` (${id})`}`;
}

/** Why it failed; an abort says that the time was up, and for a write how to set it and what becomes of the operation. */
export function reason(
    { method, signal, timeoutMs }: Pick<Run, "method" | "signal" | "timeoutMs">,
    error: unknown,
): string {
    if (signal.aborted && !(error instanceof RpcError)) {
        const isWrite = method !== "read";
        return [
            `it was not finished after ${Math.round(timeoutMs / 1000)} s${isWrite ? " (`customTimeouts` sets that time)" : ""}.`,
            ...(error instanceof GivenUpError ? [error.message] : []),
            ...(isWrite ? ["What was started goes on in Temporal Cloud."] : []),
        ].join(" ");
    }
    return error instanceof Error ? error.message : String(error);
}
