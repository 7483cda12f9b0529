import { Namespace, type NamespaceArgs } from "pulumi-temporal-cloud";
import {
    NamespaceSpec_SearchAttributeType as AttributeType,
    CertificateFilterSpec,
    EncryptionValidationSpec_EncryptionValidationMode as EncryptionMode,
    EncryptionValidationSpec,
    type Namespace as Live,
    MtlsAuthSpec,
    type NamespaceSpec,
} from "../../../proto/generated/temporal/api/cloud/namespace/v1/message";
import { ca } from "../../support/certificates";
import { defineKind } from "./kind";

const EAST = "aws-us-east-1";
const WEST = "aws-us-west-2";

export const namespace = defineKind<NamespaceArgs, Live>({
    kind: "Namespace",
    hasNaturalKey: true,
    refusesDuplicates: true,
    make: (name, args, opts) => new Namespace(name, args, opts),
    get: (name, id) => Namespace.get(name, id),
    resources: (emulator) => emulator.namespaces,
    idOf: ({ namespace: id }) => id,
    table(emulator) {
        const project = (displayName: string) => emulator.projects.add({ spec: { displayName } }).id;
        const [home, away, elsewhere] = [project("home"), project("away"), project("elsewhere")];
        // As they come back.
        const [one, two] = [ca("one").trim(), ca("two").trim()];
        return {
            optional: "description",
            base: () => ({ regions: [EAST], apiKeyAuth: true }),
            existing: (name) => ({
                spec: { name, replicas: [{ region: EAST }], retentionDays: 30, apiKeyAuth: { enabled: true } },
            }),
            outputs: (name) => ({
                name,
                regions: [EAST],
                activeRegion: EAST,
                state: "active",
                endpoints: {
                    webAddress: `https://cloud.temporal.io/namespaces/${name}.${emulator.account}`,
                    grpcAddress: "us-east-1.aws.api.temporal.io:7233",
                    mtlsGrpcAddress: "",
                },
                replicas: [{ id: expect.any(String), region: EAST, isPrimary: true, state: "active" }],
                limits: { actionsPerSecondLimit: 400 },
                capacityStatus: { mode: "on_demand" },
                createdTime: expect.stringMatching(/^\d{4}-.*Z$/),
            }),
            replacements: [
                { property: "name", from: { name: "first-name" }, to: { name: "second-name" }, first: "new" },
            ],
            fields: [
                {
                    property: "regions",
                    from: [EAST],
                    to: [EAST, WEST],
                    see: ({ activeRegion, replicas }) => [
                        activeRegion,
                        ...replicas.map(({ region }) => region).filter((region) => region !== activeRegion),
                    ],
                    afterwards: "required",
                    drift: {
                        change: (live) => {
                            live.activeRegion = WEST;
                        },
                        value: [WEST, EAST],
                    },
                },
                {
                    property: "retentionDays",
                    from: 7,
                    to: 14,
                    see: (live) => specOf(live).retentionDays,
                    afterwards: { value: 30 },
                    drift: {
                        change: (live) => {
                            specOf(live).retentionDays = 60;
                        },
                        value: 60,
                    },
                },
                {
                    property: "mtlsAuth",
                    member: "acceptedClientCa",
                    from: { acceptedClientCa: one },
                    to: { acceptedClientCa: two },
                    see: (live) =>
                        mtlsOf(live).enabled ? Buffer.from(mtlsOf(live).acceptedClientCa).toString() : undefined,
                    afterwards: { value: undefined },
                    drift: {
                        change: (live) => {
                            specOf(live).mtlsAuth = MtlsAuthSpec.fromPartial({
                                enabled: true,
                                acceptedClientCa: Buffer.from(one),
                            });
                        },
                        value: one,
                    },
                },
                {
                    property: "mtlsAuth",
                    member: "certificateFilters",
                    from: { acceptedClientCa: one, certificateFilters: [{ commonName: "worker" }] },
                    to: {
                        acceptedClientCa: one,
                        certificateFilters: [
                            { commonName: "worker" },
                            { organization: "acme", organizationalUnit: "ops", subjectAlternativeName: "a.example" },
                        ],
                    },
                    unset: { acceptedClientCa: one },
                    see: (live) =>
                        mtlsOf(live).certificateFilters.map((filter) =>
                            Object.fromEntries(
                                Object.entries(filter).filter(([part, value]) => !part.startsWith("_") && value !== ""),
                            ),
                        ),
                    afterwards: { value: [] },
                    drift: {
                        change: (live) => {
                            const filter = CertificateFilterSpec.fromPartial({ commonName: "stranger" });
                            mtlsOf(live).certificateFilters = [filter];
                        },
                        value: [{ commonName: "stranger" }],
                    },
                },
                {
                    property: "apiKeyAuth",
                    from: false,
                    to: true,
                    beside: { mtlsAuth: { acceptedClientCa: one } },
                    see: (live) => specOf(live).apiKeyAuth?.enabled,
                    afterwards: { value: false },
                    drift: {
                        change: (live) => {
                            specOf(live).apiKeyAuth = { enabled: false };
                        },
                        value: false,
                    },
                },
                {
                    property: "searchAttributes",
                    from: { Customer: "keyword" },
                    to: {
                        Customer: "keyword",
                        Text: "text",
                        Int: "int",
                        Double: "double",
                        Bool: "bool",
                        Time: "datetime",
                        List: "keyword_list",
                    },
                    see: (live) =>
                        Object.fromEntries(
                            Object.entries(specOf(live).searchAttributes).map(([name, type]) => [
                                name,
                                AttributeType[type].replace("SEARCH_ATTRIBUTE_TYPE_", "").toLowerCase(),
                            ]),
                        ),
                    afterwards: "kept",
                    drift: {
                        change: (live) => {
                            delete specOf(live).searchAttributes.List;
                        },
                        value: {
                            Customer: "keyword",
                            Text: "text",
                            Int: "int",
                            Double: "double",
                            Bool: "bool",
                            Time: "datetime",
                        },
                    },
                },
                {
                    property: "codecServer",
                    member: "endpoint",
                    from: { endpoint: "https://one.example" },
                    to: { endpoint: "https://two.example" },
                    see: (live) => codecOf(live).endpoint || undefined,
                    afterwards: { value: undefined },
                    drift: {
                        change: (live) => {
                            codecOf(live).endpoint = "https://three.example";
                        },
                        value: "https://three.example",
                    },
                },
                {
                    property: "codecServer",
                    member: "passAccessToken",
                    from: { endpoint: "https://one.example", passAccessToken: false },
                    to: { endpoint: "https://one.example", passAccessToken: true },
                    unset: { endpoint: "https://one.example" },
                    see: (live) => codecOf(live).passAccessToken,
                    afterwards: { value: false },
                    drift: {
                        change: (live) => {
                            codecOf(live).passAccessToken = false;
                        },
                        value: false,
                    },
                },
                {
                    property: "codecServer",
                    member: "includeCrossOriginCredentials",
                    from: { endpoint: "https://one.example", includeCrossOriginCredentials: true },
                    to: { endpoint: "https://one.example", includeCrossOriginCredentials: false },
                    unset: { endpoint: "https://one.example" },
                    see: (live) => codecOf(live).includeCrossOriginCredentials,
                    afterwards: { value: false },
                    drift: {
                        change: (live) => {
                            codecOf(live).includeCrossOriginCredentials = true;
                        },
                        value: true,
                    },
                },
                {
                    property: "codecServer",
                    member: "customErrorMessage",
                    from: { endpoint: "https://one.example", customErrorMessage: { message: "one", link: "" } },
                    to: {
                        endpoint: "https://one.example",
                        customErrorMessage: { message: "two", link: "https://help.example" },
                    },
                    unset: { endpoint: "https://one.example" },
                    see: (live) => {
                        const { message = "", link = "" } = codecOf(live).customErrorMessage?.default ?? {};
                        return message || link ? { message, link } : undefined;
                    },
                    afterwards: { value: undefined },
                    drift: {
                        change: (live) => {
                            codecOf(live).customErrorMessage = {
                                default: { message: "three", link: "https://help.example" },
                            };
                        },
                        value: { message: "three", link: "https://help.example" },
                    },
                },
                {
                    property: "deleteProtection",
                    from: false,
                    to: true,
                    see: (live) => specOf(live).lifecycle?.enableDeleteProtection,
                    afterwards: { value: false },
                    drift: {
                        change: (live) => {
                            specOf(live).lifecycle = { enableDeleteProtection: false };
                        },
                        value: false,
                    },
                },
                {
                    property: "highAvailability",
                    member: "disableManagedFailover",
                    from: { disableManagedFailover: false },
                    to: { disableManagedFailover: true },
                    see: (live) => specOf(live).highAvailability?.disableManagedFailover,
                    afterwards: { value: false },
                    drift: {
                        change: (live) => {
                            specOf(live).highAvailability = {
                                disableManagedFailover: false,
                                disablePassivePollerForwarding: false,
                            };
                        },
                        value: false,
                    },
                },
                {
                    property: "highAvailability",
                    member: "disablePassivePollerForwarding",
                    from: { disablePassivePollerForwarding: true },
                    to: { disablePassivePollerForwarding: false },
                    see: (live) => specOf(live).highAvailability?.disablePassivePollerForwarding,
                    afterwards: { value: false },
                    drift: {
                        change: (live) => {
                            specOf(live).highAvailability = {
                                disableManagedFailover: true,
                                disablePassivePollerForwarding: true,
                            };
                        },
                        value: true,
                    },
                },
                {
                    property: "connectivityRuleIds",
                    from: ["rule-1"],
                    to: ["rule-1", "rule-2"],
                    see: (live) => specOf(live).connectivityRuleIds,
                    afterwards: { value: [] },
                    drift: {
                        change: (live) => {
                            specOf(live).connectivityRuleIds = ["rule-3"];
                        },
                        value: ["rule-3"],
                    },
                },
                {
                    property: "capacity",
                    from: { mode: "provisioned", value: 2 },
                    to: { mode: "provisioned", value: 4 },
                    see: ({ capacity }) =>
                        capacity?.currentMode?.$case === "provisioned"
                            ? { mode: "provisioned", value: capacity.currentMode.value.currentValue }
                            : { mode: "on_demand" },
                    afterwards: { value: { mode: "on_demand" } },
                    drift: {
                        change: (live) => {
                            specOf(live).capacitySpec = { spec: { $case: "onDemand", value: {} } };
                            live.capacity = { currentMode: { $case: "onDemand", value: {} }, latestRequest: undefined };
                        },
                        value: { mode: "on_demand" },
                    },
                },
                {
                    property: "taskQueueFairness",
                    from: false,
                    to: true,
                    see: (live) => specOf(live).fairness?.taskQueueFairnessEnabled,
                    afterwards: { value: false },
                    drift: {
                        change: (live) => {
                            specOf(live).fairness = { taskQueueFairnessEnabled: false };
                        },
                        value: false,
                    },
                },
                {
                    property: "encryptionValidation",
                    member: "mode",
                    from: { mode: "warn", metadataKey: "encoding" },
                    to: { mode: "deny", metadataKey: "encoding" },
                    unset: { metadataKey: "encoding" },
                    see: (live) => encryptionModes[encryptionOf(live).mode],
                    afterwards: { value: "disabled" },
                    drift: {
                        change: (live) => {
                            encryptionOf(live).mode = EncryptionMode.ENCRYPTION_VALIDATION_MODE_WARN;
                        },
                        value: "warn",
                    },
                },
                {
                    property: "encryptionValidation",
                    member: "metadataKey",
                    from: { mode: "warn", metadataKey: "encoding" },
                    to: { mode: "warn", metadataKey: "encryption" },
                    unset: { mode: "warn" },
                    see: (live) => encryptionOf(live).metadataKey,
                    afterwards: { value: "" },
                    drift: {
                        change: (live) => {
                            encryptionOf(live).metadataKey = "other";
                        },
                        value: "other",
                    },
                },
                {
                    property: "encryptionValidation",
                    member: "metadataValues",
                    from: { mode: "warn", metadataValues: ["binary/encrypted"] },
                    to: { mode: "warn", metadataValues: ["binary/encrypted", "binary/sealed"] },
                    unset: { mode: "warn" },
                    see: (live) => encryptionOf(live).metadataValues,
                    afterwards: { value: [] },
                    drift: {
                        change: (live) => {
                            encryptionOf(live).metadataValues = ["json/plain"];
                        },
                        value: ["json/plain"],
                    },
                },
                {
                    property: "encryptionValidation",
                    member: "inspectHeader",
                    from: { mode: "warn", inspectHeader: false },
                    to: { mode: "warn", inspectHeader: true },
                    unset: { mode: "warn" },
                    see: (live) => encryptionOf(live).inspectHeader,
                    afterwards: { value: false },
                    drift: {
                        change: (live) => {
                            encryptionOf(live).inspectHeader = false;
                        },
                        value: false,
                    },
                },
                {
                    property: "encryptionValidation",
                    member: "inspectFailure",
                    from: { mode: "warn", inspectFailure: true },
                    to: { mode: "warn", inspectFailure: false },
                    unset: { mode: "warn" },
                    see: (live) => encryptionOf(live).inspectFailure,
                    afterwards: { value: false },
                    drift: {
                        change: (live) => {
                            encryptionOf(live).inspectFailure = true;
                        },
                        value: true,
                    },
                },
                {
                    property: "description",
                    from: "one",
                    to: "two",
                    see: (live) => specOf(live).description,
                    afterwards: { value: "" },
                    drift: {
                        change: (live) => {
                            specOf(live).description = "three";
                        },
                        value: "three",
                    },
                },
                {
                    property: "tags",
                    from: { team: "orders", gone: "soon" },
                    to: { team: "billing", cost: "1" },
                    see: ({ tags }) => tags,
                    afterwards: { value: {} },
                    drift: {
                        change: (live) => {
                            live.tags = { team: "billing", stray: "yes" };
                        },
                        value: { team: "billing", stray: "yes" },
                    },
                },
                {
                    property: "projectId",
                    from: home,
                    to: away,
                    see: ({ projectId }) => projectId,
                    // There is no moving it to no project.
                    afterwards: "kept",
                    drift: {
                        change: (live) => {
                            live.projectId = elsewhere;
                        },
                        value: elsewhere,
                    },
                },
            ],
        };
    },
});

const encryptionModes: Partial<Record<EncryptionMode, string>> = {
    [EncryptionMode.ENCRYPTION_VALIDATION_MODE_DISABLED]: "disabled",
    [EncryptionMode.ENCRYPTION_VALIDATION_MODE_WARN]: "warn",
    [EncryptionMode.ENCRYPTION_VALIDATION_MODE_DENY]: "deny",
};

function specOf({ spec }: Live): NamespaceSpec {
    return present(spec);
}

function mtlsOf(live: Live) {
    return present(specOf(live).mtlsAuth);
}

function codecOf(live: Live) {
    return present(specOf(live).codecServer);
}

function encryptionOf(live: Live): EncryptionValidationSpec {
    const spec = specOf(live);
    spec.encryptionValidation ??= EncryptionValidationSpec.fromPartial({});
    return spec.encryptionValidation;
}

function present<T>(value: T | undefined): T {
    if (value === undefined) {
        throw new Error("the emulator fills in what is not set");
    }
    return value;
}
