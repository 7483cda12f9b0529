import { messages } from "./messages";
import { words } from "./wire";

/** What an identity may do in the account. https://docs.temporal.io/cloud/users#account-level-roles */
export const AccountRole = {
    /** Everything; cannot be granted through the API. */
    Owner: "owner",
    /** Everything but billing. */
    Admin: "admin",
    /** Creates namespaces. */
    Developer: "developer",
    /** Billing, and what `read` may; assigned by an owner only. */
    FinanceAdmin: "financeadmin",
    /** Sees what it is granted. */
    Read: "read",
    /** Reads metrics only; not for users and groups. */
    MetricsRead: "metricsread",
} as const;
export type AccountRole = (typeof AccountRole)[keyof typeof AccountRole];

/** What an identity may do in a namespace. https://docs.temporal.io/cloud/users#namespace-level-permissions */
export const NamespacePermission = {
    /** Changes the namespace's settings, and what `write` may. */
    Admin: "admin",
    /** Starts and operates workflows, runs workers. */
    Write: "write",
    /** Looks. */
    Read: "read",
} as const;
export type NamespacePermission = (typeof NamespacePermission)[keyof typeof NamespacePermission];

/** What an identity may do in a project. */
export const ProjectRole = {
    Admin: "admin",
    Write: "write",
    Read: "read",
    List: "list",
    Contribute: "contribute",
    Member: "member",
    /** Comes with the account role `developer`, and cannot be granted. */
    Developer: "developer",
} as const;
export type ProjectRole = (typeof ProjectRole)[keyof typeof ProjectRole];

/** Whom an API key acts for. */
export const OwnerType = {
    User: "user",
    ServiceAccount: "service-account",
} as const;
export type OwnerType = (typeof OwnerType)[keyof typeof OwnerType];

/** The types of a search attribute. https://docs.temporal.io/search-attribute#supported-types */
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
    /** Grows and shrinks with the use. */
    OnDemand: "on_demand",
    /** A fixed number of Temporal Resource Units. */
    Provisioned: "provisioned",
} as const;
export type CapacityMode = (typeof CapacityMode)[keyof typeof CapacityMode];

/** What happens to a payload that is not encrypted. */
export const EncryptionValidationMode = {
    Disabled: "disabled",
    Warn: "warn",
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
