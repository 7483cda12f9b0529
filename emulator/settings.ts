import { Status } from "nice-grpc-common";

/**
 * Behavior of the emulator. Settings may be changed while it runs and take effect with the next request; what earlier
 * requests have written or started stays unchanged.
 *
 * Where Temporal Cloud's behavior is unknown, it is a setting, so that a client can be tested with each alternative.
 */
export interface Settings {
    /** Duration of an operation, in milliseconds. `Infinity`: until `emulator.finishOperations()`. Default 0. */
    operationDurationMs: number;
    /** Whether the response that starts an operation may show it as ended. Default false: the next one at the earliest. */
    completeAtOnce: boolean;
    /** The `check_duration` of operations, in milliseconds; 0 omits it. Default 0. */
    checkDurationMs: number;
    /**
     * Duration of a capacity change after the operation that requested it, in milliseconds. `Infinity`: until
     * `emulator.finishCapacityRequests()`. Default 0.
     */
    capacityDurationMs: number;

    /**
     * Status code for a stale `resource_version`, and for a write while another is in progress. Default
     * FAILED_PRECONDITION.
     */
    staleVersionCode: Status;
    /** Status code for a name or email address that is taken. Default ALREADY_EXISTS. */
    duplicateNameCode: Status;
    /**
     * Where a namespace whose name is taken is refused: by the call, or by the operation, which fails. Default `call`.
     */
    duplicateNameFrom: "call" | "operation";
    /** Whether names of service accounts are unique. Default true. */
    serviceAccountNamesUnique: boolean;
    /** Status code with which the call refuses to delete a protected namespace. Default FAILED_PRECONDITION. */
    protectedDeleteCode: Status;
    /**
     * Where deleting a protected namespace is refused: by the call, or by the operation, which fails. Default `call`.
     */
    protectedDeleteFrom: "call" | "operation";
    /** Whether a CreateApiKey replayed with its operation id returns the token again. Default false. */
    replayedCreateReturnsToken: boolean;
    /** The first state in which an operation has a `started_time`. Default `pending`. */
    startedTimeFrom: "pending" | "in_progress";
    /** Retention of operations and their ids after they end, in milliseconds. Default 24 hours. */
    operationIdRetentionMs: number;
    /**
     * Whether a different request with a known operation id is refused, or answered like the first. Default `refuse`.
     */
    reusedOperationId: "refuse" | "replay";
    /** How long a deleted resource can be read in state DELETED, in milliseconds; 0: gone at once. Default 0. */
    deletedReadableMs: number;
    /** How long lists lag behind writes, in milliseconds. Default 0. */
    listLagMs: number;
    /** How long single reads lag behind updates, in milliseconds. Default 0. */
    readLagMs: number;
    /** Whether an update that omits fields newer than the emulator's API version clears them. Default true. */
    newerFieldsCleared: boolean;
    /** Whether a failed create leaves a resource in state ACTIVATION_FAILED (otherwise nothing). Default true. */
    failedCreateLeavesResource: boolean;
    /** Whether a write fills unset messages (codec server, ...) with empty ones. Default true. */
    unsetPartsAreEmptyMessages: boolean;
    /** Whether the expiry of an API key is immutable after creation. Default false. */
    apiKeyExpiryImmutable: boolean;

    /** Round-trip latency, in milliseconds. Default 0. */
    latencyMs: number;
    /** Requests per second per principal, with a burst of one second's worth; 0: no limit. Default 0. */
    requestsPerSecond: number;
    /** Requests per second for the account, with a burst of one second's worth; 0: no limit. Default 0. */
    accountRequestsPerSecond: number;

    /** Owner type of the root key. Default `service-account`. */
    rootPrincipal: "service-account" | "user";
    /** Whether the root principal may call list RPCs (otherwise PERMISSION_DENIED). Default true. */
    rootMayList: boolean;
    /** Maximum number of replicas of a namespace, including the primary. Default 2. */
    maxReplicas: number;
    /** The available regions; on the command line, `regions=aws-us-east-1,aws-us-west-2`. */
    regions: string[];
}

/** The default settings. */
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
    readLagMs: 0,
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

/** The allowed values of settings that are words. */
export const settingChoices: { readonly [Name in ChoiceName]: readonly Settings[Name][] } = {
    duplicateNameFrom: ["call", "operation"],
    protectedDeleteFrom: ["call", "operation"],
    reusedOperationId: ["refuse", "replay"],
    startedTimeFrom: ["pending", "in_progress"],
    rootPrincipal: ["service-account", "user"],
};
