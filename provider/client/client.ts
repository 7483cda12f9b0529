import * as grpc from "@grpc/grpc-js";
import type { ClientMiddleware } from "nice-grpc";
import { createChannel, createClientFactory, Metadata } from "nice-grpc";
import type { DeadlineOptions } from "nice-grpc-client-middleware-deadline";
import { deadlineMiddleware } from "nice-grpc-client-middleware-deadline";
import type { RetryOptions } from "nice-grpc-client-middleware-retry";
import { retryMiddleware } from "nice-grpc-client-middleware-retry";
import { ClientError, Status } from "nice-grpc-common";
import type { CloudServiceClient } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import { API_VERSION, PACKAGE_VERSION } from "../../proto/generated/version";
import type { Configuration } from "../configuration";
import { ConfigurationError } from "../configuration";
import { isCertificateFailure, toRpcError } from "./errors";
import type { Priority } from "./limiter";
import { Limiter } from "./limiter";
import { KeyedQueue } from "./queue";
import { Reads } from "./reads";
import { redact } from "./redaction";
import { cloudService } from "./service";

/** One attempt that takes longer is given up and made again. */
const ATTEMPT_DEADLINE_MS = 30_000;
const RETRY_BASE_DELAY_MS = 250;
const RETRY_MAX_DELAY_MS = 10_000;
/** An endpoint that has never answered is most likely misspelt: soon say so. */
const FIRST_CONTACT_MS = 10_000;
/** An endpoint that has answered before will again: outlast a restart or a change of network. */
const LOST_CONTACT_MS = 5 * 60_000;
/** A page of 1,000 namespaces with a full certificate bundle each has 32 MB. */
const MAX_MESSAGE_BYTES = 128 * 1024 * 1024;

const RETRYABLE = [
    Status.UNAVAILABLE,
    Status.RESOURCE_EXHAUSTED,
    Status.DEADLINE_EXCEEDED,
    // What a connection that breaks in the middle of an answer turns into.
    Status.CANCELLED,
    Status.INTERNAL,
    Status.UNKNOWN,
];
const LOST_CONNECTION = /RST_STREAM|ECONNRESET|socket|stream|connection|GOAWAY|INTERNAL_ERROR|goaway/i;

/** Options of a call beside the ones of gRPC. */
export interface CallOptions {
    /** Ends the call, with its retries. */
    readonly signal?: AbortSignal;
}

type Cloud = CloudServiceClient<CallOptions>;

const clients = new Map<string, Client>();

/** The connection to one account of Temporal Cloud: every request of the process for it goes through here. */
export class Client {
    /** The Cloud Ops API. Its calls fail with an RpcError. */
    readonly cloud: Cloud;
    readonly limiter: Limiter;
    /** Reads that share their requests. */
    readonly reads = new Reads();
    /** Writes to one object, one after the other. */
    readonly writes = new KeyedQueue();
    private readonly channel: grpc.Channel;
    private answered = false;
    private account: Promise<void> | undefined;

    /** The one client of this process for an endpoint and key. */
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
        const credentials = configuration.plaintext ? grpc.credentials.createInsecure() : grpc.credentials.createSsl();
        this.channel = createChannel(configuration.endpoint, credentials, {
            "grpc.primary_user_agent": `pulumi-temporal-cloud/${PACKAGE_VERSION}`,
            "grpc.keepalive_time_ms": 30_000,
            "grpc.keepalive_timeout_ms": 10_000,
            "grpc.initial_reconnect_backoff_ms": 250,
            "grpc.max_reconnect_backoff_ms": 5_000,
            "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
            "grpc.service_config_disable_resolution": 1,
            // Retries are made above, where the limiter sees them.
            "grpc.enable_retries": 0,
        });
        this.cloud = createClientFactory()
            .use(this.authenticate())
            .use<DeadlineOptions>(deadlineMiddleware)
            .use(this.limit())
            .use<RetryOptions>(retryMiddleware)
            .use(this.explain())
            .create(cloudService, this.channel);
    }

    /**
     * Makes sure that the key belongs to the account that may be touched.
     *
     * @throws {ConfigurationError} when it belongs to another
     */
    async checkAccount(): Promise<void> {
        const allowed = this.configuration.allowedAccountId;
        if (allowed === undefined) {
            return;
        }
        this.account ??= this.cloud.getAccount({}).then(({ account }) => {
            if (account?.id !== allowed) {
                throw new ConfigurationError(
                    `The API key belongs to the account ${JSON.stringify(account?.id ?? "")}, and temporalcloud:allowedAccountId ` +
                        `allows only ${JSON.stringify(allowed)}. Nothing was changed. Use a key of that account, or correct allowedAccountId.`,
                );
            }
        });
        try {
            await this.account;
        } catch (error) {
            this.account = undefined;
            throw error;
        }
    }

    close(): void {
        this.channel.close();
        clients.delete(JSON.stringify(this.configuration));
    }

    /** Whether a server is known to be there. */
    private isReached(): boolean {
        return this.answered || this.channel.getConnectivityState(false) === grpc.connectivityState.READY;
    }

    private authenticate(): ClientMiddleware {
        const { apiKey } = this.configuration;
        return async function* authenticate(call, options) {
            const metadata = Metadata(options.metadata)
                .set("authorization", `Bearer ${apiKey}`)
                .set("temporal-cloud-api-version", API_VERSION);
            return yield* call.next(call.request, { ...options, metadata });
        };
    }

    private limit(): ClientMiddleware<object, DeadlineOptions> {
        const { limiter } = this;
        const heard = () => {
            this.answered = true;
        };
        return async function* limit(call, options) {
            await limiter.acquire(priorityOf(call.method.path), options.signal);
            try {
                const response = yield* call.next(call.request, { ...options, deadline: ATTEMPT_DEADLINE_MS });
                heard();
                return response;
            } catch (error) {
                if (
                    error instanceof ClientError &&
                    error.code !== Status.UNAVAILABLE &&
                    error.code !== Status.DEADLINE_EXCEEDED
                ) {
                    heard();
                    if (error.code === Status.RESOURCE_EXHAUSTED) {
                        limiter.refused();
                    }
                }
                throw error;
            }
        };
    }

    /** Decides what is retried and for how long, and says what a failure means. */
    private explain(): ClientMiddleware<object, RetryOptions> {
        const client = this;
        return async function* explain(call, options) {
            const operationId = operationIdOf(call.request);
            const startedAt = Date.now();
            let lostAt: number | undefined;
            try {
                return yield* call.next(call.request, {
                    ...options,
                    // A write is repeated only under an operation id, by which the server knows the repetition.
                    retry: priorityOf(call.method.path) !== "write" || operationId !== undefined,
                    retryMaxAttempts: Number.POSITIVE_INFINITY,
                    retryBaseDelayMs: RETRY_BASE_DELAY_MS,
                    retryMaxDelayMs: RETRY_MAX_DELAY_MS,
                    retryableStatuses: RETRYABLE,
                    onRetryableError: (error) => {
                        if (!isPassing(error)) {
                            throw error;
                        }
                        if (error.code === Status.RESOURCE_EXHAUSTED) {
                            lostAt = undefined;
                            return;
                        }
                        const now = Date.now();
                        // It has been lost since the attempt began; before that, the call waited for its turn.
                        lostAt ??= Math.max(startedAt, now - ATTEMPT_DEADLINE_MS);
                        if (now - lostAt > (client.isReached() ? LOST_CONTACT_MS : FIRST_CONTACT_MS)) {
                            throw error;
                        }
                    },
                });
            } catch (error) {
                if (error instanceof ClientError) {
                    throw toRpcError(error, client.configuration.endpoint, operationId);
                }
                throw error;
            }
        };
    }
}

/** Whether an error of a retryable code is one that another attempt may not meet. */
function isPassing(error: ClientError): boolean {
    switch (error.code) {
        case Status.UNAVAILABLE:
            return !isCertificateFailure(error);
        case Status.CANCELLED:
        case Status.INTERNAL:
        case Status.UNKNOWN:
            return LOST_CONNECTION.test(error.details);
        default:
            return true;
    }
}

function priorityOf(path: string): Priority {
    const rpc = path.slice(path.lastIndexOf("/") + 1);
    if (rpc === "GetAsyncOperation") {
        return "poll";
    }
    return rpc.startsWith("Get") || rpc.startsWith("Validate") ? "read" : "write";
}

function operationIdOf(request: unknown): string | undefined {
    const id = (request as { asyncOperationId?: unknown } | undefined)?.asyncOperationId;
    return typeof id === "string" && id !== "" ? id : undefined;
}

/** gRPC looks for https_proxy only in small letters; most other tools, and our users, write it in capitals too. */
function useProxyLikeOtherTools(): void {
    for (const name of ["HTTPS_PROXY", "NO_PROXY"]) {
        const value = process.env[name];
        if (value && !process.env[name.toLowerCase()]) {
            process.env[name.toLowerCase()] = value;
        }
    }
}
