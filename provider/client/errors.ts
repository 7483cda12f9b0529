import { Status } from "nice-grpc-common";
import { withoutSecrets } from "./redaction";

/**
 * How long to retry reads after a create: for up to a minute, the server may deny or not find what it has just created.
 */
export const READ_LAG_MS = 90_000;

/** What a failed call means to its caller. */
export type Failure =
    /** It does not exist, or no longer. */
    | "notFound"
    /** The name is taken. */
    | "alreadyExists"
    /** The resource has changed, or an operation is in flight on it. */
    | "conflict"
    /** The update would change nothing. */
    | "nothingToChange"
    /** The request itself is invalid. */
    | "invalid"
    /** The server rejects the key. */
    | "unauthenticated"
    /** The key's owner lacks the permission. */
    | "denied"
    /** TLS failed: the server's certificate cannot be verified, or it does not speak TLS. */
    | "certificate"
    /** No answer, or the request limit or another quota is exhausted. */
    | "unreachable"
    | "other";

/** `ErrorOptions`, which the `lib` of some programs lacks. */
export interface ErrorCause {
    readonly cause?: unknown;
}

/** A failed call, as gRPC reports it. */
export interface CallError {
    readonly code: Status;
    /** The server's message. */
    readonly details: string;
}

/** A failed call to the Cloud Ops API. The message names the RPC, the code, the server's message, and what to do. */
export class RpcError extends Error {
    override readonly name = "RpcError";

    constructor(
        /** The RPC's name, for example `CreateNamespace`. */
        readonly rpc: string,
        readonly code: Status,
        details: string,
        readonly failure: Failure,
        /** The operation id of a write. */
        readonly operationId: string | undefined,
        hint: string | undefined,
    ) {
        const operation = operationId ? ` (operation ${operationId})` : "";
        super(`${rpc}: ${Status[code] ?? code}: ${sentence(details)}${operation}${hint ? ` ${hint}` : ""}`);
    }
}

/** A call that had not succeeded when its caller's time was up. */
export class GivenUpError extends Error {
    override readonly name = "GivenUpError";

    /**
     * @param last why its last attempt failed, if one did
     * @param sent whether it had got a turn under the request limit
     */
    constructor(rpc: string, last: RpcError | undefined, sent: boolean, options: ErrorCause) {
        super(last?.message ?? `${rpc} ${sent ? "had not been answered" : "was still waiting for its turn"}.`, options);
    }
}

/** Whether an error is a failed call of one of these kinds. */
export function failed(error: unknown, ...failures: Failure[]): error is RpcError {
    return error instanceof RpcError && failures.includes(error.failure);
}

/** The response; undefined if the call fails in one of these ways. */
export async function unlessFailed<T>(answer: Promise<T>, ...failures: Failure[]): Promise<T | undefined> {
    try {
        return await answer;
    } catch (error) {
        if (failed(error, ...failures)) {
            return undefined;
        }
        throw error;
    }
}

const CERTIFICATE =
    /certificate|self.signed|CERT_|UNABLE_TO_(?:GET|VERIFY)|ERR_TLS|wrong version number|SSL routines|tlsv1 alert/i;

/** What OpenSSL reports if the other side does not speak TLS. */
const NO_TLS = /wrong version number|packet length too long|EPROTO/i;

/** How gRPC's message begins if there is no connection; any other UNAVAILABLE comes from a server. */
const NO_CONNECTION = "No connection established";

/** Whether the connection failed in a way that retrying does not fix: TLS. */
export function isCertificateFailure({ code, details }: CallError): boolean {
    return code === Status.UNAVAILABLE && details.startsWith(NO_CONNECTION) && CERTIFICATE.test(details);
}

const TOO_LARGE =
    /received message (?:larger than|that decompresses)|trying to send message larger than|after decompression larger than/i;

/** Whether the request or the response was refused for its size, by either side: a retry would not make it smaller. */
export function isTooLarge({ code, details }: CallError): boolean {
    return code === Status.RESOURCE_EXHAUSTED && TOO_LARGE.test(details);
}

/**
 * Explains a gRPC error: what it means and what to do about it. The error itself is not the cause: whoever prints that
 * would print what a server has repeated of a request, the API key included.
 */
export function toRpcError(
    error: CallError & { readonly path: string },
    endpoint: string,
    operationId: string | undefined,
): RpcError {
    const rpc = error.path.slice(error.path.lastIndexOf("/") + 1);
    const { failure, hint } = interpret(error, endpoint);
    return new RpcError(rpc, error.code, error.details, failure, operationId, hint);
}

function interpret(error: CallError, endpoint: string): { failure: Failure; hint?: string } {
    if (isTooLarge(error)) {
        return { failure: "other" };
    }
    if (isCertificateFailure(error)) {
        const withoutTls =
            "For a server without TLS, set temporalcloud:endpoint to http://host:port on this machine, or " +
            "temporalcloud:allowInsecure to true.";
        const hint = NO_TLS.test(error.details)
            ? `${endpoint} does not speak TLS, or not to this client.`
            : `The certificate of ${endpoint} could not be verified. For a server with a private CA, set ` +
              "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH to a file with the CA's certificate (PEM).";
        return { failure: "certificate", hint: `${hint} ${withoutTls}` };
    }
    switch (error.code) {
        case Status.NOT_FOUND:
            return { failure: "notFound" };
        case Status.ALREADY_EXISTS:
            return { failure: "alreadyExists" };
        case Status.ABORTED:
        case Status.FAILED_PRECONDITION:
            return { failure: "conflict" };
        case Status.INVALID_ARGUMENT:
            return { failure: /nothing to change/i.test(error.details) ? "nothingToChange" : "invalid" };
        case Status.UNAUTHENTICATED:
            return {
                failure: "unauthenticated",
                hint:
                    `${endpoint} rejected the API key: it may be expired, disabled, deleted, or from another ` +
                    "environment. Set a valid one (temporalcloud:apiKey, TEMPORAL_CLOUD_API_KEY, or the `apiKey` of an " +
                    "explicit `Provider`). On refresh and destroy, Pulumi uses the configuration of the last " +
                    "`pulumi up`: after changing the key, run `pulumi up`, or pass --run-program to these commands.",
            };
        case Status.PERMISSION_DENIED:
            return {
                failure: "denied",
                hint: "Check the account role and the namespace permissions of the API key's owner.",
            };
        case Status.UNAVAILABLE:
        case Status.DEADLINE_EXCEEDED:
            return {
                failure: "unreachable",
                hint: `No answer from ${endpoint}. Check temporalcloud:endpoint, the network, and HTTPS_PROXY.`,
            };
        case Status.RESOURCE_EXHAUSTED:
            return {
                failure: "unreachable",
                hint:
                    "Either the request limit of the account or of the key's owner is exhausted " +
                    "(temporalcloud:requestsPerSecond lowers this program's share of it), or another limit, which " +
                    "has to be raised: https://docs.temporal.io/cloud/limits.",
            };
        default:
            return { failure: "other" };
    }
}

/** Maximum length of a server's message: anything longer is a page from some other server. */
const LONGEST_DETAILS = 1_000;

/**
 * A server's message, without secrets that it repeats, and short enough to show. Secrets are removed first: cutting one
 * in two would leave a part of it.
 */
export function shorten(text: string): string {
    const safe = withoutSecrets(text);
    return safe.length > LONGEST_DETAILS ? `${safe.slice(0, LONGEST_DETAILS)}...` : safe;
}

/** What gRPC and OpenSSL add to their messages: an empty note; a thread, a number and a line of source code. */
const NOISE = /\s*Resolution note:\s*$|\b[0-9A-F]{8,}:error:[0-9A-F]+:|:[\w./-]+\.c:\d+:\s*/g;

function sentence(text: string): string {
    const trimmed = shorten(text.replace(NOISE, "").trim());
    if (trimmed === "") {
        return "No reason was given.";
    }
    return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
