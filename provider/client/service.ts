import { CloudServiceDefinition } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";

interface MessageType {
    fromPartial(partial: object): object;
    encode(message: object): { finish(): Uint8Array };
    decode(bytes: Uint8Array): object;
}

/**
 * The service as nice-grpc takes it, with our own way to the wire. Out of ts-proto's definition nice-grpc would make one
 * that fills requests up by `fromPartial`, which drops the fields that these messages do not know: an update would then
 * clear them.
 */
export const cloudService = Object.fromEntries(
    Object.entries(CloudServiceDefinition.methods).map(([key, method]) => {
        const request = method.requestType as unknown as MessageType;
        const response = method.responseType as unknown as MessageType;
        return [
            key,
            {
                path: `/${CloudServiceDefinition.fullName}/${method.name}`,
                requestStream: false,
                responseStream: false,
                options: {},
                requestSerialize: (partial: object) =>
                    request.encode(withUnknownFields(request.fromPartial(partial), partial)).finish(),
                requestDeserialize: (bytes: Uint8Array) => request.decode(bytes),
                responseSerialize: (message: object) => response.encode(message).finish(),
                responseDeserialize: (bytes: Uint8Array) => response.decode(bytes),
            },
        ];
    }),
) as unknown as typeof CloudServiceDefinition;

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
