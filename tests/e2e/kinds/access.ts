// The fields of access to an account, which users and service accounts have in common.

import type { AccessArgs, AccountRole } from "pulumi-temporal-cloud";
import type { Emulator } from "../../../emulator";
import {
    type Access,
    NamespaceAccess,
    NamespaceAccess_Permission as Permission,
    ProjectAccess,
    ProjectAccess_ProjectRole as ProjectRole,
    AccountAccess_Role as Role,
} from "../../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { FieldCase } from "./kind";

type Args = AccessArgs & { accountRole?: AccountRole | undefined };

/** What access can be given to: ids. */
export interface Grantable {
    readonly namespaces: readonly [string, string];
    readonly projects: readonly [string, string];
}

export function grantable(emulator: Emulator): Grantable {
    const namespace = (name: string) =>
        emulator.namespaces.add({
            spec: { name, replicas: [{ region: "aws-us-east-1" }], retentionDays: 30, apiKeyAuth: { enabled: true } },
        }).namespace;
    const project = (displayName: string) => emulator.projects.add({ spec: { displayName } }).id;
    return { namespaces: [namespace("one"), namespace("two")], projects: [project("one"), project("two")] };
}

export function accessFields<Live>(
    accessOf: (live: Live) => Access,
    { namespaces: [namespace, otherNamespace], projects: [project, otherProject] }: Grantable,
): FieldCase<Args, Live>[] {
    return [
        {
            property: "accountRole",
            from: "read",
            to: "developer",
            // Somebody without any role is not let in.
            beside: { customRoles: ["role-1"] },
            see: (live) => roles[accessOf(live).accountAccess?.role ?? 0],
            afterwards: { value: undefined },
            drift: {
                change: (live) => {
                    accountOf(accessOf(live)).role = Role.ROLE_FINANCE_ADMIN;
                },
                value: "financeadmin",
            },
        },
        {
            property: "customRoles",
            from: ["role-1"],
            to: ["role-1", "role-2"],
            see: (live) => accountOf(accessOf(live)).customRoles,
            afterwards: { value: [] },
            drift: {
                change: (live) => {
                    accountOf(accessOf(live)).customRoles = ["role-3"];
                },
                value: ["role-3"],
            },
        },
        {
            property: "namespaceAccesses",
            from: { [namespace]: "read" },
            to: { [namespace]: "write", [otherNamespace]: "admin" },
            see: (live) => permissionsOf(accessOf(live).namespaceAccesses),
            afterwards: { value: {} },
            drift: {
                change: (live) => {
                    accessOf(live).namespaceAccesses = { [otherNamespace]: permission(Permission.PERMISSION_READ) };
                },
                value: { [otherNamespace]: "read" },
            },
        },
        {
            property: "projectAccesses",
            from: { [project]: "read" },
            to: { [project]: "admin", [otherProject]: "contribute" },
            see: (live) =>
                Object.fromEntries(
                    Object.entries(accessOf(live).projectAccesses).map(([id, { role }]) => [
                        id,
                        word(ProjectRole[role], "PROJECT_ROLE_"),
                    ]),
                ),
            afterwards: { value: {} },
            drift: {
                change: (live) => {
                    const access = ProjectAccess.fromPartial({ role: ProjectRole.PROJECT_ROLE_LIST });
                    accessOf(live).projectAccesses = { [project]: access };
                },
                value: { [project]: "list" },
            },
        },
    ];
}

const roles: Partial<Record<Role, AccountRole>> = {
    [Role.ROLE_READ]: "read",
    [Role.ROLE_DEVELOPER]: "developer",
    [Role.ROLE_FINANCE_ADMIN]: "financeadmin",
};

export function permission(of: Permission): NamespaceAccess {
    return NamespaceAccess.fromPartial({ permission: of });
}

export function permissionsOf(accesses: { [id: string]: NamespaceAccess }): Record<string, string> {
    return Object.fromEntries(
        Object.entries(accesses).map(([id, access]) => [id, word(Permission[access.permission], "PERMISSION_")]),
    );
}

/** The name of an enum's value as programs write it. */
export function word(name: string | undefined, prefix: string): string {
    return (name ?? "unknown").replace(prefix, "").toLowerCase();
}

function accountOf({ accountAccess }: Access) {
    if (accountAccess === undefined) {
        throw new Error("the emulator fills in what is not set");
    }
    return accountAccess;
}
