import type * as pulumi from "@pulumi/pulumi";
import type { User as LiveUser } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { Cloud } from "../definition";
import type { User } from "../resources/user";
import { userDefinition, usersPage } from "../resources/user";
import type { OutputArgs, Plain, Question } from "./invoke";
import { exactlyOne, filtersOf, findBy, listAll, lookUp, lookUpOutput, plain } from "./invoke";

/** Selects a User by id or by email address. */
export type GetUserArgs =
    | {
          id: string;
          email?: undefined;
      }
    | {
          /** The email address, case-insensitive. */
          email: string;
          id?: undefined;
      };

/** Selects a User by id or by email address. */
export type GetUserOutputArgs = OutputArgs<GetUserArgs>;

/** A User, in the shape of the resource's outputs. */
export type GetUserResult = Plain<User>;

/** Filters Users; by default all. */
export interface GetUsersArgs {
    /** Only the one with this email address. */
    email?: string | undefined;
    /** Only those with access to the Namespace with this id, `name.account`. */
    namespaceId?: string | undefined;
}

/** Filters Users; by default all. */
export type GetUsersOutputArgs = OutputArgs<GetUsersArgs>;

/** Users of the account. */
export interface GetUsersResult {
    /** In the server's order. */
    readonly users: GetUserResult[];
}

function toResult(user: LiveUser | undefined): GetUserResult | undefined {
    return plain(userDefinition, user);
}

async function matching(cloud: Cloud, filter: Parameters<typeof usersPage>[1]): Promise<GetUserResult[]> {
    const users = await listAll((pageToken) => usersPage(cloud, filter, pageToken), userDefinition.idOf);
    return users.flatMap((user) => toResult(user) ?? []);
}

/**
 * Looks up a User without managing it.
 *
 * ```ts
 * const { id, accountRole } = await temporalcloud.getUser({ email: "ann@example.com" });
 * ```
 *
 * @throws {LookupError} when it does not exist or cannot be read
 */
export async function getUser(args: GetUserArgs, opts?: pulumi.InvokeOptions): Promise<GetUserResult> {
    const [by, value] = exactlyOne("getUser", args, ["id", "email"]);
    const subject = `user with the ${by} ${JSON.stringify(value)}`;
    const question: Question = { name: "getUser", subject, args: { ...args } };
    return lookUp<GetUserResult>(question, opts, (cloud) => findBy(userDefinition, cloud, by, value));
}

/** Takes outputs as arguments, such as another resource's. At preview the result may be unknown. */
export function getUserOutput(
    args: GetUserOutputArgs,
    opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetUserResult> {
    return lookUpOutput("getUser", getUser, args, opts);
}

/**
 * Lists Users.
 *
 * ```ts
 * const { users } = await temporalcloud.getUsers({ namespaceId: "orders.a1b2c" });
 * ```
 *
 * @throws {LookupError} when they cannot be read, or a filter is invalid
 */
export async function getUsers(args: GetUsersArgs = {}, opts?: pulumi.InvokeOptions): Promise<GetUsersResult> {
    const { email, namespaceId: namespace } = filtersOf("getUsers", args, ["email", "namespaceId"]);
    return lookUp({ name: "getUsers", subject: "users", args: { ...args } }, opts, async (cloud) => ({
        users: await matching(cloud, { email, namespace }),
    }));
}

/** Takes outputs as arguments, such as another resource's. At preview the result may be unknown. */
export function getUsersOutput(
    args: GetUsersOutputArgs = {},
    opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetUsersResult> {
    return lookUpOutput("getUsers", getUsers, args, opts);
}
