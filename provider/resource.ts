import * as pulumi from "@pulumi/pulumi";
import { DEFAULT_ORGANIZATION } from "./context";

/** Arguments of every resource with a natural key, besides its own. */
export interface AdoptArgs {
    /**
     * Adopts an existing resource with this name (a User: with this email address), and manages it from then on; if
     * there is none, creates it. Without it, a name or address that is taken is an error. Only applies when the
     * resource is first created in the stack. Default false.
     */
    adopt?: boolean | undefined;
}

/** What is registered for every resource of a kind. */
interface Registration {
    /** The kind, `Namespace`; part of the type token. */
    readonly kind: string;
    /** The plugin's export for that kind. */
    readonly handler: string;
    /** The names of all properties, arguments and outputs. */
    readonly properties: readonly string[];
    readonly secretOutputs?: readonly string[];
    /**
     * Whether an existing resource can be found by its natural key, so that it has the argument `adopt`. Default true.
     */
    readonly isFindable?: boolean;
}

/**
 * The base class of all resources. It passes Pulumi's dynamic host a constant text instead of a serialized closure, and
 * tells the provider, in a hidden input, what the host does not pass on.
 */
export abstract class Resource extends pulumi.CustomResource {
    /**
     * @param args undefined for a resource that is only read
     */
    protected constructor(
        { kind, handler, properties, secretOutputs = [], isFindable = true }: Registration,
        name: string,
        args: (object & AdoptArgs) | undefined,
        opts: pulumi.CustomResourceOptions,
    ) {
        const type = typeToken(kind);
        const { adopt, ...others } = args ?? {};
        // Of the others, the check says that it is not a known property.
        const inputs = isFindable ? others : args;
        // Pulumi's own import would make the host read a resource of which it knows only the id, and fail.
        const { import: importId, ...rest } = opts;
        const outputs = Object.fromEntries(properties.map((property) => [property, undefined]));
        const inputsAndOutputs = {
            ...outputs,
            ...inputs,
            __provider: `exports.handler = () => require("pulumi-temporal-cloud/plugin").${handler};`,
            ...(args ? { __context: context(type, name, opts, importId, isFindable ? adopt : undefined) } : {}),
        };
        const options =
            secretOutputs.length === 0
                ? rest
                : pulumi.mergeOptions(rest, { additionalSecretOutputs: [...secretOutputs] });
        const stackTraceLimit = Error.stackTraceLimit;
        Error.stackTraceLimit = stackFrames(stackTraceLimit);
        try {
            super(type, name, inputsAndOutputs, options);
        } catch (error) {
            if (Error.stackTraceLimit < stackTraceLimit) {
                Error.stackTraceLimit = stackTraceLimit;
                addLines(error, new.target);
            }
            throw error;
        } finally {
            Error.stackTraceLimit = stackTraceLimit;
        }
    }

    /** Whether a value is a resource of that kind, even one from another copy of this package. */
    protected static isOfKind(value: unknown, kind: string): boolean {
        return (
            pulumi.CustomResource.isInstance(value) &&
            (value as { __pulumiType?: unknown }).__pulumiType === typeToken(kind)
        );
    }
}

/**
 * Number of stack frames to record while a resource registers itself. For each of the four promises that it creates per
 * property, the SDK formats the stack, in case one of them leaks: in a program of thousands of resources, that is a
 * sixth of the time and a quarter of the memory. The position in the program that the engine is told is not affected.
 */
function stackFrames(usual: number): number {
    return process.env.PULUMI_DEBUG_PROMISE_LEAKS ? usual : Math.min(usual, 1);
}

/** Adds the lines of the program that led to an error, if too few were recorded to locate it. */
function addLines(error: unknown, made: NewableFunction): void {
    const here = { stack: "" };
    Error.captureStackTrace(here, made);
    if (error instanceof Error) {
        error.stack = `${error.stack}${/\n\s+at .*/s.exec(here.stack)?.[0] ?? ""}`;
    }
}

/** The type token of a kind. It never changes: it is in every user's state. */
export function typeToken(kind: string): string {
    return `pulumi-nodejs:dynamic/temporalcloud:${kind}`;
}

/** The organization; undefined in unit tests that set none, where the SDK throws. */
function organizationOrNone(): string | undefined {
    try {
        return pulumi.getOrganization();
    } catch {
        return undefined;
    }
}

async function context(
    type: string,
    name: string,
    opts: pulumi.CustomResourceOptions,
    importId: pulumi.ID | undefined,
    adopt: boolean | undefined,
): Promise<string> {
    const urn = pulumi.createUrn(name, type, opts.parent);
    const organization = organizationOrNone();
    return JSON.stringify({
        // Only the text: an output would make the resource depend on its parent, and on all of that parent's children,
        // including itself.
        urn: await new Promise<string>((resolve) => {
            urn.apply(resolve);
        }),
        organization: organization === DEFAULT_ORGANIZATION ? undefined : organization,
        timeouts: opts.customTimeouts,
        replaceOnChanges: opts.replaceOnChanges,
        ignoreChanges: opts.ignoreChanges,
        importId,
        adopt,
    });
}
