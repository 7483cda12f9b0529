import { Status } from "nice-grpc-common";

/** How an operation may end other than well. */
export const failedEnds = ["FAILED", "REJECTED", "CANCELLED"] as const;
export type FailedEnd = (typeof failedEnds)[number];

/** An answer that no client should believe. */
export const malformations = [
    /** No field at all. */
    "empty",
    /** Bytes that are no protobuf message. */
    "garbage",
    /** Numbers where messages and texts belong. */
    "wrongTypes",
    /** A list whose every page names a next one. */
    "endlessPages",
    /** The same, with nothing on them. */
    "endlessEmptyPages",
    /** Many megabytes (`sizeBytes`). */
    "huge",
] as const;
export type Malformation = (typeof malformations)[number];

/** What can happen to a call. */
export const faultKinds = [
    /** `run` is called just before the call is processed: somebody else is faster. */
    "run",
    /** Refused with `code`; nothing is processed. */
    "failBefore",
    /** Processed, and answered with `code`, or with `cut` by cutting the connection. */
    "loseAnswer",
    /** The operation ends in `state` with `reason`. */
    "operationEnds",
    /** The capacity request that the operation makes fails. */
    "capacityFails",
    /** The answer comes `durationMs` late. */
    "slow",
    /** The operation takes `durationMs`. */
    "slowOperation",
    /** There is never an answer. */
    "hang",
    /** For `durationMs` reads of what the call creates are refused with `code`. */
    "hideCreated",
    /** For `durationMs` reads of the operation that the call starts are refused with `code`. */
    "hideOperation",
    /** The answer has this `shape`. */
    "malformed",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** One fault to order. */
export interface Fault {
    /** The RPC: its name (`CreateNamespace`), or a pattern. */
    method: string | RegExp;
    /** What happens. */
    kind: FaultKind;
    /** How many times. Default 1. */
    times?: number;
    /** How many calls pass before it begins. Default 0. */
    after?: number;
    /** Only calls about this resource: its id, for a create its name (or e-mail address). Default all. */
    resourceId?: string | RegExp;
    /** Default UNAVAILABLE; for what is hidden PERMISSION_DENIED. */
    code?: Status;
    /** The text of the error. */
    details?: string;
    /** Whether `loseAnswer` cuts the whole connection. Default false: the one call fails. */
    cut?: boolean;
    /** What to do, such as to change a resource behind the caller's back. */
    run?: () => void;
    /** Default FAILED. */
    state?: FailedEnd;
    /** The operation's `failure_reason`. Default says that it was ordered. */
    reason?: string;
    /** In milliseconds. Default 1000; for what is hidden 60000. */
    durationMs?: number;
    /** Default `garbage`. */
    shape?: Malformation;
    /** The size of a `huge` answer. Default 64 MiB. */
    sizeBytes?: number;
}

/** Faults at random. Each value is a probability from 0 to 1, default 0. */
export interface RandomFaults {
    /** The same seed gives the same sequence of decisions. */
    seed: number;
    /** Only these RPCs. Default all. */
    method?: string | RegExp;
    failBefore?: number;
    loseAnswer?: number;
    /** The part of lost answers that cuts the whole connection. */
    cut?: number;
    /** Operations that end FAILED. */
    operationEnds?: number;
    /** For `failBefore` and `loseAnswer`. Default UNAVAILABLE. */
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

/** The faults that the emulator shall show. */
export class Faults {
    private ordered: Ordered[] = [];
    private atRandom: (RandomFaults & { next: () => number }) | undefined;

    /** @param methods the names of all RPCs */
    constructor(private readonly methods: readonly string[]) {}

    /**
     * Orders a fault.
     *
     * @throws when no RPC has that name: it would never happen
     */
    add(fault: Fault): void {
        this.check(fault.method);
        this.ordered.push({ fault, skip: fault.after ?? 0, left: fault.times ?? 1 });
    }

    /**
     * Orders faults at random, in the place of earlier random ones.
     *
     * @throws when no RPC has that name
     */
    random(faults: RandomFaults): void {
        this.check(faults.method);
        this.atRandom = { ...faults, next: generator(faults.seed) };
    }

    /** Withdraws all. */
    clear(): void {
        this.ordered = [];
        this.atRandom = undefined;
    }

    /** How many of the ordered faults have not happened yet. */
    get pending(): number {
        return this.ordered.reduce((sum, { left }) => sum + left, 0);
    }

    /** Takes the fault of this kind that is due on this call, if there is one. */
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

/** Numbers from 0 to 1 that a seed determines (a linear congruential generator with its low bits mixed away). */
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
