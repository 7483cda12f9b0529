import * as pulumi from "@pulumi/pulumi";
import type { Client } from "../client/client";
import type { ErrorCause, Failure } from "../client/errors";
import type { Page } from "../client/source";
import type { Configuration, ConfigurationKey } from "../configuration";
import {
    CONFIGURATION_KEYS,
    CONFIGURATION_NAMESPACE,
    ConfigurationError,
    readConfiguration,
    textOf,
} from "../configuration";
import type { Cloud, Definition, FromLive, LiveResource } from "../definition";
import { hasUnknown, refuseOutputText, suggestion, typeName } from "../fields";
import { AmbiguousError, EndlessListError, eachPage, findByNaturalKey } from "../pages";
import { typeToken } from "../resource";
import { isGone } from "../wire";

// Pulumi's dynamic host does not support invokes, so functions run in the program's process and call the API
// themselves.

/** The outputs of a resource as plain values, including its id. */
export type Plain<Resource extends pulumi.CustomResource, ProgramOnly extends keyof Resource = never> = {
    readonly [Key in Exclude<keyof Resource, ProgramOnly | Exclude<keyof pulumi.CustomResource, "id">>]: pulumi.Unwrap<
        Resource[Key]
    >;
};

/** The arguments of a lookup, each of which may be an output. */
export type OutputArgs<Args> = {
    [Name in keyof Args]: Args[Name] extends undefined ? Args[Name] : pulumi.Input<Args[Name]>;
};

/**
 * A failed lookup, such as `getNamespace`. The message says why it failed and what to do. If it is not caught, the
 * program fails, at preview too.
 */
export class LookupError extends pulumi.RunError {
    override readonly name = "LookupError";

    constructor(
        message: string,
        /**
         * Why:
         * - `notFound`: it does not exist.
         * - `ambiguous`: there is more than one.
         * - `denied`: the owner of the API key lacks permission.
         * - `unauthenticated`: the server rejects the API key.
         * - `configuration`: the API key is missing, a setting is invalid, or the account is not `allowedAccountId`.
         * - `invalid`: an argument is invalid.
         * - `certificate`: the server's certificate cannot be verified.
         * - `unreachable`: there was no answer, or a limit is exhausted.
         * - `other`, and the other words of the type: anything else.
         */
        readonly failure: Failure | "configuration" | "ambiguous",
        options?: ErrorCause,
    ) {
        super(message, options);
        if (process.env.TEMPORAL_CLOUD_DEBUG === undefined) {
            // Pulumi shows only the message, but has Node.js format the stack too. On Node.js 20, with the source maps
            // that Pulumi turns on, resolving the lines of packages takes 15 s and 3 GB.
            this.stack = `LookupError: ${message}`;
        }
    }
}

/** A call of a lookup: its name, `getNamespace`, and its subject, `namespace with the id "orders.a1b2c"`. */
export interface Question {
    readonly name: string;
    readonly subject: string;
    /** The arguments, as passed by the program. */
    readonly args: pulumi.Inputs;
}

/**
 * Looks something up in Temporal Cloud, with the configuration of the explicit provider, the parent's provider, or the
 * stack.
 *
 * @param find returns undefined if there is no such thing
 * @throws {LookupError} for failures that the user can resolve
 */
export async function lookUp<Result extends object>(
    question: Question,
    opts: pulumi.InvokeOptions | undefined,
    find: (cloud: Cloud) => Promise<Result | undefined>,
): Promise<Result> {
    if (isMocked()) {
        return pulumi.runtime.invoke(typeToken(question.name), question.args, opts);
    }
    // Keeps the program from being reported as finished while the lookup waits for an answer.
    const done = pulumi.runtime.rpcKeepAlive();
    try {
        const client = connect(await configurationOf(question.name, opts));
        await client.account.check();
        const result = await find(client.cloud);
        if (result === undefined) {
            throw new LookupError(`${question.name}: there is no ${question.subject}.`, "notFound");
        }
        return result;
    } catch (error) {
        throw explain(question, error);
    } finally {
        done();
    }
}

/**
 * Like `lookUp`, for arguments that may be outputs. The result is unknown, without a call, if an argument is, or if a
 * resource that an argument depends on has yet to be created.
 */
export function lookUpOutput<Args extends object, Result extends object>(
    name: string,
    get: (args: Args, opts: pulumi.InvokeOptions | undefined) => Promise<Result>,
    args: OutputArgs<Args>,
    opts: pulumi.InvokeOutputOptions | undefined,
): pulumi.Output<Result> {
    const known: pulumi.Output<unknown> = pulumi.output(args);
    const explicit = pulumi.output(opts?.dependsOn ?? []);
    const provider = providerOf(name, opts);
    const settings = pulumi.output(provider && isReadable(provider) ? settingsOf(provider) : {});
    const inputs = pulumi.all([known, explicit, settings]);
    const created = inputs.apply(async ([, dependsOn]) => {
        const resources = [...(await pulumi.getAllResources(inputs)), ...[dependsOn].flat()];
        return pulumi.all([...(await customResources(resources))].map(({ id }) => id));
    });
    return pulumi.all([known, settings, created]).apply((values) =>
        // The id of a resource that `.get()` reads by an unknown id is the placeholder, as if it were known.
        hasUnknown(values) ? pulumi.unknown : get(values[0] as Args, opts),
    ) as pulumi.Output<Result>;
}

/** All items of a paged list, without duplicates. */
export async function listAll<Item>(
    page: (pageToken: string) => Promise<Page<Item>>,
    idOf: (item: Item) => string,
): Promise<Item[]> {
    const items: Item[] = [];
    for await (const fresh of eachPage(page, idOf)) {
        items.push(...fresh);
    }
    return items;
}

/** A resource in the shape of its class's outputs; undefined if it is deleted, but can still be read. */
export function plain<Result, Resource extends LiveResource>(
    definition: { idOf(resource: Resource): string; fromLive(resource: Resource): FromLive<object> },
    resource: Resource | undefined,
): Result | undefined {
    if (resource === undefined || isGone(resource)) {
        return undefined;
    }
    const { args, outputs } = definition.fromLive(resource);
    return { id: definition.idOf(resource), ...args, ...outputs } as Result;
}

/** A resource by its id, or by its natural key, in the shape of its class's outputs; undefined if there is none. */
export async function findBy<Result, Args extends object, Resource extends LiveResource>(
    definition: Definition<Args, Resource>,
    cloud: Cloud,
    by: string,
    value: string,
): Promise<Result | undefined> {
    if (by === "id") {
        return plain(definition, await definition.get(cloud, value, {}));
    }
    const key = definition.naturalKey?.of({ [by]: value } as Partial<Args>) ?? value;
    return plain(definition, await findByNaturalKey(definition, cloud, { key, spelling: value }, {}));
}

/**
 * Returns the one argument that selects what to look up.
 *
 * @returns its name and value
 * @throws {LookupError} when none of the arguments is given, or several are
 */
export function exactlyOne<Key extends string>(
    name: string,
    args: { readonly [K in Key]?: string | undefined } | undefined,
    keys: readonly Key[],
): readonly [Key, string] {
    refuseInvalid(name, args, keys);
    const given = keys.flatMap((key) => {
        const value = args?.[key];
        return typeof value === "string" && value !== "" ? [[key, value] as const] : [];
    });
    const [only] = given;
    if (only === undefined || given.length > 1) {
        const names = keys.map((key) => `\`${key}\``);
        const subject = names.length === 1 ? names[0] : `exactly one of ${names.join(", ")}`;
        throw new LookupError(`${name}: ${subject} is required, as a string that is not empty.`, "invalid");
    }
    return only;
}

/**
 * Returns the filters of a list, those that are not given as empty strings.
 *
 * @throws {LookupError} when one is unknown, not a string, or given but empty: the list would have everything
 */
export function filtersOf<Key extends string>(
    name: string,
    args: { readonly [K in Key]?: unknown } | null,
    keys: readonly Key[],
): { readonly [K in Key]: string } {
    refuseInvalid(name, args, keys);
    for (const [key, value] of Object.entries(args ?? {})) {
        if (value !== undefined && value !== null && typeof value !== "string") {
            throw new LookupError(`${name}: \`${key}\` must be a string, but is ${typeName(value)}.`, "invalid");
        }
        if (value === "" || value === null) {
            throw new LookupError(`${name}: \`${key}\` must not be empty. Leave it out for no filter.`, "invalid");
        }
    }
    return Object.fromEntries(keys.map((key) => [key, args?.[key] ?? ""])) as { readonly [K in Key]: string };
}

/** Refuses arguments that the lookup does not have, and texts that have become of outputs. */
function refuseInvalid(name: string, args: object | null | undefined, keys: readonly string[]): void {
    for (const [key, value] of Object.entries(args ?? {})) {
        const isKnown = keys.includes(key);
        const reason = isKnown ? refuseOutputText(value) : `is not a known argument.${suggestion(key, keys)}`;
        if (reason !== undefined) {
            throw new LookupError(`${name}: \`${key}\` ${reason}`, "invalid");
        }
    }
}

/** Loads the client on the first call, since loading gRPC takes longer than most programs take to run. */
function connect(configuration: Configuration): Client {
    return (require("../client/client") as typeof import("../client/client")).Client.for(configuration);
}

function explain({ name, subject }: Question, error: unknown): unknown {
    const { failed, RpcError } = require("../client/errors") as typeof import("../client/errors");
    const { withoutSecrets } = require("../client/redaction") as typeof import("../client/redaction");
    const say = (text: string, failure: LookupError["failure"]) =>
        new LookupError(String(withoutSecrets(`${name}: ${text}`)), failure, { cause: error });

    if (failed(error, "notFound")) {
        return say(`there is no ${subject}. (${error.message})`, "notFound");
    }
    if (error instanceof RpcError) {
        return say(`could not look up the ${subject}. ${error.message}`, error.failure);
    }
    if (error instanceof ConfigurationError) {
        return say(error.message, "configuration");
    }
    if (error instanceof EndlessListError) {
        return say(error.message, "other");
    }
    if (error instanceof AmbiguousError) {
        const ids = error.ids.map((id) => JSON.stringify(id)).join(", ");
        return say(`there is more than one ${subject}: ${ids}. Ask by id.`, "ambiguous");
    }
    if (error instanceof LookupError && !error.message.startsWith(`${name}: `)) {
        return say(error.message, error.failure);
    }
    return error;
}

type Settings = { readonly [Key in ConfigurationKey]?: pulumi.Output<string | undefined> };

/** The provider that a call uses; undefined if it uses the stack's configuration. */
function providerOf(name: string, opts: pulumi.InvokeOptions | undefined): pulumi.ProviderResource | undefined {
    return opts?.provider ?? opts?.parent?.getProvider(typeToken(name));
}

/** Whether the provider's settings can be read here: those of a reference, as transforms are passed, cannot. */
function isReadable(provider: pulumi.ProviderResource): boolean {
    // Neither is in the SDK's public types. A reference has no name, whichever copy of the SDK it comes from.
    const { pkg, __name: name } = provider as unknown as { readonly pkg: string; readonly __name?: string };
    return pkg === "pulumi-nodejs" && name !== undefined;
}

function settingsOf(provider: pulumi.ProviderResource): Settings {
    // Also accepts the class of another copy of this package. A plain ProviderResource has the settings as properties.
    const { configuration } = provider as { configuration?: Settings };
    const properties: object = provider;
    const settings = Object.keys(CONFIGURATION_KEYS).map((key) => [
        key,
        configuration
            ? configuration[key as ConfigurationKey]
            : Reflect.get(properties, `${CONFIGURATION_NAMESPACE}:${key}`),
    ]);
    // A secret setting does not make the result of the lookup a secret.
    return Object.fromEntries(settings.map(([key, value]) => [key, pulumi.unsecret(pulumi.output(value))]));
}

/** The environment as the provider's plugin sees it. */
function environmentOf(provider: pulumi.ProviderResource): Readonly<Record<string, string | undefined>> {
    const { envVarMappings = {} } = provider as { envVarMappings?: Readonly<Record<string, string>> };
    const mapped = Object.entries(envVarMappings).filter(([from]) => process.env[from] !== undefined);
    return { ...process.env, ...Object.fromEntries(mapped.map(([from, to]) => [to, process.env[from]])) };
}

async function configurationOf(name: string, opts: pulumi.InvokeOptions | undefined): Promise<Configuration> {
    const provider = providerOf(name, opts);
    if (provider === undefined) {
        const config = new pulumi.Config(CONFIGURATION_NAMESPACE);
        return readConfiguration((key) => config.get(key));
    }
    if (!isReadable(provider)) {
        throw new ConfigurationError(
            "The configuration of the given provider cannot be read here: it is another package's, or only a reference " +
                "to a provider. Pass a `Provider` of this package.",
        );
    }
    const known: Record<string, unknown> = await pulumi.runtime.serializeProperties(
        CONFIGURATION_NAMESPACE,
        settingsOf(provider),
    );
    if (Object.values(known).includes(pulumi.runtime.unknownValue)) {
        throw new ConfigurationError(
            "The provider's configuration is not known yet: it comes from resources that have yet to be created. " +
                `Call ${name}Output instead, which waits for them.`,
        );
    }
    return readConfiguration((key) => textOf(known[key]), environmentOf(provider));
}

/** Whether a unit test of the program mocks the engine; its mocks then answer lookups too. */
function isMocked(): boolean {
    return (pulumi.runtime.getMonitor() as { readonly mocks?: unknown } | undefined)?.mocks !== undefined;
}

/** The custom resources, with components replaced by their children. */
async function customResources(
    resources: Iterable<pulumi.Resource>,
    seen = new Set<pulumi.Resource>(),
): Promise<Set<pulumi.CustomResource>> {
    const found = new Set<pulumi.CustomResource>();
    for (const resource of resources) {
        if (seen.has(resource)) {
            continue;
        }
        seen.add(resource);
        if (pulumi.ComponentResource.isInstance(resource)) {
            // Pulumi's own functions wait for the children too, but there is no public API for them.
            const component = resource as { __data?: Promise<unknown>; __childResources?: Set<pulumi.Resource> };
            await component.__data;
            for (const child of await customResources(component.__childResources ?? [], seen)) {
                found.add(child);
            }
        } else if (pulumi.CustomResource.isInstance(resource) && resource.id !== undefined) {
            found.add(resource);
        }
    }
    return found;
}
