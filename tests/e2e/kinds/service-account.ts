import { ServiceAccount, type ServiceAccountArgs } from "pulumi-temporal-cloud";
import {
    type Access,
    AccountAccess_Role as AccountRole,
    type ServiceAccount as Live,
    NamespaceAccess_Permission as Permission,
    ProjectAccess_ProjectRole as ProjectRole,
    type ServiceAccountSpec,
} from "../../../proto/generated/temporal/api/cloud/identity/v1/message";
import { accessFields, grantable, permission, permissionsOf, word } from "./access";
import { defineKind } from "./kind";

export const serviceAccount = defineKind<ServiceAccountArgs, Live>({
    kind: "ServiceAccount",
    hasNaturalKey: true,
    refusesDuplicates: false,
    make: (name, args, opts) => new ServiceAccount(name, args, opts),
    get: (name, id) => ServiceAccount.get(name, id),
    resources: (emulator) => emulator.serviceAccounts,
    idOf: ({ id }) => id,
    table(emulator) {
        const there = grantable(emulator);
        const [namespaceId, otherNamespaceId] = there.namespaces;
        const [projectId, otherProjectId] = there.projects;
        return {
            base: () => ({ accountRole: "read" }),
            existing: (name) => ({ spec: { name, access: { accountAccess: { role: AccountRole.ROLE_READ } } } }),
            outputs: (name) => ({
                name,
                description: "",
                accountRole: "read",
                customRoles: [],
                namespaceAccesses: {},
                projectAccesses: {},
                state: "active",
                createdTime: expect.stringMatching(/^\d{4}-.*Z$/),
            }),
            optional: "description",
            replacements: [
                {
                    property: "namespaceScopedAccess",
                    from: { accountRole: "read" },
                    to: { accountRole: undefined, namespaceScopedAccess: { namespaceId, permission: "read" } },
                    first: "old",
                },
                {
                    property: "namespaceScopedAccess",
                    from: { accountRole: undefined, namespaceScopedAccess: { namespaceId, permission: "read" } },
                    to: {
                        accountRole: undefined,
                        namespaceScopedAccess: { namespaceId: otherNamespaceId, permission: "read" },
                    },
                    first: "old",
                },
                {
                    property: "projectScopedAccess",
                    from: { accountRole: undefined, projectScopedAccess: { projectId, role: "read" } },
                    to: { accountRole: undefined, projectScopedAccess: { projectId: otherProjectId, role: "read" } },
                    first: "old",
                },
                {
                    property: "accountRole",
                    from: { accountRole: undefined, projectScopedAccess: { projectId, role: "read" } },
                    to: { accountRole: "read" },
                    first: "old",
                },
            ],
            fields: [
                {
                    property: "name",
                    from: "one",
                    to: "two",
                    see: (live) => specOf(live).name,
                    afterwards: "logical name",
                    drift: {
                        change: (live) => {
                            specOf(live).name = "three";
                        },
                        value: "three",
                    },
                },
                {
                    property: "description",
                    from: "one",
                    to: "two",
                    see: (live) => specOf(live).description,
                    afterwards: { value: "" },
                    drift: {
                        change: (live) => {
                            specOf(live).description = "three";
                        },
                        value: "three",
                    },
                },
                ...accessFields<Live>(accessOf, there),
                {
                    property: "namespaceScopedAccess",
                    member: "permission",
                    beside: { accountRole: undefined },
                    from: { namespaceId, permission: "read" },
                    to: { namespaceId, permission: "write" },
                    see: (live) => {
                        const granted = specOf(live).namespaceScopedAccess?.access?.permission ?? 0;
                        return word(Permission[granted], "PERMISSION_");
                    },
                    afterwards: "required",
                    drift: {
                        change: (live) => {
                            const scoped = specOf(live).namespaceScopedAccess;
                            if (scoped) {
                                scoped.access = permission(Permission.PERMISSION_ADMIN);
                            }
                        },
                        value: "admin",
                    },
                },
                {
                    property: "projectScopedAccess",
                    member: "role",
                    beside: { accountRole: undefined },
                    from: { projectId, role: "read" },
                    to: { projectId, role: "write" },
                    see: (live) => {
                        const role = specOf(live).projectScopedAccess?.access?.role ?? 0;
                        return word(ProjectRole[role], "PROJECT_ROLE_");
                    },
                    afterwards: "required",
                    drift: {
                        change: (live) => {
                            const scoped = specOf(live).projectScopedAccess;
                            if (scoped) {
                                scoped.access = { role: ProjectRole.PROJECT_ROLE_ADMIN };
                            }
                        },
                        value: "admin",
                    },
                },
                {
                    property: "projectScopedAccess",
                    member: "namespaceAccesses",
                    beside: { accountRole: undefined },
                    from: { projectId, role: "read", namespaceAccesses: { [namespaceId]: "read" } },
                    to: {
                        projectId,
                        role: "read",
                        namespaceAccesses: { [namespaceId]: "write", [otherNamespaceId]: "read" },
                    },
                    unset: { projectId, role: "read" },
                    see: (live) => permissionsOf(specOf(live).projectScopedAccess?.namespaceAccesses ?? {}),
                    afterwards: { value: {} },
                    drift: {
                        change: (live) => {
                            const scoped = specOf(live).projectScopedAccess;
                            if (scoped) {
                                const access = permission(Permission.PERMISSION_ADMIN);
                                scoped.namespaceAccesses = { [otherNamespaceId]: access };
                            }
                        },
                        value: { [otherNamespaceId]: "admin" },
                    },
                },
            ],
        };
    },
});

function specOf({ spec }: Live): ServiceAccountSpec {
    if (spec === undefined) {
        throw new Error("every service account has a spec");
    }
    return spec;
}

function accessOf(live: Live): Access {
    const { access } = specOf(live);
    if (access === undefined) {
        throw new Error("this service account works in the whole account");
    }
    return access;
}
