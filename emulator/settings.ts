import { Status } from "nice-grpc-common";

/**
 * How the emulator behaves. Every value may be changed while it runs, and takes effect with the next request; what
 * earlier ones have written or begun stays as it is.
 *
 * What is not known about Temporal Cloud is a setting here, so that a client can be tested under each answer.
 */
export interface Settings {
    /** How long an operation takes, in milliseconds. `Infinity`: until `emulator.finishOperations()`. Default 0. */
    operationDurationMs: number;
    /** Whether an operation is over in the answer that starts it. Default false: it is at the next request, at the earliest. */
    completeAtOnce: boolean;
    /** The `check_duration` that operations recommend, in milliseconds; 0 leaves it out. Default 0. */
    checkDurationMs: number;
    /**
     * How long a change of capacity takes after the operation that ordered it, in milliseconds. `Infinity`: until
     * `emulator.finishCapacityRequests()`. Default 0.
     */
    capacityDurationMs: number;

    /** The code for a stale `resource_version`, and for a write while another is in flight. Default FAILED_PRECONDITION. */
    staleVersionCode: Status;
    /** The code for a name (or e-mail address) that is taken. Default ALREADY_EXISTS. */
    duplicateNameCode: Status;
    /** Who refuses a namespace whose name is taken: the call, or the operation, which then fails. Default `call`. */
    duplicateNameFrom: "call" | "operation";
    /** Whether two service accounts cannot have one name. Default true. */
    serviceAccountNamesUnique: boolean;
    /** The code for the deletion of what is protected, where the call refuses it. Default FAILED_PRECONDITION. */
    protectedDeleteCode: Status;
    /** Who refuses to delete what is protected: the call, or the operation, which then fails. Default `call`. */
    protectedDeleteFrom: "call" | "operation";
    /** Whether CreateApiKey, replayed under its operation id, returns the token again. Default false. */
    replayedCreateReturnsToken: boolean;
    /** From which state on an operation says when it started. Default `pending`. */
    startedTimeFrom: "pending" | "in_progress";
    /** How long operations and their ids are remembered after they ended, in milliseconds. Default 24 hours. */
    operationIdRetentionMs: number;
    /** What happens to another request under a remembered operation id: refused, or answered as the first. Default `refuse`. */
    reusedOperationId: "refuse" | "replay";
    /** How long what was deleted can still be read, in state DELETED, in milliseconds; 0: gone at once. Default 0. */
    deletedReadableMs: number;
    /** How much later than single reads lists show what has changed, in milliseconds. Default 0. */
    listLagMs: number;
    /** Whether an update that leaves out fields newer than this emulator's API version clears them. Default true. */
    newerFieldsCleared: boolean;
    /** Whether a failed create leaves a resource in state ACTIVATION_FAILED (else nothing). Default true. */
    failedCreateLeavesResource: boolean;
    /** Whether a write fills parts that are not set (codec server, ...) with empty messages. Default true. */
    unsetPartsAreEmptyMessages: boolean;
    /** Whether an API key's expiry can no longer be changed once it is made. Default false. */
    apiKeyExpiryImmutable: boolean;

    /** How long a request and its answer are on the way together, in milliseconds. Default 0. */
    latencyMs: number;
    /** Requests per second for one principal, with a burst of one second's worth; 0: no limit. Default 0. */
    requestsPerSecond: number;
    /** Requests per second for the account, with a burst of one second's worth; 0: no limit. Default 0. */
    accountRequestsPerSecond: number;

    /** Whom the root key belongs to. Default `service-account`. */
    rootPrincipal: "service-account" | "user";
    /** Whether the root principal may list (else PERMISSION_DENIED). Default true. */
    rootMayList: boolean;
    /** The most replicas that a namespace may have, the primary included. Default 2. */
    maxReplicas: number;
    /** The regions there are. */
    regions: string[];
}

/** The settings that an emulator starts with. */
export const defaultSettings: Readonly<Settings> = {
    operationDurationMs: 0,
    completeAtOnce: false,
    checkDurationMs: 0,
    capacityDurationMs: 0,
    staleVersionCode: Status.FAILED_PRECONDITION,
    duplicateNameCode: Status.ALREADY_EXISTS,
    duplicateNameFrom: "call",
    serviceAccountNamesUnique: true,
    protectedDeleteCode: Status.FAILED_PRECONDITION,
    protectedDeleteFrom: "call",
    replayedCreateReturnsToken: false,
    startedTimeFrom: "pending",
    operationIdRetentionMs: 24 * 60 * 60 * 1000,
    reusedOperationId: "refuse",
    deletedReadableMs: 0,
    listLagMs: 0,
    newerFieldsCleared: true,
    failedCreateLeavesResource: true,
    unsetPartsAreEmptyMessages: true,
    apiKeyExpiryImmutable: false,
    latencyMs: 0,
    requestsPerSecond: 0,
    accountRequestsPerSecond: 0,
    rootPrincipal: "service-account",
    rootMayList: true,
    maxReplicas: 2,
    regions: [
        "aws-ap-northeast-1",
        "aws-ap-south-1",
        "aws-ap-southeast-1",
        "aws-ap-southeast-2",
        "aws-ca-central-1",
        "aws-eu-central-1",
        "aws-eu-west-1",
        "aws-eu-west-2",
        "aws-sa-east-1",
        "aws-us-east-1",
        "aws-us-east-2",
        "aws-us-west-2",
        "azure-eastus",
        "gcp-asia-south1",
        "gcp-europe-west3",
        "gcp-us-central1",
        "gcp-us-east4",
        "gcp-us-west1",
    ],
};

type ChoiceName = { [Name in keyof Settings]: Settings[Name] extends string ? Name : never }[keyof Settings];

/** The settings that are one of a few words. */
export const settingChoices: { readonly [Name in ChoiceName]: readonly Settings[Name][] } = {
    duplicateNameFrom: ["call", "operation"],
    protectedDeleteFrom: ["call", "operation"],
    reusedOperationId: ["refuse", "replay"],
    startedTimeFrom: ["pending", "in_progress"],
    rootPrincipal: ["service-account", "user"],
};
