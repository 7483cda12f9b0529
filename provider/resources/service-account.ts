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
    fromAccess,
    fromNamespaceAccesses,
    namespaceAccesses,
    refuseAccess,
    toAccess,
    toNamespaceAccesses,
} from "../access";
import type { Definition, Desired, Due, Write } from "../definition";
import type { AccountRole, NamespacePermission, ProjectRole } from "../enums";
import { namespacePermissions, projectRoles } from "../enums";
import type { Bag, Report } from "../fields";
import { choice, notBlank, object, resourceId, text, UNKNOWN } from "../fields";
import { messages } from "../messages";
import type { AdoptArgs } from "../resource";
import { propertiesOf, Resource } from "../resource";
import { changedSpec, LIVE_OUTPUTS, liveOutputs, overlayMessage, PAGE_SIZE } from "../wire";

/**
 * Arguments of a ServiceAccount. Its scope is either the account (`accountRole`, `customRoles`, `namespaceAccesses`,
 * `projectAccesses`), one namespace (`namespaceScopedAccess`) or one project (`projectScopedAccess`); changing the
 * scope replaces it. Other changes are made in place unless noted. Access removed from the program is revoked: all of
 * `customRoles`, `namespaceAccesses` or `projectAccesses`; also `accountRole`, if `customRoles` remain.
 */
export interface ServiceAccountArgs extends AccessArgs, AdoptArgs {
    /**
     * The name, unique among the account's service accounts. Defaults to the logical name at creation; an alias does
     * not rename it.
     */
    name?: pulumi.Input<string | undefined> | undefined;
    /** Description. Default empty. */
    description?: pulumi.Input<string | undefined> | undefined;
    /**
     * Role in the account: `admin`, `developer`, `financeadmin`, `read` or `metricsread`. `owner` cannot be granted,
     * and `financeadmin` can only be assigned with an API key of a user who is an account owner. The account scope
     * requires this or `customRoles`. https://docs.temporal.io/cloud/service-accounts
     */
    accountRole?: pulumi.Input<AccountRole | undefined> | undefined;
    /** Limits access to one namespace, which is all that its workers and clients need. */
    namespaceScopedAccess?: pulumi.Input<NamespaceScopedAccessArgs | undefined> | undefined;
    /** Limits access to one project. */
    projectScopedAccess?: pulumi.Input<ProjectScopedAccessArgs | undefined> | undefined;
}

/** Access to one namespace only. */
export interface NamespaceScopedAccessArgs {
    /** Id of the namespace, `name.account`. Changing it replaces the service account. */
    namespaceId: pulumi.Input<string>;
    /** Permission in the namespace: `admin`, `write` (which workers need) or `read`. */
    permission: pulumi.Input<NamespacePermission>;
}

/** Access to one project only. */
export interface ProjectScopedAccessArgs {
    /** Id of the project. Changing it replaces the service account. */
    projectId: pulumi.Input<string>;
    /** Role in the project. `developer` cannot be granted. */
    role: pulumi.Input<ProjectRole>;
    /**
     * Additional permissions in namespaces of the project, by namespace id (`name.account`). Authoritative when set:
     * permissions not listed are revoked.
     */
    namespaceAccesses?:
        | pulumi.Input<{ [namespaceId: string]: pulumi.Input<NamespacePermission> } | undefined>
        | undefined;
}

/**
 * An identity for programs, such as workers and deployment pipelines. It authenticates with an `ApiKey`.
 * https://docs.temporal.io/cloud/service-accounts
 *
 * ```ts
 * const worker = new temporalcloud.ServiceAccount("orders-worker", {
 *     namespaceScopedAccess: { namespaceId: orders.id, permission: "write" },
 * });
 * const pipeline = new temporalcloud.ServiceAccount("pipeline", { accountRole: "developer" });
 * ```
 *
 * To adopt an existing service account, use the option `import` with the id, or `adopt: true`.
 */
export class ServiceAccount extends Resource {
    declare public readonly name: pulumi.Output<string>;
    declare public readonly description: pulumi.Output<string>;
    declare public readonly accountRole: pulumi.Output<AccountRole | undefined>;
    /** Undefined with the scope of one namespace or project. */
    declare public readonly customRoles: pulumi.Output<string[] | undefined>;
    /** Undefined with the scope of one namespace or project. */
    declare public readonly namespaceAccesses: pulumi.Output<
        { [namespaceId: string]: NamespacePermission } | undefined
    >;
    /** Undefined with the scope of one namespace or project. */
    declare public readonly projectAccesses: pulumi.Output<{ [projectId: string]: ProjectRole } | undefined>;
    declare public readonly namespaceScopedAccess: pulumi.Output<pulumi.Unwrap<NamespaceScopedAccessArgs> | undefined>;
    declare public readonly projectScopedAccess: pulumi.Output<pulumi.Unwrap<ProjectScopedAccessArgs> | undefined>;
    /** The state: `active`, `updating` and so on. */
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
        super(serviceAccountDefinition, PROPERTIES, name, args, opts);
    }

    /** Reads an existing ServiceAccount without managing it. */
    static get(name: string, id: pulumi.Input<pulumi.ID>, opts?: pulumi.CustomResourceOptions): ServiceAccount {
        return new ServiceAccount(name, undefined, { ...opts, id });
    }

    /** Whether a value is a ServiceAccount, including one from another copy of this package. */
    static override isInstance(value: unknown): value is ServiceAccount {
        return Resource.isOfKind(value, "ServiceAccount");
    }
}

// -- validation ------------------------------------------------------------------------------------------------------

const fields = {
    name: text({ refuse: notBlank("a name") }),
    description: text(),
    ...accessFields,
    namespaceScopedAccess: object({
        // A namespace that is recreated has the id that it had.
        namespaceId: resourceId({ required: true, replace: true, isId: false }),
        permission: choice(namespacePermissions.words, { required: true }),
    }),
    projectScopedAccess: object({
        projectId: resourceId({ required: true, replace: true }),
        role: choice(projectRoles.words, {
            required: true,
            refuse: (role) =>
                role === "developer" ? "cannot be granted: it comes with the account role developer." : undefined,
        }),
        namespaceAccesses,
    }),
};

const PROPERTIES = propertiesOf<ServiceAccount>()(fields, LIVE_OUTPUTS);

/** The scopes of a service account, and the properties that determine each. */
const SCOPES = {
    account: ["accountRole", "customRoles", "namespaceAccesses", "projectAccesses"],
    namespace: ["namespaceScopedAccess"],
    project: ["projectScopedAccess"],
} as const;

type Scope = keyof typeof SCOPES;
const ALL_SCOPES = Object.keys(SCOPES) as Scope[];

/** The first property that determines the scope. An unknown property does not count: it may turn out to be unset. */
function evidence(bag: Bag, scope: Scope): string | undefined {
    return SCOPES[scope].find((name) => bag[name] !== undefined && bag[name] !== UNKNOWN);
}

/** The scopes that the properties determine. */
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
            `cannot be combined with \`${evidence(args, scope ?? other)}\`: a service account has access either to the ` +
                "whole account, to one namespace, or to one project.",
        );
    }
    if (!mayHaveScope(args) && (old === undefined ? !adopting : mayHaveScope(old))) {
        report(
            "accountRole",
            "or one of `customRoles`, `namespaceScopedAccess` and `projectScopedAccess` is required.",
        );
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

// -- wire format -----------------------------------------------------------------------------------------------------

type Values = pulumi.Unwrap<Omit<ServiceAccountArgs, "adopt">>;

const emptySpec = () => messages.identity.ServiceAccountSpec.fromPartial({});

/** The server may return an empty message for a scope that is not set, so the message's presence is not enough. */
function liveScope({ namespaceScopedAccess, projectScopedAccess }: ServiceAccountSpec): Scope {
    return namespaceScopedAccess?.namespace ? "namespace" : projectScopedAccess?.projectId ? "project" : "account";
}

function fromLive(account: LiveServiceAccount) {
    const { spec = emptySpec() } = account;
    return {
        args: { name: spec.name, description: spec.description, ...fromScope(spec) } satisfies Partial<Values>,
        outputs: liveOutputs(account),
    };
}

function fromScope(spec: ServiceAccountSpec): Partial<Values> {
    const { namespaceScopedAccess: inNamespace, projectScopedAccess: inProject } = spec;
    if (inNamespace?.namespace) {
        return { namespaceScopedAccess: fromNamespaceScope(inNamespace) };
    }
    return inProject?.projectId ? { projectScopedAccess: fromProjectScope(inProject) } : fromAccess(spec.access);
}

function fromNamespaceScope({ namespace, access }: NamespaceScopedAccess): pulumi.Unwrap<NamespaceScopedAccessArgs> {
    const permission = access?.permission ?? 0;
    return {
        namespaceId: namespace,
        permission: namespacePermissions.fromWire(permission) ?? (String(permission) as NamespacePermission),
    };
}

function fromProjectScope(inProject: ProjectScopedAccess): pulumi.Unwrap<ProjectScopedAccessArgs> {
    const role = inProject.access?.role ?? 0;
    return {
        projectId: inProject.projectId,
        role: projectRoles.fromWire(role) ?? (String(role) as ProjectRole),
        namespaceAccesses: fromNamespaceAccesses(inProject.namespaceAccesses),
    };
}

/**
 * Converts values to a spec, keeping unknown fields of the base. Empty messages of the other scopes are left out: the
 * server could mistake one for a second scope.
 */
function toSpec(values: Values, base: ServiceAccountSpec): ServiceAccountSpec {
    const { namespaceScopedAccess: inNamespace, projectScopedAccess: inProject } = values;
    const isScoped = inNamespace !== undefined || inProject !== undefined;
    return {
        ...base,
        name: values.name ?? base.name,
        description: values.description ?? "",
        access: isScoped ? unlessEmpty(toAccess(fromAccess(base.access), base.access)) : toAccess(values, base.access),
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
        access: overlayMessage(base?.access, messages.identity.NamespaceAccess.fromPartial({}), {
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
        access: overlayMessage(base?.access, messages.identity.ProjectAccess.fromPartial({}), {
            role: projectRoles.toWire(role),
        }),
        namespaceAccesses: toNamespaceAccesses(accesses, base?.namespaceAccesses),
    };
}

function unlessEmpty<M extends object>(message: M | undefined): M | undefined {
    return isEmpty(message) ? undefined : message;
}

/** Whether a message contains only zero values, at any depth. */
function isEmpty(value: unknown): boolean {
    return typeof value === "object" && value !== null ? Object.values(value).every(isEmpty) : !value;
}

// -- next write ------------------------------------------------------------------------------------------------------

const WHERE = { account: "the whole account", namespace: "one namespace", project: "one project" };

function next(account: LiveServiceAccount, { args }: Desired<Values>): Write | undefined {
    const live = account.spec ?? emptySpec();
    const scope = liveScope(live);
    const other = scopesOf(args as Bag).find((wanted) => wanted !== scope);
    const spec = changedSpec(toSpec, live, fromLive(account).args, args);
    if (!other && spec === undefined) {
        return undefined;
    }
    const { id: serviceAccountId, resourceVersion } = account;
    return {
        purpose: "updating",
        // Refused only on send: `next` must also answer whether anything is to be done.
        send: async (cloud, asyncOperationId, options) => {
            if (other) {
                throw new Error(
                    `It has access to ${WHERE[scope]}. Changing that to ${WHERE[other]} requires a replacement. ` +
                        "Nothing was changed. Run `pulumi up --replace` with its URN, or declare the access that it has.",
                );
            }
            refuseAccess(args, live.access);
            return cloud.updateServiceAccount({ serviceAccountId, spec, resourceVersion, asyncOperationId }, options);
        },
    };
}

/**
 * How a ServiceAccount maps onto the Cloud Ops API.
 *
 * @internal
 */
export const serviceAccountDefinition: Definition<Values, LiveServiceAccount> = {
    kind: "ServiceAccount",
    fields,
    nameField: "name",
    // No RPC finds a service account by name.
    naturalKey: { of: ({ name }) => name, ofLive: ({ spec }) => spec?.name },
    check,
    replaceNow,
    async create(cloud, args, { operationId, signal }) {
        refuseAccess(args, undefined);
        const isScoped = args.namespaceScopedAccess !== undefined || args.projectScopedAccess !== undefined;
        // The access message, even if empty, makes this a service account with the scope of the account.
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
    idOf: ({ id }) => id,
    fromLive,
    next,
    delete: (cloud, serviceAccountId, resourceVersion, asyncOperationId, options) =>
        cloud.deleteServiceAccount({ serviceAccountId, resourceVersion, asyncOperationId }, options),
};
