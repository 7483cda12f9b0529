// The types of the public functions: this file is about what tsc says of it, and `npm test` compiles it.

import type * as pulumi from "@pulumi/pulumi";
import * as temporalcloud from "pulumi-temporal-cloud";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_Claim extends true>(): void {}

/** A program that is compiled and never run. */
export async function program(orders: temporalcloud.Namespace, provider: temporalcloud.Provider) {
    const found = await temporalcloud.getNamespace({ id: "orders.a1b2c" }, { provider });
    holds<Equal<typeof found, temporalcloud.GetNamespaceResult>>();
    found satisfies { readonly id: string; readonly name: string; readonly retentionDays: number };
    found.endpoints.grpcAddress satisfies string;
    found.mtlsAuth?.acceptedClientCa satisfies string | undefined;
    found.searchAttributes satisfies { [name: string]: temporalcloud.SearchAttributeType };
    // @ts-expect-error: results are not to be written to
    found.retentionDays = 3;
    // @ts-expect-error: only the program knows renames
    found.searchAttributeRenames;
    // @ts-expect-error: the engine's, not the namespace's
    found.urn;

    // @ts-expect-error: one of the two
    await temporalcloud.getNamespace({});
    // @ts-expect-error: and not both
    await temporalcloud.getNamespace({ id: "orders.a1b2c", name: "orders" });
    // @ts-expect-error: an output belongs into getNamespaceOutput
    await temporalcloud.getNamespace({ id: orders.id });

    const output = temporalcloud.getNamespaceOutput({ id: orders.id }, { provider, dependsOn: [orders] });
    holds<Equal<typeof output, pulumi.Output<temporalcloud.GetNamespaceResult>>>();
    output.endpoints.grpcAddress satisfies pulumi.Output<string>;
    temporalcloud.getNamespaceOutput({ name: Promise.resolve("orders") });
    // @ts-expect-error: a name is a text
    temporalcloud.getNamespaceOutput({ name: 3 });

    (await temporalcloud.getNamespaces()).namespaces satisfies temporalcloud.GetNamespaceResult[];
    temporalcloud.getNamespacesOutput({ projectId: orders.projectId }).namespaces satisfies pulumi.Output<
        temporalcloud.GetNamespaceResult[]
    >;

    const user = await temporalcloud.getUser({ email: "ann@example.com" });
    user.accountRole satisfies temporalcloud.AccountRole | undefined;
    user.namespaceAccesses satisfies { [namespaceId: string]: temporalcloud.NamespacePermission };
    temporalcloud.getUsersOutput({ namespaceId: orders.id });
    // What may be undefined can be passed on.
    new temporalcloud.User("copy", {
        email: "bob@example.com",
        accountRole: temporalcloud.getUserOutput({ email: "ann@example.com" }).accountRole,
    });
    new temporalcloud.Namespace("copy", { regions: orders.regions, mtlsAuth: orders.mtlsAuth, apiKeyAuth: true });

    const account = temporalcloud.getServiceAccountOutput({ name: "pipeline" });
    new temporalcloud.ApiKey("pipeline", { ownerId: account.id, expiresIn: "90d" });

    const { apiKeys } = await temporalcloud.getApiKeys({ ownerId: user.id, ownerType: "user" });
    apiKeys satisfies readonly { readonly expiryTime: string; readonly ownerType: temporalcloud.OwnerType }[];
    // @ts-expect-error: a token is shown at the key's creation only
    apiKeys[0]?.token;
    // @ts-expect-error: nobody's type
    await temporalcloud.getApiKeys({ ownerType: "robot" });

    const identity = await temporalcloud.getCurrentIdentity();
    identity.kind satisfies "user" | "service-account";
    identity.apiKey?.expiryTime satisfies string | undefined;

    const { regions } = await temporalcloud.getRegions({ parent: orders });
    regions.map(({ cloudProvider }) => cloudProvider) satisfies (temporalcloud.CloudProvider | undefined)[];
    // What the plain functions answer is what resources take.
    new temporalcloud.Namespace("more", { regions: regions.map(({ id }) => id), apiKeyAuth: found.apiKeyAuth });
}
