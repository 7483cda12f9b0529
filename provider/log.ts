import type * as grpc from "@grpc/grpc-js";
import type { Log } from "./run";

interface EngineClient {
    log(request: unknown, callback: (error: Error | null) => void): void;
}

/**
 * A log that shows in the engine's display, on the row of the resource that it concerns. The engine's address is the
 * plugin's first argument. Nothing depends on a line being shown, so a failure to show one is no failure.
 */
export function engineLog(address: string | undefined): Log {
    if (address === undefined || !/^[\w.[\]:-]+:\d+$/.test(address)) {
        return { status: () => {}, warn: (_, text) => console.warn(text) };
    }
    // Not needed by a process that logs nothing, nor by the tests of what is above.
    const engineProto = require("@pulumi/pulumi/proto/engine_pb") as typeof import("@pulumi/pulumi/proto/engine_pb");
    const { EngineClient } = require("@pulumi/pulumi/proto/engine_grpc_pb") as {
        EngineClient: new (
            address: string,
            credentials: grpc.ChannelCredentials,
            options: grpc.ChannelOptions,
        ) => EngineClient;
    };
    const { credentials } = require("@grpc/grpc-js") as typeof grpc;
    // The engine is on this machine, where a proxy could not reach it.
    const engine = new EngineClient(address, credentials.createInsecure(), { "grpc.enable_http_proxy": 0 });
    const log = (severity: 0 | 1 | 2 | 3, urn: string, message: string, ephemeral: boolean) => {
        const request = new engineProto.LogRequest();
        request.setSeverity(severity);
        request.setUrn(urn);
        request.setMessage(message);
        request.setEphemeral(ephemeral);
        engine.log(request, () => {});
    };
    return {
        status: (urn, text) => log(engineProto.LogSeverity.INFO, urn, text, true),
        warn: (urn, text) => log(engineProto.LogSeverity.WARNING, urn, text, false),
    };
}
