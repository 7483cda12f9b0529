import type * as pulumi from "@pulumi/pulumi";
import type { User as LiveUser, UserSpec } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { AccessArgs } from "../access";
import { accessFields, checkAccess, checkRole, fromAccess, refuseAccess, toAccess } from "../access";
import type { CallOptions } from "../client/client";
import type { Page } from "../client/source";
import type { Cloud, Definition, Desired, Write } from "../definition";
import type { AccountRole, NamespacePermission, ProjectRole } from "../enums";
import type { Bag, Report } from "../fields";
import { shape, text } from "../fields";
import { messages } from "../messages";
import type { AdoptArgs } from "../resource";
import { propertiesOf, Resource } from "../resource";
import { changedSpec, fromTimestamp, LIVE_OUTPUTS, liveOutputs, PAGE_SIZE } from "../wire";

/**
 * Arguments of a User. Changes are made in place unless noted. Access removed from the program is revoked: all of
 * `customRoles`, `namespaceAccesses` or `projectAccesses`; also `accountRole`, if `customRoles` remain.
 */
export interface UserArgs extends AccessArgs, AdoptArgs {
    /**
     * Email address to which the invitation is sent and with which the user signs in; unique in the account,
     * case-insensitive. Changing it replaces the user: the new one is invited, then the old one is removed.
     */
    email: pulumi.Input<string>;
    /**
     * Role in the account: `admin`, `developer`, `financeadmin` or `read`. A new user requires this or `customRoles`;
     * an adopted user keeps its role until the program sets one. `financeadmin` can only be assigned with an API key of
     * a user who is an account owner. `owner` cannot be granted, only declared for an existing owner. `metricsread` is
     * for service accounts only. https://docs.temporal.io/cloud/users
     */
    accountRole?: pulumi.Input<AccountRole | undefined> | undefined;
}

/** A pending invitation. */
export interface UserInvitation {
    /** When it was sent: RFC 3339, UTC. */
    readonly createdTime?: string;
    /** When it expires: RFC 3339, UTC. */
    readonly expiredTime?: string;
}

/**
 * A person with access to the account. Creating one sends an invitation. https://docs.temporal.io/cloud/users
 *
 * ```ts
 * const ann = new temporalcloud.User("ann", {
 *     email: "ann@example.com",
 *     accountRole: "read",
 *     namespaceAccesses: { "orders.a1b2c": "write" },
 * });
 * ```
 *
 * To adopt an existing user, use the option `import` with the id, or `adopt: true`. An account owner is never deleted,
 * since the API cannot revoke that role: have it changed elsewhere and run `pulumi refresh` first, or remove the
 * resource from the state.
 */
export class User extends Resource {
    declare public readonly email: pulumi.Output<string>;
    declare public readonly accountRole: pulumi.Output<AccountRole | undefined>;
    declare public readonly customRoles: pulumi.Output<string[]>;
    declare public readonly namespaceAccesses: pulumi.Output<{ [namespaceId: string]: NamespacePermission }>;
    declare public readonly projectAccesses: pulumi.Output<{ [projectId: string]: ProjectRole }>;
    /** The state: `active`, `updating` and so on. */
    declare public readonly state: pulumi.Output<string>;
    /** The pending invitation; undefined once it is answered. */
    declare public readonly invitation: pulumi.Output<UserInvitation | undefined>;
    /** RFC 3339, UTC. */
    declare public readonly createdTime: pulumi.Output<string>;
    /** RFC 3339, UTC. */
    declare public readonly lastModifiedTime: pulumi.Output<string | undefined>;

    /**
     * @param name the logical name, unique in the program
     */
    constructor(name: string, args: UserArgs, opts?: pulumi.CustomResourceOptions);
    /** @internal */
    constructor(name: string, args: UserArgs | undefined, opts: pulumi.CustomResourceOptions);
    constructor(name: string, args: UserArgs | undefined, opts: pulumi.CustomResourceOptions = {}) {
        super(userDefinition, PROPERTIES, name, args, opts);
    }

    /** Reads an existing User without managing it. */
    static get(name: string, id: pulumi.Input<pulumi.ID>, opts?: pulumi.CustomResourceOptions): User {
        return new User(name, undefined, { ...opts, id });
    }

    /** Whether a value is a User, including one from another copy of this package. */
    static override isInstance(value: unknown): value is User {
        return Resource.isOfKind(value, "User");
    }
}

const OUTPUTS = [...LIVE_OUTPUTS, "invitation"] as const;

// -- validation ------------------------------------------------------------------------------------------------------

const fields = {
    email: text({
        required: true,
        replace: true,
        refuse: shape({ pattern: /^[^\s@]+@[^\s@]+\.[^\s@]+$/, is: "an email address" }),
        normalise: (email) => email.toLowerCase(),
    }),
    ...accessFields,
};

const PROPERTIES = propertiesOf<User>()(fields, OUTPUTS);

function check(args: Bag, old: Bag | undefined, report: Report, adopting: boolean): void {
    if (args.accountRole === "metricsread") {
        report("accountRole", 'cannot be "metricsread", which is for service accounts only.');
    }
    checkRole(args, old, report, adopting);
    checkAccess(args, old, report, adopting);
}

// -- wire format -----------------------------------------------------------------------------------------------------

type Values = pulumi.Unwrap<Omit<UserArgs, "adopt">>;

/** The access message must be present, even if empty. */
const emptySpec = () => messages.identity.UserSpec.fromPartial({ access: {} });

function fromLive(user: LiveUser) {
    const { spec, invitation } = user;
    return {
        args: { email: spec?.email ?? "", ...fromAccess(spec?.access) } satisfies Partial<Values>,
        outputs: {
            ...liveOutputs(user),
            invitation: invitation && {
                createdTime: fromTimestamp(invitation.createdTime),
                expiredTime: fromTimestamp(invitation.expiredTime),
            },
        },
    };
}

function toSpec(values: Values, base: UserSpec): UserSpec {
    return { ...base, email: values.email, access: toAccess(values, base.access) };
}

// -- next write ------------------------------------------------------------------------------------------------------

function next(user: LiveUser, { args }: Desired<Values>): Write | undefined {
    const live = user.spec ?? emptySpec();
    const spec = changedSpec(toSpec, live, fromLive(user).args, args);
    if (spec === undefined) {
        return undefined;
    }
    const { id: userId, resourceVersion } = user;
    return {
        purpose: "updating",
        // Refused only on send: `next` must also answer whether anything is to be done.
        send: async (cloud, asyncOperationId, options) => {
            refuseAccess(args, live.access);
            return cloud.updateUser({ userId, spec, resourceVersion, asyncOperationId }, options);
        },
    };
}

/**
 * A page of the users that match the filter.
 *
 * @internal
 */
export async function usersPage(
    cloud: Cloud,
    filter: { readonly email?: string; readonly namespace?: string },
    pageToken: string,
    options: CallOptions = {},
): Promise<Page<LiveUser>> {
    const { users, nextPageToken } = await cloud.getUsers({ ...filter, pageSize: PAGE_SIZE, pageToken }, options);
    return { items: users, nextPageToken };
}

/**
 * How a User maps onto the Cloud Ops API.
 *
 * @internal
 */
export const userDefinition: Definition<Values, LiveUser> = {
    kind: "User",
    fields,
    naturalKey: {
        of: ({ email }) => email?.toLowerCase(),
        ofLive: ({ spec }) => spec?.email.toLowerCase(),
        list: (cloud, email, pageToken, options) => usersPage(cloud, { email }, pageToken, options),
    },
    check,
    refuseDelete: ({ accountRole }) =>
        accountRole === "owner"
            ? "an account owner cannot be deleted through the API. Have the role changed and run `pulumi refresh` " +
              "first; or remove the resource from the state with `pulumi state delete`, and the user stays."
            : undefined,
    async create(cloud, args, { operationId, signal }) {
        refuseAccess(args, undefined);
        const { userId, asyncOperation } = await cloud.createUser(
            { spec: toSpec(args, emptySpec()), asyncOperationId: operationId },
            { signal },
        );
        return { id: userId, asyncOperation };
    },
    async get(cloud, userId, options) {
        return (await cloud.getUser({ userId }, options)).user;
    },
    list: (cloud, pageToken, options) => usersPage(cloud, {}, pageToken, options),
    idOf: ({ id }) => id,
    fromLive,
    next,
    delete: (cloud, userId, resourceVersion, asyncOperationId, options) =>
        cloud.deleteUser({ userId, resourceVersion, asyncOperationId }, options),
};
