import { isDeepStrictEqual } from "node:util";
import type * as pulumi from "@pulumi/pulumi";
import type {
    ServiceAccount as LiveServiceAccount,
    NamespaceScopedAccess,
    ProjectScopedAccess,
    ServiceAccountSpec,
} from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { AccessArgs } from "../access";
import {
    accessFields,
    checkAccess,
    checkRole,
    idText,
    namespaceAccesses,
    refuseAccess,
    seeAccess,
    seeNamespaceAccesses,
    toAccess,
    toNamespaceAccesses,
} from "../access";
import type { Call, Definition, Desired, Due } from "../definition";
import type { AccountRole, NamespacePermission, ProjectRole } from "../enums";
import { namespacePermissions, projectRoles } from "../enums";
import type { Bag, Report } from "../fields";
import { choice, object, shape, text, UNKNOWN } from "../fields";
import { messages } from "../messages";
import { eachPage } from "../pages";
import type { AdoptArgs } from "../resource";
import { Resource } from "../resource";
import { fromTimestamp, isGone, lay, PAGE_SIZE, stateWord } from "../wire";

/**
 * What a ServiceAccount is made of. It works either in the whole account (`accountRole`, `customRoles`,
 * `namespaceAccesses`, `projectAccesses`), or in one namespace (`namespaceScopedAccess`), or in one project
 * (`projectScopedAccess`); going from one of the three to another replaces it. Unless said otherwise, a change is made
 * in place. What the program no longer sets is taken away: all of `customRoles`, `namespaceAccesses` or `projectAccesses`;
 * `accountRole` too, where `customRoles` remain.
 */
export interface ServiceAccountArgs extends AccessArgs, AdoptArgs {
    /** The name, unique among the account's service accounts. The default is the resource's logical name when it was made. */
    name?: pulumi.Input<string> | undefined;
    /** What it is for. The default is empty. */
    description?: pulumi.Input<string> | undefined;
    /**
     * The role in the account: `admin`, `developer`, `financeadmin`, `read` or `metricsread`; `owner` cannot be granted,
     * and `financeadmin` only be assigned with a key of a user who is an account owner. One that works in the whole
     * account needs this, or `customRoles`. https://docs.temporal.io/cloud/service-accounts
     */
    accountRole?: pulumi.Input<AccountRole> | undefined;
    /** Makes it one for a single namespace: what its workers and clients need, and nothing else. */
    namespaceScopedAccess?: pulumi.Input<NamespaceScopedAccessArgs> | undefined;
    /** Makes it one for a single project. */
    projectScopedAccess?: pulumi.Input<ProjectScopedAccessArgs> | undefined;
}

/** Access to one namespace and nothing else. */
export interface NamespaceScopedAccessArgs {
    /** The namespace's id, `name.account`. Changing it replaces the service account. */
    namespaceId: pulumi.Input<string>;
    /** What it may do there: `admin`, `write` (which workers need) or `read`. */
    permission: pulumi.Input<NamespacePermission>;
}

/** Access to one project and nothing else. */
export interface ProjectScopedAccessArgs {
    /** The project's id. Changing it replaces the service account. */
    projectId: pulumi.Input<string>;
    /** What it may do there. */
    role: pulumi.Input<ProjectRole>;
    /**
     * What it may do besides in single namespaces of the project, by namespace id (`name.account`). All that there is,
     * when it is set: what is not in it is taken away.
     */
    namespaceAccesses?: pulumi.Input<{ [namespaceId: string]: pulumi.Input<NamespacePermission> }> | undefined;
}

/**
 * An identity for programs, such as workers and deployment pipelines. It signs in by an `ApiKey`.
 * https://docs.temporal.io/cloud/service-accounts
 *
 * ```ts
 * const worker = new temporalcloud.ServiceAccount("orders-worker", {
 *     namespaceScopedAccess: { namespaceId: orders.id, permission: "write" },
 * });
 * const pipeline = new temporalcloud.ServiceAccount("pipeline", { accountRole: "developer" });
 * ```
 *
 * What exists is taken over by the option `import`, with the id, or by `adopt: true`.
 */
export class ServiceAccount extends Resource {
    declare public readonly name: pulumi.Output<string>;
    declare public readonly description: pulumi.Output<string>;
    declare public readonly accountRole: pulumi.Output<AccountRole | undefined>;
    /** Undefined for one that is for one namespace or project only. */
    declare public readonly customRoles: pulumi.Output<string[] | undefined>;
    /** Undefined for one that is for one namespace or project only. */
    declare public readonly namespaceAccesses: pulumi.Output<
        { [namespaceId: string]: NamespacePermission } | undefined
    >;
    /** Undefined for one that is for one namespace or project only. */
    declare public readonly projectAccesses: pulumi.Output<{ [projectId: string]: ProjectRole } | undefined>;
    declare public readonly namespaceScopedAccess: pulumi.Output<pulumi.Unwrap<NamespaceScopedAccessArgs> | undefined>;
    declare public readonly projectScopedAccess: pulumi.Output<pulumi.Unwrap<ProjectScopedAccessArgs> | undefined>;
    /** `active`, `updating` and so on. */
    declare public readonly state: pulumi.Output<string>;
    /** RFC 3339, UTC. */
    declare public readonly createdTime: pulumi.Output<string>;
    /** RFC 3339, UTC. */
    declare public readonly lastModifiedTime: pulumi.Output<string | undefined>;

    /**
     * @param name the logical name, unique in the program
     */
    constructor(name: string, args: ServiceAccountArgs, opts?: pulumi.CustomResourceOptions);
    /** @internal */
    constructor(name: string, args: ServiceAccountArgs | undefined, opts: pulumi.CustomResourceOptions);
    constructor(name: string, args: ServiceAccountArgs | undefined, opts: pulumi.CustomResourceOptions = {}) {
        super("ServiceAccount", "serviceAccount", [...Object.keys(fields), ...OUTPUTS], name, args, opts);
    }

    /** A ServiceAccount that exists, read but not managed. */
    static get(name: string, id: pulumi.Input<pulumi.ID>, opts?: pulumi.CustomResourceOptions): ServiceAccount {
        return new ServiceAccount(name, undefined, { ...opts, id });
    }

    /** Whether a value is a ServiceAccount, also of another copy of this package. */
    static override isInstance(value: unknown): value is ServiceAccount {
        return Resource.isOfKind(value, "ServiceAccount");
    }
}

const OUTPUTS = ["state", "createdTime", "lastModifiedTime"] as const;

// -- what is allowed -------------------------------------------------------------------------------------------------

const fields = {
    name: text({ refuse: shape({ pattern: /\S/, is: "a name" }) }),
    description: text(),
    ...accessFields,
    namespaceScopedAccess: object({
        namespaceId: text({ required: true, replace: true, ...idText }),
        permission: choice(namespacePermissions.words, { required: true }),
    }),
    projectScopedAccess: object({
        projectId: text({ required: true, replace: true, ...idText }),
        role: choice(projectRoles.words, {
            required: true,
            refuse: (role) =>
                role === "developer" ? "cannot be granted: it comes with the account role developer." : undefined,
        }),
        namespaceAccesses,
    }),
};

/** Where a service account works, and the properties that say so. */
const SCOPES = {
    account: ["accountRole", "customRoles", "namespaceAccesses", "projectAccesses"],
    namespace: ["namespaceScopedAccess"],
    project: ["projectScopedAccess"],
} as const;

type Scope = keyof typeof SCOPES;
const ALL_SCOPES = Object.keys(SCOPES) as Scope[];

/** The first property that speaks for that scope. One that is not known yet may turn out not to be set. */
function evidence(bag: Bag, scope: Scope): string | undefined {
    return SCOPES[scope].find((name) => bag[name] !== undefined && bag[name] !== UNKNOWN);
}

/** The scopes for which the properties speak. */
function scopesOf(bag: Bag): Scope[] {
    return ALL_SCOPES.filter((scope) => evidence(bag, scope) !== undefined);
}

function mayHaveScope(bag: Bag): boolean {
    return ALL_SCOPES.some((scope) => SCOPES[scope].some((name) => bag[name] !== undefined));
}

function check(args: Bag, old: Bag | undefined, report: Report, adopting: boolean): void {
    const [scope, ...others] = scopesOf(args);
    for (const other of scope ? others : []) {
        report(
            evidence(args, other) ?? other,
            `cannot be given together with \`${evidence(args, scope ?? other)}\`: a service account works either in the whole ` +
                "account, or in one namespace, or in one project.",
        );
    }
    if (!mayHaveScope(args) && (old === undefined ? !adopting : mayHaveScope(old))) {
        report("accountRole", "or `namespaceScopedAccess` or `projectScopedAccess` has to be given.");
    }
    if (scope === "account" && others.length === 0) {
        checkRole(args, old && scopesOf(old)[0] === "account" ? old : undefined, report, adopting);
        checkAccess(args, old, report, adopting);
    }
}

function replaceNow(old: Bag, args: Bag): Due | undefined {
    const [before] = scopesOf(old);
    const [now, ...others] = scopesOf(args);
    const changes = before !== undefined && now !== undefined && others.length === 0 && now !== before;
    return changes ? { property: evidence(args, now) ?? now } : undefined;
}

// -- to and from the wire --------------------------------------------------------------------------------------------

type Values = pulumi.Unwrap<Omit<ServiceAccountArgs, "adopt">>;

const emptySpec = () => messages.identity.ServiceAccountSpec.fromPartial({});

/** What is not set can come back as an empty message, so that it is not enough for a message to be there. */
function liveScope({ namespaceScopedAccess, projectScopedAccess }: ServiceAccountSpec): Scope {
    return namespaceScopedAccess?.namespace ? "namespace" : projectScopedAccess?.projectId ? "project" : "account";
}

function see({ spec = emptySpec(), state, createdTime, lastModifiedTime }: LiveServiceAccount) {
    return {
        args: { name: spec.name, description: spec.description, ...seeScope(spec) } satisfies Partial<Values>,
        outputs: {
            state: stateWord(state),
            createdTime: fromTimestamp(createdTime),
            lastModifiedTime: fromTimestamp(lastModifiedTime),
        },
    };
}

function seeScope(spec: ServiceAccountSpec): Partial<Values> {
    const { namespaceScopedAccess: inNamespace, projectScopedAccess: inProject } = spec;
    if (inNamespace?.namespace) {
        return { namespaceScopedAccess: seeNamespaceScope(inNamespace) };
    }
    return inProject?.projectId ? { projectScopedAccess: seeProjectScope(inProject) } : seeAccess(spec.access);
}

function seeNamespaceScope({ namespace, access }: NamespaceScopedAccess): pulumi.Unwrap<NamespaceScopedAccessArgs> {
    const permission = access?.permission ?? 0;
    return {
        namespaceId: namespace,
        permission: namespacePermissions.fromWire(permission) ?? (String(permission) as NamespacePermission),
    };
}

function seeProjectScope(inProject: ProjectScopedAccess): pulumi.Unwrap<ProjectScopedAccessArgs> {
    const role = inProject.access?.role ?? 0;
    return {
        projectId: inProject.projectId,
        role: projectRoles.fromWire(role) ?? (String(role) as ProjectRole),
        namespaceAccesses: seeNamespaceAccesses(inProject.namespaceAccesses),
    };
}

/**
 * The spec that these values make of a spec. The messages of the scopes that it does not have are left out where they
 * are empty: the server could take an empty one for a second scope.
 */
function toSpec(values: Values, base: ServiceAccountSpec): ServiceAccountSpec {
    const { namespaceScopedAccess: inNamespace, projectScopedAccess: inProject } = values;
    const isScoped = inNamespace !== undefined || inProject !== undefined;
    return {
        ...base,
        name: values.name ?? base.name,
        description: values.description ?? "",
        access: isScoped ? unlessEmpty(toAccess(seeAccess(base.access), base.access)) : toAccess(values, base.access),
        namespaceScopedAccess: inNamespace
            ? toNamespaceScope(inNamespace, base.namespaceScopedAccess)
            : unlessEmpty(base.namespaceScopedAccess),
        projectScopedAccess: inProject
            ? toProjectScope(inProject, base.projectScopedAccess)
            : unlessEmpty(base.projectScopedAccess),
    };
}

function toNamespaceScope(
    { namespaceId, permission }: pulumi.Unwrap<NamespaceScopedAccessArgs>,
    base: NamespaceScopedAccess | undefined,
): NamespaceScopedAccess {
    return {
        ...(base ?? messages.identity.NamespaceScopedAccess.fromPartial({})),
        namespace: namespaceId,
        access: lay(base?.access, messages.identity.NamespaceAccess.fromPartial({}), {
            permission: namespacePermissions.toWire(permission),
            permissionDeprecated: "",
        }),
    };
}

function toProjectScope(
    { projectId, role, namespaceAccesses: accesses }: pulumi.Unwrap<ProjectScopedAccessArgs>,
    base: ProjectScopedAccess | undefined,
): ProjectScopedAccess {
    return {
        ...(base ?? messages.identity.ProjectScopedAccess.fromPartial({})),
        projectId,
        access: lay(base?.access, messages.identity.ProjectAccess.fromPartial({}), { role: projectRoles.toWire(role) }),
        namespaceAccesses: toNamespaceAccesses(accesses, base?.namespaceAccesses),
    };
}

function unlessEmpty<M extends object>(message: M | undefined): M | undefined {
    return isEmpty(message) ? undefined : message;
}

/** Whether there is nothing in a message but zero values, at any depth. */
function isEmpty(value: unknown): boolean {
    return typeof value === "object" && value !== null ? Object.values(value).every(isEmpty) : !value;
}

// -- what is to be done ----------------------------------------------------------------------------------------------

const WHERE = { account: "in the whole account", namespace: "in one namespace", project: "in one project" };

function next(account: LiveServiceAccount, { args }: Desired<Values>): Call | undefined {
    const live = account.spec ?? emptySpec();
    const scope = liveScope(live);
    const other = scopesOf(args as Bag).find((wanted) => wanted !== scope);
    const spec = toSpec(args, live);
    if (!other && isDeepStrictEqual(spec, toSpec(see(account).args, live))) {
        return undefined;
    }
    const { id: serviceAccountId, resourceVersion } = account;
    return {
        purpose: "updating",
        // A refusal comes only here: who just asks whether anything is to be done has to get an answer.
        send: async (cloud, asyncOperationId, options) => {
            if (other) {
                throw new Error(
                    `It works ${WHERE[scope]}, and only a replacement could make it work ${WHERE[other]}. Nothing was changed.`,
                );
            }
            refuseAccess(args, live.access);
            return cloud.updateServiceAccount({ serviceAccountId, spec, resourceVersion, asyncOperationId }, options);
        },
    };
}

/** How a ServiceAccount maps onto the Cloud Ops API. */
export const serviceAccountDefinition: Definition<Values, LiveServiceAccount> = {
    kind: "ServiceAccount",
    fields,
    nameField: "name",
    naturalKey: ({ name }) => name,
    check,
    replaceNow,
    async create(cloud, args, { operationId, signal }) {
        refuseAccess(args, undefined);
        const isScoped = args.namespaceScopedAccess !== undefined || args.projectScopedAccess !== undefined;
        // An account without a role is none the less one that works in the account: the message says so.
        const base = isScoped ? emptySpec() : messages.identity.ServiceAccountSpec.fromPartial({ access: {} });
        const { serviceAccountId, asyncOperation } = await cloud.createServiceAccount(
            { spec: toSpec(args, base), asyncOperationId: operationId },
            { signal },
        );
        return { id: serviceAccountId, asyncOperation };
    },
    async get(cloud, serviceAccountId, options) {
        return (await cloud.getServiceAccount({ serviceAccountId }, options)).serviceAccount;
    },
    async list(cloud, pageToken, options) {
        const { serviceAccount, nextPageToken } = await cloud.getServiceAccounts(
            { pageSize: PAGE_SIZE, pageToken },
            options,
        );
        return { items: serviceAccount, nextPageToken };
    },
    async find(cloud, name, options) {
        // There is no RPC that looks by name.
        const list = (pageToken: string) => serviceAccountDefinition.list(cloud, pageToken, options);
        for await (const accounts of eachPage(list, ({ id }) => id)) {
            const found = accounts.find((account) => account.spec?.name === name && !isGone(account));
            if (found) {
                return found;
            }
        }
        return undefined;
    },
    idOf: ({ id }) => id,
    see,
    next,
    delete: (cloud, serviceAccountId, resourceVersion, asyncOperationId, options) =>
        cloud.deleteServiceAccount({ serviceAccountId, resourceVersion, asyncOperationId }, options),
};
