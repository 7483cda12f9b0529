import type * as pulumi from "@pulumi/pulumi";
import type { Namespace as LiveNamespace } from "../../proto/generated/temporal/api/cloud/namespace/v1/message";
import type { Namespace } from "../resources/namespace";
import { namespaceDefinition } from "../resources/namespace";
import { PAGE_SIZE } from "../wire";
import type { Plain, Question } from "./invoke";
import { exactlyOne, listAll, lookUp, lookUpOutput, plain, single } from "./invoke";

/** Which Namespace: by its id, or by its name. */
export type GetNamespaceArgs =
    | {
          /** `name.account` */
          id: string;
          name?: undefined;
      }
    | {
          /** The name, which is unique in the account. */
          name: string;
          id?: undefined;
      };

/** Which Namespace: by its id, or by its name. */
export type GetNamespaceOutputArgs =
    | {
          /** `name.account` */
          id: pulumi.Input<string>;
          name?: undefined;
      }
    | {
          /** The name, which is unique in the account. */
          name: pulumi.Input<string>;
          id?: undefined;
      };

/** A Namespace, in the shape of the resource's outputs. */
export type GetNamespaceResult = Plain<Namespace, "searchAttributeRenames">;

/** Which Namespaces; the default is all that the key's owner may see. */
export interface GetNamespacesArgs {
    /** Only those of this name, of which there is one at the most. */
    name?: string | undefined;
    /** Only those of the project with this id. */
    projectId?: string | undefined;
}

/** Which Namespaces; the default is all that the key's owner may see. */
export interface GetNamespacesOutputArgs {
    /** Only those of this name, of which there is one at the most. */
    name?: pulumi.Input<string | undefined> | undefined;
    /** Only those of the project with this id. */
    projectId?: pulumi.Input<string | undefined> | undefined;
}

/** Namespaces of the account. */
export interface GetNamespacesResult {
    /** In the order of their names. */
    readonly namespaces: GetNamespaceResult[];
}

function toResult(namespace: LiveNamespace | undefined): GetNamespaceResult | undefined {
    return plain(namespaceDefinition, namespace);
}

/**
 * Looks a Namespace up that this program need not manage.
 *
 * ```ts
 * const { endpoints } = await temporalcloud.getNamespace({ name: "orders" });
 * ```
 *
 * @throws {LookupError} when there is none, or it cannot be read
 */
export async function getNamespace(args: GetNamespaceArgs, opts?: pulumi.InvokeOptions): Promise<GetNamespaceResult> {
    const [by, value] = exactlyOne("getNamespace", args, ["id", "name"]);
    const subject = `namespace with the ${by} ${JSON.stringify(value)}`;
    const question: Question = { name: "getNamespace", subject, args: { ...args } };
    return lookUp<GetNamespaceResult>(question, opts, async (cloud) => {
        if (by === "id") {
            return toResult(await namespaceDefinition.get(cloud, value, {}));
        }
        const { namespaces } = await cloud.getNamespaces({ name: value, pageSize: PAGE_SIZE });
        const called = namespaces.filter(({ spec }) => spec?.name === value);
        return single(
            question,
            called.flatMap((namespace) => toResult(namespace) ?? []),
        );
    });
}

/** The same for arguments that may be outputs, such as another resource's. At preview the result may be unknown. */
export function getNamespaceOutput(
    args: GetNamespaceOutputArgs,
    opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetNamespaceResult> {
    return lookUpOutput("getNamespace", getNamespace, args as pulumi.Input<GetNamespaceArgs>, opts);
}

/**
 * Lists Namespaces.
 *
 * ```ts
 * const { namespaces } = await temporalcloud.getNamespaces({ projectId: payments });
 * ```
 *
 * @throws {LookupError} when they cannot be read
 */
export async function getNamespaces(
    args: GetNamespacesArgs = {},
    opts?: pulumi.InvokeOptions,
): Promise<GetNamespacesResult> {
    const { name = "", projectId = "" } = args;
    return lookUp({ name: "getNamespaces", subject: "namespaces", args: { ...args } }, opts, async (cloud) => {
        const namespaces = await listAll(async (pageToken) => {
            const page = await cloud.getNamespaces({ name, projectId, pageSize: PAGE_SIZE, pageToken });
            return { items: page.namespaces, nextPageToken: page.nextPageToken };
        }, namespaceDefinition.idOf);
        return { namespaces: namespaces.flatMap((namespace) => toResult(namespace) ?? []) };
    });
}

/** The same for arguments that may be outputs, such as another resource's. At preview the result may be unknown. */
export function getNamespacesOutput(
    args: GetNamespacesOutputArgs = {},
    opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetNamespacesResult> {
    return lookUpOutput("getNamespaces", getNamespaces, args as pulumi.Input<GetNamespacesArgs>, opts);
}
