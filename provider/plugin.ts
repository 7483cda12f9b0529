import type * as dynamic from "@pulumi/pulumi/dynamic";
import { specialSecretSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc";
import { Client } from "./client/client";
import { withoutSecrets } from "./client/redaction";
import type { ConfigurationKey } from "./configuration";
import { CONFIGURATION_NAMESPACE, NoKeyError, readConfiguration, unknownKeys } from "./configuration";
import type { Definition, LiveResource } from "./definition";
import { endWithEngine, engineLog } from "./engine";
import type { Bag } from "./fields";
import { Lifecycle } from "./lifecycle/lifecycle";
import { backendOf } from "./lifecycle/operation-id";
import type { Log } from "./lifecycle/run";
import { HalfFinishedError, Session } from "./lifecycle/run";
import { apiKeyDefinition } from "./resources/api-key";
import { namespaceDefinition } from "./resources/namespace";
import { serviceAccountDefinition } from "./resources/service-account";
import { userDefinition } from "./resources/user";
import { tuneV8 } from "./v8";

/** The host's first argument. */
const engineAddress = process.argv[2];
endWithEngine(engineAddress);

type ReadConfiguration = (key: ConfigurationKey) => string | undefined;

/**
 * The configuration that the host passed. Calls arrive before an awaited `configure` returns, so it is stored at once.
 */
let configured: ReadConfiguration = () => undefined;
/** All keys of the stack's configuration. */
let configuredKeys: readonly string[] = [];
/** Whether unknown keys among them have been reported. */
let isReported = false;
/** Whether the current configuration has been found valid. */
let isChecked = false;
let opened: Session | undefined;
/** Whether it is that of the current configuration. */
let isCurrent = false;
let log: Log | undefined;

function sessionLog(): Log {
    log ??= engineLog(engineAddress);
    return log;
}

/** The session of the last configuration. The host configures each handler anew: what the session has learnt is kept. */
function session(): Session {
    if (opened === undefined || !isCurrent) {
        const configuration = readConfiguration(configured);
        const client = Client.for(configuration);
        if (opened?.client !== client) {
            opened = new Session(client, sessionLog(), configuration.operationSalt, backendOf());
            reportUnknownKeys();
        }
        isCurrent = true;
    }
    return opened;
}

function reportUnknownKeys(): void {
    for (const warning of isReported ? [] : unknownKeys(configuredKeys)) {
        sessionLog().warn("", warning);
    }
    isReported ||= configuredKeys.length > 0;
}

/** Checks the configuration, but not for a key: a preview connects to nothing. */
function checkConfiguration(): void {
    if (isChecked) {
        return;
    }
    reportUnknownKeys();
    try {
        readConfiguration(configured);
    } catch (error) {
        if (!(error instanceof NoKeyError)) {
            throw error;
        }
    }
    isChecked = true;
}

/** Adapts a lifecycle to Pulumi's dynamic host. */
function handler<Args extends object, Resource extends LiveResource>(
    definition: Definition<Args, Resource>,
): dynamic.ResourceProvider {
    const lifecycle = new Lifecycle(definition);
    // The resource's options name the secrets too, but a transformation of the program can drop those.
    const mark = (outs: Bag) => withSecrets(outs, definition.createOnlyOutputs);
    return {
        async configure({ config }: dynamic.ConfigureRequest) {
            // The host's type does not declare it. Without a configuration from the engine there is none.
            const { rawConfig } = config as { readonly rawConfig?: object };
            configured = (key) => rawConfig && config.get(`${CONFIGURATION_NAMESPACE}:${key}`);
            configuredKeys = Object.keys(rawConfig ?? {});
            isCurrent = false;
            isChecked = false;
        },
        check: (old: Bag, bag: Bag) =>
            call(async () => {
                checkConfiguration();
                const { inputs, failures } = lifecycle.check(old, bag);
                // With a property's name, the engine prints its value, even if that is a secret. The reason has the path.
                return { inputs, failures: failures.map(({ reason }) => ({ property: "", reason })) };
            }),
        diff: (id: string, old: Bag, bag: Bag) =>
            call(async () => lifecycle.diff({ log: sessionLog(), id }, old, bag, new Date())),
        create: (bag: Bag) => write(() => lifecycle.create(session(), bag), mark),
        read: (id: string, old: Bag) =>
            call(async () => {
                const read = await lifecycle.read(session(), id, old);
                return read ? { id, props: mark(read.props), inputs: read.inputs } : { id: "", props: {}, inputs: {} };
            }),
        update: (id: string, old: Bag, bag: Bag) => write(() => lifecycle.update(session(), id, old, bag), mark),
        delete: (id: string, old: Bag) => call(() => lifecycle.delete(session(), id, old)),
    } as dynamic.ResourceProvider;
}

async function call<T>(method: () => Promise<T>): Promise<T> {
    tuneV8();
    try {
        return await method();
    } catch (error) {
        throw presentable(error);
    }
}

/** A create or an update: the state gets what a failed one leaves, and the host does not print its stack. */
async function write<T extends { readonly outs: Bag }>(method: () => Promise<T>, mark: (outs: Bag) => Bag): Promise<T> {
    try {
        const made = await call(method);
        return { ...made, outs: mark(made.outs) };
    } catch (error) {
        if (error instanceof HalfFinishedError) {
            error.properties = mark(error.properties);
        }
        if (error instanceof Error && error.stack) {
            sessionLog().info("", error.stack);
        }
        throw error;
    }
}

/** The outputs, with these marked as secrets in the way of Pulumi's messages. */
function withSecrets(outs: Bag, names: readonly string[] | undefined): Bag {
    if (names === undefined) {
        return outs;
    }
    // Not a spread: V8 would create a hidden class for each property added to a spread copy.
    const marked: Record<string, unknown> = Object.assign({}, outs);
    for (const name of names) {
        if (outs[name] !== undefined) {
            marked[name] = { [specialSigKey]: specialSecretSig, value: outs[name] };
        }
    }
    return marked;
}

/**
 * What the host shows of an error: the message, without secrets that a server may have repeated. Not the stack, which
 * the host would print below that of the user's program.
 */
function presentable(error: unknown): unknown {
    if (error instanceof Error) {
        const stack = process.env.TEMPORAL_CLOUD_DEBUG === undefined ? "" : (error.stack ?? "");
        error.message = withoutSecrets(error.message);
        error.stack = withoutSecrets(stack);
    }
    return error;
}

export const apiKey = handler(apiKeyDefinition);
export const namespace = handler(namespaceDefinition);
export const serviceAccount = handler(serviceAccountDefinition);
export const user = handler(userDefinition);
