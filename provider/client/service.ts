import { CloudServiceDefinition } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";

interface MessageType {
    fromPartial(partial: object): object;
    encode(message: object): { finish(): Uint8Array };
    decode(bytes: Uint8Array): object;
}

/** An RPC of the Cloud Ops API, on its way to the wire and back. */
export interface Method {
    /** The RPC's name, for example `CreateNamespace`. */
    readonly rpc: string;
    readonly path: string;
    requestSerialize(request: object): Buffer;
    responseDeserialize(bytes: Uint8Array): object;
}

/**
 * The service, by the names of the generated client. Requests that are not whole are filled up by `fromPartial`, which
 * drops the fields that these messages do not know: an update would then clear them, so they are put back.
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

/** Gives a message, at every depth, the unknown fields of what it was made from. */
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
