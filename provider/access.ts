import type * as pulumi from "@pulumi/pulumi";
import type { Access, NamespaceAccess } from "../proto/generated/temporal/api/cloud/identity/v1/message";
import type { AccountRole, NamespacePermission, ProjectRole } from "./enums";
import { accountRoles, namespacePermissions, projectRoles } from "./enums";
import type { Bag, Report } from "./fields";
import { choice, isBag, map, set, shape, text, UNKNOWN } from "./fields";
import { messages } from "./messages";
import { lay } from "./wire";

/** What an identity may do, beside its role in the account. */
export interface AccessArgs {
    /** The ids of custom roles, held beside `accountRole`. In any order. */
    customRoles?: pulumi.Input<pulumi.Input<string>[]> | undefined;
    /**
     * What it may do in single namespaces, by namespace id (`name.account`). All that there is, when it is set: what is
     * not in it is taken away. Not allowed with the account roles `owner` and `admin`, which may do everything. For a
     * namespace of the same program: `orders.id.apply((id) => ({ [id]: NamespacePermission.Write }))`.
     */
    namespaceAccesses?: pulumi.Input<{ [namespaceId: string]: pulumi.Input<NamespacePermission> }> | undefined;
    /**
     * What it may do in single projects, by project id. All that there is, when it is set: what is not in it is taken
     * away. The role `developer` comes with the account role of that name and cannot be granted.
     */
    projectAccesses?: pulumi.Input<{ [projectId: string]: pulumi.Input<ProjectRole> }> | undefined;
}

/** The same as plain values, with the role in the account. */
export interface AccessValues {
    readonly accountRole?: AccountRole | undefined;
    readonly customRoles?: readonly string[] | undefined;
    readonly namespaceAccesses?: NamespaceAccesses | undefined;
    readonly projectAccesses?: ProjectAccesses | undefined;
}

type NamespaceAccesses = { readonly [namespaceId: string]: NamespacePermission };
type ProjectAccesses = { readonly [projectId: string]: ProjectRole };

// -- what is allowed -------------------------------------------------------------------------------------------------

const refuseNoId = shape({ pattern: /\S/, is: "an id" });

/** A text that names something by its id. */
export const idText = { refuse: refuseNoId };

/** What may be done in single namespaces, by their ids. */
export const namespaceAccesses = map(choice(namespacePermissions.words), { key: refuseNoId });

/** The fields of access to an account. */
export const accessFields = {
    accountRole: choice(accountRoles.words, { reset: undefined }),
    customRoles: set(text(idText)),
    namespaceAccesses,
    projectAccesses: map(choice(projectRoles.words), { key: refuseNoId }),
};

/** Who may do everything in every namespace. */
const OMNIPOTENT: readonly unknown[] = ["owner", "admin"] satisfies AccountRole[];

const OWNER_REASON =
    "the API can neither grant nor take the role of an owner. Ask Temporal's support to make somebody one.";

/** Reports access that cannot be given. What was there before may stay. */
export function checkAccess(args: Bag, old: Bag | undefined, report: Report, adopting: boolean): void {
    const { accountRole } = args;
    if (accountRole === "owner" && old?.accountRole !== "owner" && !adopting) {
        report(
            "accountRole",
            `cannot be "owner": ${OWNER_REASON} Who is one already can be taken over by the option \`import\`.`,
        );
    } else if (OMNIPOTENT.includes(accountRole) && sizeOf(args.namespaceAccesses) > 0) {
        report("namespaceAccesses", `is not allowed with the account role ${accountRole}, which has them all.`);
    }
    const before = isBag(old?.projectAccesses) ? old.projectAccesses : {};
    for (const [id, role] of Object.entries(isBag(args.projectAccesses) ? args.projectAccesses : {})) {
        if (role === "developer" && before[id] !== "developer" && !adopting) {
            report(
                `projectAccesses[${JSON.stringify(id)}]`,
                'cannot be "developer": that comes with the account role developer, and cannot be granted.',
            );
        }
    }
}

/** Reports an account access without any role: Temporal Cloud wants to know one of whomever it lets in. */
export function checkRole(args: Bag, old: Bag | undefined, report: Report, adopting: boolean): void {
    if (!hasRole(args) && (old === undefined ? !adopting : hasRole(old))) {
        report("accountRole", "or `customRoles` has to be given. The least is the role read.");
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
 * Refuses what a look at the values alone could not: a role that is not there yet, and one that does not go with
 * accesses that the program does not manage.
 */
export function refuseAccess({ accountRole, namespaceAccesses }: AccessValues, live: Access | undefined): void {
    const role = accountRoles.fromWire(live?.accountAccess?.role ?? 0);
    if (accountRole === "owner" && role !== "owner") {
        throw new Error(`\`accountRole\` cannot be made "owner": ${OWNER_REASON}`);
    }
    if (OMNIPOTENT.includes(accountRole) && !OMNIPOTENT.includes(role) && sizeOf(namespaceAccesses) > 0) {
        throw new Error(
            `\`accountRole\` cannot be made "${accountRole}" while there are accesses to single namespaces ` +
                `(${Object.keys(namespaceAccesses ?? {}).join(", ")}). Take them away by \`namespaceAccesses: {}\`.`,
        );
    }
}

// -- to and from the wire --------------------------------------------------------------------------------------------

/** What there is, as programs see it. */
export function seeAccess(access: Access | undefined) {
    const accountRole = accountRoles.fromWire(access?.accountAccess?.role ?? 0);
    return {
        ...(accountRole === undefined ? {} : { accountRole }),
        customRoles: access?.accountAccess?.customRoles ?? [],
        namespaceAccesses: seeNamespaceAccesses(access?.namespaceAccesses ?? {}),
        projectAccesses: Object.fromEntries(
            Object.entries(access?.projectAccesses ?? {}).map(([id, { role }]) => [
                id,
                projectRoles.fromWire(role) ?? (String(role) as ProjectRole),
            ]),
        ),
    };
}

export function seeNamespaceAccesses(accesses: { [namespaceId: string]: NamespaceAccess }): {
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
 * The access that these values make of an access. The deprecated fields that mirror a living one are left out, so that
 * the two cannot disagree.
 */
export function toAccess(values: AccessValues, base: Access | undefined): Access | undefined {
    return lay(base, messages.identity.Access.fromPartial({}), {
        accountAccess: lay(base?.accountAccess, messages.identity.AccountAccess.fromPartial({}), {
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
                    ...(entry(base?.projectAccesses, id) ?? messages.identity.ProjectAccess.fromPartial({})),
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
                ...(entry(base, id) ?? messages.identity.NamespaceAccess.fromPartial({})),
                permission: namespacePermissions.toWire(permission),
                permissionDeprecated: "",
            },
        ]),
    );
}

function entry<T>(entries: { [id: string]: T } | undefined, id: string): T | undefined {
    return entries && Object.hasOwn(entries, id) ? entries[id] : undefined;
}
