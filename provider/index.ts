export type { AccessArgs } from "./access";
export {
    AccountRole,
    CapacityMode,
    EncryptionValidationMode,
    NamespacePermission,
    OwnerType,
    ProjectRole,
    SearchAttributeType,
} from "./enums";
export type { GetAccountResult } from "./functions/account";
export {
    getAccount,
    getAccountOutput,
} from "./functions/account";
export type {
    GetApiKeyArgs,
    GetApiKeyOutputArgs,
    GetApiKeyResult,
    GetApiKeysArgs,
    GetApiKeysOutputArgs,
    GetApiKeysResult,
} from "./functions/api-keys";
export {
    getApiKey,
    getApiKeyOutput,
    getApiKeys,
    getApiKeysOutput,
} from "./functions/api-keys";
export type {
    CurrentApiKey,
    GetCurrentIdentityResult,
} from "./functions/current-identity";
export {
    getCurrentIdentity,
    getCurrentIdentityOutput,
} from "./functions/current-identity";
export { LookupError } from "./functions/invoke";
export type {
    GetNamespaceArgs,
    GetNamespaceOutputArgs,
    GetNamespaceResult,
    GetNamespacesArgs,
    GetNamespacesOutputArgs,
    GetNamespacesResult,
} from "./functions/namespaces";
export {
    getNamespace,
    getNamespaceOutput,
    getNamespaces,
    getNamespacesOutput,
} from "./functions/namespaces";
export type {
    GetRegionArgs,
    GetRegionOutputArgs,
    GetRegionResult,
    GetRegionsResult,
} from "./functions/regions";
export {
    CloudProvider,
    getRegion,
    getRegionOutput,
    getRegions,
    getRegionsOutput,
} from "./functions/regions";
export type {
    GetServiceAccountArgs,
    GetServiceAccountOutputArgs,
    GetServiceAccountResult,
    GetServiceAccountsResult,
} from "./functions/service-accounts";
export {
    getServiceAccount,
    getServiceAccountOutput,
    getServiceAccounts,
    getServiceAccountsOutput,
} from "./functions/service-accounts";
export type {
    GetUserArgs,
    GetUserOutputArgs,
    GetUserResult,
    GetUsersArgs,
    GetUsersOutputArgs,
    GetUsersResult,
} from "./functions/users";
export {
    getUser,
    getUserOutput,
    getUsers,
    getUsersOutput,
} from "./functions/users";
export * from "./provider";
export type { AdoptArgs } from "./resource";
export type { ApiKeyArgs } from "./resources/api-key";
export { ApiKey } from "./resources/api-key";
export type {
    CapacityArgs,
    CertificateFilterArgs,
    CodecServerArgs,
    CustomErrorMessageArgs,
    EncryptionValidationArgs,
    HighAvailabilityArgs,
    MtlsAuthArgs,
    NamespaceArgs,
    NamespaceCapacityStatus,
    NamespaceEndpoints,
    NamespaceReplica,
} from "./resources/namespace";
export { Namespace } from "./resources/namespace";
export type {
    NamespaceScopedAccessArgs,
    ProjectScopedAccessArgs,
    ServiceAccountArgs,
} from "./resources/service-account";
export { ServiceAccount } from "./resources/service-account";
export type { UserArgs, UserInvitation } from "./resources/user";
export { User } from "./resources/user";
