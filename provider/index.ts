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
export { type GetAccountResult, getAccount, getAccountOutput } from "./functions/account";
export {
    type GetApiKeyArgs,
    type GetApiKeyOutputArgs,
    type GetApiKeyResult,
    type GetApiKeysArgs,
    type GetApiKeysOutputArgs,
    type GetApiKeysResult,
    getApiKey,
    getApiKeyOutput,
    getApiKeys,
    getApiKeysOutput,
} from "./functions/api-keys";
export {
    type CurrentApiKey,
    type GetCurrentIdentityResult,
    getCurrentIdentity,
    getCurrentIdentityOutput,
} from "./functions/current-identity";
export { LookupError } from "./functions/invoke";
export {
    type GetNamespaceArgs,
    type GetNamespaceOutputArgs,
    type GetNamespaceResult,
    type GetNamespacesArgs,
    type GetNamespacesOutputArgs,
    type GetNamespacesResult,
    getNamespace,
    getNamespaceOutput,
    getNamespaces,
    getNamespacesOutput,
} from "./functions/namespaces";
export {
    CloudProvider,
    type GetRegionArgs,
    type GetRegionOutputArgs,
    type GetRegionResult,
    type GetRegionsResult,
    getRegion,
    getRegionOutput,
    getRegions,
    getRegionsOutput,
} from "./functions/regions";
export {
    type GetServiceAccountArgs,
    type GetServiceAccountOutputArgs,
    type GetServiceAccountResult,
    type GetServiceAccountsResult,
    getServiceAccount,
    getServiceAccountOutput,
    getServiceAccounts,
    getServiceAccountsOutput,
} from "./functions/service-accounts";
export {
    type GetUserArgs,
    type GetUserOutputArgs,
    type GetUserResult,
    type GetUsersArgs,
    type GetUsersOutputArgs,
    type GetUsersResult,
    getUser,
    getUserOutput,
    getUsers,
    getUsersOutput,
} from "./functions/users";
export { Provider, type ProviderArgs, type ProviderOptions } from "./provider";
export type { AdoptArgs } from "./resource";
export { ApiKey, type ApiKeyArgs } from "./resources/api-key";
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
export {
    type NamespaceScopedAccessArgs,
    type ProjectScopedAccessArgs,
    ServiceAccount,
    type ServiceAccountArgs,
} from "./resources/service-account";
export { User, type UserArgs, type UserInvitation } from "./resources/user";
