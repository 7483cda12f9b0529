// Runs the official TypeScript client against an emulator. A process of its own: grpc-js reads
// GRPC_DEFAULT_SSL_ROOTS_FILE_PATH once, when it is loaded.

import { CloudOperationsClient, CloudOperationsConnection } from "@temporalio/cloud";

const { EMULATOR_ADDRESS: address, EMULATOR_KEY: apiKey, EMULATOR_API_VERSION: apiVersion } = process.env;
const connection = await CloudOperationsConnection.connect({ address, apiKey });
const client = new CloudOperationsClient({ connection, apiVersion });
const metadata = { "temporal-cloud-api-version": apiVersion };

const seen = await client.withMetadata(metadata, async () => {
    const { cloudService } = client;
    const regionNames = (await cloudService.getRegions({})).regions.map(({ id }) => id);
    const spec = { name: "orders", regions: ["aws-us-east-1"], retentionDays: 30, apiKeyAuth: { enabled: true } };
    const created = await cloudService.createNamespace({ spec, asyncOperationId: "official" });
    const operation = await cloudService.getAsyncOperation({ asyncOperationId: created.asyncOperation.id });
    const { namespace } = await cloudService.getNamespace({ namespace: created.namespace });
    const { namespaces } = await cloudService.getNamespaces({});
    const { resourceVersion } = namespace;
    await cloudService.deleteNamespace({ namespace: created.namespace, resourceVersion });
    const gone = await cloudService.getNamespace({ namespace: created.namespace }).catch(({ code }) => code);
    return {
        regions: regionNames.length,
        created: created.namespace,
        operation: operation.asyncOperation.id,
        retentionDays: namespace.spec.retentionDays,
        listed: namespaces.map((each) => each.namespace),
        gone,
    };
});
console.log(JSON.stringify(seen));
connection.close();
