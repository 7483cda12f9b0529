import net from "node:net";
import type * as grpc from "@grpc/grpc-js";
import type { Log } from "./lifecycle/run";

/** Interval of checks whether the engine is alive. */
const LOOK_INTERVAL_MS = 2_000;
/** Timeout of a check, on a machine busy with other work. */
const LOOK_TIMEOUT_MS = 10_000;
/**
 * Refused connections after which the engine is gone: one could be an accident; the engine does not return to the same
 * port.
 */
const REFUSALS = 2;

const ADDRESS = /^([\w.[\]:-]+):(\d+)$/;

/**
 * Exits soon after the engine. An engine that is killed cannot end its plugins, and the host does not notice: the
 * plugin would continue with writes whose results nobody saves, alongside those of the next `up`.
 */
export function endWithEngine(address: string | undefined): void {
    const [, host, port] = ADDRESS.exec(address ?? "") ?? [];
    if (host === undefined || port === undefined) {
        return;
    }
    let refusals = 0;
    const look = () => {
        const socket = net.connect({ host, port: Number(port), timeout: LOOK_TIMEOUT_MS });
        const again = () => {
            socket.destroy();
            setTimeout(look, LOOK_INTERVAL_MS).unref();
        };
        socket.unref();
        socket.once("connect", () => {
            refusals = 0;
            again();
        });
        socket.once("timeout", again);
        socket.once("error", (error: NodeJS.ErrnoException) => {
            refusals += error.code === "ECONNREFUSED" ? 1 : 0;
            if (refusals >= REFUSALS) {
                process.exit(1);
            }
            again();
        });
    };
    setTimeout(look, LOOK_INTERVAL_MS).unref();
}

interface EngineClient {
    log(request: unknown, callback: (error: Error | null) => void): void;
}

/**
 * A log shown in the engine's output, on the row of the resource. The engine's address is the plugin's first argument.
 * Failures to log are ignored: nothing depends on a line being shown.
 */
export function engineLog(address: string | undefined): Log {
    if (address === undefined || !ADDRESS.test(address)) {
        return { status: () => {}, info: (_, text) => console.info(text), warn: (_, text) => console.warn(text) };
    }
    // Loaded here: neither a process that logs nothing nor the tests of `endWithEngine` need it.
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
        info: (urn, text) => log(engineProto.LogSeverity.INFO, urn, text, false),
        warn: (urn, text) => log(engineProto.LogSeverity.WARNING, urn, text, false),
    };
}
