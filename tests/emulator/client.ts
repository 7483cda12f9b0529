import { createChannel, createClient, type Metadata as MetadataType } from "nice-grpc";
import { type ClientError, Metadata, Status } from "nice-grpc-common";
import { Emulator, type EmulatorOptions } from "../../emulator";
import {
    type CloudServiceClient,
    CloudServiceDefinition,
    type DeepPartial,
} from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import type { NamespaceSpec } from "../../proto/generated/temporal/api/cloud/namespace/v1/message";
import { API_VERSION } from "../../proto/generated/version";

/** A client of an emulator, and how to close it. */
export interface Connected {
    api: CloudServiceClient;
    close(): void;
}

/** The headers of every request; `undefined` leaves one out. */
export function headers(key: string | undefined, version: string | undefined): MetadataType {
    const metadata = Metadata();
    if (key !== undefined) metadata.set("authorization", `Bearer ${key}`);
    if (version !== undefined) metadata.set("temporal-cloud-api-version", version);
    return metadata;
}

/** Connects to an emulator with a key, by default its root key. */
export function connect(emulator: Emulator, key: string | undefined = emulator.rootKey): Connected {
    const options = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };
    const channel = createChannel(emulator.address, undefined, options);
    const api = createClient(CloudServiceDefinition, channel, { "*": { metadata: headers(key, API_VERSION) } });
    return { api, close: () => channel.close() };
}

/** An emulator and a client of it, for the tests of one file: `use()` in its body starts a fresh pair for every test. */
export function use(options: EmulatorOptions = {}): { emulator: Emulator; api: CloudServiceClient } {
    let emulator: Emulator | undefined;
    let connected: Connected | undefined;
    beforeEach(async () => {
        emulator = await Emulator.start(options);
        connected = connect(emulator);
    });
    afterEach(async () => {
        connected?.close();
        await emulator?.stop();
    });
    return {
        get emulator() {
            if (emulator === undefined) throw new Error("only within a test");
            return emulator;
        },
        get api() {
            if (connected === undefined) throw new Error("only within a test");
            return connected.api;
        },
    };
}

/** The code and text of the error that a call ends with: `INVALID_ARGUMENT: retention_days ...`. */
export async function errorOf(call: Promise<unknown>): Promise<string> {
    try {
        await call;
    } catch (error) {
        const { code, details } = error as ClientError;
        return `${Status[code]}: ${details}`;
    }
    return "OK";
}

/** A spec that every rule allows. */
export function namespaceSpec(overrides: DeepPartial<NamespaceSpec> = {}): DeepPartial<NamespaceSpec> {
    const replicas = [{ region: "aws-us-east-1" }];
    return { name: "orders", retentionDays: 30, replicas, apiKeyAuth: { enabled: true }, ...overrides };
}
