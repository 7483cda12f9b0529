import * as pulumi from "@pulumi/pulumi";
import { DEFAULT_ORGANIZATION } from "./context";
import type { Definition, LiveResource } from "./definition";
import type { Fields } from "./fields";
import { typeName } from "./fields";

/** Arguments of every resource with a natural key, besides its own. */
export interface AdoptArgs {
    /**
     * Adopts an existing resource with this name (a User: with this email address), and manages it from then on; if
     * there is none, creates it. Without it, a name or address that is taken is an error. Only applies when the
     * resource is first created in the stack. Default false.
     */
    adopt?: boolean | undefined;
}

/** What a class takes from its definition. */
type Registration = Pick<Definition<never, LiveResource>, "kind" | "naturalKey" | "createOnlyOutputs">;

/**
 * The names of all properties of a class, arguments and outputs. Does not compile unless the class declares exactly the
 * fields of its definition and these outputs.
 */
export function propertiesOf<Class extends Resource>() {
    type Declared = Exclude<keyof Class, keyof Resource>;
    return <Own extends Fields, const Outputs extends readonly Declared[]>(
        fields: Own & { readonly [Name in Exclude<keyof Own, Declared>]: "the class does not declare this field" },
        outputs: [Exclude<Declared, keyof Own | Outputs[number]>] extends [never]
            ? Outputs
            : `${Exclude<Declared, keyof Own | Outputs[number]> & string} is neither a field nor an output`,
    ): readonly string[] => [...Object.keys(fields), ...(outputs as readonly string[])];
}

/**
 * The base class of all resources. It passes Pulumi's dynamic host a constant text instead of a serialized closure, and
 * tells the provider, in a hidden input, what the host does not pass on.
 */
export abstract class Resource extends pulumi.CustomResource {
    protected constructor(
        { kind, naturalKey, createOnlyOutputs: secretOutputs = [] }: Registration,
        properties: readonly string[],
        name: string,
        args: (object & AdoptArgs) | undefined,
        opts: pulumi.CustomResourceOptions,
    ) {
        const type = typeToken(kind);
        const isFindable = naturalKey !== undefined;
        // Only `.get()` has no arguments and an id.
        const isRead = args === undefined && opts.id !== undefined;
        const { adopt, ...others } = args ?? {};
        // Of the others, the check says that it is not a known property.
        const inputs = isFindable ? others : args;
        // Pulumi's own import would make the host read a resource of which it knows only the id, and fail.
        const { import: importId, ...rest } = opts;
        refuseOtherTypes(`${kind} ${JSON.stringify(name)}`, isFindable ? adopt : undefined, importId);
        const outputs = Object.fromEntries(properties.map((property) => [property, undefined]));
        const inputsAndOutputs = {
            ...outputs,
            ...inputs,
            __provider: `exports.handler = () => require("pulumi-temporal-cloud/plugin").${handlerOf(kind)};`,
            ...(isRead ? {} : { __context: context(type, name, opts, importId, isFindable ? adopt : undefined) }),
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

/** Refuses what JavaScript lets through: neither is an input that could be checked like the others. */
function refuseOtherTypes(title: string, adopt: unknown, importId: unknown): void {
    const isOutput = (value: unknown) => pulumi.Output.isInstance(value) || value instanceof Promise;
    const typeOf = (value: unknown) =>
        isOutput(value) ? "an output, whose value is not known in time" : typeName(value);
    if (adopt !== undefined && adopt !== null && typeof adopt !== "boolean") {
        throw new pulumi.RunError(`${title}: \`adopt\` must be true or false, but is ${typeOf(adopt)}.`);
    }
    if (importId !== undefined && importId !== null && typeof importId !== "string") {
        throw new pulumi.RunError(`${title}: the option \`import\` must be a string, but is ${typeOf(importId)}.`);
    }
}

/** The type token of a kind. It never changes: it is in every user's state. */
export function typeToken(kind: string): string {
    return `pulumi-nodejs:dynamic/temporalcloud:${kind}`;
}

/** The plugin's export for a kind. It never changes either. */
function handlerOf(kind: string): string {
    return kind.charAt(0).toLowerCase() + kind.slice(1);
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
