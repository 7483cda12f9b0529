// What a team that is new to Temporal Cloud needs: a namespace, an identity for its workers that may use nothing but
// that namespace, and a key with which they sign in.

import * as temporalcloud from "pulumi-temporal-cloud";

const orders = new temporalcloud.Namespace("orders", {
    regions: ["aws-us-east-1"],
    retentionDays: 30,
    apiKeyAuth: true,
    searchAttributes: { CustomerId: "keyword" },
});

const worker = new temporalcloud.ServiceAccount("orders-worker", {
    namespaceScopedAccess: { namespaceId: orders.id, permission: "write" },
});

// An `up` in the key's last 14 days replaces it: the new key is there before the old one goes.
const key = new temporalcloud.ApiKey("orders-worker", {
    ownerId: worker.id,
    expiresIn: "90d",
    rotateBefore: "14d",
});

export const namespace = orders.id;
export const address = orders.endpoints.grpcAddress;
export const token = key.token; // a secret
