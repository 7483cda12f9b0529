import type * as pulumi from "@pulumi/pulumi";
import type { Namespace as LiveNamespace } from "../../proto/generated/temporal/api/cloud/namespace/v1/message";
import type { Cloud } from "../definition";
import type { Namespace } from "../resources/namespace";
import { namespaceDefinition, namespacesPage } from "../resources/namespace";
import type { OutputArgs, Plain, Question } from "./invoke";
import { exactlyOne, filtersOf, findBy, listAll, lookUp, lookUpOutput, plain } from "./invoke";

/** Selects a Namespace by id or by name. */
export type GetNamespaceArgs =
    | {
          /** The id, `name.account`. */
          id: string;
          name?: undefined;
      }
    | {
          /** The name, unique in the account. */
          name: string;
          id?: undefined;
      };

/** Selects a Namespace by id or by name. */
export type GetNamespaceOutputArgs = OutputArgs<GetNamespaceArgs>;

/** A Namespace, in the shape of the resource's outputs. */
export type GetNamespaceResult = Plain<Namespace, "searchAttributeRenames">;

/** Filters Namespaces; by default all that the owner of the API key can see. */
export interface GetNamespacesArgs {
    /** Only the one with this name. */
    name?: string | undefined;
    /** Only those in the project with this id. */
    projectId?: string | undefined;
}

/** Filters Namespaces; by default all that the owner of the API key can see. */
export type GetNamespacesOutputArgs = OutputArgs<GetNamespacesArgs>;

/** Namespaces of the account. */
export interface GetNamespacesResult {
    /** In the server's order. */
    readonly namespaces: GetNamespaceResult[];
}

function toResult(namespace: LiveNamespace | undefined): GetNamespaceResult | undefined {
    return plain(namespaceDefinition, namespace);
}

async function matching(cloud: Cloud, filter: Parameters<typeof namespacesPage>[1]): Promise<GetNamespaceResult[]> {
    const namespaces = await listAll((pageToken) => namespacesPage(cloud, filter, pageToken), namespaceDefinition.idOf);
    return namespaces.flatMap((namespace) => toResult(namespace) ?? []);
}

/**
 * Looks up a Namespace without managing it.
 *
 * ```ts
 * const { endpoints } = await temporalcloud.getNamespace({ name: "orders" });
 * ```
 *
 * @throws {LookupError} when it does not exist or cannot be read
 */
export async function getNamespace(args: GetNamespaceArgs, opts?: pulumi.InvokeOptions): Promise<GetNamespaceResult> {
    const [by, value] = exactlyOne("getNamespace", args, ["id", "name"]);
    const subject = `namespace with the ${by} ${JSON.stringify(value)}`;
    const question: Question = { name: "getNamespace", subject, args: { ...args } };
    return lookUp<GetNamespaceResult>(question, opts, (cloud) => findBy(namespaceDefinition, cloud, by, value));
}

/** Takes outputs as arguments, such as another resource's. At preview the result may be unknown. */
export function getNamespaceOutput(
    args: GetNamespaceOutputArgs,
    opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetNamespaceResult> {
    return lookUpOutput("getNamespace", getNamespace, args, opts);
}

/**
 * Lists Namespaces.
 *
 * ```ts
 * const { namespaces } = await temporalcloud.getNamespaces({ projectId: payments });
 * ```
 *
 * @throws {LookupError} when they cannot be read, or a filter is invalid
 */
export async function getNamespaces(
    args: GetNamespacesArgs = {},
    opts?: pulumi.InvokeOptions,
): Promise<GetNamespacesResult> {
    const { name, projectId } = filtersOf("getNamespaces", args, ["name", "projectId"]);
    return lookUp({ name: "getNamespaces", subject: "namespaces", args: { ...args } }, opts, async (cloud) => ({
        namespaces: await matching(cloud, { name, projectId }),
    }));
}

/** Takes outputs as arguments, such as another resource's. At preview the result may be unknown. */
export function getNamespacesOutput(
    args: GetNamespacesOutputArgs = {},
    opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetNamespacesResult> {
    return lookUpOutput("getNamespaces", getNamespaces, args, opts);
}
