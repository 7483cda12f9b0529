import { suggestion } from "./fields";

/** The configuration namespace: `temporalcloud:apiKey` and so on. */
export const CONFIGURATION_NAMESPACE = "temporalcloud";

/** The default endpoint of the Cloud Ops API. */
const DEFAULT_ENDPOINT = "saas-api.tmprl.cloud:443";

/** The configuration of one connection to Temporal Cloud. */
export interface Configuration {
    /** The API key, sent as bearer token. */
    readonly apiKey: string;
    /** `host:port` of the Cloud Ops API. */
    readonly endpoint: string;
    /** Whether to connect without TLS. */
    readonly plaintext: boolean;
    /** The only account that may be touched; undefined for any. */
    readonly allowedAccountId: string | undefined;
    /** Maximum request rate; undefined to adapt to the server's limit. */
    readonly requestsPerSecond: number | undefined;
    /** Distinguishes the derived operation ids of two stacks of the same name. */
    readonly operationSalt: string;
}

/** The environment variable of each configuration key; the names are those of the Terraform provider. */
export const CONFIGURATION_KEYS = {
    apiKey: "TEMPORAL_CLOUD_API_KEY",
    endpoint: "TEMPORAL_CLOUD_ENDPOINT",
    allowInsecure: "TEMPORAL_CLOUD_ALLOW_INSECURE",
    allowedAccountId: "TEMPORAL_CLOUD_ALLOWED_ACCOUNT_ID",
    requestsPerSecond: "TEMPORAL_CLOUD_REQUESTS_PER_SECOND",
    operationSalt: "TEMPORAL_CLOUD_OPERATION_SALT",
} as const;

export type ConfigurationKey = keyof typeof CONFIGURATION_KEYS;

/**
 * Warnings about unknown configuration keys: a misspelt `allowedAccountId` would silently allow every account. Only
 * warnings, since a bridged provider in the same stack may have its own keys here.
 */
export function unknownKeys(keys: readonly string[]): string[] {
    const known = Object.keys(CONFIGURATION_KEYS);
    return keys
        .filter((key) => key.startsWith(`${CONFIGURATION_NAMESPACE}:`))
        .map((key) => key.slice(CONFIGURATION_NAMESPACE.length + 1))
        .filter((key) => !known.includes(key))
        .map((key) => `${CONFIGURATION_NAMESPACE}:${key} is not a known configuration key.${suggestion(key, known)}`);
}

/** A setting as text; undefined for none, which can arrive as null. */
export function textOf(setting: unknown): string | undefined {
    return setting === undefined || setting === null ? undefined : String(setting);
}

/** An invalid configuration; the message says which key is wrong and what to do. */
export class ConfigurationError extends Error {
    override readonly name = "ConfigurationError";
}

/** There is no API key. Until one is used, as at a preview, nothing is wrong with that. */
export class NoKeyError extends ConfigurationError {}

/**
 * Reads the configuration. Values of the stack (or of an explicit provider) take precedence over the environment.
 *
 * @param get the value of a key in the stack's configuration
 * @throws {ConfigurationError} if a value is missing or invalid
 */
export function readConfiguration(
    get: (key: ConfigurationKey) => string | undefined,
    environment: Readonly<Record<string, string | undefined>> = process.env,
): Configuration {
    const value = (key: ConfigurationKey) => get(key) || environment[CONFIGURATION_KEYS[key]] || undefined;

    if (get("allowedAccountId")?.trim() === "") {
        throw new ConfigurationError(
            "temporalcloud:allowedAccountId is empty, which could mean any account. Set it to the account's id, or " +
                "remove it.",
        );
    }
    const settings = {
        ...connectionOf(value("endpoint"), value("allowInsecure")),
        allowedAccountId: value("allowedAccountId")?.trim(),
        requestsPerSecond: parseRate(value("requestsPerSecond")),
        operationSalt: value("operationSalt") ?? "",
    };
    const apiKey = value("apiKey")?.trim();
    if (!apiKey) {
        throw new NoKeyError(
            "No API key for Temporal Cloud. Set it with `pulumi config set --secret temporalcloud:apiKey`, " +
                `or in the environment variable ${CONFIGURATION_KEYS.apiKey}.`,
        );
    }
    if (!/^[\x21-\x7e]+$/.test(apiKey)) {
        throw new ConfigurationError(
            "temporalcloud:apiKey contains characters that no API key has (spaces, line breaks or non-ASCII). " +
                "Copy the key again, without anything around it.",
        );
    }

    return { apiKey, ...settings };
}

function connectionOf(
    text: string | undefined,
    allowInsecure: string | undefined,
): Pick<Configuration, "endpoint" | "plaintext"> {
    const endpoint = parseEndpoint(text ?? DEFAULT_ENDPOINT);
    return {
        endpoint: endpoint.address,
        plaintext: isPlaintext(endpoint, parseBoolean("allowInsecure", allowInsecure)),
    };
}

interface Endpoint {
    readonly scheme: "http" | "https" | undefined;
    readonly host: string;
    readonly address: string;
}

function parseEndpoint(text: string): Endpoint {
    const match = /^(?:(https?):\/\/)?(\[[0-9a-fA-F:]+\]|[^\s:/@]+)(?::(\d{1,5}))?\/?$/.exec(text.trim());
    const port = Number(match?.[3] ?? 443);
    if (!match?.[2] || port < 1 || port > 65_535) {
        throw new ConfigurationError(
            // What precedes an @ may be a password.
            `temporalcloud:endpoint is ${JSON.stringify(text.replace(/[^/]*@/, "...@"))}; it must be host:port, for ` +
                `example ${DEFAULT_ENDPOINT}.`,
        );
    }
    return {
        scheme: match[1] as Endpoint["scheme"],
        host: match[2],
        address: `${match[2]}:${port}`,
    };
}

/** Whether to connect without TLS: only if requested, by http:// to this machine, or by allowInsecure. */
function isPlaintext(endpoint: Endpoint, allowInsecure: boolean): boolean {
    if (endpoint.scheme !== "http") {
        return allowInsecure && endpoint.scheme === undefined;
    }
    if (allowInsecure || isLoopback(endpoint.host)) {
        return true;
    }
    throw new ConfigurationError(
        `temporalcloud:endpoint ${endpoint.address} is not local, and http:// would send the API key in plain text. ` +
            "Remove http:// to use TLS, or set temporalcloud:allowInsecure to true.",
    );
}

/** Whether a host is this machine, so that nothing sent to it crosses a network. */
export function isLoopback(host: string): boolean {
    return host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Whether an endpoint, `host:port`, is on this machine. */
export function isOnThisMachine(endpoint: string): boolean {
    return isLoopback(endpoint.replace(/:\d+$/, ""));
}

function parseBoolean(key: ConfigurationKey, text: string | undefined): boolean {
    switch (text?.toLowerCase()) {
        case undefined:
        case "false":
        case "0":
            return false;
        case "true":
        case "1":
            return true;
        default:
            throw new ConfigurationError(`temporalcloud:${key} is ${JSON.stringify(text)}; it must be true or false.`);
    }
}

function parseRate(text: string | undefined): number | undefined {
    if (text === undefined) {
        return undefined;
    }
    const rate = Number(text);
    if (!(rate > 0 && rate <= 10_000)) {
        throw new ConfigurationError(
            `temporalcloud:requestsPerSecond is ${JSON.stringify(text)}; it must be a number above 0 and at most ` +
                "10000.",
        );
    }
    return rate;
}
