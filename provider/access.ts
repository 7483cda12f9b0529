import { isDeepStrictEqual } from "node:util";
import type * as pulumi from "@pulumi/pulumi";
import type { Access, NamespaceAccess } from "../proto/generated/temporal/api/cloud/identity/v1/message";
import type { AccountRole, NamespacePermission, ProjectRole } from "./enums";
import { accountRoles, namespacePermissions, projectRoles } from "./enums";
import type { Bag, Report } from "./fields";
import { choice, isBag, map, notBlank, own, resourceId, set, UNKNOWN } from "./fields";
import { messages } from "./messages";
import { overlayMessage } from "./wire";

/** Access of an identity, in addition to its account role. */
export interface AccessArgs {
    /** Ids of custom roles, held in addition to `accountRole`. Order is not significant. */
    customRoles?: pulumi.Input<pulumi.Input<string>[] | undefined> | undefined;
    /**
     * Permissions in namespaces, by namespace id (`name.account`). Authoritative when set: permissions not listed are
     * revoked. Not allowed with the account roles `owner` and `admin`, which have access to all namespaces. For a
     * namespace of the same program: `orders.id.apply((id) => ({ [id]: NamespacePermission.Write }))`.
     */
    namespaceAccesses?:
        | pulumi.Input<{ [namespaceId: string]: pulumi.Input<NamespacePermission> } | undefined>
        | undefined;
    /**
     * Roles in projects, by project id. Authoritative when set: roles not listed are revoked. The role `developer`
     * comes with the account role of that name and cannot be granted.
     */
    projectAccesses?: pulumi.Input<{ [projectId: string]: pulumi.Input<ProjectRole> } | undefined> | undefined;
}

/** The same as plain values, including the account role. */
export interface AccessValues {
    readonly accountRole?: AccountRole | undefined;
    readonly customRoles?: readonly string[] | undefined;
    readonly namespaceAccesses?: NamespaceAccesses | undefined;
    readonly projectAccesses?: ProjectAccesses | undefined;
}

type NamespaceAccesses = { readonly [namespaceId: string]: NamespacePermission };
type ProjectAccesses = { readonly [projectId: string]: ProjectRole };

// -- validation ------------------------------------------------------------------------------------------------------

/** Permissions in namespaces, by namespace id. */
export const namespaceAccesses = map(choice(namespacePermissions.words), { key: notBlank("an id") });

/** The fields of account-level access. */
export const accessFields = {
    accountRole: choice(accountRoles.words, { reset: undefined }),
    customRoles: set(resourceId()),
    namespaceAccesses,
    projectAccesses: map(choice(projectRoles.words), { key: notBlank("an id") }),
};

/** The account roles that have full access to every namespace. */
const OMNIPOTENT: readonly unknown[] = ["owner", "admin"] satisfies AccountRole[];

const OWNER_REASON = "the API can neither grant nor revoke the owner role. Ask Temporal Support to assign it.";

/** Reports access that cannot be granted. Access that exists already may stay. */
export function checkAccess(args: Bag, old: Bag | undefined, report: Report, adopting: boolean): void {
    const { accountRole } = args;
    if (accountRole === "owner" && old?.accountRole !== "owner" && !adopting) {
        report(
            "accountRole",
            `cannot be "owner": ${OWNER_REASON} To manage an existing owner, use the option \`import\`.`,
        );
    } else if (OMNIPOTENT.includes(accountRole) && sizeOf(args.namespaceAccesses) > 0) {
        report(
            "namespaceAccesses",
            `is not allowed with the account role ${accountRole}, which has access to all namespaces.`,
        );
    }
    const before = isBag(old?.projectAccesses) ? old.projectAccesses : {};
    for (const [id, role] of Object.entries(isBag(args.projectAccesses) ? args.projectAccesses : {})) {
        if (role === "developer" && before[id] !== "developer" && !adopting) {
            report(
                `projectAccesses[${JSON.stringify(id)}]`,
                'cannot be "developer": that role comes with the account role developer and cannot be granted.',
            );
        }
    }
}

/** Reports account-level access without a role: Temporal Cloud requires one. */
export function checkRole(args: Bag, old: Bag | undefined, report: Report, adopting: boolean): void {
    if (!hasRole(args) && (old === undefined ? !adopting : hasRole(old))) {
        report("accountRole", 'or `customRoles` is required, for example `accountRole: "read"`.');
    }
}

function hasRole({ accountRole, customRoles }: Bag): boolean {
    return (
        accountRole !== undefined || customRoles === UNKNOWN || (Array.isArray(customRoles) && customRoles.length > 0)
    );
}

function sizeOf(value: unknown): number {
    return isBag(value) ? Object.keys(value).length : 0;
}

/**
 * Refuses what can only be checked against the live resource: the owner role unless it is held already, and, of a role
 * and namespace permissions that do not go together, the one that the program sets.
 */
export function refuseAccess({ accountRole, namespaceAccesses }: AccessValues, live: Access | undefined): void {
    const role = accountRoles.fromWire(live?.accountAccess?.role ?? 0);
    if (accountRole === "owner" && role !== "owner") {
        throw new Error(`\`accountRole\` cannot be set to "owner": ${OWNER_REASON}`);
    }
    if (!OMNIPOTENT.includes(accountRole) || sizeOf(namespaceAccesses) === 0) {
        return;
    }
    if (!OMNIPOTENT.includes(role)) {
        throw new Error(
            `\`accountRole\` cannot be set to "${accountRole}" while there are namespace permissions ` +
                `(${Object.keys(namespaceAccesses ?? {}).join(", ")}). Revoke them with \`namespaceAccesses: {}\`.`,
        );
    }
    if (!isDeepStrictEqual(namespaceAccesses, fromNamespaceAccesses(live?.namespaceAccesses ?? {}))) {
        throw new Error(
            `\`namespaceAccesses\` cannot be set: its account role is "${role}", which has access to all namespaces. ` +
                "Declare another `accountRole`, or remove `namespaceAccesses`.",
        );
    }
}

// -- wire format -----------------------------------------------------------------------------------------------------

/** Live access, in the form that programs use. */
export function fromAccess(access: Access | undefined) {
    const accountRole = accountRoles.fromWire(access?.accountAccess?.role ?? 0);
    return {
        ...(accountRole === undefined ? {} : { accountRole }),
        customRoles: access?.accountAccess?.customRoles ?? [],
        namespaceAccesses: fromNamespaceAccesses(access?.namespaceAccesses ?? {}),
        projectAccesses: Object.fromEntries(
            Object.entries(access?.projectAccesses ?? {}).map(([id, { role }]) => [
                id,
                projectRoles.fromWire(role) ?? (String(role) as ProjectRole),
            ]),
        ),
    };
}

export function fromNamespaceAccesses(accesses: { [namespaceId: string]: NamespaceAccess }): {
    [namespaceId: string]: NamespacePermission;
} {
    return Object.fromEntries(
        Object.entries(accesses).map(([id, { permission }]) => [
            id,
            namespacePermissions.fromWire(permission) ?? (String(permission) as NamespacePermission),
        ]),
    );
}

/**
 * Converts values to a message, keeping unknown fields of the base. Deprecated fields that mirror a current one are
 * cleared, so that the two cannot disagree.
 */
export function toAccess(values: AccessValues, base: Access | undefined): Access | undefined {
    return overlayMessage(base, messages.identity.Access.fromPartial({}), {
        accountAccess: overlayMessage(base?.accountAccess, messages.identity.AccountAccess.fromPartial({}), {
            role: accountRoles.toWire(values.accountRole),
            roleDeprecated: "",
            customRoles: [...(values.customRoles ?? [])],
        }),
        customRolesDeprecated: [],
        namespaceAccesses: toNamespaceAccesses(values.namespaceAccesses, base?.namespaceAccesses),
        projectAccesses: Object.fromEntries(
            Object.entries(values.projectAccesses ?? {}).map(([id, role]) => [
                id,
                {
                    ...(own(base?.projectAccesses ?? {}, id) ?? messages.identity.ProjectAccess.fromPartial({})),
                    role: projectRoles.toWire(role),
                },
            ]),
        ),
    });
}

export function toNamespaceAccesses(
    values: NamespaceAccesses | undefined,
    base: { [namespaceId: string]: NamespaceAccess } | undefined,
): { [namespaceId: string]: NamespaceAccess } {
    return Object.fromEntries(
        Object.entries(values ?? {}).map(([id, permission]) => [
            id,
            {
                ...(own(base ?? {}, id) ?? messages.identity.NamespaceAccess.fromPartial({})),
                permission: namespacePermissions.toWire(permission),
                permissionDeprecated: "",
            },
        ]),
    );
}
