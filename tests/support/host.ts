// The real plugin process (`@pulumi/pulumi/cmd/dynamic-provider`), spoken to as the engine does, over gRPC, but without
// an engine: for what the engine hides or retries, and where starting it would only cost time.

import { spawn } from "node:child_process";
import path from "node:path";
import {
    credentials,
    type Metadata,
    Server,
    ServerCredentials,
    type ServerUnaryCall,
    type ServiceError,
    type sendUnaryData,
} from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { type LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { unwrapRpcSecret } from "@pulumi/pulumi/runtime/rpc";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { makeWorkDir, type Packages, removeWorkDir, repositoryRoot } from "./workdir";

export type Properties = { [key: string]: JavaScriptValue };

/** What stands for an unknown value on the wire at preview. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export interface HostOptions {
    /** Links in node_modules beside, or in place of, `@pulumi/pulumi` and this package. */
    packages?: Packages;
    /** Environment variables of the plugin process; `undefined` takes one away. */
    env?: Readonly<Record<string, string | undefined>>;
}

export interface LogMessage {
    severity: "debug" | "info" | "warning" | "error";
    message: string;
    urn: string;
    ephemeral: boolean;
}

export interface CheckResult {
    inputs: Properties;
    failures: { property: string; reason: string }[];
}

export interface DiffResult {
    changes: "unknown" | "none" | "some";
    replaces: string[];
    deleteBeforeReplace: boolean;
}

export interface ReadResult {
    /** Empty: the resource is gone. */
    id: string;
    properties: Properties;
    /** Absent when the provider's read gave none. */
    inputs?: Properties;
}

export interface Exit {
    code: number | null;
    signal: NodeJS.Signals | null;
}

export interface Host {
    /** Messages that the plugin sent to the engine. */
    readonly logs: readonly LogMessage[];
    /** What has arrived so far; complete once the process has ended. */
    stdout(): string;
    stderr(): string;
    /** The folder in which the plugin runs. */
    readonly workDir: string;
    readonly pid: number;
    /** Resolves when the process has ended, by whatever cause. */
    readonly exited: Promise<Exit>;

    /** Keys as the engine sends them, e.g. `temporalcloud:apiKey`. */
    configure(config: Readonly<Record<string, string>>): Promise<void>;
    check(request: { urn: string; olds?: Properties; news: Properties }): Promise<CheckResult>;
    diff(request: { id: string; urn: string; olds: Properties; news: Properties }): Promise<DiffResult>;
    create(request: { urn: string; properties: Properties }): Promise<{ id: string; properties: Properties }>;
    read(request: { id: string; urn: string; properties: Properties; inputs?: Properties }): Promise<ReadResult>;
    update(request: { id: string; urn: string; olds: Properties; news: Properties }): Promise<Properties>;
    delete(request: { id: string; urn: string; properties: Properties }): Promise<void>;

    /** Ends the process as the engine does: SIGINT, then SIGKILL after 5 s. */
    close(): Promise<Exit>;
    /** Ends the process as a crash does. */
    kill(): Promise<Exit>;
}

/** An RPC that the plugin answered with an error. */
export class HostError extends Error {
    override readonly name = "HostError";

    constructor(
        readonly method: string,
        readonly code: number,
        message: string,
        /** Set when the resource exists but is not ready: the engine keeps it in state with these properties. */
        readonly initFailed?: { id: string; properties: Properties; reasons: string[] },
    ) {
        super(message);
    }
}

/** A host that is closed when `body` is done. */
export async function withHost<T>(options: HostOptions, body: (host: Host) => Promise<T>): Promise<T> {
    const host = await startHost(options);
    try {
        return await body(host);
    } finally {
        await host.close();
    }
}

export async function startHost(options: HostOptions = {}): Promise<Host> {
    const workDir = makeWorkDir(options.packages);
    const logs: LogMessage[] = [];
    const engine = new Server();
    const enginePort = await serveEngine(engine, (message) => logs.push(message));

    const script = path.join(repositoryRoot, "node_modules", "@pulumi", "pulumi", "cmd", "dynamic-provider");
    const child = spawn(process.execPath, [script, `127.0.0.1:${enginePort}`], {
        cwd: workDir,
        env: { ...process.env, ...options.env },
        stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
    });
    const exited = new Promise<Exit>((resolve) => {
        // Not "exit": what it wrote last may still be on its way then.
        child.once("close", (code, signal) => resolve({ code, signal }));
        child.once("error", () => resolve({ code: null, signal: null }));
    });

    // The first line is the port; what follows belongs to the provider.
    const port = await new Promise<string>((resolve, reject) => {
        let first = true;
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
            stdout += text;
            const end = stdout.indexOf("\n");
            if (first && end >= 0) {
                first = false;
                const line = stdout.slice(0, end);
                stdout = stdout.slice(end + 1);
                resolve(line.trim());
            }
        });
        void exited.then((exit) => reject(new Error(`the plugin ended before it listened (${exit.code}): ${stderr}`)));
    });
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
        "grpc.max_receive_message_length": -1,
    });

    let closed: Promise<Exit> | undefined;
    const end = async (signal: NodeJS.Signals): Promise<Exit> => {
        child.kill(signal);
        const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
        const exit = await exited;
        clearTimeout(timer);
        client.close();
        engine.forceShutdown();
        removeWorkDir(workDir);
        return exit;
    };
    const close = (signal: NodeJS.Signals): Promise<Exit> => {
        closed ??= end(signal);
        return closed;
    };

    return {
        logs,
        stdout: () => stdout,
        stderr: () => stderr,
        workDir,
        pid: child.pid ?? -1,
        exited,

        async configure(config) {
            const request = new rpc.ConfigureRequest()
                .setArgs(Struct.fromJavaScript({ ...config }))
                .setAcceptsecrets(true)
                .setAcceptresources(true)
                .setSendsOldInputs(true)
                .setSendsOldInputsToDelete(true);
            await unary<rpc.ConfigureResponse>("configure", (done) => client.configure(request, done));
        },
        async check({ urn, olds = {}, news }) {
            const request = new rpc.CheckRequest()
                .setUrn(urn)
                .setOlds(Struct.fromJavaScript(olds))
                .setNews(Struct.fromJavaScript(news));
            const response = await unary<rpc.CheckResponse>("check", (done) => client.check(request, done));
            return { inputs: properties(response.getInputs()), failures: response.toObject().failuresList };
        },
        async diff({ id, urn, olds, news }) {
            const request = new rpc.DiffRequest()
                .setId(id)
                .setUrn(urn)
                .setOlds(Struct.fromJavaScript(olds))
                .setNews(Struct.fromJavaScript(news));
            const response = await unary<rpc.DiffResponse>("diff", (done) => client.diff(request, done));
            const { DIFF_NONE, DIFF_SOME } = rpc.DiffResponse.DiffChanges;
            const changes = response.getChanges();
            return {
                changes: changes === DIFF_NONE ? "none" : changes === DIFF_SOME ? "some" : "unknown",
                replaces: response.getReplacesList(),
                deleteBeforeReplace: response.getDeletebeforereplace(),
            };
        },
        async create({ urn, properties: inputs }) {
            const request = new rpc.CreateRequest().setUrn(urn).setProperties(Struct.fromJavaScript(inputs));
            const response = await unary<rpc.CreateResponse>("create", (done) => client.create(request, done));
            return { id: response.getId(), properties: properties(response.getProperties()) };
        },
        async read({ id, urn, properties: state, inputs }) {
            const request = new rpc.ReadRequest().setId(id).setUrn(urn).setProperties(Struct.fromJavaScript(state));
            if (inputs !== undefined) {
                request.setInputs(Struct.fromJavaScript(inputs));
            }
            const response = await unary<rpc.ReadResponse>("read", (done) => client.read(request, done));
            return {
                id: response.getId(),
                properties: properties(response.getProperties()),
                ...(response.hasInputs() ? { inputs: properties(response.getInputs()) } : {}),
            };
        },
        async update({ id, urn, olds, news }) {
            const request = new rpc.UpdateRequest()
                .setId(id)
                .setUrn(urn)
                .setOlds(Struct.fromJavaScript(olds))
                .setNews(Struct.fromJavaScript(news));
            const response = await unary<rpc.UpdateResponse>("update", (done) => client.update(request, done));
            return properties(response.getProperties());
        },
        async delete({ id, urn, properties: state }) {
            const request = new rpc.DeleteRequest().setId(id).setUrn(urn).setProperties(Struct.fromJavaScript(state));
            await unary<Empty>("delete", (done) => client.delete(request, done));
        },

        close: () => close("SIGINT"),
        kill: () => close("SIGKILL"),
    };
}

function serveEngine(engine: Server, onLog: (message: LogMessage) => void): Promise<number> {
    engine.addService(EngineService, {
        log: (call: ServerUnaryCall<LogRequest, Empty>, done: sendUnaryData<Empty>) => {
            const { severity, message, urn, ephemeral } = call.request.toObject();
            onLog({ severity: severities[severity], message, urn, ephemeral });
            done(null, new Empty());
        },
    });
    return new Promise((resolve, reject) =>
        engine.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
            error ? reject(error) : resolve(port),
        ),
    );
}

const severities: Record<LogSeverity, LogMessage["severity"]> = {
    [LogSeverity.DEBUG]: "debug",
    [LogSeverity.INFO]: "info",
    [LogSeverity.WARNING]: "warning",
    [LogSeverity.ERROR]: "error",
};

function unary<Response>(
    method: string,
    start: (done: (error: ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
    return new Promise((resolve, reject) => {
        start((error, response) => (error ? reject(toHostError(method, error)) : resolve(response)));
    });
}

function toHostError(method: string, error: ServiceError): HostError {
    return new HostError(method, error.code, error.details, initFailed(error.metadata));
}

// The plugin packs what it knows of a half-made resource into a trailer that is a google.rpc.Status, as gRPC for Go does.
function initFailed(metadata: Metadata | undefined): HostError["initFailed"] {
    for (const trailer of metadata?.get("grpc-status-details-bin") ?? []) {
        for (const detail of Status.deserializeBinary(Buffer.from(trailer)).getDetailsList()) {
            if (detail.getTypeName() === "pulumirpc.ErrorResourceInitFailed") {
                const failed = rpc.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
                return {
                    id: failed.getId(),
                    properties: properties(failed.getProperties()),
                    reasons: failed.getReasonsList(),
                };
            }
        }
    }
    return undefined;
}

/** What the engine makes of it: it remembers which are secrets, and hands the plugin their values. */
function properties(struct: Struct | undefined): Properties {
    const values: Properties = struct === undefined ? {} : struct.toJavaScript();
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, unwrapRpcSecret(value)]));
}
