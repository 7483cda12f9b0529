import * as grpc from "@grpc/grpc-js";

const secrets = new Set<string>();
let installed = false;

/**
 * Redacts this text from gRPC's log. GRPC_TRACE prints the headers of every request, including the key; grpc-js has no
 * option against that, but accepts a logger.
 */
export function redact(secret: string): void {
    secrets.add(secret);
    if (!installed) {
        installed = true;
        const write = (...values: unknown[]) => console.error(...values.map(withoutSecrets));
        grpc.setLogger({ error: write, info: write, debug: write });
    }
}

/** The value with every secret in it replaced. */
export function withoutSecrets<Value>(value: Value): Value {
    if (typeof value !== "string") {
        return value;
    }
    let text: string = value;
    for (const secret of secrets) {
        text = text.replaceAll(secret, "[secret]");
    }
    return text as Value & string;
}
