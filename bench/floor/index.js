// Dynamic resources that only wait as long as an operation takes. Their cost is that of Pulumi's engine, dynamic host and
// SDK.

const { setTimeout: sleep } = require("node:timers/promises");

const provider = (outputs) => {
    const inputsOf = (props) => Object.fromEntries(Object.entries(props).filter(([name]) => !(name in outputs)));
    const wait = (bag) => (bag.waitMs > 0 ? sleep(bag.waitMs) : Promise.resolve());
    return {
        check: async (_old, inputs) => ({ inputs }),
        diff: async () => ({ changes: false }),
        create: async (inputs) => {
            await wait(inputs);
            return { id: inputs.name, outs: { ...inputs, ...outputs } };
        },
        read: async (id, props) => ({ id, props, inputs: inputsOf(props) }),
        update: async (_id, _old, inputs) => ({ outs: { ...inputs, ...outputs } }),
        delete: async (_id, props) => {
            await wait(props);
        },
    };
};

const TIME = "2026-11-22T22:27:02.004Z";
const UUID = "9568f4fea4cf0048b3fc1833dbf5de3c";
const times = { __account: "a1b2c", state: "active", createdTime: TIME, lastModifiedTime: TIME };

/** The outputs of the twins beyond their arguments: as many as the real resources get from the server. */
const OUTPUTS = {
    Namespace: {
        ...times,
        __claim: "5d8a6b1e-2f43-4c9b-9d07-6e1f0c3a7b52",
        __managed: "name regions retentionDays apiKeyAuth",
        activeRegion: "aws-us-east-1",
        capacity: { mode: "on_demand" },
        capacityStatus: { mode: "on_demand" },
        connectivityRuleIds: [],
        deleteProtection: false,
        description: "",
        endpoints: {
            grpcAddress: "us-east-1.aws.api.temporal.io:7233",
            mtlsGrpcAddress: "",
            webAddress: "https://cloud.temporal.io/namespaces/namespace-0.a1b2c",
        },
        highAvailability: { disableManagedFailover: false, disablePassivePollerForwarding: false },
        limits: { actionsPerSecondLimit: 400 },
        projectId: UUID,
        replicas: [{ id: UUID, isPrimary: true, region: "aws-us-east-1", state: "active" }],
        searchAttributes: {},
        tags: {},
        taskQueueFairness: false,
    },
    User: {
        ...times,
        __managed: "email accountRole",
        customRoles: [],
        invitation: { createdTime: TIME, expiredTime: TIME },
        namespaceAccesses: {},
        projectAccesses: {},
    },
    ServiceAccount: { ...times, __managed: "name accountRole", customRoles: [], description: "" },
    ApiKey: {
        ...times,
        __managed: "ownerId displayName expiresIn",
        description: "",
        disabled: false,
        expiryTime: TIME,
        ownerType: "service-account",
        token: `tmprl_${UUID}${UUID}${UUID}`,
    },
};

exports.floor = provider({});
for (const [kind, outputs] of Object.entries(OUTPUTS)) {
    exports[kind] = provider(outputs);
}
exports.outputs = OUTPUTS;
