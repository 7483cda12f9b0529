import type { CloudServiceClient, DeepPartial } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import {
    Capacity_Request_State as CapacityState,
    type Namespace,
    type NamespaceSpec,
    Replica_ReplicaState as ReplicaState,
    NamespaceSpec_SearchAttributeType as Type,
} from "../../proto/generated/temporal/api/cloud/namespace/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import { ca, leaf } from "../support/certificates";
import { errorOf, namespaceSpec, use } from "./client";

const it = use();
const id = "orders.a1b2c";

async function get(api: CloudServiceClient, namespace = id): Promise<Namespace> {
    const answer = await api.getNamespace({ namespace });
    if (answer.namespace === undefined) throw new Error("no namespace in the answer");
    return answer.namespace;
}

/** Creates the namespace that the tests are about. */
async function made(overrides: DeepPartial<NamespaceSpec> = {}): Promise<Namespace> {
    await it.api.createNamespace({ spec: namespaceSpec(overrides) });
    return get(it.api);
}

/** Updates it, from what is there now. */
async function updated(overrides: Partial<NamespaceSpec>): Promise<void> {
    const { spec, resourceVersion } = await get(it.api);
    if (spec === undefined) throw new Error("no spec");
    const { regions: _, customSearchAttributes: __, ...rest } = spec;
    await it.api.updateNamespace({ namespace: id, resourceVersion, spec: { ...rest, ...overrides } });
}

test("a namespace from its creation to its deletion", async () => {
    const { emulator, api } = it;
    const created = await api.createNamespace({ spec: namespaceSpec(), tags: { team: "a" } });
    expect(created.namespace).toBe(id);
    const namespace = await get(api);
    expect(namespace).toMatchObject({
        namespace: id,
        state: ResourceState.RESOURCE_STATE_ACTIVE,
        asyncOperationId: "",
        activeRegion: "aws-us-east-1",
        endpoints: {
            webAddress: "https://cloud.temporal.io/namespaces/orders.a1b2c",
            grpcAddress: "us-east-1.aws.api.temporal.io:7233",
            mtlsGrpcAddress: "",
        },
        limits: { actionsPerSecondLimit: 400 },
        capacity: { currentMode: { $case: "onDemand" }, latestRequest: undefined },
        replicas: [{ region: "aws-us-east-1", isPrimary: true, state: ReplicaState.REPLICA_STATE_ACTIVE }],
        tags: { team: "a" },
    });
    expect(namespace.createdTime?.seconds).toBeGreaterThan(0n);
    expect((await api.getProject({ projectId: namespace.projectId })).project?.spec?.displayName).toBe("default");

    await updated({ retentionDays: 31 });
    const changed = await get(api);
    expect(changed.spec?.retentionDays).toBe(31);
    expect(changed.resourceVersion).not.toBe(namespace.resourceVersion);
    expect(emulator.namespaces.list()).toHaveLength(1);

    await api.deleteNamespace({ namespace: id, resourceVersion: changed.resourceVersion });
    expect(await errorOf(get(api))).toBe('NOT_FOUND: namespace "orders.a1b2c" not found');
    expect(emulator.namespaces.list()).toHaveLength(0);
    expect(emulator.namespaces.get(id)).toBeUndefined();
});

test("the mTLS address is there where mTLS is", async () => {
    const mtlsAuth = { enabled: true, acceptedClientCa: Buffer.from(ca()) };
    const namespace = await made({ mtlsAuth, apiKeyAuth: { enabled: false } });
    expect(namespace.endpoints).toMatchObject({
        grpcAddress: "orders.a1b2c.tmprl.cloud:7233",
        mtlsGrpcAddress: "orders.a1b2c.tmprl.cloud:7233",
    });
});

const bundle = (...certificates: string[]) => ({
    mtlsAuth: { enabled: true, acceptedClientCa: Buffer.from(certificates.join("\n")) },
});

test.each<[string, DeepPartial<NamespaceSpec>, string]>([
    ["a short name", { name: "o" }, 'namespace name "o" must match'],
    ["a long name", { name: "o".repeat(40) }, "2 to 39 characters"],
    ["an upper-case name", { name: "Orders" }, "must match"],
    ["a name that ends in a hyphen", { name: "orders-" }, "must match"],
    ["no retention", { retentionDays: 0 }, "retention_days must be between 1 and 90, not 0"],
    ["too long a retention", { retentionDays: 91 }, "not 91"],
    ["no region", { replicas: [] }, "at least one region is required"],
    ["an unknown region", { replicas: [{ region: "aws-moon-1" }] }, 'region "aws-moon-1" is unknown'],
    [
        "three replicas",
        { replicas: ["aws-us-east-1", "aws-us-west-2", "aws-eu-west-1"].map((region) => ({ region })) },
        "at most 2 replicas",
    ],
    ["regions that disagree", { regions: ["aws-us-west-2"] }, "replicas and regions disagree"],
    ["no authentication", { apiKeyAuth: { enabled: false } }, "at least one of mtls_auth and api_key_auth"],
    ["mTLS without a CA", { mtlsAuth: { enabled: true } }, "accepted_client_ca is required"],
    ["a CA that is none", bundle("hello"), "contains no PEM certificate"],
    ["a broken certificate", bundle("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), "does not parse"],
    ["text beside a certificate", bundle(ca(), "hello"), "more than PEM certificates"],
    ["a certificate that is no CA", bundle(ca(), leaf()), "certificate 2 of mtls_auth.accepted_client_ca is not"],
    ["17 certificates", bundle(...Array<string>(17).fill(ca())), "at most 16 certificates, not 17"],
    ["too long a bundle", bundle(ca(), " ".repeat(33_000)), "at most 32768 bytes"],
    [
        "an empty certificate filter",
        { mtlsAuth: { ...bundle(ca()).mtlsAuth, certificateFilters: [{}] } },
        "must name at least one field",
    ],
    [
        "two CAs that disagree",
        { mtlsAuth: { ...bundle(ca()).mtlsAuth, acceptedClientCaDeprecated: "AAAA" } },
        "accepted_client_ca and accepted_client_ca_deprecated disagree",
    ],
    ["an untyped search attribute", { searchAttributes: { A: 0 } }, "search attribute A has no type"],
    [
        "a bad search attribute name",
        { searchAttributes: { "a!": Type.SEARCH_ATTRIBUTE_TYPE_INT } },
        'name "a!" must match',
    ],
    ["an unknown type by name", { customSearchAttributes: { A: "blob" } }, "the unknown type blob"],
    ["a codec server without a URL", { codecServer: { passAccessToken: true } }, "codec_server.endpoint is required"],
    ["a codec server that is no URL", { codecServer: { endpoint: "codec" } }, "is not a URL"],
    ["a description with a line break", { description: "a\nb" }, "printable ASCII"],
    ["too long a description", { description: "a".repeat(256) }, "at most 255 characters, not 256"],
    [
        "a capacity of nothing",
        { capacitySpec: { spec: { $case: "provisioned", value: { value: 0 } } } },
        "capacity_spec.provisioned.value",
    ],
])("create refuses %s", async (_, overrides, message) => {
    const error = await errorOf(it.api.createNamespace({ spec: namespaceSpec(overrides) }));
    expect(error).toMatch(/^INVALID_ARGUMENT: /);
    expect(error).toContain(message);
    expect(it.emulator.namespaces.list()).toHaveLength(0);
});

test.each<[string, Record<string, string>]>([
    ["an empty value", { a: "" }],
    ["an upper-case key", { A: "a" }],
    ["a space", { a: "b c" }],
    ["a long value", { a: "b".repeat(64) }],
    ["eleven", Object.fromEntries([...Array(11).keys()].map((number) => [`k${number}`, "v"]))],
])("tags with %s are refused", async (_, tags) => {
    expect(await errorOf(it.api.createNamespace({ spec: namespaceSpec(), tags }))).toMatch(/^INVALID_ARGUMENT: .*tag/);
});

test("16 certificates are accepted, and the same name twice is not", async () => {
    await made(bundle(...Array<string>(16).fill(ca())));
    const again = it.api.createNamespace({ spec: namespaceSpec() });
    expect(await errorOf(again)).toBe('ALREADY_EXISTS: namespace "orders" already exists');
});

test("deprecated fields and the ones in their place mirror each other, whichever was sent", async () => {
    const old = await made({
        replicas: [],
        regions: ["aws-us-east-1"],
        customSearchAttributes: { Customer: "keyword_list" },
        mtlsAuth: { enabled: true, acceptedClientCaDeprecated: Buffer.from(ca()).toString("base64") },
    });
    expect(old.spec).toMatchObject({
        regions: ["aws-us-east-1"],
        replicas: [{ region: "aws-us-east-1" }],
        searchAttributes: { Customer: Type.SEARCH_ATTRIBUTE_TYPE_KEYWORD_LIST },
        customSearchAttributes: { Customer: "keyword_list" },
    });
    expect(old.spec?.mtlsAuth?.acceptedClientCa.toString()).toBe(ca());
});

test("parts that are not set come back as empty messages, or do not, as the setting says", async () => {
    expect((await made()).spec).toMatchObject({
        codecServer: { endpoint: "" },
        mtlsAuth: { enabled: false },
        lifecycle: { enableDeleteProtection: false },
    });
    it.emulator.settings.unsetPartsAreEmptyMessages = false;
    await it.api.createNamespace({ spec: namespaceSpec({ name: "payments" }) });
    expect((await get(it.api, "payments.a1b2c")).spec).toMatchObject({ codecServer: undefined, mtlsAuth: undefined });
});

describe("update", () => {
    test("what changes nothing is refused, also where an empty message says it", async () => {
        const { spec, resourceVersion } = await made();
        for (const same of [spec, namespaceSpec(), { ...spec, codecServer: undefined, fairness: {} }]) {
            const call = it.api.updateNamespace({ namespace: id, resourceVersion, spec: same });
            expect(await errorOf(call)).toBe("INVALID_ARGUMENT: nothing to change");
        }
    });

    test("the name stays", async () => {
        await made();
        expect(await errorOf(updated({ name: "payments" }))).toContain("the name of a namespace cannot be changed");
    });

    test("fields that are left out are cleared", async () => {
        const { resourceVersion } = await made({
            description: "hello",
            highAvailability: { disableManagedFailover: true },
        });
        await it.api.updateNamespace({ namespace: id, resourceVersion, spec: namespaceSpec() });
        expect((await get(it.api)).spec).toMatchObject({
            description: "",
            highAvailability: { disableManagedFailover: false },
        });
    });

    test.each([true, false])("fields newer than the emulator are cleared or kept (cleared: %s)", async (cleared) => {
        const { emulator, api } = it;
        emulator.settings.newerFieldsCleared = cleared;
        await made();
        emulator.addUnknownField("namespaces", id, 900, Buffer.from("new"));
        const { spec, resourceVersion } = await get(api);
        const raw = Buffer.concat([Buffer.from([3]), Buffer.from("new")]);
        expect(spec?._unknownFields).toEqual({ [(900 << 3) | 2]: [raw] });
        await api.updateNamespace({ namespace: id, resourceVersion, spec: namespaceSpec({ retentionDays: 7 }) });
        const after = (await get(api)).spec;
        expect(after?.retentionDays).toBe(7);
        expect(Object.keys(after?._unknownFields ?? {})).toHaveLength(cleared ? 0 : 1);
    });

    test("search attributes are added, but not removed and not changed", async () => {
        const { SEARCH_ATTRIBUTE_TYPE_INT: int, SEARCH_ATTRIBUTE_TYPE_TEXT: text } = Type;
        await made({ searchAttributes: { A: int } });
        await updated({ searchAttributes: { A: int, B: text } });
        expect((await get(it.api)).spec?.customSearchAttributes).toEqual({ A: "int", B: "text" });
        expect(await errorOf(updated({ searchAttributes: { A: int } }))).toContain("attribute B cannot be removed");
        const changed = updated({ searchAttributes: { A: text, B: text } });
        expect(await errorOf(changed)).toContain("the type of search attribute A cannot be changed");
    });

    test("a capacity takes effect when its request completes", async () => {
        const { emulator, api } = it;
        emulator.settings.capacityDurationMs = Number.POSITIVE_INFINITY;
        await made();
        const capacitySpec: NamespaceSpec["capacitySpec"] = { spec: { $case: "provisioned", value: { value: 4 } } };
        await updated({ capacitySpec });
        expect((await get(api)).capacity).toMatchObject({
            currentMode: { $case: "onDemand" },
            latestRequest: { state: CapacityState.STATE_CAPACITY_REQUEST_IN_PROGRESS, spec: capacitySpec },
        });
        emulator.finishCapacityRequests();
        expect((await get(api)).capacity?.currentMode).toMatchObject({ value: { currentValue: 4 } });
        emulator.settings.capacityDurationMs = 0;
        await updated({ capacitySpec: { spec: { $case: "provisioned", value: { value: 8 } } } });
        expect((await get(api)).capacity).toMatchObject({
            currentMode: { $case: "provisioned", value: { currentValue: 8 } },
            latestRequest: { state: CapacityState.STATE_CAPACITY_REQUEST_COMPLETED },
        });
        emulator.faults.add({ method: "UpdateNamespace", kind: "capacityFails" });
        await updated({ capacitySpec: undefined });
        const { capacity } = await get(api);
        expect(capacity).toMatchObject({
            currentMode: { $case: "provisioned", value: { currentValue: 8 } },
            latestRequest: { state: CapacityState.STATE_CAPACITY_REQUEST_FAILED },
        });
        const info = await api.getNamespaceCapacityInfo({ namespace: id });
        expect(info.capacityInfo?.currentCapacity).toEqual(capacity);
    });
});

describe("regions", () => {
    const east = { region: "aws-us-east-1" };
    const west = { region: "aws-us-west-2" };

    test("a replica is added, made the primary, and the old one removed", async () => {
        const { emulator, api } = it;
        await made();
        emulator.settings.operationDurationMs = Number.POSITIVE_INFINITY;
        await updated({ replicas: [east, west] });
        expect((await get(api)).replicas).toMatchObject([
            { ...east, isPrimary: true, state: ReplicaState.REPLICA_STATE_ACTIVE },
            { ...west, isPrimary: false, state: ReplicaState.REPLICA_STATE_ADDING },
        ]);
        emulator.finishOperations();
        emulator.settings.operationDurationMs = 0;
        const refused = await errorOf(updated({ replicas: [west] }));
        expect(refused).toBe(
            "FAILED_PRECONDITION: replica aws-us-east-1 is the primary: fail over to another region first",
        );
        await api.failoverNamespaceRegion({ namespace: id, region: west.region });
        expect(await get(api)).toMatchObject({
            activeRegion: west.region,
            replicas: [{ isPrimary: false }, { isPrimary: true }],
            endpoints: { grpcAddress: "us-west-2.aws.api.temporal.io:7233" },
        });
        expect(await errorOf(updated({ replicas: [west, east] }))).toContain("nothing to change");
        await updated({ replicas: [west] });
        expect(await get(api)).toMatchObject({
            spec: { regions: [west.region] },
            replicas: [{ ...west, isPrimary: true }],
        });
    });

    test("a second replica in the same region is another one, and the primary stays if one of them is removed", async () => {
        const { api } = it;
        await made();
        const [primary] = (await get(api)).replicas;
        await updated({ replicas: [east, east] });
        expect((await get(api)).replicas).toEqual([primary, { ...primary, id: expect.any(String), isPrimary: false }]);
        expect(new Set((await get(api)).replicas.map((replica) => replica.id)).size).toBe(2);
        await updated({ replicas: [east] });
        expect((await get(api)).replicas).toEqual([primary]);
    });

    test("one at a time", async () => {
        await made({ replicas: [east, west] });
        const both = updated({ replicas: [east, { region: "aws-eu-west-1" }] });
        expect(await errorOf(both)).toContain("one update can add or remove at most one replica");
    });

    test("a failover needs a replica to go to, and one that is not there yet", async () => {
        const failover = (region: string) => it.api.failoverNamespaceRegion({ namespace: id, region });
        await made();
        expect(await errorOf(failover(west.region))).toContain('has no replica in "aws-us-west-2"');
        expect(await errorOf(failover(east.region))).toContain("nothing to change");
    });
});

describe("rename of a search attribute", () => {
    const rename = (from: string, to: string, resourceVersion: string) =>
        it.api.renameCustomSearchAttribute({
            namespace: id,
            existingCustomSearchAttributeName: from,
            newCustomSearchAttributeName: to,
            resourceVersion,
        });
    const searchAttributes = { A: Type.SEARCH_ATTRIBUTE_TYPE_INT, B: Type.SEARCH_ATTRIBUTE_TYPE_TEXT };

    test("accepts a version that only renames have made stale", async () => {
        const { resourceVersion } = await made({ searchAttributes });
        await rename("A", "C", resourceVersion);
        await rename("B", "D", resourceVersion);
        expect((await get(it.api)).spec?.customSearchAttributes).toEqual({ C: "int", D: "text" });
        await updated({ retentionDays: 5 });
        expect(await errorOf(rename("C", "A", resourceVersion))).toMatch(/^FAILED_PRECONDITION: .*is stale$/);
    });

    test("needs one that is there and a name that is free", async () => {
        const { resourceVersion } = await made({ searchAttributes });
        expect(await errorOf(rename("X", "Y", resourceVersion))).toContain('search attribute "X" does not exist');
        expect(await errorOf(rename("A", "B", resourceVersion))).toContain('search attribute "B" already exists');
    });
});

test("tags are set and removed, without a version", async () => {
    await it.api.createNamespace({ spec: namespaceSpec(), tags: { a: "1", b: "2" } });
    const update = (tagsToUpsert: Record<string, string>, tagsToRemove: string[] = []) =>
        it.api.updateNamespaceTags({ namespace: id, tagsToUpsert, tagsToRemove });
    await update({ a: "3", c: "4" }, ["b"]);
    expect((await get(it.api)).tags).toEqual({ a: "3", c: "4" });
    expect(await errorOf(update({ a: "3" }, ["b"]))).toContain("nothing to change");
    expect(await errorOf(update({ a: "A B" }))).toContain("keys and values");
});

test("a namespace moves between projects, and a project with one in it stays", async () => {
    const { api } = it;
    const { projectId } = await api.createProject({ spec: { displayName: "shop" } });
    const { resourceVersion, projectId: from } = await made();
    const move = { namespace: id, resourceVersion, destinationProjectId: projectId };
    const wrong = api.moveNamespaceToProject({ ...move, expectedSourceProjectId: projectId });
    expect(await errorOf(wrong)).toMatch(/^FAILED_PRECONDITION/);
    const nowhere = api.moveNamespaceToProject({ ...move, destinationProjectId: "nowhere" });
    expect(await errorOf(nowhere)).toBe('NOT_FOUND: project "nowhere" not found');
    await api.moveNamespaceToProject({ ...move, expectedSourceProjectId: from });
    expect((await api.getNamespaces({ projectId })).namespaces).toHaveLength(1);
    expect((await api.getNamespaces({ projectId: from })).namespaces).toHaveLength(0);
    const { project } = await api.getProject({ projectId });
    const remove = () => api.deleteProject({ projectId, resourceVersion: project?.resourceVersion ?? "" });
    expect(await errorOf(remove())).toContain("is not empty");
    await api.deleteNamespace({ namespace: id, resourceVersion: (await get(api)).resourceVersion });
    await api.getRegions({});
    await remove();
    expect(await errorOf(api.getProject({ projectId }))).toMatch(/^NOT_FOUND/);
});

test("a move says what becomes of connectivity rules, where there are any", async () => {
    const { api } = it;
    const { projectId } = await api.createProject({ spec: { displayName: "shop" } });
    const { resourceVersion } = await made({ connectivityRuleIds: ["r1"] });
    const move = { namespace: id, resourceVersion, destinationProjectId: projectId };
    expect(await errorOf(api.moveNamespaceToProject(move))).toMatch(
        /^INVALID_ARGUMENT: destination_connectivity_rules/,
    );
    const rules = { $case: "ruleIds" as const, value: { connectivityRuleIds: ["r2"] } };
    await api.moveNamespaceToProject({ ...move, destinationConnectivityRules: rules });
    expect(await get(api)).toMatchObject({ projectId, spec: { connectivityRuleIds: ["r2"] } });
});

test("what happens behind the back: deprecated fields follow, and the version is a new one", async () => {
    const { emulator, api } = it;
    const before = await made({ searchAttributes: { A: Type.SEARCH_ATTRIBUTE_TYPE_INT } });
    emulator.namespaces.change(id, ({ spec }) => {
        if (spec) spec.searchAttributes = { B: Type.SEARCH_ATTRIBUTE_TYPE_INT };
    });
    const after = await get(api);
    expect(after.spec?.customSearchAttributes).toEqual({ B: "int" });
    expect(after.resourceVersion).not.toBe(before.resourceVersion);
    emulator.namespaces.remove(id);
    expect(await errorOf(get(api))).toMatch(/^NOT_FOUND/);
    emulator.namespaces.add({ spec: namespaceSpec({ name: "added" }) });
    expect(await get(api, "added.a1b2c")).toMatchObject({ state: ResourceState.RESOURCE_STATE_ACTIVE });
});
