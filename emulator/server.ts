import { createHash, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { MethodDefinition } from "nice-grpc/lib/service-definitions";
import { type CallContext, ServerError, Status } from "nice-grpc-common";
import { CloudServiceDefinition } from "../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import type { AsyncOperation } from "../proto/generated/temporal/api/cloud/operation/v1/message";
import type { Authentication } from "./authentication";
import type { Call, Handlers, Methods } from "./core/call";
import { canonical } from "./core/canonical";
import type { Cloud } from "./core/cloud";
import { invalid } from "./core/errors";
import { Limiter } from "./core/limiter";
import { endlessPageToken, malform, RawAnswer } from "./core/malformed";
import type { Fault, FaultKind } from "./faults";
import type { LoggedRequest, RequestLog } from "./requests";

/** A request or response, whatever the RPC. */
type Message = Record<string, unknown>;
interface MessageType {
    encode(message: unknown): { finish(): Uint8Array };
    decode(bytes: Uint8Array): Message;
}
type AnyHandler = (request: Message, call: Call) => Message;

const defaultSlowMs = 1000;
const maxOperationIdLength = 255;
/** The fields that identify the subject of a request, most specific first. */
const idFields = ["userId", "serviceAccountId", "keyId", "namespace", "projectId"];
const createdIdFields = ["namespace", "userId", "serviceAccountId", "keyId", "projectId"];

type AnyMethod = MethodDefinition<Message, Message, Message, Message, false, false>;

/** The definition and the implementation of the service, to be given to the gRPC server. */
export interface Service {
    definition: Record<string, AnyMethod>;
    implementation: Record<string, (request: Message, context: CallContext) => Promise<Message>>;
}

/** What the server needs. */
export interface ServiceOptions {
    cloud: Cloud;
    authentication: Authentication;
    requests: RequestLog;
    handlers: Handlers;
    /** Cuts the connection of a call. */
    cut: (peer: string) => void;
}

/** The names of all RPCs. */
export const rpcNames: readonly string[] = Object.values(CloudServiceDefinition.methods).map(({ name }) => name);

/**
 * The service. Every RPC passes the same stages: API key, rate limit, version header, faults before the handler, replay,
 * handler, faults after the handler, log.
 */
export function cloudService(options: ServiceOptions): Service {
    const definition: Service["definition"] = {};
    const implementation: Service["implementation"] = {};
    const limiter = new Limiter(options.cloud.settings);
    // The request as sent on the wire, for the operation that it starts.
    const inputs = new WeakMap<Message, Uint8Array>();
    for (const key of Object.keys(CloudServiceDefinition.methods) as (keyof Methods)[]) {
        const method = CloudServiceDefinition.methods[key];
        const requestType = method.requestType as unknown as MessageType;
        const responseType = method.responseType as unknown as MessageType;
        const encode = (answer: object) => responseType.encode(answer).finish();
        definition[key] = {
            path: `/${CloudServiceDefinition.fullName}/${method.name}`,
            requestStream: false,
            responseStream: false,
            options: {},
            requestSerialize: (request) => requestType.encode(request).finish(),
            requestDeserialize(bytes) {
                const request = requestType.decode(bytes);
                inputs.set(request, bytes);
                return request;
            },
            // Without fromPartial, which nice-grpc would use: that loses unknown fields.
            responseSerialize: (answer) => (answer instanceof RawAnswer ? answer.bytes : encode(answer)),
            responseDeserialize: (bytes) => responseType.decode(bytes),
        };
        const handler = options.handlers[key] as AnyHandler | undefined;
        const rpc = new Rpc(method.name, handler, encode, limiter, options);
        implementation[key] = (request, context) =>
            onTheWay(options.cloud.settings.latencyMs, () =>
                rpc.answer(request, inputs.get(request) ?? new Uint8Array(), context),
            );
    }
    return { definition, implementation };
}

/** Runs `work` with half of the latency before it and half after it. */
async function onTheWay<T>(latencyMs: number, work: () => Promise<T>): Promise<T> {
    if (latencyMs === 0) return work();
    const half = () => delay(latencyMs / 2, undefined, { ref: false });
    await half();
    try {
        return await work();
    } finally {
        await half();
    }
}

/** One RPC. */
class Rpc {
    constructor(
        private readonly method: string,
        private readonly handler: AnyHandler | undefined,
        private readonly encode: (answer: object) => Uint8Array,
        private readonly limiter: Limiter,
        private readonly options: ServiceOptions,
    ) {}

    /** Answers a call and logs it. */
    async answer(request: Message, input: Uint8Array, context: CallContext): Promise<Message> {
        const { cloud, authentication, requests } = this.options;
        const logged: LoggedRequest = { method: this.method, at: cloud.now(), code: Status.OK, principal: "" };
        const apiVersion = authentication.version(context);
        if (apiVersion !== undefined) logged.apiVersion = apiVersion;
        const resourceId = this.idIn(request);
        if (resourceId !== "") logged.resourceId = resourceId;
        const operationId = this.isWrite(request) ? textOf(request, ["asyncOperationId"]) : "";
        if (operationId !== "") logged.operationId = operationId;
        try {
            return await this.process(request, input, context, logged);
        } catch (error) {
            logged.code = error instanceof ServerError ? error.code : Status.UNKNOWN;
            throw error;
        } finally {
            requests.add(logged);
        }
    }

    /** The id of the subject; a create has none yet. */
    private idIn(request: Message): string {
        if (this.method.startsWith("Create")) return "";
        return textOf(request, this.method === "GetAsyncOperation" ? ["asyncOperationId"] : idFields);
    }

    private async process(
        request: Message,
        input: Uint8Array,
        context: CallContext,
        logged: LoggedRequest,
    ): Promise<Message> {
        const { cloud, authentication } = this.options;
        cloud.settle();
        const principal = authentication.principal(context);
        logged.principal = principal.id;
        if (!this.limiter.admit(principal.id, cloud.now())) {
            throw new ServerError(Status.RESOURCE_EXHAUSTED, "rate limit exceeded");
        }
        authentication.checkVersion(context);
        const subject = (logged.resourceId ?? "") || nameIn(request);
        const fault = (kind: FaultKind) => cloud.faults.take(kind, this.method, subject);
        const before = fault("failBefore");
        if (before) throw ordered(before);
        if (fault("hang")) await forever(context.signal);
        const slow = fault("slow");
        if (slow) {
            await delay(slow.durationMs ?? defaultSlowMs, undefined, { ref: false, signal: context.signal });
            cloud.settle();
        }
        fault("run")?.run?.();
        authentication.authorize(principal, this.method);
        const answer = this.handle(request, {
            method: this.method,
            principal,
            subject,
            now: cloud.now(),
            operationId: "",
            input,
            fingerprint: "",
        });
        const created = this.method.startsWith("Create") ? textOf(answer, createdIdFields) : "";
        if (created !== "") logged.resourceId = created;
        const lost = cloud.faults.take("loseAnswer", this.method, subject);
        if (lost) {
            if (lost.cut) this.options.cut(context.peer);
            throw ordered(lost);
        }
        const malformed = fault("malformed");
        return malformed ? (malform(answer, malformed, this.encode) as Message) : answer;
    }

    /** The handler's response, or, for a remembered operation id, its earlier one. */
    private handle(request: Message, call: Call): Message {
        const { cloud } = this.options;
        if (this.handler === undefined) {
            throw new ServerError(Status.UNIMPLEMENTED, `the emulator does not implement ${this.method} yet`);
        }
        if (request.pageToken === endlessPageToken) request.pageToken = "";
        if (!this.isWrite(request)) return this.handler(request, call);
        const id = textOf(request, ["asyncOperationId"]);
        if (id.length > maxOperationIdLength)
            throw invalid(`async_operation_id must have at most ${maxOperationIdLength} characters`);
        call.fingerprint = createHash("sha256")
            .update(`${this.method} ${canonical(request)}`)
            .digest("base64");
        call.operationId = id || randomUUID();
        const remembered = id === "" ? undefined : cloud.operations.get(id);
        if (remembered) {
            const isSame = remembered.fingerprint === call.fingerprint && remembered.method === this.method;
            if (!isSame && (cloud.settings.reusedOperationId === "refuse" || remembered.method !== this.method)) {
                throw invalid(`async_operation_id ${id} was used for another request`);
            }
            const answer: Message = { ...remembered.answer, asyncOperation: cloud.operations.message(remembered) };
            if ("token" in answer && !cloud.settings.replayedCreateReturnsToken) answer.token = "";
            return answer;
        }
        const answer = this.handler(request, call);
        const operation = cloud.operations.get((answer.asyncOperation as AsyncOperation).id);
        const texts = Object.entries(answer).filter((entry): entry is [string, string] => typeof entry[1] === "string");
        if (operation) operation.answer = Object.fromEntries(texts);
        return answer;
    }

    private isWrite(request: Message): boolean {
        return "asyncOperationId" in request && this.method !== "GetAsyncOperation";
    }
}

function ordered(fault: Fault): ServerError {
    return new ServerError(fault.code ?? Status.UNAVAILABLE, fault.details ?? `injected fault (${fault.kind})`);
}

function textOf(message: Message, fields: string[]): string {
    for (const field of fields) {
        const value = message[field];
        if (typeof value === "string" && value !== "") return value;
    }
    return "";
}

/** The name of the resource that a request creates. */
function nameIn(request: Message): string {
    const spec = request.spec;
    return spec ? textOf(spec as Message, ["name", "email", "displayName"]) : "";
}

/** Waits until the caller cancels. */
async function forever(signal: AbortSignal): Promise<never> {
    await new Promise((_, reject) => {
        const giveUp = () => reject(new ServerError(Status.CANCELLED, "the caller cancelled"));
        if (signal.aborted) giveUp();
        else signal.addEventListener("abort", giveUp, { once: true });
    });
    throw new ServerError(Status.CANCELLED, "the caller cancelled");
}
