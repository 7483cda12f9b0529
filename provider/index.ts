export {
    AccountRole,
    CapacityMode,
    EncryptionValidationMode,
    NamespacePermission,
    OwnerType,
    ProjectRole,
    SearchAttributeType,
} from "./enums";
export * from "./provider";
export type { AdoptArgs } from "./resource";
export {
    type CapacityArgs,
    type CertificateFilterArgs,
    type CodecServerArgs,
    type CustomErrorMessageArgs,
    type EncryptionValidationArgs,
    type HighAvailabilityArgs,
    type MtlsAuthArgs,
    Namespace,
    type NamespaceArgs,
    type NamespaceCapacityStatus,
    type NamespaceEndpoints,
    type NamespaceReplica,
} from "./resources/namespace";
