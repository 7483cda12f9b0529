import { messages } from "./messages";
import { words } from "./wire";

/** The role of an identity in the account. https://docs.temporal.io/cloud/users#account-level-roles */
export const AccountRole = {
    /** Full access. Cannot be granted through the API. */
    Owner: "owner",
    /** Full access except billing. */
    Admin: "admin",
    /** Can create namespaces. */
    Developer: "developer",
    /** Manages billing, and has the access of `read`. Can only be assigned by an account owner. */
    FinanceAdmin: "financeadmin",
    /** Read access to the account; access to namespaces only as granted. */
    Read: "read",
    /** Read access to metrics only. Not for users and groups. */
    MetricsRead: "metricsread",
} as const;
export type AccountRole = (typeof AccountRole)[keyof typeof AccountRole];

/** The permission of an identity in a namespace. https://docs.temporal.io/cloud/users#namespace-level-permissions */
export const NamespacePermission = {
    /** Can change the namespace's settings, in addition to `write`. */
    Admin: "admin",
    /** Can start and operate workflows and run workers. */
    Write: "write",
    /** Read-only access. */
    Read: "read",
} as const;
export type NamespacePermission = (typeof NamespacePermission)[keyof typeof NamespacePermission];

/** The role of an identity in a project. */
export const ProjectRole = {
    Admin: "admin",
    Write: "write",
    Read: "read",
    List: "list",
    Contribute: "contribute",
    Member: "member",
    /** Comes with the account role `developer` and cannot be granted. */
    Developer: "developer",
} as const;
export type ProjectRole = (typeof ProjectRole)[keyof typeof ProjectRole];

/** The kind of identity that owns an API key. */
export const OwnerType = {
    User: "user",
    ServiceAccount: "service-account",
} as const;
export type OwnerType = (typeof OwnerType)[keyof typeof OwnerType];

/** The type of a search attribute. https://docs.temporal.io/search-attribute#supported-types */
export const SearchAttributeType = {
    Text: "text",
    Keyword: "keyword",
    Int: "int",
    Double: "double",
    Bool: "bool",
    Datetime: "datetime",
    KeywordList: "keyword_list",
} as const;
export type SearchAttributeType = (typeof SearchAttributeType)[keyof typeof SearchAttributeType];

/** How capacity is provided and billed. */
export const CapacityMode = {
    /** Scales with usage. */
    OnDemand: "on_demand",
    /** A fixed number of Temporal Resource Units. */
    Provisioned: "provisioned",
} as const;
export type CapacityMode = (typeof CapacityMode)[keyof typeof CapacityMode];

/** How requests with unencrypted payloads are handled. */
export const EncryptionValidationMode = {
    /** Payloads are not checked. */
    Disabled: "disabled",
    /** The request passes and is counted in a metric. */
    Warn: "warn",
    /** The request is refused. */
    Deny: "deny",
} as const;
export type EncryptionValidationMode = (typeof EncryptionValidationMode)[keyof typeof EncryptionValidationMode];

/** @internal */
export const accountRoles = words(AccountRole, () => {
    const { AccountAccess_Role: numbers } = messages.identity;
    return {
        owner: numbers.ROLE_OWNER,
        admin: numbers.ROLE_ADMIN,
        developer: numbers.ROLE_DEVELOPER,
        financeadmin: numbers.ROLE_FINANCE_ADMIN,
        read: numbers.ROLE_READ,
        metricsread: numbers.ROLE_METRICS_READ,
    };
});

/** @internal */
export const namespacePermissions = words(NamespacePermission, () => {
    const { NamespaceAccess_Permission: numbers } = messages.identity;
    return {
        admin: numbers.PERMISSION_ADMIN,
        write: numbers.PERMISSION_WRITE,
        read: numbers.PERMISSION_READ,
    };
});

/** @internal */
export const projectRoles = words(ProjectRole, () => {
    const { ProjectAccess_ProjectRole: numbers } = messages.identity;
    return {
        admin: numbers.PROJECT_ROLE_ADMIN,
        write: numbers.PROJECT_ROLE_WRITE,
        read: numbers.PROJECT_ROLE_READ,
        list: numbers.PROJECT_ROLE_LIST,
        contribute: numbers.PROJECT_ROLE_CONTRIBUTE,
        member: numbers.PROJECT_ROLE_MEMBER,
        developer: numbers.PROJECT_ROLE_DEVELOPER,
    };
});

/** @internal */
export const ownerTypes = words(OwnerType, () => {
    const { OwnerType: numbers } = messages.identity;
    return {
        user: numbers.OWNER_TYPE_USER,
        "service-account": numbers.OWNER_TYPE_SERVICE_ACCOUNT,
    };
});

/** @internal */
export const searchAttributeTypes = words(SearchAttributeType, () => {
    const { NamespaceSpec_SearchAttributeType: numbers } = messages.namespace;
    return {
        text: numbers.SEARCH_ATTRIBUTE_TYPE_TEXT,
        keyword: numbers.SEARCH_ATTRIBUTE_TYPE_KEYWORD,
        int: numbers.SEARCH_ATTRIBUTE_TYPE_INT,
        double: numbers.SEARCH_ATTRIBUTE_TYPE_DOUBLE,
        bool: numbers.SEARCH_ATTRIBUTE_TYPE_BOOL,
        datetime: numbers.SEARCH_ATTRIBUTE_TYPE_DATETIME,
        keyword_list: numbers.SEARCH_ATTRIBUTE_TYPE_KEYWORD_LIST,
    };
});

/** @internal */
export const encryptionValidationModes = words(EncryptionValidationMode, () => {
    const { EncryptionValidationSpec_EncryptionValidationMode: numbers } = messages.namespace;
    return {
        disabled: numbers.ENCRYPTION_VALIDATION_MODE_DISABLED,
        warn: numbers.ENCRYPTION_VALIDATION_MODE_WARN,
        deny: numbers.ENCRYPTION_VALIDATION_MODE_DENY,
    };
});
