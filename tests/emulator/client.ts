import { createChannel, createClient, type Metadata as MetadataType } from "nice-grpc";
import { Metadata } from "nice-grpc-common";
import type { Emulator } from "../../emulator";
import {
    type CloudServiceClient,
    CloudServiceDefinition,
} from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import { API_VERSION } from "../../proto/generated/version";

/** A client of an emulator, and how to close it. */
export interface Connected {
    api: CloudServiceClient;
    close(): void;
}

/** The headers of every request. */
export function headers(key: string, version: string | undefined = API_VERSION): MetadataType {
    const metadata = Metadata({ authorization: `Bearer ${key}` });
    if (version !== undefined) metadata.set("temporal-cloud-api-version", version);
    return metadata;
}

/** Connects to an emulator with a key, by default its root key. */
export function connect(emulator: Emulator, key = emulator.rootKey): Connected {
    const options = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };
    const channel = createChannel(emulator.address, undefined, options);
    const api = createClient(CloudServiceDefinition, channel, { "*": { metadata: headers(key) } });
    return { api, close: () => channel.close() };
}
