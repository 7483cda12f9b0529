import { Status } from "nice-grpc-common";
import { withoutSecrets } from "./redaction";

/** After a create, the server can deny or not find what it has just made for up to a minute. */
export const READ_LAG_MS = 90_000;

/** What a failed call means to the one who made it. */
export type Failure =
    /** No such thing, or no longer. */
    | "notFound"
    /** The name is taken. */
    | "alreadyExists"
    /** The resource changed, or is being changed. */
    | "conflict"
    /** The update would change nothing. */
    | "nothingToChange"
    /** The request itself is at fault. */
    | "invalid"
    /** The key is not one that the server takes. */
    | "unauthenticated"
    /** The key's owner may not do this. */
    | "denied"
    /** The server's certificate cannot be verified. */
    | "certificate"
    /** No answer, or the limit of requests or another quota is exhausted. */
    | "unreachable"
    | "other";

/** What `ErrorOptions` says, which not every program's `lib` has. */
export interface ErrorCause {
    readonly cause?: unknown;
}

/** What is known of a failed call. */
export interface CallError {
    readonly code: Status;
    /** The server's words. */
    readonly details: string;
}

/** A call to the Cloud Ops API that failed; the message names the RPC, the code, the server's words, and what to do. */
export class RpcError extends Error {
    override readonly name = "RpcError";

    constructor(
        /** The RPC's name, for example `CreateNamespace`. */
        readonly rpc: string,
        readonly code: Status,
        /** The server's words. */
        readonly details: string,
        readonly failure: Failure,
        /** The operation id of a write. */
        readonly operationId: string | undefined,
        hint: string | undefined,
        options?: ErrorCause,
    ) {
        const operation = operationId ? ` (operation ${operationId})` : "";
        super(`${rpc}: ${Status[code] ?? code}: ${sentence(details)}${operation}${hint ? ` ${hint}` : ""}`, options);
    }
}

/** A call that had not succeeded when the time of its caller was up. */
export class GivenUpError extends Error {
    override readonly name = "GivenUpError";

    /**
     * @param last why its last attempt failed, if one did
     * @param sent whether it had had its turn under the request limit
     */
    constructor(rpc: string, last: RpcError | undefined, sent: boolean, options: ErrorCause) {
        super(last?.message ?? `${rpc} ${sent ? "had not been answered" : "was still waiting for its turn"}.`, options);
    }
}

/** Whether an error is a failed call of that sort. */
export function failed(error: unknown, ...failures: Failure[]): error is RpcError {
    return error instanceof RpcError && failures.includes(error.failure);
}

/** The answer; undefined where the call fails in one of these ways. */
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

/** What OpenSSL says where the other side's first words are none of TLS. */
const NO_TLS = /wrong version number|packet length too long|EPROTO/i;

/** How gRPC begins where there is no connection; whatever else is UNAVAILABLE, a server has said. */
const NO_CONNECTION = "No connection established";

/** Whether the connection failed in a way that retrying does not fix: TLS. */
export function isCertificateFailure({ code, details }: CallError): boolean {
    return code === Status.UNAVAILABLE && details.startsWith(NO_CONNECTION) && CERTIFICATE.test(details);
}

const TOO_LARGE =
    /received message (?:larger than|that decompresses)|trying to send message larger than|after decompression larger than/i;

/** Whether the request or its answer was refused for its size, on this side or another: asking again would not make it smaller. */
export function isTooLarge({ code, details }: CallError): boolean {
    return code === Status.RESOURCE_EXHAUSTED && TOO_LARGE.test(details);
}

/** What a gRPC error means and what to do about it. */
export function toRpcError(
    error: CallError & { readonly path: string },
    endpoint: string,
    operationId: string | undefined,
): RpcError {
    const rpc = error.path.slice(error.path.lastIndexOf("/") + 1);
    const { failure, hint } = interpret(error, endpoint);
    return new RpcError(rpc, error.code, error.details, failure, operationId, hint, { cause: error });
}

function interpret(error: CallError, endpoint: string): { failure: Failure; hint?: string } {
    if (isTooLarge(error)) {
        return { failure: "other" };
    }
    if (isCertificateFailure(error) && NO_TLS.test(error.details)) {
        return {
            failure: "certificate",
            hint:
                `${endpoint} does not speak TLS, or not to this client. For a server without TLS, set ` +
                "temporalcloud:endpoint to http://host:port (local servers), or temporalcloud:allowInsecure.",
        };
    }
    if (isCertificateFailure(error)) {
        return {
            failure: "certificate",
            hint:
                `The certificate of ${endpoint} could not be verified. If that server's authority is your own, put its ` +
                "certificate (PEM) into a file and name it in GRPC_DEFAULT_SSL_ROOTS_FILE_PATH; if the server speaks no " +
                "TLS, set temporalcloud:endpoint to http://host:port on this machine, or temporalcloud:allowInsecure.",
        };
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
                    `${endpoint} does not take this API key: it may be expired, disabled, deleted, or of another ` +
                    "environment. Set a valid one (temporalcloud:apiKey, or TEMPORAL_CLOUD_API_KEY). On refresh and destroy " +
                    "Pulumi uses the configuration of the last `pulumi up`: after a change of the key, run `pulumi up`, or " +
                    "give these commands --run-program.",
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
                hint: `${endpoint} gave no answer. Check temporalcloud:endpoint, the network, and HTTPS_PROXY.`,
            };
        case Status.RESOURCE_EXHAUSTED:
            return {
                failure: "unreachable",
                hint: "Either the request limit of the account or of the key's owner is used up, of which temporalcloud:requestsPerSecond lowers this program's share; or another limit of https://docs.temporal.io/cloud/limits, which has to be raised.",
            };
        default:
            return { failure: "other" };
    }
}

/** More than this is no explanation any more, but a page that some other server has sent. */
const LONGEST_DETAILS = 1_000;

/** What a server said, short enough to be shown, and without secrets that it repeats: of one cut in two, a part would be left. */
export function shorten(text: string): string {
    const safe = withoutSecrets(text);
    return safe.length > LONGEST_DETAILS ? `${safe.slice(0, LONGEST_DETAILS)}...` : safe;
}

function sentence(text: string): string {
    const trimmed = shorten(text.trim());
    if (trimmed === "") {
        return "No reason was given.";
    }
    return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
