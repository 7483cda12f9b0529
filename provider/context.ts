import { parseGoDurationMs } from "./durations";
import type { Bag } from "./fields";
import { isBag } from "./fields";

/**
 * The hidden input that tells the provider what the host does not pass on, as JSON text: an object would be serialised
 * part by part in every message between engine and plugin.
 */
export const CONTEXT_KEY = "__context";

/** Whether a resource option names a field, or an entry of it: itself, or what contains it. */
export type Names = (path: string | readonly string[], entry?: string) => boolean;

export interface Timeouts {
    readonly create: number;
    readonly update: number;
    readonly delete: number;
    readonly read: number;
}

const MINUTE_MS = 60_000;

/** Long enough for the slowest operation, adding a region to a large namespace. */
export const DEFAULT_TIMEOUTS: Timeouts = {
    create: 30 * MINUTE_MS,
    update: 120 * MINUTE_MS,
    delete: 30 * MINUTE_MS,
    read: 5 * MINUTE_MS,
};

/** The organization of stacks whose backend has none; too common to repeat in every message. */
export const DEFAULT_ORGANIZATION = "organization";

/**
 * What the provider has to know about a resource besides its properties; what is missing, as after `.get()`, has
 * defaults. Parsed on first access: a successful read needs none of it.
 */
export class ResourceContext {
    private parsed: Bag | undefined;

    constructor(private readonly text: unknown) {}

    get urn(): string {
        return this.string("urn");
    }

    /** The logical name, which follows the stack, the project and the type in the URN, and may itself contain `::`. */
    get name(): string {
        return this.urn.split("::").slice(3).join("::");
    }

    get organization(): string {
        return this.string("organization") || DEFAULT_ORGANIZATION;
    }

    /** The id of an existing resource to adopt, from the `import` resource option. */
    get importId(): string | undefined {
        return this.string("importId") || undefined;
    }

    /** Whether to adopt an existing resource of the same natural key. */
    get adopt(): boolean {
        return this.parts.adopt === true;
    }

    /** Whether a replacement adopts another resource. */
    get replacementAdopts(): boolean {
        return this.parts.replacementAdopts === true;
    }

    /** How often the resource has been replaced. */
    get generation(): number {
        const { generation } = this.parts;
        return typeof generation === "number" ? generation : 0;
    }

    /** What the resource option `replaceOnChanges` names; undefined if nothing. */
    get replacesOn(): Names | undefined {
        return this.names("replaceOnChanges");
    }

    /** What the resource option `ignoreChanges` names; undefined if nothing. */
    get ignores(): Names | undefined {
        return this.names("ignoreChanges");
    }

    /** Whether `ignoreChanges` names that property, or part of it. */
    ignoresPartOf(property: string): boolean {
        return this.paths("ignoreChanges").some(([name]) => name === "*" || name === property);
    }

    /** The default name of the resource, if its logical name has changed since. */
    get givenName(): string | undefined {
        return this.string("givenName") || undefined;
    }

    timeoutMs(method: keyof Timeouts): number {
        const { timeouts } = this.parts;
        const value = isBag(timeouts) ? timeouts[method] : undefined;
        return (typeof value === "string" ? parseGoDurationMs(value) : undefined) ?? DEFAULT_TIMEOUTS[method];
    }

    /** The text of this context, with these parts replaced. */
    with(parts: Bag): string {
        return JSON.stringify({ ...this.parts, ...parts });
    }

    private names(option: "replaceOnChanges" | "ignoreChanges"): Names | undefined {
        const named = this.paths(option);
        if (named.length === 0) {
            return undefined;
        }
        return (path, entry) => {
            const field = typeof path === "string" ? path.split(".") : path;
            const segments = entry === undefined ? field : [...field, entry];
            return named.some((name) => isWithin(segments, name));
        };
    }

    private paths(option: "replaceOnChanges" | "ignoreChanges"): string[][] {
        const paths = this.parts[option];
        return Array.isArray(paths) ? paths.map((path) => segmentsOf(String(path))) : [];
    }

    private get parts(): Bag {
        this.parsed ??= parse(this.text);
        return this.parsed;
    }

    private string(key: string): string {
        const value = this.parts[key];
        return typeof value === "string" ? value : "";
    }
}

/**
 * The segments of a property path as Pulumi writes it, such as `tags["cost-center"]` or `codecServer.endpoint`.
 * https://www.pulumi.com/docs/iac/concepts/options/ignorechanges/
 */
export function segmentsOf(path: string): string[] {
    return [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[([^\]]*)\]|[^.[\]]+/g)].map(([name, quoted, index]) =>
        quoted === undefined ? (index ?? name) : quoted.replaceAll(/\\(.)/g, "$1"),
    );
}

function isWithin(segments: readonly string[], name: readonly string[]): boolean {
    return name.length <= segments.length && name.every((part, index) => part === "*" || part === segments[index]);
}

export function contextOf(bag: Bag): ResourceContext {
    return new ResourceContext(bag[CONTEXT_KEY]);
}

function parse(text: unknown): Bag {
    // There is none before a create: no need to throw and catch an error for each of thousands of resources.
    if (typeof text !== "string") {
        return {};
    }
    try {
        const context: unknown = JSON.parse(text);
        return isBag(context) ? context : {};
    } catch {
        return {};
    }
}
