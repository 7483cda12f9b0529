import {
    type Access,
    type AccountAccess,
    AccountAccess_Role as AccountRole,
    type NamespaceAccess,
    NamespaceAccess_Permission as Permission,
    type ProjectAccess,
    ProjectAccess_ProjectRole as ProjectRole,
} from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import { same } from "../core/canonical";
import { invalid, must } from "../core/errors";
import { mirrored } from "./texts";

/** What an access may refer to. */
export interface Known {
    namespace(id: string): boolean;
    project(id: string): boolean;
}

const rolesByName: Record<string, AccountRole> = {
    owner: AccountRole.ROLE_OWNER,
    admin: AccountRole.ROLE_ADMIN,
    developer: AccountRole.ROLE_DEVELOPER,
    financeadmin: AccountRole.ROLE_FINANCE_ADMIN,
    read: AccountRole.ROLE_READ,
    metricsread: AccountRole.ROLE_METRICS_READ,
};
const permissionsByName: Record<string, Permission> = {
    admin: Permission.PERMISSION_ADMIN,
    write: Permission.PERMISSION_WRITE,
    read: Permission.PERMISSION_READ,
};

/** The value of an enum field that a deprecated field repeats by name. */
export function mirroredByName<T extends number>(
    values: Record<string, T>,
    value: T,
    deprecated: string,
    field: string,
): T {
    const named = byName(values, deprecated, field.replace("_", " "));
    return mirrored(value, named, (each) => each !== 0, Object.is, `${field} and ${field}_deprecated`);
}

function byName<T extends number>(values: Record<string, T>, name: string, what: string): T {
    if (name === "") return 0 as T;
    const value = values[name.toLowerCase()];
    if (value === undefined) throw invalid(`${what} ${JSON.stringify(name)} is unknown`);
    return value;
}

/** The string by which a deprecated field names an enum value. */
export function nameOf<T extends number>(values: Record<string, T>, value: T): string {
    return Object.keys(values).find((name) => values[name] === value) ?? "";
}

/** Access with each deprecated field and its successor both filled. */
export function normalizeAccess(access: Access): Access {
    const account: AccountAccess = access.accountAccess ?? { roleDeprecated: "", role: 0, customRoles: [] };
    const role = mirroredByName(rolesByName, account.role, account.roleDeprecated, "role");
    const customRoles = mirrored(
        account.customRoles,
        access.customRolesDeprecated,
        (list) => list.length > 0,
        same,
        "custom_roles and custom_roles_deprecated",
    );
    return {
        ...access,
        accountAccess: { ...account, role, roleDeprecated: nameOf(rolesByName, role), customRoles },
        customRolesDeprecated: customRoles,
        namespaceAccesses: normalizeNamespaceAccesses(access.namespaceAccesses),
    };
}

/** Namespace access with both fields filled. */
export function normalizeNamespaceAccess(access: NamespaceAccess): NamespaceAccess {
    const { permissionDeprecated } = access;
    const permission = mirroredByName(permissionsByName, access.permission, permissionDeprecated, "permission");
    return { ...access, permission, permissionDeprecated: nameOf(permissionsByName, permission) };
}

/** The same for every entry of a map. */
export function normalizeNamespaceAccesses(accesses: Record<string, NamespaceAccess>): Record<string, NamespaceAccess> {
    return Object.fromEntries(Object.entries(accesses).map(([id, access]) => [id, normalizeNamespaceAccess(access)]));
}

/** Rejects access that may not be granted. Existing access may stay, even if it could not be granted again. */
export function checkAccess(access: Access, before: Access | undefined, known: Known, isUser: boolean): void {
    const role = access.accountAccess?.role ?? AccountRole.ROLE_UNSPECIFIED;
    const oldRole = before?.accountAccess?.role;
    must(role in AccountRole && role >= 0, `account role ${role} is unknown`);
    const granted = role === AccountRole.ROLE_OWNER && oldRole !== AccountRole.ROLE_OWNER;
    must(!granted, "the owner role cannot be granted");
    must(!isUser || role !== AccountRole.ROLE_METRICS_READ, "the metricsread role is for service accounts only");
    const seesAll = role === AccountRole.ROLE_OWNER || role === AccountRole.ROLE_ADMIN;
    const listed = Object.keys(access.namespaceAccesses).length > 0;
    must(!seesAll || !listed, "namespace_accesses are not allowed for account role owner or admin");
    must(access.accountAccess?.customRoles.every((id) => id !== "") ?? true, "custom_roles must not contain empty ids");
    checkNamespaceAccesses(access.namespaceAccesses, before?.namespaceAccesses, known);
    for (const [id, projectAccess] of Object.entries(access.projectAccesses)) {
        checkProjectAccess(projectAccess);
        must(
            before?.projectAccesses[id] !== undefined || known.project(id),
            `project ${JSON.stringify(id)} does not exist`,
        );
    }
}

/** Rejects unknown namespaces and permissions. */
export function checkNamespaceAccesses(
    accesses: Record<string, NamespaceAccess>,
    before: Record<string, NamespaceAccess> | undefined,
    known: Known,
): void {
    for (const [id, access] of Object.entries(accesses)) {
        checkNamespaceAccess(access);
        must(before?.[id] !== undefined || known.namespace(id), `namespace ${JSON.stringify(id)} does not exist`);
    }
}

/** Rejects an unknown permission. */
export function checkNamespaceAccess(access: NamespaceAccess | undefined): void {
    const permission = access?.permission ?? 0;
    must(permission in Permission && permission > 0, `namespace permission ${permission} is unknown`);
}

/** Rejects an unknown role. */
export function checkProjectAccess(access: ProjectAccess | undefined): void {
    const role = access?.role ?? 0;
    must(role in ProjectRole && role > 0, `project role ${role} is unknown`);
}
