import * as grpc from "@grpc/grpc-js";

const secrets = new Set<string>();
let installed = false;

/**
 * From now on, this text does not appear in what gRPC logs. GRPC_TRACE prints the headers of every request, the key
 * among them; the library offers no switch for that, but takes a logger.
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
