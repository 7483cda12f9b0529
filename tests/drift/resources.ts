// One resource of each kind with every field set, and how each field drifts; and a namespace with as little set as can be.

import type * as pulumi from "@pulumi/pulumi";
import { ApiKey, Namespace, ServiceAccount, User } from "pulumi-temporal-cloud";
import type { Emulator } from "../../emulator";
import { Timestamp } from "../../proto/generated/google/protobuf/timestamp";
import { ServiceAccountSpec, UserSpec } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import {
    CertificateFilterSpec,
    CodecServerSpec,
    EncryptionValidationSpec,
    MtlsAuthSpec,
    NamespaceSpec,
    ReplicaSpec,
} from "../../proto/generated/temporal/api/cloud/namespace/v1/message";
import { ONE, TWO } from "./certificates";

export function program(emulator: Emulator): pulumi.Resource[] {
    const [home] = projectsOf(emulator);
    const namespace = new Namespace("orders", {
        regions: ["aws-us-east-1", "aws-us-west-2"],
        retentionDays: 7,
        mtlsAuth: {
            acceptedClientCa: ONE,
            certificateFilters: [
                {
                    commonName: "worker",
                    organization: "Orders",
                    organizationalUnit: "Packing",
                    subjectAlternativeName: "worker.orders.example",
                },
                { commonName: "starter" },
            ],
        },
        apiKeyAuth: true,
        searchAttributes: { Customer: "keyword", Amount: "double" },
        codecServer: {
            endpoint: "https://codec.example",
            passAccessToken: true,
            includeCrossOriginCredentials: true,
            customErrorMessage: { message: "ask the orders team", link: "https://help.example" },
        },
        deleteProtection: false,
        highAvailability: { disableManagedFailover: true, disablePassivePollerForwarding: false },
        connectivityRuleIds: ["rule-1", "rule-2"],
        capacity: { mode: "provisioned", value: 4 },
        taskQueueFairness: true,
        encryptionValidation: {
            mode: "deny",
            metadataKey: "codec",
            metadataValues: ["binary/encrypted", "binary/sealed"],
            inspectHeader: true,
            inspectFailure: false,
        },
        description: "Orders",
        tags: { team: "orders", stage: "production" },
        projectId: home,
    });
    const plain = new Namespace("plain", { regions: ["aws-us-east-1"], apiKeyAuth: true });
    const user = new User("ann", {
        email: "ann@example.com",
        accountRole: "developer",
        customRoles: ["role-1", "role-2"],
        namespaceAccesses: { "shop.a1b2c": "write", "billing.a1b2c": "read" },
        projectAccesses: { [home]: "write" },
    });
    const pipeline = new ServiceAccount("pipeline", {
        name: "pipeline",
        description: "Deploys",
        accountRole: "read",
        customRoles: ["role-1"],
        namespaceAccesses: { "shop.a1b2c": "admin" },
        projectAccesses: { [home]: "read" },
    });
    const worker = new ServiceAccount("worker", {
        namespaceScopedAccess: { namespaceId: "shop.a1b2c", permission: "write" },
    });
    const auditor = new ServiceAccount("auditor", {
        projectScopedAccess: { projectId: home, role: "read", namespaceAccesses: { "shop.a1b2c": "read" } },
    });
    const key = new ApiKey("pipeline", {
        ownerId: pipeline.id,
        displayName: "deploys",
        description: "Deploys",
        disabled: false,
        expiresIn: "90d",
    });
    return [namespace, plain, user, pipeline, worker, auditor, key];
}

/** What the program's resources refer to. */
export function prepare(emulator: Emulator): void {
    for (const name of ["shop", "billing"]) {
        emulator.namespaces.add({ spec: { name, replicas: [{ region: "aws-us-east-1" }] } });
    }
    projectsOf(emulator);
}

/** The ids of two projects that the account has; fixed, since what is printed is in their order. */
export function projectsOf({ projects }: Emulator): readonly [string, string] {
    const idOf = (id: string) => projects.get(id)?.id ?? projects.add({ id, spec: { displayName: id } }).id;
    return [idOf("project-home"), idOf("project-away")];
}

function only<T>(items: T[], which: (item: T) => boolean = () => true): T {
    const [item, ...others] = items.filter(which);
    if (item === undefined || others.length > 0) {
        throw new Error("there is not exactly one");
    }
    return item;
}

export interface Live {
    namespace(change: (spec: NamespaceSpec, live: ReturnType<Emulator["namespaces"]["list"]>[number]) => void): void;
    user(change: (spec: UserSpec) => void): void;
    serviceAccount(name: string, change: (spec: ServiceAccountSpec) => void): void;
    key(change: (spec: NonNullable<ReturnType<Emulator["apiKeys"]["list"]>[number]["spec"]>) => void): void;
}

/** The resources of the program as somebody else gets at them. */
export function live(emulator: Emulator): Live {
    const { namespaces, users, serviceAccounts, apiKeys } = emulator;
    return {
        namespace: (change) =>
            namespaces.change("orders.a1b2c", (it) => {
                it.spec ??= NamespaceSpec.fromPartial({});
                change(it.spec, it);
            }),
        user: (change) =>
            users.change(only(users.list()).id, (it) => {
                it.spec ??= UserSpec.fromPartial({});
                change(it.spec);
            }),
        serviceAccount: (name, change) =>
            serviceAccounts.change(only(serviceAccounts.list(), ({ spec }) => spec?.name === name).id, (it) => {
                it.spec ??= ServiceAccountSpec.fromPartial({});
                change(it.spec);
            }),
        key: (change) =>
            apiKeys.change(only(apiKeys.list()).id, (it) => {
                if (it.spec) {
                    change(it.spec);
                }
            }),
    };
}

/** Somebody else changes every field of every resource that an update can put right. */
export function driftEverywhere(emulator: Emulator): void {
    const [, away] = projectsOf(emulator);
    const it = live(emulator);
    it.namespace((spec, namespace) => {
        namespace.activeRegion = "aws-us-west-2";
        spec.retentionDays = 90;
        spec.mtlsAuth = MtlsAuthSpec.fromPartial({
            enabled: true,
            acceptedClientCa: Buffer.from(TWO),
            certificateFilters: [
                CertificateFilterSpec.fromPartial({
                    commonName: "stranger",
                    organization: "Strangers",
                    organizationalUnit: "Nobody",
                    subjectAlternativeName: "stranger.example",
                }),
            ],
        });
        spec.apiKeyAuth = { enabled: false };
        spec.searchAttributes = { Customer: 2, Stray: 5 };
        spec.codecServer = CodecServerSpec.fromPartial({
            endpoint: "https://other.example",
            customErrorMessage: { default: { message: "ask nobody", link: "" } },
        });
        spec.lifecycle = { enableDeleteProtection: true };
        spec.highAvailability = { disableManagedFailover: false, disablePassivePollerForwarding: true };
        spec.connectivityRuleIds = ["rule-3"];
        spec.capacitySpec = { spec: { $case: "onDemand", value: {} } };
        namespace.capacity = { currentMode: { $case: "onDemand", value: {} }, latestRequest: undefined };
        spec.fairness = { taskQueueFairnessEnabled: false };
        spec.encryptionValidation = EncryptionValidationSpec.fromPartial({
            mode: 2,
            metadataKey: "other",
            metadataValues: ["json/plain"],
            inspectFailure: true,
        });
        spec.description = "Somebody else's";
        namespace.tags = { team: "billing", stray: "yes" };
        namespace.projectId = away;
    });
    it.user((spec) => {
        spec.access = {
            ...spec.access,
            accountAccess: { role: 5, roleDeprecated: "", customRoles: ["role-3"] },
            customRolesDeprecated: [],
            namespaceAccesses: { "shop.a1b2c": { permission: 1, permissionDeprecated: "" } },
            projectAccesses: { [away]: { role: 3 } },
        };
    });
    it.serviceAccount("pipeline", (spec) => {
        spec.name = "renamed";
        spec.description = "Somebody else's";
        spec.access = {
            accountAccess: { role: 3, roleDeprecated: "", customRoles: [] },
            customRolesDeprecated: [],
            namespaceAccesses: { "billing.a1b2c": { permission: 3, permissionDeprecated: "" } },
            projectAccesses: {},
        };
    });
    it.serviceAccount("worker", (spec) => {
        if (spec.namespaceScopedAccess) {
            spec.namespaceScopedAccess.access = { permission: 3, permissionDeprecated: "" };
        }
    });
    it.serviceAccount("auditor", (spec) => {
        if (spec.projectScopedAccess) {
            spec.projectScopedAccess.access = { role: 2 };
            spec.projectScopedAccess.namespaceAccesses = {};
        }
    });
    it.key((spec) => {
        spec.displayName = "renamed";
        spec.description = "Somebody else's";
        spec.disabled = true;
    });
}

/** Somebody else changes what only a replacement can put right; how, is theirs to know. */
export function driftBeyondUpdates(emulator: Emulator): void {
    const [, away] = projectsOf(emulator);
    const it = live(emulator);
    const owner = only(emulator.users.list()).id;
    it.user((spec) => {
        spec.email = "anna@example.com";
    });
    it.serviceAccount("worker", (spec) => {
        if (spec.namespaceScopedAccess) {
            spec.namespaceScopedAccess.namespace = "billing.a1b2c";
        }
    });
    it.serviceAccount("auditor", (spec) => {
        if (spec.projectScopedAccess) {
            spec.projectScopedAccess.projectId = away;
        }
    });
    it.key((spec) => {
        spec.ownerId = owner;
        spec.ownerType = 1;
        spec.expiryTime = Timestamp.fromPartial({ seconds: (spec.expiryTime?.seconds ?? 0n) + 86_400n });
    });
}

/** Somebody else takes away every part that can be taken away, and gives a region for another. */
export function takeAway(emulator: Emulator): void {
    const it = live(emulator);
    it.namespace((spec, namespace) => {
        spec.replicas = ["aws-us-east-1", "aws-eu-west-1"].map((region) => ReplicaSpec.fromPartial({ region }));
        spec.mtlsAuth = MtlsAuthSpec.fromPartial({ enabled: false });
        spec.searchAttributes = {};
        spec.codecServer = undefined;
        spec.highAvailability = undefined;
        spec.connectivityRuleIds = [];
        spec.encryptionValidation = undefined;
        spec.description = "";
        namespace.tags = {};
    });
    const none = { accountAccess: undefined, customRolesDeprecated: [], namespaceAccesses: {}, projectAccesses: {} };
    it.user((spec) => {
        spec.access = none;
    });
    it.serviceAccount("pipeline", (spec) => {
        spec.description = "";
        spec.access = none;
    });
    it.key((spec) => {
        spec.description = "";
    });
}

/** The server gives the parts that nobody has set as empty messages, or leaves them out. */
export function unsetParts({ settings, namespaces }: Emulator, areEmptyMessages: boolean): void {
    settings.unsetPartsAreEmptyMessages = areEmptyMessages;
    const names = ["mtlsAuth", "codecServer", "lifecycle", "highAvailability", "fairness"] as const;
    const id = "plain.a1b2c";
    namespaces.change(id, ({ spec }) => {
        for (const name of names) {
            Object.assign(spec ?? {}, { [name]: undefined });
        }
    });
    expect(names.map((name) => namespaces.get(id)?.spec?.[name] !== undefined)).toEqual(
        names.map(() => areEmptyMessages),
    );
}

/** Somebody else takes a region away. */
export function takeRegion(emulator: Emulator): void {
    live(emulator).namespace((spec) => {
        spec.replicas = spec.replicas.filter(({ region }) => region === "aws-us-east-1");
    });
}
