import { suggestion } from "./fields";

/** The configuration namespace: `temporalcloud:apiKey` and so on. */
export const CONFIGURATION_NAMESPACE = "temporalcloud";

/** Where the Cloud Ops API is, unless told otherwise. */
export const DEFAULT_ENDPOINT = "saas-api.tmprl.cloud:443";

/** What one connection to Temporal Cloud needs to know. */
export interface Configuration {
    /** The bearer key. */
    readonly apiKey: string;
    /** `host:port` of the Cloud Ops API. */
    readonly endpoint: string;
    /** Whether the key may travel without TLS. */
    readonly plaintext: boolean;
    /** The only account that may be touched; undefined for any. */
    readonly allowedAccountId: string | undefined;
    /** Upper bound of the request rate; undefined to find it. */
    readonly requestsPerSecond: number | undefined;
    /** Sets the derived operation ids of two stacks of the same name apart. */
    readonly operationSalt: string;
}

/** Every configuration key with the environment variable it falls back to: the one of the Terraform provider. */
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
 * What is wrong with the names of configuration keys: a misspelt `allowedAccountId` would allow every account without a
 * word. A warning only, since a bridged provider in the same stack may have keys of its own here.
 */
export function unknownKeys(keys: readonly string[]): string[] {
    const known = Object.keys(CONFIGURATION_KEYS);
    return keys
        .filter((key) => key.startsWith(`${CONFIGURATION_NAMESPACE}:`))
        .map((key) => key.slice(CONFIGURATION_NAMESPACE.length + 1))
        .filter((key) => !known.includes(key))
        .map((key) => `${CONFIGURATION_NAMESPACE}:${key} is not a known configuration key.${suggestion(key, known)}`);
}

/** A configuration that cannot be used; the message says which key and what to do. */
export class ConfigurationError extends Error {
    override readonly name = "ConfigurationError";
}

/**
 * Reads the configuration. Values of the stack (or of an explicit provider) win over the environment.
 *
 * @param get the value of a key in the stack's configuration
 * @throws {ConfigurationError} when a value is missing or makes no sense
 */
export function readConfiguration(
    get: (key: ConfigurationKey) => string | undefined,
    environment: Readonly<Record<string, string | undefined>> = process.env,
): Configuration {
    const value = (key: ConfigurationKey) => get(key) || environment[CONFIGURATION_KEYS[key]] || undefined;

    if (get("allowedAccountId")?.trim() === "") {
        throw new ConfigurationError(
            "temporalcloud:allowedAccountId is empty, which could mean any account. Set it to the account's id, or remove it.",
        );
    }
    const apiKey = value("apiKey")?.trim();
    if (!apiKey) {
        throw new ConfigurationError(
            "No API key for Temporal Cloud. Set it with `pulumi config set --secret temporalcloud:apiKey`, " +
                `or in the environment variable ${CONFIGURATION_KEYS.apiKey}.`,
        );
    }
    if (!/^[\x21-\x7e]+$/.test(apiKey)) {
        throw new ConfigurationError(
            "temporalcloud:apiKey has characters that no API key has (spaces, line breaks or non-ASCII). " +
                "Copy the key again, without what stands around it.",
        );
    }

    const endpoint = parseEndpoint(value("endpoint") ?? DEFAULT_ENDPOINT);
    const allowInsecure = parseBoolean("allowInsecure", value("allowInsecure"));
    return {
        apiKey,
        endpoint: endpoint.address,
        plaintext: isPlaintext(endpoint, allowInsecure),
        allowedAccountId: value("allowedAccountId")?.trim(),
        requestsPerSecond: parseRate(value("requestsPerSecond")),
        operationSalt: value("operationSalt") ?? "",
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
            `temporalcloud:endpoint is ${JSON.stringify(text)}; it has to be host:port, for example ${DEFAULT_ENDPOINT}.`,
        );
    }
    return {
        scheme: match[1] as Endpoint["scheme"],
        host: match[2],
        address: `${match[2]}:${port}`,
    };
}

/** A key goes in plain text only where that was asked for: by http:// to this machine, or by allowInsecure. */
function isPlaintext(endpoint: Endpoint, allowInsecure: boolean): boolean {
    if (endpoint.scheme !== "http") {
        return allowInsecure && endpoint.scheme === undefined;
    }
    if (allowInsecure || isLoopback(endpoint.host)) {
        return true;
    }
    throw new ConfigurationError(
        `temporalcloud:endpoint ${endpoint.address} is not on this machine, and http:// would send the API key there ` +
            "in plain text. Use TLS (leave http:// out), or say temporalcloud:allowInsecure: true if that is meant.",
    );
}

/** Whether a host is this machine, so that nothing sent there crosses a network. */
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
            throw new ConfigurationError(
                `temporalcloud:${key} is ${JSON.stringify(text)}; it has to be true or false.`,
            );
    }
}

function parseRate(text: string | undefined): number | undefined {
    if (text === undefined) {
        return undefined;
    }
    const rate = Number(text);
    if (!(rate > 0 && rate <= 10_000)) {
        throw new ConfigurationError(
            `temporalcloud:requestsPerSecond is ${JSON.stringify(text)}; it must be above 0 and at most 10000.`,
        );
    }
    return rate;
}
