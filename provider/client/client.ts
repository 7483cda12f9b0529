import querystring from "node:querystring";
import { setTimeout as sleep } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { Status } from "nice-grpc-common";
import type { CloudServiceClient } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import { API_VERSION, PACKAGE_VERSION } from "../../proto/generated/version";
import type { Configuration } from "../configuration";
import { isOnThisMachine } from "../configuration";
import { Account } from "./account";
import type { CallError } from "./errors";
import { GivenUpError, isCertificateFailure, isTooLarge, toRpcError } from "./errors";
import type { Call, Priority, Turn } from "./limiter";
import { Limiter } from "./limiter";
import { KeyedQueue } from "./queue";
import { Reads } from "./reads";
import { redact } from "./redaction";
import type { Method } from "./service";
import { cloudService } from "./service";

/**
 * Runs `work` without recording stack traces of errors. gRPC records one for every call, in case it fails. Formatting
 * it, with the source maps that Pulumi's host enables, takes longer than the call itself, and shows only gRPC's
 * internals.
 */
function withoutStacks<T>(work: () => T): T {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
        return work();
    } finally {
        Error.stackTraceLimit = limit;
    }
}

/** Default timeout of one attempt, after which the call is retried. */
const ATTEMPT_MS = 30_000;
const RETRY_BASE_DELAY_MS = 250;
const RETRY_MAX_DELAY_MS = 10_000;
/** How long to retry an endpoint that has never answered: it is probably misspelt. */
const FIRST_CONTACT_MS = 10_000;
/** How long to retry an endpoint that has answered before: long enough for a restart or a change of network. */
const LOST_CONTACT_MS = 5 * 60_000;
/** A page of 1,000 namespaces with a full certificate bundle each has 32 MB. */
const MAX_MESSAGE_BYTES = 128 * 1024 * 1024;

const LOST_CONNECTION = /RST_STREAM|ECONNRESET|socket|stream|connection|GOAWAY|INTERNAL_ERROR|goaway/i;

/** Options of a call. */
export interface CallOptions {
    /** Ends the call and its retries. */
    readonly signal?: AbortSignal;
    /** Timeout of one attempt, after which the call is retried; 30 s by default. */
    readonly attemptMs?: number;
    /** The turn of the first attempt, if the caller already has one. */
    readonly turn?: Turn | undefined;
    /** Its priority while requests queue; by default that of its method. */
    readonly priority?: Priority | undefined;
}

/** The methods of the Cloud Ops API. */
export type Cloud = CloudServiceClient<CallOptions>;

const clients = new Map<string, Client>();

/** The connection to Temporal Cloud with one configuration. All its requests in this process go through it. */
export class Client {
    /** The Cloud Ops API. Calls fail with an RpcError, or with a GivenUpError if the signal ended them. */
    readonly cloud: Cloud;
    readonly limiter: Limiter;
    /** The account that the key belongs to. */
    readonly account: Account;
    /** Reads that share their requests. */
    readonly reads: Reads;
    /** Serialises the writes to each resource. */
    readonly writes = new KeyedQueue();
    private readonly connection: grpc.Client;
    private readonly metadata = new grpc.Metadata();
    private answered = false;

    /** The one client of this process for that configuration. */
    static for(configuration: Configuration): Client {
        const key = JSON.stringify(configuration);
        let client = clients.get(key);
        if (!client) {
            client = new Client(configuration);
            clients.set(key, client);
        }
        return client;
    }

    constructor(private readonly configuration: Configuration) {
        redact(configuration.apiKey);
        useProxyLikeOtherTools();
        this.limiter = new Limiter({ requestsPerSecond: configuration.requestsPerSecond });
        this.reads = new Reads(this.limiter);
        const credentials = configuration.plaintext ? grpc.credentials.createInsecure() : grpc.credentials.createSsl();
        this.metadata.set("authorization", `Bearer ${configuration.apiKey}`);
        this.metadata.set("temporal-cloud-api-version", API_VERSION);
        this.connection = new grpc.Client(configuration.endpoint, credentials, {
            "grpc.primary_user_agent": `pulumi-temporal-cloud/${PACKAGE_VERSION}`,
            "grpc.keepalive_time_ms": 30_000,
            "grpc.keepalive_timeout_ms": 10_000,
            "grpc.initial_reconnect_backoff_ms": 250,
            "grpc.max_reconnect_backoff_ms": 5_000,
            "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
            "grpc.service_config_disable_resolution": 1,
            // Plain text is allowed because it stays on this machine: it must not go through a proxy.
            "grpc.enable_http_proxy": configuration.plaintext && isOnThisMachine(configuration.endpoint) ? 0 : 1,
            // Collects statistics of every call, for a service that is not running here.
            "grpc.enable_channelz": 0,
            // Retries are made in `repeat`, through the limiter.
            "grpc.enable_retries": 0,
        });
        this.cloud = Object.fromEntries(
            Object.entries(cloudService).map(([name, method]) => [
                name,
                (request: object, options?: CallOptions) => this.call(method, request, options),
            ]),
        ) as unknown as Cloud;
        this.account = new Account(this.cloud, configuration.allowedAccountId);
    }

    close(): void {
        this.connection.close();
        clients.delete(JSON.stringify(this.configuration));
    }

    /** Whether a server is known to be reachable. */
    private isReached(): boolean {
        return (
            this.answered || this.connection.getChannel().getConnectivityState(false) === grpc.connectivityState.READY
        );
    }

    /** Makes a call and explains a failure. */
    private async call(method: Method, request: object, options: CallOptions = {}): Promise<object> {
        const { path, rpc } = method;
        const operationId = operationIdOf(request);
        const explained = (error: CallError) =>
            withoutStacks(() =>
                toRpcError(
                    { code: error.code, details: error.details, path },
                    this.configuration.endpoint,
                    operationId,
                ),
            );
        const progress: Progress = { sent: false, last: undefined };
        try {
            return await this.repeat(method, request, operationId, options, progress);
        } catch (error) {
            const { sent, last } = progress;
            if (error !== last && options.signal?.aborted) {
                throw new GivenUpError(rpc, last && explained(last), sent, { cause: error });
            }
            throw explained(isServiceError(error) ? error : UNREADABLE);
        }
    }

    /** Waits for a turn, sends the request, and retries what may be retried. */
    private async repeat(
        method: Method,
        request: object,
        operationId: string | undefined,
        options: CallOptions,
        progress: Progress,
    ): Promise<object> {
        const { signal } = options;
        const priority = priorityOf(method.rpc);
        const call: Call = { method: method.rpc, priority: options.priority ?? priority };
        // A write is retried only under an operation id, by which the server recognises the retry.
        const mayRepeat = priority !== "write" || operationId !== undefined;
        const bytes = method.requestSerialize(request);
        const patience = new Patience(this.limiter, call);
        for (let attempt = 0; ; attempt += 1) {
            const turn = (attempt === 0 && options.turn) || (await this.limiter.acquire(call, signal));
            progress.sent = true;
            const sentAt = performance.now();
            try {
                const response = await this.send(method, bytes, options);
                this.answered = true;
                this.limiter.passed(call, turn);
                return response;
            } catch (error) {
                if (!isServiceError(error)) {
                    throw error;
                }
                progress.last = error;
                const answered = error.code !== Status.UNAVAILABLE && error.code !== Status.DEADLINE_EXCEEDED;
                this.answered ||= answered;
                const refused = error.code === Status.RESOURCE_EXHAUSTED && !isTooLarge(error);
                if (refused) {
                    this.limiter.refused(call, turn);
                } else if (answered) {
                    this.limiter.passed(call, turn);
                }
                const failingMs = patience.failed(sentAt, refused);
                const mostMs = this.isReached() ? LOST_CONTACT_MS : FIRST_CONTACT_MS;
                if (!mayRepeat || failingMs > mostMs || !isPassing(error)) {
                    throw error;
                }
            }
            // https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
            const mostMs = Math.min(RETRY_BASE_DELAY_MS * 2 ** attempt, RETRY_MAX_DELAY_MS);
            await sleep(mostMs * (0.5 + 0.5 * Math.random()), undefined, signal ? { signal } : {});
        }
    }

    /** Makes one attempt. Not with nice-grpc's client, which takes half as long again for each. */
    private send(method: Method, bytes: Buffer, { signal, attemptMs = ATTEMPT_MS }: CallOptions): Promise<object> {
        return new Promise((resolve, reject) => {
            signal?.throwIfAborted();
            const done = (error: grpc.ServiceError | null, response?: object) => {
                signal?.removeEventListener("abort", abort);
                if (response !== undefined && !error) {
                    resolve(response);
                } else {
                    reject(signal?.aborted ? signal.reason : error);
                }
            };
            const call = withoutStacks(() =>
                this.connection.makeUnaryRequest(
                    method.path,
                    (encoded: Buffer) => encoded,
                    method.responseDeserialize,
                    bytes,
                    this.metadata,
                    { deadline: Date.now() + attemptMs },
                    done,
                ),
            );
            const abort = () => call.cancel();
            signal?.addEventListener("abort", abort, { once: true });
        });
    }
}

/** How long the attempts of one call have been failing. */
class Patience {
    private refusedSince = Number.POSITIVE_INFINITY;
    private lostSince = Number.POSITIVE_INFINITY;

    constructor(
        private readonly limiter: Limiter,
        private readonly call: Call,
    ) {}

    /**
     * Records that the attempt sent at that time was refused for its rate, or failed otherwise.
     *
     * @returns for how long that has been so, in milliseconds
     */
    failed(sentAt: number, isRefused: boolean): number {
        if (!isRefused) {
            this.lostSince = Math.min(this.lostSince, sentAt);
            return performance.now() - this.lostSince;
        }
        // A refusal is an answer. But an endpoint that now refuses and now fails must not be asked forever.
        this.lostSince = Number.POSITIVE_INFINITY;
        this.refusedSince = Math.min(this.refusedSince, sentAt);
        // From when all calls of the method have been refused, or this one is, whatever the rate.
        return performance.now() - Math.max(this.refusedSince, this.limiter.refusedSince(this.call) ?? 0);
    }
}

/** The error of a response that gRPC could not process; it says little about why. */
const UNREADABLE: CallError = { code: Status.INTERNAL, details: "The response is not one that gRPC can read." };

/** The progress of a call. */
interface Progress {
    sent: boolean;
    /** Why the last attempt failed. */
    last: CallError | undefined;
}

function isServiceError(error: unknown): error is grpc.ServiceError {
    return error instanceof Error && typeof (error as Partial<grpc.ServiceError>).details === "string";
}

/** Whether a retry may succeed. */
function isPassing(error: CallError): boolean {
    switch (error.code) {
        case Status.RESOURCE_EXHAUSTED:
            return !isTooLarge(error);
        case Status.DEADLINE_EXCEEDED:
            return true;
        case Status.UNAVAILABLE:
            return !isCertificateFailure(error);
        // What a connection lost during a response is reported as.
        case Status.CANCELLED:
        case Status.INTERNAL:
        case Status.UNKNOWN:
            return LOST_CONNECTION.test(error.details);
        default:
            return false;
    }
}

function priorityOf(rpc: string): Priority {
    if (rpc === "GetAsyncOperation") {
        return "poll";
    }
    return rpc.startsWith("Get") || rpc.startsWith("Validate") ? "read" : "write";
}

function operationIdOf(request: unknown): string | undefined {
    const id = (request as { asyncOperationId?: unknown } | undefined)?.asyncOperationId;
    return typeof id === "string" && id !== "" ? id : undefined;
}

/**
 * gRPC reads these variables only in lower case; most other tools, and users, use upper case too. GRPC_TRACE prints the
 * proxy's user and password.
 */
function useProxyLikeOtherTools(): void {
    for (const name of ["HTTPS_PROXY", "NO_PROXY"]) {
        const value = process.env[name];
        if (value && !process.env[name.toLowerCase()]) {
            process.env[name.toLowerCase()] = value;
        }
    }
    for (const name of ["grpc_proxy", "https_proxy", "http_proxy"]) {
        const [, credentials] = /^\w+:\/\/([^/@]+:[^/@]+)@/.exec(process.env[name] ?? "") ?? [];
        if (credentials !== undefined) {
            redact(credentials);
            redact(querystring.unescape(credentials));
        }
    }
}
