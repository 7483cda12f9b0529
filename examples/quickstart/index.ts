// What a team new to Temporal Cloud needs: a namespace, a service account for its workers that can access only that
// namespace, and an API key to authenticate with.

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

// An `up` in the key's last 14 days replaces it: the new key is created before the old one is deleted.
const key = new temporalcloud.ApiKey("orders-worker", {
    ownerId: worker.id,
    expiresIn: "90d",
    rotateBefore: "14d",
});

export const namespace = orders.id;
export const address = orders.endpoints.grpcAddress;
export const token = key.token; // a secret
