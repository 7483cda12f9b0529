import {
    OwnerType as Owner,
    NamespaceAccess_Permission as Permission,
    ProjectAccess_ProjectRole as ProjectRoleOnWire,
    AccountAccess_Role as Role,
} from "../proto/generated/temporal/api/cloud/identity/v1/message";
import {
    NamespaceSpec_SearchAttributeType as AttributeType,
    EncryptionValidationSpec_EncryptionValidationMode as Mode,
} from "../proto/generated/temporal/api/cloud/namespace/v1/message";
import { words } from "./wire";

/** What an identity may do in the account. https://docs.temporal.io/cloud/users#account-level-roles */
export const AccountRole = {
    /** Everything; cannot be granted through the API. */
    Owner: "owner",
    /** Everything but billing. */
    Admin: "admin",
    /** Creates namespaces. */
    Developer: "developer",
    /** Billing, and what `read` may. */
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
export const accountRoles = words<AccountRole>({
    owner: Role.ROLE_OWNER,
    admin: Role.ROLE_ADMIN,
    developer: Role.ROLE_DEVELOPER,
    financeadmin: Role.ROLE_FINANCE_ADMIN,
    read: Role.ROLE_READ,
    metricsread: Role.ROLE_METRICS_READ,
});

/** @internal */
export const namespacePermissions = words<NamespacePermission>({
    admin: Permission.PERMISSION_ADMIN,
    write: Permission.PERMISSION_WRITE,
    read: Permission.PERMISSION_READ,
});

/** @internal */
export const projectRoles = words<ProjectRole>({
    admin: ProjectRoleOnWire.PROJECT_ROLE_ADMIN,
    write: ProjectRoleOnWire.PROJECT_ROLE_WRITE,
    read: ProjectRoleOnWire.PROJECT_ROLE_READ,
    list: ProjectRoleOnWire.PROJECT_ROLE_LIST,
    contribute: ProjectRoleOnWire.PROJECT_ROLE_CONTRIBUTE,
    member: ProjectRoleOnWire.PROJECT_ROLE_MEMBER,
    developer: ProjectRoleOnWire.PROJECT_ROLE_DEVELOPER,
});

/** @internal */
export const ownerTypes = words<OwnerType>({
    user: Owner.OWNER_TYPE_USER,
    "service-account": Owner.OWNER_TYPE_SERVICE_ACCOUNT,
});

/** @internal */
export const searchAttributeTypes = words<SearchAttributeType>({
    text: AttributeType.SEARCH_ATTRIBUTE_TYPE_TEXT,
    keyword: AttributeType.SEARCH_ATTRIBUTE_TYPE_KEYWORD,
    int: AttributeType.SEARCH_ATTRIBUTE_TYPE_INT,
    double: AttributeType.SEARCH_ATTRIBUTE_TYPE_DOUBLE,
    bool: AttributeType.SEARCH_ATTRIBUTE_TYPE_BOOL,
    datetime: AttributeType.SEARCH_ATTRIBUTE_TYPE_DATETIME,
    keyword_list: AttributeType.SEARCH_ATTRIBUTE_TYPE_KEYWORD_LIST,
});

/** @internal */
export const encryptionValidationModes = words<EncryptionValidationMode>({
    disabled: Mode.ENCRYPTION_VALIDATION_MODE_DISABLED,
    warn: Mode.ENCRYPTION_VALIDATION_MODE_WARN,
    deny: Mode.ENCRYPTION_VALIDATION_MODE_DENY,
});
