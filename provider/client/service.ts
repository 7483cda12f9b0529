import { CloudServiceDefinition } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";

interface MessageType {
    fromPartial(partial: object): object;
    encode(message: object): { finish(): Uint8Array };
    decode(bytes: Uint8Array): object;
}

/** An RPC of the Cloud Ops API, with the encoding of its messages. */
export interface Method {
    /** The RPC's name, for example `CreateNamespace`. */
    readonly rpc: string;
    readonly path: string;
    requestSerialize(request: object): Buffer;
    responseDeserialize(bytes: Uint8Array): object;
}

/**
 * The RPCs, by the names of the generated client. `fromPartial` completes partial requests, but drops the fields that
 * these messages do not know. An update would then clear those fields, so they are restored.
 */
export const cloudService: Readonly<Record<string, Method>> = Object.fromEntries(
    Object.entries(CloudServiceDefinition.methods).map(([key, method]) => {
        const request = method.requestType as unknown as MessageType;
        const response = method.responseType as unknown as MessageType;
        return [
            key,
            {
                rpc: method.name,
                path: `/${CloudServiceDefinition.fullName}/${method.name}`,
                requestSerialize: (partial: object) =>
                    Buffer.from(request.encode(withUnknownFields(request.fromPartial(partial), partial)).finish()),
                responseDeserialize: (bytes: Uint8Array) => response.decode(bytes),
            },
        ];
    }),
);

/** Copies the unknown fields, at every depth, from the source of a message. */
function withUnknownFields<T extends object>(message: T, source: object): T {
    const target = message as Record<string, unknown>;
    for (const [key, value] of Object.entries(source)) {
        const part = target[key];
        if (key === "_unknownFields") {
            target[key] = value;
        } else if (isPart(value) && isPart(part)) {
            withUnknownFields(part, value);
        }
    }
    return message;
}

function isPart(value: unknown): value is object {
    return typeof value === "object" && value !== null && !(value instanceof Uint8Array);
}
