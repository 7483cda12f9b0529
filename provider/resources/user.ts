import { isDeepStrictEqual } from "node:util";
import type * as pulumi from "@pulumi/pulumi";
import type { User as LiveUser, UserSpec } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { AccessArgs } from "../access";
import { accessFields, checkAccess, checkRole, refuseAccess, seeAccess, toAccess } from "../access";
import type { Call, Definition, Desired } from "../definition";
import type { AccountRole, NamespacePermission, ProjectRole } from "../enums";
import type { Bag, Report } from "../fields";
import { shape, text } from "../fields";
import { messages } from "../messages";
import type { AdoptArgs } from "../resource";
import { Resource } from "../resource";
import { fromTimestamp, isGone, PAGE_SIZE, stateWord } from "../wire";

/**
 * What a User is made of. Unless said otherwise, a change is made in place. What the program no longer sets is taken away:
 * all of `customRoles`, `namespaceAccesses` or `projectAccesses`; `accountRole` too, where `customRoles` remain.
 */
export interface UserArgs extends AccessArgs, AdoptArgs {
    /**
     * Where the invitation goes, and how the user signs in; unique in the account. Capital and small letters are the
     * same. Changing it replaces the user: the new one is invited, then the old one is removed.
     */
    email: pulumi.Input<string>;
    /**
     * The role in the account: `admin`, `developer`, `financeadmin` or `read`. A new user needs one, or `customRoles`;
     * of one who is taken over, it stays as it is as long as it was never set. `financeadmin` can only be assigned with
     * a key of a user who is an account owner. `owner` cannot be granted, but declared of somebody who is one.
     * `metricsread` is for service accounts. https://docs.temporal.io/cloud/users
     */
    accountRole?: pulumi.Input<AccountRole> | undefined;
}

/** An invitation that is not answered yet. */
export interface UserInvitation {
    /** When it was sent. RFC 3339, UTC. */
    readonly createdTime?: string;
    /** Until when it can be answered. RFC 3339, UTC. */
    readonly expiredTime?: string;
}

/**
 * A person with access to the account. Making one sends an invitation. https://docs.temporal.io/cloud/users
 *
 * ```ts
 * const ann = new temporalcloud.User("ann", {
 *     email: "ann@example.com",
 *     accountRole: "read",
 *     namespaceAccesses: { "orders.a1b2c": "write" },
 * });
 * ```
 *
 * Who is there already is taken over by the option `import`, with the id, or by `adopt: true`. An owner is never
 * deleted, since the API cannot take that role: have it changed elsewhere and run `pulumi refresh` first, or take the
 * resource out of the state.
 */
export class User extends Resource {
    declare public readonly email: pulumi.Output<string>;
    declare public readonly accountRole: pulumi.Output<AccountRole | undefined>;
    declare public readonly customRoles: pulumi.Output<string[]>;
    declare public readonly namespaceAccesses: pulumi.Output<{ [namespaceId: string]: NamespacePermission }>;
    declare public readonly projectAccesses: pulumi.Output<{ [projectId: string]: ProjectRole }>;
    /** `active`, `updating` and so on. */
    declare public readonly state: pulumi.Output<string>;
    /** The invitation, until it is answered. */
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
        super("User", "user", [...Object.keys(fields), ...OUTPUTS], name, args, opts);
    }

    /** A User that exists, read but not managed. */
    static get(name: string, id: pulumi.Input<pulumi.ID>, opts?: pulumi.CustomResourceOptions): User {
        return new User(name, undefined, { ...opts, id });
    }

    /** Whether a value is a User, also of another copy of this package. */
    static override isInstance(value: unknown): value is User {
        return Resource.isOfKind(value, "User");
    }
}

const OUTPUTS = ["state", "invitation", "createdTime", "lastModifiedTime"] as const;

// -- what is allowed -------------------------------------------------------------------------------------------------

const fields = {
    email: text({
        required: true,
        replace: true,
        refuse: shape({ pattern: /^[^\s@]+@[^\s@]+\.[^\s@]+$/, is: "an email address" }),
        normalise: (email) => email.toLowerCase(),
    }),
    ...accessFields,
};

function check(args: Bag, old: Bag | undefined, report: Report, adopting: boolean): void {
    if (args.accountRole === "metricsread") {
        report("accountRole", 'cannot be "metricsread", which is for service accounts only.');
    }
    checkRole(args, old, report, adopting);
    checkAccess(args, old, report, adopting);
}

// -- to and from the wire --------------------------------------------------------------------------------------------

type Values = pulumi.Unwrap<Omit<UserArgs, "adopt">>;

/** Access has to be there, if there is nothing in it. */
const emptySpec = () => messages.identity.UserSpec.fromPartial({ access: {} });

function see({ spec, invitation, state, createdTime, lastModifiedTime }: LiveUser) {
    return {
        args: { email: spec?.email ?? "", ...seeAccess(spec?.access) } satisfies Partial<Values>,
        outputs: {
            state: stateWord(state),
            invitation: invitation && {
                createdTime: fromTimestamp(invitation.createdTime),
                expiredTime: fromTimestamp(invitation.expiredTime),
            },
            createdTime: fromTimestamp(createdTime),
            lastModifiedTime: fromTimestamp(lastModifiedTime),
        },
    };
}

function toSpec(values: Values, base: UserSpec): UserSpec {
    return { ...base, email: values.email, access: toAccess(values, base.access) };
}

// -- what is to be done ----------------------------------------------------------------------------------------------

function next(user: LiveUser, { args }: Desired<Values>): Call | undefined {
    const live = user.spec ?? emptySpec();
    const spec = toSpec(args, live);
    if (isDeepStrictEqual(spec, toSpec(see(user).args, live))) {
        return undefined;
    }
    const { id: userId, resourceVersion } = user;
    return {
        purpose: "updating",
        // A refusal comes only here: who just asks whether anything is to be done has to get an answer.
        send: async (cloud, asyncOperationId, options) => {
            refuseAccess(args, live.access);
            return cloud.updateUser({ userId, spec, resourceVersion, asyncOperationId }, options);
        },
    };
}

/** How a User maps onto the Cloud Ops API. */
export const userDefinition: Definition<Values, LiveUser> = {
    kind: "User",
    fields,
    naturalKey: ({ email }) => email?.toLowerCase(),
    check,
    refuseDelete: ({ accountRole }) =>
        accountRole === "owner"
            ? "an owner of the account cannot be deleted through the API. Have the role changed and run `pulumi refresh` " +
              "first; or take the resource out of the state by `pulumi state delete`, and the user stays."
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
    async list(cloud, pageToken, options) {
        const { users, nextPageToken } = await cloud.getUsers({ pageSize: PAGE_SIZE, pageToken }, options);
        return { items: users, nextPageToken };
    },
    async find(cloud, email, options) {
        const { users } = await cloud.getUsers({ email, pageSize: PAGE_SIZE }, options);
        return users.find((user) => user.spec?.email.toLowerCase() === email && !isGone(user));
    },
    idOf: ({ id }) => id,
    see,
    next,
    delete: (cloud, userId, resourceVersion, asyncOperationId, options) =>
        cloud.deleteUser({ userId, resourceVersion, asyncOperationId }, options),
};
