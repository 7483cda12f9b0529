import net from "node:net";
import type * as grpc from "@grpc/grpc-js";
import type { Log } from "./lifecycle/run";

/** How often the engine is looked for. */
const LOOK_INTERVAL_MS = 2_000;
/** How long it may take to show itself, on a machine that has other things to do. */
const LOOK_TIMEOUT_MS = 10_000;
/** One refusal could be a slip; the engine does not come back on the same port. */
const REFUSALS = 2;

const ADDRESS = /^([\w.[\]:-]+):(\d+)$/;

/**
 * Ends this process soon after the engine. An engine that is killed cannot end its plugins, and the host does not miss
 * it: a plugin left behind would go on with writes whose results nobody keeps, beside those of the next `up`.
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
 * A log that shows in the engine's display, on the row of the resource that it concerns. The engine's address is the
 * plugin's first argument. Nothing depends on a line being shown, so a failure to show one is no failure.
 */
export function engineLog(address: string | undefined): Log {
    if (address === undefined || !ADDRESS.test(address)) {
        return { status: () => {}, info: (_, text) => console.info(text), warn: (_, text) => console.warn(text) };
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
        info: (urn, text) => log(engineProto.LogSeverity.INFO, urn, text, false),
        warn: (urn, text) => log(engineProto.LogSeverity.WARNING, urn, text, false),
    };
}
