import type { Bag } from "./fields";
import { isBag } from "./fields";

/**
 * The hidden input by which a resource tells the provider what the host keeps from it: a text of JSON. As an object, each
 * of its parts would be taken apart and put together again in every message between engine and plugin.
 */
export const CONTEXT_KEY = "__context";

/** What the provider has to know of a resource beside its properties. */
export interface ResourceContext {
    readonly urn: string;
    /** The logical name. */
    readonly name: string;
    readonly organization: string;
    readonly timeoutsMs: Timeouts;
    /** The id of an existing resource to take over, from the `import` resource option. */
    readonly importId: string | undefined;
    /** Take over an existing resource of the same natural key. */
    readonly adopt: boolean;
    /** How often the resource has been replaced. */
    readonly generation: number;
}

export interface Timeouts {
    readonly create: number;
    readonly update: number;
    readonly delete: number;
}

const MINUTE_MS = 60_000;

/** Long enough for the slowest operation there is, adding a region to a large namespace. */
export const DEFAULT_TIMEOUTS: Timeouts = {
    create: 30 * MINUTE_MS,
    update: 120 * MINUTE_MS,
    delete: 30 * MINUTE_MS,
};

/** The organization of every stack whose backend knows none; too common to be repeated in every message. */
export const DEFAULT_ORGANIZATION = "organization";

/** Reads have no timeout of their own in Pulumi. */
export const READ_TIMEOUT_MS = 5 * MINUTE_MS;

/** Reads the context out of a resource's properties; what is missing, as after `.get()`, has defaults. */
export function contextOf(bag: Bag): ResourceContext {
    const context = parse(bag[CONTEXT_KEY]);
    const text = (key: string) => {
        const value = context[key];
        return typeof value === "string" ? value : "";
    };
    const timeouts = isBag(context.timeouts) ? context.timeouts : {};
    const timeoutMs = (key: keyof Timeouts) => {
        const value = timeouts[key];
        return (typeof value === "string" ? parseGoDurationMs(value) : undefined) ?? DEFAULT_TIMEOUTS[key];
    };
    const urn = text("urn");
    return {
        urn,
        name: nameOf(urn),
        organization: text("organization") || DEFAULT_ORGANIZATION,
        timeoutsMs: { create: timeoutMs("create"), update: timeoutMs("update"), delete: timeoutMs("delete") },
        importId: text("importId") || undefined,
        adopt: context.adopt === true,
        generation: typeof context.generation === "number" ? context.generation : 0,
    };
}

/** The logical name, which is what follows on the stack, the project and the type, and may itself hold `::`. */
function nameOf(urn: string): string {
    return urn.split("::").slice(3).join("::");
}

/** The text of the context in the bag, with these parts in the place of its own. */
export function withContext(bag: Bag, parts: Bag): string {
    return JSON.stringify({ ...parse(bag[CONTEXT_KEY]), ...parts });
}

function parse(text: unknown): Bag {
    try {
        const context: unknown = JSON.parse(String(text));
        return isBag(context) ? context : {};
    } catch {
        return {};
    }
}

const UNIT_MS: Readonly<Record<string, number>> = {
    ns: 1e-6,
    us: 1e-3,
    µs: 1e-3,
    // Go takes the Greek letter as well as the sign.
    μs: 1e-3,
    ms: 1,
    s: 1000,
    m: MINUTE_MS,
    h: 60 * MINUTE_MS,
};

/** A duration as `customTimeouts` takes it, such as `1h30m`, in milliseconds; undefined where it is none. */
export function parseGoDurationMs(text: string): number | undefined {
    if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) {
        return undefined;
    }
    let sum = 0;
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)/g)) {
        sum += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
    }
    return sum > 0 ? sum : undefined;
}
