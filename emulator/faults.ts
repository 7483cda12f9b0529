import { Status } from "nice-grpc-common";

/** The states in which an operation can end unsuccessfully. */
export const failedEnds = ["FAILED", "REJECTED", "CANCELLED"] as const;
export type FailedEnd = (typeof failedEnds)[number];

/** Shapes of a malformed response. */
export const malformations = [
    /** No fields. */
    "empty",
    /** Bytes that are not a protobuf message. */
    "garbage",
    /** Numbers instead of messages and strings. */
    "wrongTypes",
    /** A list in which every page has a next page token. */
    "endlessPages",
    /** The same, with empty pages. */
    "endlessEmptyPages",
    /** Many megabytes (`sizeBytes`). */
    "huge",
] as const;
export type Malformation = (typeof malformations)[number];

/** Kinds of faults. */
export const faultKinds = [
    /** `run` is called just before the call is processed, as if another client were faster. */
    "run",
    /** The call is refused with `code` and not processed. */
    "failBefore",
    /** The call is processed, but answered with `code`, or with `cut` by closing the connection. */
    "loseAnswer",
    /** The operation of the call ends in `state` with `reason`. */
    "operationEnds",
    /** The capacity request of the operation fails. */
    "capacityFails",
    /** The response is delayed by `durationMs`. */
    "slow",
    /** The operation takes `durationMs`. */
    "slowOperation",
    /** The call is never answered. */
    "hang",
    /** Reads of the resource that the call creates are refused with `code` for `durationMs`. */
    "hideCreated",
    /** Reads of the operation that the call starts are refused with `code` for `durationMs`. */
    "hideOperation",
    /** The response is malformed, with this `shape`. */
    "malformed",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** A fault to inject. */
export interface Fault {
    /** The RPC: a name such as `CreateNamespace`, or a pattern. */
    method: string | RegExp;
    /** The kind of fault. */
    kind: FaultKind;
    /** How many times it happens. Default 1. */
    times?: number;
    /** Number of calls that pass first. Default 0. */
    after?: number;
    /** Only calls for this resource: its id; for a create, its name or email address. Default all. */
    resourceId?: string | RegExp;
    /** Status code. Default UNAVAILABLE; PERMISSION_DENIED for `hideCreated` and `hideOperation`. */
    code?: Status;
    /** Error message. */
    details?: string;
    /** Whether `loseAnswer` closes the whole connection. Default false: only the call fails. */
    cut?: boolean;
    /** Function to call, for example to change a resource behind the client's back. */
    run?: () => void;
    /** State in which the operation ends. Default FAILED. */
    state?: FailedEnd;
    /** The operation's `failure_reason`. By default says that the failure was injected. */
    reason?: string;
    /** Duration, in milliseconds. Default 1000; 60000 for `hideCreated` and `hideOperation`. */
    durationMs?: number;
    /** Shape of a malformed response. Default `garbage`. */
    shape?: Malformation;
    /** Size of a `huge` response, in bytes. Default 64 MiB. */
    sizeBytes?: number;
}

/** Random faults. Each fault has a probability from 0 to 1, default 0. */
export interface RandomFaults {
    /** Seed: the same one gives the same sequence of faults. */
    seed: number;
    /** Only these RPCs. Default all. */
    method?: string | RegExp;
    /** Probability of `failBefore`. */
    failBefore?: number;
    /** Probability of `loseAnswer`. */
    loseAnswer?: number;
    /** Fraction of lost answers that close the whole connection. */
    cut?: number;
    /** Probability of `operationEnds`, with state FAILED. */
    operationEnds?: number;
    /** Status code of `failBefore` and `loseAnswer`. Default UNAVAILABLE. */
    code?: Status;
}

interface Ordered {
    fault: Fault;
    skip: number;
    left: number;
}

function matches(pattern: string | RegExp | undefined, value: string): boolean {
    if (pattern === undefined) return true;
    return typeof pattern === "string" ? pattern === value : new RegExp(pattern.source, pattern.flags).test(value);
}

/** The faults to inject. */
export class Faults {
    private ordered: Ordered[] = [];
    private atRandom: (RandomFaults & { next: () => number }) | undefined;

    /** @param methods the names of all RPCs */
    constructor(private readonly methods: readonly string[]) {}

    /**
     * Injects a fault.
     *
     * @throws when no RPC matches, so that it would never happen
     */
    add(fault: Fault): void {
        this.check(fault.method);
        this.ordered.push({ fault, skip: fault.after ?? 0, left: fault.times ?? 1 });
    }

    /**
     * Injects random faults, replacing earlier random ones.
     *
     * @throws when no RPC matches
     */
    random(faults: RandomFaults): void {
        this.check(faults.method);
        this.atRandom = { ...faults, next: generator(faults.seed) };
    }

    /** Removes all faults. */
    clear(): void {
        this.ordered = [];
        this.atRandom = undefined;
    }

    /** The number of injected faults that have not happened yet. */
    get pending(): number {
        return this.ordered.reduce((sum, { left }) => sum + left, 0);
    }

    /** Takes the fault of this kind that is due on this call, if any. */
    take(kind: FaultKind, method: string, resourceId: string): Fault | undefined {
        for (const order of this.ordered) {
            const { fault } = order;
            if (fault.kind !== kind || !matches(fault.method, method) || !matches(fault.resourceId, resourceId))
                continue;
            if (order.skip > 0) {
                order.skip--;
                continue;
            }
            order.left--;
            if (order.left <= 0) this.ordered = this.ordered.filter((other) => other !== order);
            return fault;
        }
        return this.takeRandom(kind, method);
    }

    private check(method: string | RegExp | undefined): void {
        if (!this.methods.some((name) => matches(method, name))) throw new Error(`No RPC matches ${String(method)}.`);
    }

    private takeRandom(kind: FaultKind, method: string): Fault | undefined {
        const random = this.atRandom;
        if (random === undefined || !matches(random.method, method)) return undefined;
        if (kind !== "failBefore" && kind !== "loseAnswer" && kind !== "operationEnds") return undefined;
        const probability = random[kind] ?? 0;
        if (probability === 0 || random.next() >= probability) return undefined;
        const cut = kind === "loseAnswer" && (random.cut ?? 0) > 0 && random.next() < (random.cut ?? 0);
        return {
            method,
            kind,
            cut,
            code: random.code ?? Status.UNAVAILABLE,
            details: `random fault (seed ${random.seed})`,
        };
    }
}

/** A seeded generator of numbers from 0 to 1 (a linear congruential generator with mixed low bits). */
function generator(seed: number): () => number {
    let state = (seed * 2654435761 + 12345) >>> 0;
    return () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        let mixed = state ^ (state >>> 15);
        mixed = Math.imul(mixed, 0x2c1b3c6d);
        mixed ^= mixed >>> 12;
        mixed = Math.imul(mixed, 0x297a2d39);
        return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
    };
}
