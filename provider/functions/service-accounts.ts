import type * as pulumi from "@pulumi/pulumi";
import type { ServiceAccount as LiveServiceAccount } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { Cloud } from "../definition";
import type { ServiceAccount } from "../resources/service-account";
import { serviceAccountDefinition } from "../resources/service-account";
import type { OutputArgs, Plain, Question } from "./invoke";
import { exactlyOne, findBy, listAll, lookUp, lookUpOutput, plain } from "./invoke";

/** Selects a ServiceAccount by id or by name. */
export type GetServiceAccountArgs =
    | {
          id: string;
          name?: undefined;
      }
    | {
          /** The name, unique among the account's service accounts. */
          name: string;
          id?: undefined;
      };

/** Selects a ServiceAccount by id or by name. */
export type GetServiceAccountOutputArgs = OutputArgs<GetServiceAccountArgs>;

/** A ServiceAccount, in the shape of the resource's outputs. */
export type GetServiceAccountResult = Plain<ServiceAccount>;

/** The account's ServiceAccounts. */
export interface GetServiceAccountsResult {
    /** In the server's order. */
    readonly serviceAccounts: GetServiceAccountResult[];
}

function toResult(serviceAccount: LiveServiceAccount | undefined): GetServiceAccountResult | undefined {
    return plain(serviceAccountDefinition, serviceAccount);
}

async function all(cloud: Cloud): Promise<GetServiceAccountResult[]> {
    const accounts = await listAll(
        (pageToken) => serviceAccountDefinition.list(cloud, pageToken, {}),
        serviceAccountDefinition.idOf,
    );
    return accounts.flatMap((account) => toResult(account) ?? []);
}

/**
 * Looks up a ServiceAccount without managing it. By name this takes one request per 1,000 service accounts, since the
 * API can only look up by id.
 *
 * ```ts
 * const pipeline = await temporalcloud.getServiceAccount({ name: "pipeline" });
 * ```
 *
 * @throws {LookupError} when it does not exist or cannot be read
 */
export async function getServiceAccount(
    args: GetServiceAccountArgs,
    opts?: pulumi.InvokeOptions,
): Promise<GetServiceAccountResult> {
    const [by, value] = exactlyOne("getServiceAccount", args, ["id", "name"]);
    const subject = `service account with the ${by} ${JSON.stringify(value)}`;
    const question: Question = { name: "getServiceAccount", subject, args: { ...args } };
    return lookUp<GetServiceAccountResult>(question, opts, (cloud) =>
        findBy(serviceAccountDefinition, cloud, by, value),
    );
}

/** Takes outputs as arguments, such as another resource's. At preview the result may be unknown. */
export function getServiceAccountOutput(
    args: GetServiceAccountOutputArgs,
    opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetServiceAccountResult> {
    return lookUpOutput("getServiceAccount", getServiceAccount, args, opts);
}

/**
 * Lists the account's ServiceAccounts.
 *
 * @throws {LookupError} when they cannot be read
 */
export async function getServiceAccounts(opts?: pulumi.InvokeOptions): Promise<GetServiceAccountsResult> {
    const question: Question = { name: "getServiceAccounts", subject: "service accounts", args: {} };
    return lookUp(question, opts, async (cloud) => ({ serviceAccounts: await all(cloud) }));
}

/** Returns an output. At preview the result is unknown if the provider's configuration is. */
export function getServiceAccountsOutput(opts?: pulumi.InvokeOutputOptions): pulumi.Output<GetServiceAccountsResult> {
    return lookUpOutput("getServiceAccounts", (_, options) => getServiceAccounts(options), {}, opts);
}
