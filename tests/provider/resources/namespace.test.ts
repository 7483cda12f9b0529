// What the definition decides by itself: how a namespace looks, and what is to be done next. No server is asked.

import type {
    Capacity,
    DeepPartial,
    NamespaceSpec_SearchAttributeType as SearchAttributeType,
    NamespaceSpec as Spec,
} from "../../../proto/generated/temporal/api/cloud/namespace/v1/message";
import {
    Capacity_Request_State as CapacityState,
    Namespace,
    Replica_ReplicaState as ReplicaState,
} from "../../../proto/generated/temporal/api/cloud/namespace/v1/message";
import { ResourceContext } from "../../../provider/context";
import type { Cloud, Wait, Write } from "../../../provider/definition";
import { type Bag, same, UNKNOWN } from "../../../provider/fields";
import { Lifecycle } from "../../../provider/lifecycle/lifecycle";
import { View } from "../../../provider/lifecycle/view";
import { managedPaths } from "../../../provider/overlay";
import { findByNaturalKey } from "../../../provider/pages";
import { namespaceDefinition as definition } from "../../../provider/resources/namespace";
import { ca, leaf } from "../../support/certificates";

const view = new View(definition);
const lifecycle = new Lifecycle(definition);
const urn = "urn:pulumi:stack::project::pulumi-nodejs:dynamic/temporalcloud:Namespace::orders";
const parts = { urn, organization: "acme" };
const context = { __context: JSON.stringify(parts) };

interface Sent {
    readonly rpc: string;
    readonly request: Record<string, unknown> & { spec?: Spec };
}

/** Sends the write to nobody, and says what it was. */
async function sent(next: Write | Wait | undefined): Promise<Sent | undefined> {
    if (next === undefined || !("send" in next)) {
        return undefined;
    }
    const calls: Sent[] = [];
    const cloud = new Proxy({} as never, {
        get: (_, rpc: string) => async (request: Sent["request"]) => {
            if (rpc === "getRegions") {
                return { regions: ["a", "b", "c", "aws-us-west-2"].map((id) => ({ id })) };
            }
            calls.push({ rpc, request });
            return { asyncOperation: undefined };
        },
    });
    await next.send(cloud, "op-1", {});
    expect(calls).toHaveLength(1);
    expect(calls[0]?.request.asyncOperationId).toBe("op-1");
    return calls[0];
}

function live(spec: DeepPartial<Spec> = {}, more: DeepPartial<Namespace> = {}): Namespace {
    const replicas = [{ region: "a" }];
    return Namespace.fromPartial({
        namespace: "orders.a1b2c",
        resourceVersion: "v1",
        activeRegion: "a",
        ...more,
        spec: { name: "orders", retentionDays: 30, replicas, ...spec },
    });
}

/** The next thing to do, for a program that had these properties before and has those now. */
const next = (namespace: Namespace, args: Bag, old?: Bag, made = new Map<string, number>()) => {
    const before = old && { old: { ...old, __managed: managedPaths(definition.fields, old).join(" ") } };
    return definition.next(namespace, view.desired(namespace, view.task({ regions: ["a"], ...args }, before), made));
};

describe("regions", () => {
    /** A server that allows two replicas at most, and refuses to remove the active one. */
    class Server {
        active: string;
        readonly steps: string[] = [];
        constructor(public regions: string[]) {
            this.active = regions[0] ?? "";
        }
        get namespace(): Namespace {
            const replicas = this.regions.map((region) => ({ region }));
            return live({ replicas }, { activeRegion: this.active });
        }
        async take(write: Write): Promise<void> {
            this.steps.push(write.purpose);
            const { rpc, request } = (await sent(write)) as Sent;
            if (rpc === "failoverNamespaceRegion") {
                const region = String(request.region);
                expect(this.regions).toContain(region);
                this.active = region;
                return;
            }
            expect(rpc).toBe("updateNamespace");
            const regions = request.spec?.replicas.map(({ region }) => region) ?? [];
            expect(regions.length).toBeLessThanOrEqual(2);
            expect(regions).toContain(this.active);
            const count = (list: string[], region: string) => list.filter((other) => other === region).length;
            const steps = [...new Set([...regions, ...this.regions])].map((region) =>
                Math.abs(count(regions, region) - count(this.regions, region)),
            );
            expect(steps.reduce((sum, step) => sum + step, 0)).toBe(1);
            this.regions = regions;
        }
    }

    const one = ["a", "b", "c"].map((region) => [region]);
    const two = one.flatMap((first) => one.map((second) => [...first, ...second]));
    const transitions = [...one, ...two].flatMap((from) => [...one, ...two].map((to) => [from, to] as const));

    test.each(transitions)("%j becomes %j, step by step", async (from, to) => {
        const server = new Server([...from]);
        for (let step = 0; step < 10; step += 1) {
            const write = next(server.namespace, { regions: to }, { regions: from });
            if (write === undefined) {
                break;
            }
            await server.take(write as Write);
        }
        expect(server.active).toBe(to[0]);
        expect(server.regions.toSorted()).toEqual(to.toSorted());
        expect(server.steps.length).toBeLessThanOrEqual(6);
        expect(definition.fromLive(server.namespace).args.regions).toEqual(to);
    });

    test("their steps, by name", async () => {
        const server = new Server(["a"]);
        for (let write = next(server.namespace, { regions: ["b"] }, { regions: ["a"] }); write !== undefined; ) {
            await server.take(write as Write);
            write = next(server.namespace, { regions: ["b"] }, { regions: ["a"] });
        }
        expect(server.steps).toEqual(["adding a replica in b", "failing over to b", "removing a replica in a"]);
    });

    test.each<[string[], string[]]>([
        [
            ["a", "b"],
            ["a", "us-west-2"],
        ],
        [
            ["a", "b"],
            ["us-west-2", "b"],
        ],
        [
            ["a", "b"],
            ["b", "us-west-2"],
        ],
        [["a"], ["us-west-2"]],
    ])("%j stays as it is if it is to be %j: there is no such region", async (from, to) => {
        const server = new Server([...from]);
        await expect(server.take(next(server.namespace, { regions: to }, { regions: from }) as Write)).rejects.toThrow(
            'There is no region "us-west-2". Did you mean "aws-us-west-2"?',
        );
        expect([server.active, ...server.regions]).toEqual(["a", ...from]);
    });

    test("the order of the passive ones means nothing, which one is active does", () => {
        const old = { regions: ["a", "b", "c"], __managed: "regions" };
        const diff = (regions: string[]) => lifecycle.diff(silent, old, { ...context, regions }, new Date()).changes;
        expect(diff(["a", "c", "b"])).toBe(false);
        expect(diff(["b", "a", "c"])).toBe(true);
    });

    test("a failover by Temporal is seen, and not undone by an update of something else", async () => {
        const failedOver = live({ replicas: [{ region: "a" }, { region: "b" }] }, { activeRegion: "b" });
        expect(definition.fromLive(failedOver).args.regions).toEqual(["b", "a"]);
        const regions = { regions: ["a", "b"] };
        expect(next(failedOver, { ...regions, description: "" }, { ...regions, description: "" })).toBeUndefined();
        const update = await sent(next(failedOver, { ...regions, description: "x" }, regions));
        expect(update?.rpc).toBe("updateNamespace");
        expect(update?.request.spec?.replicas.map(({ region }) => region)).toEqual(["a", "b"]);
        // Nor by the next one, also where this one did not come to its end.
        const bag = { ...context, ...regions, description: "x" };
        const task = view.task({ ...regions, description: "x" }, { old: { ...regions, __managed: "regions" } });
        for (const state of [view.outputs(failedOver, bag, {}), view.outputs(failedOver, bag, {}, task)]) {
            expect(state).toMatchObject({ ...regions, activeRegion: "b" });
            expect(view.changes(state, regions)).not.toContainEqual(expect.objectContaining({ name: "regions" }));
        }
        // A change of regions that has only come so far is one that goes on.
        const moving = view.task(regions, { old: { regions: ["b", "a"], __managed: "regions" } });
        expect(view.outputs(failedOver, bag, {}, moving).regions).toEqual(["b", "a"]);
        expect(view.read(failedOver, { ...regions, __managed: "regions" }, {}).props.regions).toEqual(["b", "a"]);
        // After a refresh has shown it, it is undone.
        expect(await sent(next(failedOver, regions, { regions: ["b", "a"] }))).toMatchObject({
            rpc: "failoverNamespaceRegion",
            request: { namespace: "orders.a1b2c", region: "a" },
        });
    });

    test.each([
        ["added", ["a"], ["a", "c"], "has another replica in c, which its `regions` do not list."],
        [
            "added and made the active one",
            ["a"],
            ["c", "a"],
            "has another replica in c, which its `regions` do not list.",
        ],
        [
            "put in the place of the second one",
            ["a", "b"],
            ["a", "c"],
            "has another replica in c, which its `regions` do not list, and lacks a replica in b, which its `regions` list.",
        ],
        [
            "put in the place of the second one and made the active one",
            ["a", "b"],
            ["c", "a"],
            "has another replica in c, which its `regions` do not list, and lacks a replica in b, which its `regions` list.",
        ],
        [
            "put in the place of the first one",
            ["a", "b"],
            ["c", "b"],
            "has another replica in c, which its `regions` do not list, and lacks a replica in a, which its `regions` list.",
        ],
        [
            "put in the place of both",
            ["a", "b"],
            ["c"],
            "has another replica in c, which its `regions` do not list, and lacks a replica in a, b, which its `regions` list.",
        ],
        ["added in the same region", ["a"], ["a", "a"], "has another replica in a, which its `regions` do not list."],
        ["removed in the same region", ["a", "a"], ["a"], "lacks a replica in a, which its `regions` list."],
        ["removed", ["a", "b"], ["a"], "lacks a replica in b, which its `regions` list."],
        ["removed, it was the active one", ["a", "b"], ["b"], "lacks a replica in a, which its `regions` list."],
    ])("one that somebody has %s is left so by an update of something else", async (_, declared, there, warning) => {
        const namespace = live({ replicas: there.map((region) => ({ region })) }, { activeRegion: there[0] ?? "" });
        const regions = { regions: declared };
        expect(next(namespace, regions, regions)).toBeUndefined();
        const changed = { ...regions, description: "x" };
        const update = await sent(next(namespace, changed, regions));
        expect(update?.rpc).toBe("updateNamespace");
        expect(update?.request.spec?.replicas.map(({ region }) => region)).toEqual(there);
        const task = view.task({ ...regions, description: "x" }, { old: { ...regions, __managed: "regions" } });
        const tolerated = view.tolerated(namespace, task);
        expect(tolerated).toMatchObject({
            values: regions,
            warning: expect.stringContaining(`${namespace.namespace} ${warning} `),
        });
        // A refresh shows it, and then it is set back.
        expect(view.read(namespace, { ...regions, __managed: "regions" }, {}).props.regions).toEqual(there);
        expect(next(namespace, regions, { regions: there })).toBeDefined();
    });

    test.each([ReplicaState.REPLICA_STATE_ADDING, ReplicaState.REPLICA_STATE_REMOVING])(
        "a replica on its way (%s) is waited for",
        (state) => {
            const namespace = live({}, { replicas: [{ region: "a" }, { region: "b", state }] });
            expect(next(namespace, { regions: ["c"] }, { regions: ["a"] })).toEqual({
                purpose: "waiting for the replica in b",
                operationId: undefined,
            });
        },
    );
});

const silent = { log: { status: () => {}, info: () => {}, warn: () => {} } };

describe("capacity", () => {
    const provisioned = (currentValue: number): Capacity["currentMode"] => ({
        $case: "provisioned",
        value: { currentValue },
    });
    const request = (state: CapacityState, value?: number): DeepPartial<Capacity>["latestRequest"] => ({
        state,
        asyncOperationId: "op-0",
        spec: {
            spec: value === undefined ? { $case: "onDemand", value: {} } : { $case: "provisioned", value: { value } },
        },
    });
    const { STATE_CAPACITY_REQUEST_COMPLETED: COMPLETED, STATE_CAPACITY_REQUEST_FAILED: FAILED } = CapacityState;
    const { STATE_CAPACITY_REQUEST_IN_PROGRESS: IN_PROGRESS } = CapacityState;
    const four = { capacity: { mode: "provisioned", value: 4 } };
    const two = { capacity: { mode: "provisioned", value: 2 } };
    const onDemand = { capacity: { mode: "on_demand" } };

    test.each<[string, DeepPartial<Capacity> | undefined, unknown]>([
        ["none", undefined, onDemand.capacity],
        ["provisioned", { currentMode: provisioned(4) }, four.capacity],
        ["on its way", { latestRequest: request(IN_PROGRESS, 4) }, four.capacity],
        ["reached", { currentMode: provisioned(4), latestRequest: request(COMPLETED, 4) }, four.capacity],
        ["failed", { currentMode: provisioned(2), latestRequest: request(FAILED, 4) }, two.capacity],
        ["back on demand", { currentMode: provisioned(4), latestRequest: request(IN_PROGRESS) }, onDemand.capacity],
    ])("%s is seen", (_, capacity, expected) => {
        expect(definition.fromLive(live({}, capacity ? { capacity } : {})).args.capacity).toEqual(expected);
    });

    test("is asked for, waited for, and then left alone", async () => {
        expect(await sent(next(live(), four))).toMatchObject({
            rpc: "updateNamespace",
            request: { spec: { capacitySpec: { spec: { $case: "provisioned", value: { value: 4 } } } } },
        });
        expect(next(live({}, { capacity: { latestRequest: request(IN_PROGRESS, 4) } }), four)).toEqual({
            purpose: "waiting for the capacity",
            operationId: "op-0",
        });
        const reached = { currentMode: provisioned(4), latestRequest: request(COMPLETED, 4) };
        expect(next(live({}, { capacity: reached }), four)).toBeUndefined();
    });

    test("is changed, and taken back when the program says no more of it", async () => {
        const capacity = { currentMode: provisioned(2) };
        expect(await sent(next(live({}, { capacity }), four, two))).toMatchObject({
            request: { spec: { capacitySpec: { spec: { $case: "provisioned", value: { value: 4 } } } } },
        });
        expect(await sent(next(live({}, { capacity }), {}, { regions: ["a"], ...two }))).toMatchObject({
            request: { spec: { capacitySpec: { spec: { $case: "onDemand" } } } },
        });
    });

    test("that the program never set stays as it is, also while it changes", () => {
        for (const state of [IN_PROGRESS, FAILED, COMPLETED]) {
            expect(next(live({}, { capacity: { latestRequest: request(state, 4) } }), {})).toBeUndefined();
        }
    });

    test("that is to be ignored is left to others, also while it changes", () => {
        const old = { regions: ["a"], ...two, __managed: "regions capacity" };
        const task = view.task({ regions: ["a"], ...four }, { old, ignores: (path) => path === "capacity" });
        for (const state of [IN_PROGRESS, FAILED, COMPLETED]) {
            const namespace = live({}, { capacity: { latestRequest: request(state, 6) } });
            expect(definition.next(namespace, view.desired(namespace, task))).toBeUndefined();
        }
    });

    test("of which only the value is to be ignored keeps that as long as the mode is the same", () => {
        const old = { regions: ["a"], ...two, __managed: "regions capacity" };
        const { ignores } = new ResourceContext(JSON.stringify({ ignoreChanges: ["capacity.value"] }));
        const task = view.task({ regions: ["a"], ...two }, { old, ignores });
        const at = (capacity: DeepPartial<Capacity>) =>
            definition.next(live({}, { capacity }), view.desired(live({}, { capacity }), task))?.purpose;
        expect(at({ currentMode: provisioned(8) })).toBeUndefined();
        expect(at({})).toBe("setting the capacity");
        const there = { ...old, capacity: { mode: "provisioned", value: 8 } };
        expect(view.changes(there, { regions: ["a"], ...two }, { ignores })).toEqual([]);
    });

    test("that Temporal could not provide is an error once it was asked for, and asked for again in the next run", () => {
        const namespace = live({}, { capacity: { latestRequest: request(FAILED, 4) } });
        const ask = next(namespace, four);
        expect(ask?.purpose).toBe("setting the capacity");
        expect(() => next(namespace, four, undefined, new Map([["setting the capacity", 1]]))).toThrow(
            /could not provide the capacity/,
        );
    });
});

describe("search attributes", () => {
    const there = { Customer: 2, Amount: 3 };

    test("are added; those that are there and not declared stay", async () => {
        const write = await sent(next(live({ searchAttributes: there }), { searchAttributes: { Total: "double" } }));
        expect(write?.request.spec?.searchAttributes).toEqual({ ...there, Total: 4 });
        expect(next(live({ searchAttributes: there }), { searchAttributes: { Amount: "int" } })).toBeUndefined();
    });

    test("are renamed by the RPC for it, once, before anything else", async () => {
        const args = {
            searchAttributes: { Client: "keyword", Amount: "int" },
            searchAttributeRenames: { Client: "Customer" },
            description: "new",
        };
        expect(await sent(next(live({ searchAttributes: there }), args))).toEqual({
            rpc: "renameCustomSearchAttribute",
            request: {
                namespace: "orders.a1b2c",
                existingCustomSearchAttributeName: "Customer",
                newCustomSearchAttributeName: "Client",
                resourceVersion: "v1",
                asyncOperationId: "op-1",
            },
        });
        const renamed = live({ searchAttributes: { Client: 2, Amount: 3 } });
        expect(await sent(next(renamed, args))).toMatchObject({ rpc: "updateNamespace" });
        expect(next(live({ searchAttributes: { Client: 2, Amount: 3 }, description: "new" }), args)).toBeUndefined();
    });

    test("a rename of what is nowhere adds the new name", async () => {
        const args = { searchAttributes: { Client: "keyword" }, searchAttributeRenames: { Client: "Customer" } };
        expect((await sent(next(live(), args)))?.request.spec?.searchAttributes).toEqual({ Client: 2 });
    });

    test("of a type that this version does not know are seen, and stay", async () => {
        const namespace = live({ searchAttributes: { New: 77 as SearchAttributeType } });
        expect(definition.fromLive(namespace).args.searchAttributes).toEqual({ New: "77" });
        const write = await sent(next(namespace, { description: "x" }));
        expect(write?.request.spec?.searchAttributes).toEqual({ New: 77 });
    });

    test("has another type only in a namespace that is made anew, since its name changes", () => {
        const old = { name: "orders", searchAttributes: { A: "keyword" } };
        const retyped = (name: unknown) => check({ name, searchAttributes: { A: "int" } }, old);
        expect(retyped("orders").join()).toContain("has the type keyword, which cannot be changed to int");
        expect(retyped("orders-2")).toEqual([]);
        expect(retyped(UNKNOWN)).toEqual([]);
    });

    test("has another type where the program replaces the namespace for that", () => {
        const old = { name: "orders", searchAttributes: { A: "keyword" } };
        const retyped = (replaceOnChanges: string[]) =>
            check({ name: "orders", searchAttributes: { A: "int" } }, old, { replaceOnChanges });
        expect(retyped(["searchAttributes"])).toEqual([]);
        expect(retyped(["tags"]).join()).toContain("cannot be changed to int");
    });

    test("may have names that every object has", async () => {
        const searchAttributes = { constructor: "keyword" };
        expect(check({ searchAttributes })).toEqual([]);
        expect(check({ searchAttributes, searchAttributeRenames: { constructor: "Old" } })).toEqual([]);
        expect(check({ searchAttributes: {}, searchAttributeRenames: { constructor: "Old" } })).toEqual([
            'searchAttributeRenames["constructor"]: `searchAttributeRenames["constructor"]` must also be listed in `searchAttributes`: it is the new name.',
        ]);
        expect(check({ searchAttributes, searchAttributeRenames: { Other: "toString" } })).toHaveLength(1);
        const managed = new Set(["searchAttributes"]);
        expect(definition.warnings?.({ searchAttributes }, { searchAttributes: {} }, managed)).toHaveLength(1);
        expect(
            await sent(
                next(live({ searchAttributes: { Old: 2 } }), {
                    searchAttributes,
                    searchAttributeRenames: { constructor: "Old" },
                }),
            ),
        ).toMatchObject({ rpc: "renameCustomSearchAttribute" });
    });
});

describe("tags", () => {
    test("are set and taken away in one call; the rest is not touched", async () => {
        const namespace = live({}, { tags: { kept: "1", changed: "1", gone: "1" } });
        expect(await sent(next(namespace, { tags: { kept: "1", changed: "2", added: "3" } }))).toEqual({
            rpc: "updateNamespaceTags",
            request: {
                namespace: "orders.a1b2c",
                tagsToUpsert: { changed: "2", added: "3" },
                tagsToRemove: ["gone"],
                asyncOperationId: "op-1",
            },
        });
    });

    test("that the program never set stay, and go when it no longer sets them", async () => {
        const namespace = live({}, { tags: { a: "1" } });
        expect(next(namespace, {})).toBeUndefined();
        const old = { regions: ["a"], tags: { a: "1" } };
        expect((await sent(next(namespace, {}, old)))?.request.tagsToRemove).toEqual(["a"]);
        expect((await sent(next(namespace, { tags: {} })))?.request.tagsToRemove).toEqual(["a"]);
    });

    test("may have names that every object has", async () => {
        const namespace = live({}, { tags: { constructor: "1" } });
        expect((await sent(next(namespace, { tags: {} })))?.request.tagsToRemove).toEqual(["constructor"]);
        expect((await sent(next(live(), { tags: { constructor: "1" } })))?.request.tagsToUpsert).toEqual({
            constructor: "1",
        });
    });
});

test("a project is a move", async () => {
    const namespace = live({}, { projectId: "p1" });
    expect(await sent(next(namespace, { projectId: "p2" }))).toEqual({
        rpc: "moveNamespaceToProject",
        request: {
            namespace: "orders.a1b2c",
            destinationProjectId: "p2",
            expectedSourceProjectId: "p1",
            resourceVersion: "v1",
            asyncOperationId: "op-1",
        },
    });
    expect(next(namespace, { projectId: "p1" })).toBeUndefined();
    expect(next(namespace, {})).toBeUndefined();
    // There is no default to go back to.
    expect(next(namespace, {}, { regions: ["a"], projectId: "p1" })).toBeUndefined();
});

describe("a move to another project, where there are connectivity rules", () => {
    const there = live({ connectivityRuleIds: ["r1"] }, { projectId: "p1" });

    test.each<[string, Bag, unknown]>([
        ["rules of the new project", { connectivityRuleIds: ["r2"] }, { connectivityRuleIds: ["r2"] }],
        ["the same", { connectivityRuleIds: ["r1"] }, { connectivityRuleIds: ["r1"] }],
        ["none", { connectivityRuleIds: [] }, undefined],
    ])("comes before anything else, and names them: %s", async (_, args, rules) => {
        const write = await sent(next(there, { projectId: "p2", description: "moved", ...args }));
        expect(write).toMatchObject({
            rpc: "moveNamespaceToProject",
            request: {
                destinationConnectivityRules: rules
                    ? { $case: "ruleIds", value: rules }
                    : { $case: "unrestricted", value: {} },
            },
        });
    });

    test("names none where the program takes them back", async () => {
        const old = { regions: ["a"], projectId: "p1", connectivityRuleIds: ["r1"] };
        expect((await sent(next(there, { projectId: "p2" }, old)))?.request.destinationConnectivityRules).toEqual({
            $case: "unrestricted",
            value: {},
        });
    });

    test("is refused where the program does not say", () => {
        expect(() => next(there, { projectId: "p2" })).toThrow(
            /rules \(r1\) belong to the project .* `connectivityRuleIds`/,
        );
    });
});

test("mTLS that is turned on again keeps the filters that the program does not manage", async () => {
    const certificateFilters = [{ commonName: "cn" }];
    const off = live({ mtlsAuth: { enabled: false, acceptedClientCa: Buffer.from("pem"), certificateFilters } });
    const spec = (await sent(next(off, { mtlsAuth: { acceptedClientCa: "pem" } })))?.request.spec;
    expect(spec).toMatchObject({ mtlsAuth: { enabled: true, certificateFilters } });
    const old = { regions: ["a"], mtlsAuth: { acceptedClientCa: "pem", certificateFilters } };
    const without = (await sent(next(live(spec), { mtlsAuth: { acceptedClientCa: "pem" } }, old)))?.request.spec;
    // The filters that the program no longer wants do not come back with it either.
    const bare = (await sent(next(off, { mtlsAuth: { acceptedClientCa: "pem" } }, old)))?.request.spec;
    expect(bare?.mtlsAuth).toMatchObject({ enabled: true, certificateFilters: [] });
    expect(without).toMatchObject({ mtlsAuth: { enabled: true, certificateFilters: [] } });
});

describe("the encryption validation", () => {
    const described = { mode: 2, metadataKey: "encoding", metadataValues: ["binary/encrypted"] };

    test("that is disabled by default needs no write to be disabled", () => {
        expect(next(live(), { encryptionValidation: { mode: "disabled" } })).toBeUndefined();
        expect(
            next(live({ encryptionValidation: { mode: 1 } }), { encryptionValidation: { mode: "disabled" } }),
        ).toBeUndefined();
    });

    test("may show what it does by default, and the program need not say it", () => {
        const old = {
            regions: ["a"],
            encryptionValidation: { mode: "warn", metadataKey: "encoding", metadataValues: ["binary/encrypted"] },
        };
        expect(
            next(live({ encryptionValidation: described }), { encryptionValidation: { mode: "warn" } }, old),
        ).toBeUndefined();
        expect(next(live({ encryptionValidation: { mode: 2 } }), old)).toBeUndefined();
    });
});

describe("an update", () => {
    test("leaves out the deprecated fields that mirror others", async () => {
        const namespace = live({
            regions: ["a"],
            customSearchAttributes: { Customer: "keyword" },
            searchAttributes: { Customer: 2 },
            mtlsAuth: { enabled: true, acceptedClientCa: Buffer.from("pem"), acceptedClientCaDeprecated: "cGVt" },
        });
        const write = await sent(next(namespace, { retentionDays: 7 }));
        expect(write?.request.spec).toMatchObject({
            retentionDays: 7,
            regions: [],
            customSearchAttributes: {},
            searchAttributes: { Customer: 2 },
            mtlsAuth: { enabled: true, acceptedClientCa: Buffer.from("pem"), acceptedClientCaDeprecated: "" },
        });
        // They alone are no reason for one.
        expect(next(namespace, {})).toBeUndefined();
    });

    test.each<[string, Bag, DeepPartial<Spec>]>([
        ["retention", { retentionDays: 7 }, { retentionDays: 7 }],
        ["API keys", { apiKeyAuth: true }, { apiKeyAuth: { enabled: true } }],
        ["protection", { deleteProtection: true }, { lifecycle: { enableDeleteProtection: true } }],
        ["fairness", { taskQueueFairness: true }, { fairness: { taskQueueFairnessEnabled: true } }],
        ["rules", { connectivityRuleIds: ["r1"] }, { connectivityRuleIds: ["r1"] }],
        ["description", { description: "d" }, { description: "d" }],
        [
            "high availability",
            { highAvailability: { disableManagedFailover: true } },
            { highAvailability: { disableManagedFailover: true, disablePassivePollerForwarding: false } },
        ],
        [
            "codec server",
            { codecServer: { endpoint: "https://c", customErrorMessage: { link: "l" } } },
            {
                codecServer: {
                    endpoint: "https://c",
                    passAccessToken: false,
                    customErrorMessage: { default: { message: "", link: "l" } },
                },
            },
        ],
        [
            "encryption",
            { encryptionValidation: { mode: "warn", metadataValues: ["v"] } },
            { encryptionValidation: { mode: 2, metadataValues: ["v"] } },
        ],
        [
            "certificates",
            { mtlsAuth: { acceptedClientCa: "pem", certificateFilters: [{ commonName: "cn" }] } },
            {
                mtlsAuth: {
                    enabled: true,
                    acceptedClientCa: Buffer.from("pem"),
                    certificateFilters: [{ commonName: "cn", organization: "" }],
                },
            },
        ],
    ])("sets and takes back: %s", async (_, args, expected) => {
        const write = await sent(next(live(), args));
        expect(write).toMatchObject({ rpc: "updateNamespace", request: { resourceVersion: "v1", spec: expected } });
        const there = live(write?.request.spec);
        expect(next(there, args)).toBeUndefined();
        // Drift: it is there, and the program says nothing of it.
        expect(next(there, {})).toBeUndefined();
        const back = await sent(next(there, {}, { regions: ["a"], ...args }));
        const after: Bag = definition.fromLive(live(back?.request.spec)).args;
        const before: Bag = definition.fromLive(live()).args;
        const differing = Object.entries(definition.fields).filter(
            ([name, field]) => !same(field, after[name], before[name]),
        );
        expect(differing).toEqual([]);
    });

    test("takes away the authentication whose certificates the program no longer names", async () => {
        const mtlsAuth = { enabled: true, acceptedClientCa: Buffer.from("pem") };
        const old = { regions: ["a"], apiKeyAuth: true, mtlsAuth: { acceptedClientCa: "pem" } };
        const write = await sent(next(live({ mtlsAuth, apiKeyAuth: { enabled: true } }), { apiKeyAuth: true }, old));
        expect(write?.request.spec?.mtlsAuth).toMatchObject({ enabled: false, acceptedClientCa: Buffer.alloc(0) });
    });
});

describe("what means the same", () => {
    const [one, two] = [ca("one"), ca("two")];
    const state = (args: Bag) => ({ ...args, __managed: managedPaths(definition.fields, args).join(" ") });
    const differs = (old: Bag, args: Bag) =>
        lifecycle.diff(silent, state(old), { ...context, ...args }, new Date()).changes;

    test.each<[string, Bag, Bag, boolean]>([
        ["white space", { acceptedClientCa: `${one}${two}` }, { acceptedClientCa: `\n${one}\r\n\n  ${two}\n` }, false],
        ["the order of certificates", { acceptedClientCa: one + two }, { acceptedClientCa: two + one }, false],
        ["a line length", { acceptedClientCa: one }, { acceptedClientCa: rewrap(one) }, false],
        ["another certificate", { acceptedClientCa: one }, { acceptedClientCa: two }, true],
        ["one that is missing", { acceptedClientCa: one + two }, { acceptedClientCa: one }, true],
        [
            "the order of filters",
            { acceptedClientCa: one, certificateFilters: [{ commonName: "a" }, { organization: "b" }] },
            {
                acceptedClientCa: one,
                certificateFilters: [{ organization: "b" }, { commonName: "a", organization: "" }],
            },
            false,
        ],
    ])("%s", (_, left, right, expected) => {
        expect(differs({ mtlsAuth: left }, { mtlsAuth: right })).toBe(expected);
        const mtlsAuth = {
            enabled: true,
            acceptedClientCa: Buffer.from(String(left.acceptedClientCa)),
            certificateFilters: (left.certificateFilters as object[]) ?? [],
        };
        expect(next(live({ mtlsAuth }), { mtlsAuth: right }) !== undefined).toBe(expected);
    });

    test("the order of rules", () => {
        expect(differs({ connectivityRuleIds: ["a", "b"] }, { connectivityRuleIds: ["b", "a"] })).toBe(false);
        expect(next(live({ connectivityRuleIds: ["a", "b"] }), { connectivityRuleIds: ["b", "a"] })).toBeUndefined();
    });

    test("parts that are not set, and parts that are there and empty", () => {
        const empty = live({
            mtlsAuth: {},
            apiKeyAuth: {},
            codecServer: { customErrorMessage: { default: {} } },
            lifecycle: {},
            highAvailability: {},
            fairness: {},
            encryptionValidation: {},
        });
        expect(definition.fromLive(empty).args).toEqual(definition.fromLive(live()).args);
        for (const namespace of [empty, live()]) {
            const args = { ...definition.fromLive(namespace).args };
            expect(next(namespace, args)).toBeUndefined();
        }
    });
});

function rewrap(pem: string): string {
    const base64 = pem.replace(/-----[^-]+-----/g, "").replace(/\s/g, "");
    return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----`;
}

function check(args: Bag, old: Bag = {}, more: Bag = {}): string[] {
    const bag = { __context: JSON.stringify({ ...parts, ...more }), regions: ["a"], apiKeyAuth: true, ...args };
    // Of its own: one that has checked the resource in the state takes the next check for that of its replacement.
    const { failures } = new Lifecycle(definition).check(old, bag);
    return failures.map(({ property, reason }) => `${property}: ${reason}`);
}

describe("check", () => {
    test.each<[string, Bag, RegExp]>([
        ["no region", { regions: [] }, /^regions: .* at least one region/],
        ["no way in", { apiKeyAuth: false }, /^apiKeyAuth: .* `mtlsAuth` is required/],
        ["a name with a hyphen last", { name: "orders-" }, /^name: .*2 to 39 lowercase letters/],
        ["a name that is too long", { name: "a".repeat(40) }, /^name: /],
        ["retention", { retentionDays: 91 }, /^retentionDays: .*1 to 90/],
        [
            "no certificate",
            { mtlsAuth: { acceptedClientCa: "text" } },
            /^mtlsAuth\.acceptedClientCa: .*could not be read/,
        ],
        [
            "a private key",
            { mtlsAuth: { acceptedClientCa: `${ca()}-----BEGIN PRIVATE KEY-----` } },
            /could not be read/,
        ],
        [
            "a certificate that is broken",
            { mtlsAuth: { acceptedClientCa: ca().replace(/M.{20}/, "") } },
            /cannot be parsed/,
        ],
        ["a leaf", { mtlsAuth: { acceptedClientCa: ca() + leaf() } }, /CA:true.*number 2/],
        ["17 certificates", { mtlsAuth: { acceptedClientCa: ca().repeat(17) } }, /at most 16.* has 17/],
        [
            "an empty filter",
            { mtlsAuth: { acceptedClientCa: ca(), certificateFilters: [{}] } },
            /must set at least one property/,
        ],
        [
            "a filter of nulls",
            { mtlsAuth: { acceptedClientCa: ca(), certificateFilters: [{ commonName: null }] } },
            /must set at least one property/,
        ],
        ["http", { codecServer: { endpoint: "http://c" } }, /^codecServer\.endpoint: .*https/],
        ["a capacity without a value", { capacity: { mode: "provisioned" } }, /^capacity: .*value/],
        ["a capacity whose value is null", { capacity: { mode: "provisioned", value: null } }, /^capacity: .*value/],
        ["a value on demand", { capacity: { mode: "on_demand", value: 1 } }, /^capacity: .*value/],
        ["an empty project", { projectId: "" }, /^projectId: .*an id/],
        ["an empty rule", { connectivityRuleIds: [""] }, /^connectivityRuleIds\[0\]: .*an id/],
        ["an unprintable description", { description: "\u00e9" }, /^description: .*ASCII characters\.$/],
        ["11 tags", { tags: Object.fromEntries([..."abcdefghijk"].map((key) => [key, "v"])) }, /^tags: .*10/],
        ["a tag in capitals", { tags: { A: "v" } }, /^tags\["A"\]: /],
        ["a type", { searchAttributes: { A: "keywords" } }, /Did you mean "keyword"/],
        [
            "a rename to nowhere",
            { searchAttributeRenames: { New: "Old" } },
            /must also be listed in `searchAttributes`/,
        ],
        [
            "a rename of what stays",
            { searchAttributes: { New: "int", Old: "int" }, searchAttributeRenames: { New: "Old" } },
            /renames "Old", which is still listed in/,
        ],
    ])("%s is refused", (_, args, expected) => {
        expect(check(args)).toEqual([expect.stringMatching(expected)]);
    });

    test("the logical name is the name, and says so where it cannot be", () => {
        const { inputs } = lifecycle.check({}, { ...context, regions: ["a"], apiKeyAuth: true });
        expect(inputs.name).toBe("orders");
        expect(check({}, {}, { urn: urn.replace("::orders", "::Orders") })).toEqual([
            expect.stringMatching(/^name: .*defaults to the logical name/),
        ]);
    });

    test("a search attribute's type cannot change, also under a new name", () => {
        const old = { regions: ["a"], apiKeyAuth: true, searchAttributes: { A: "int" } };
        expect(check({ searchAttributes: { A: "double" } }, old)).toEqual([expect.stringMatching(/type int/)]);
        expect(check({ searchAttributes: { B: "double" }, searchAttributeRenames: { B: "A" } }, old)).toEqual([
            expect.stringMatching(/type int/),
        ]);
        expect(check({ searchAttributes: { B: "int" }, searchAttributeRenames: { B: "A" } }, old)).toEqual([]);
    });

    test.each<[string, Bag]>([
        ["the type of an attribute", { searchAttributes: { A: UNKNOWN } }],
        ["the attributes", { searchAttributes: UNKNOWN, searchAttributeRenames: { B: "A" } }],
        ["an old name", { searchAttributes: { B: "int" }, searchAttributeRenames: { B: UNKNOWN } }],
        ["the way in", { apiKeyAuth: UNKNOWN }],
        ["the other way in", { apiKeyAuth: false, mtlsAuth: UNKNOWN }],
        ["a certificate", { apiKeyAuth: false, mtlsAuth: { acceptedClientCa: UNKNOWN } }],
        ["a capacity", { capacity: { mode: UNKNOWN } }],
        ["a region", { regions: ["a", UNKNOWN, UNKNOWN] }],
    ])("%s that is not known yet is not judged", (_, args) => {
        const old = { regions: ["a"], apiKeyAuth: true, searchAttributes: { A: "int" } };
        expect(check(args, old)).toEqual([]);
    });

    test("who adopts need not say how one gets in", () => {
        expect(check({ apiKeyAuth: undefined }, {}, { importId: "orders.a1b2c" })).toEqual([]);
        expect(check({ apiKeyAuth: undefined }, {}, { adopt: true })).toEqual([]);
        // Nor, in the next run, does who has adopted.
        expect(check({ apiKeyAuth: undefined }, { regions: ["a"], name: "orders" })).toEqual([]);
        // But nobody takes it away without being told.
        const old = { regions: ["a"], name: "orders", apiKeyAuth: true };
        expect(check({ apiKeyAuth: undefined }, old, { adopt: true })).toHaveLength(1);
    });
});

test("an attribute that is no longer declared gives a warning, unless it was renamed", () => {
    const warnings = (args: Bag, ...managed: string[]) =>
        definition.warnings?.({ searchAttributes: { A: "int", B: "int" } }, args, new Set(managed));
    expect(warnings({ searchAttributes: { A: "int", B: "int" } }, "searchAttributes")).toEqual([]);
    expect(warnings({ searchAttributes: { A: "int" } }, "searchAttributes")).toEqual([
        expect.stringContaining('"B" stays in Temporal Cloud'),
    ]);
    expect(
        warnings({ searchAttributes: { A: "int", C: "int" }, searchAttributeRenames: { C: "B" } }, "searchAttributes"),
    ).toEqual([]);
    expect(warnings({ searchAttributes: UNKNOWN }, "searchAttributes")).toEqual([]);
    expect(warnings({ searchAttributes: { A: "int" }, searchAttributeRenames: UNKNOWN }, "searchAttributes")).toEqual(
        [],
    );
    // What the program never declared is none of its concern.
    expect(warnings({})).toEqual([]);
});

test("a namespace that never had anything is seen without a crash", () => {
    expect(definition.fromLive(Namespace.fromPartial({})).args).toMatchObject({ name: "", regions: [] });
});

test("a namespace is found by its name, also where the first page of the filtered list is empty", async () => {
    const orders = Namespace.fromPartial({ namespace: "orders.a1b2c", spec: { name: "orders" } });
    const getNamespaces = async ({ name, pageToken }: { name: string; pageToken: string }) => ({
        namespaces: pageToken === "2" && name === "orders" ? [orders] : [],
        nextPageToken: pageToken === "" ? "2" : "",
    });
    const find = (name: string) =>
        findByNaturalKey(definition, { getNamespaces } as unknown as Cloud, { key: name }, {});
    expect(await find("orders")).toBe(orders);
    expect(await find("billing")).toBeUndefined();
});

test("what is ignored is not validated, also within a list", () => {
    const old = { name: "orders", regions: ["a"], apiKeyAuth: true, connectivityRuleIds: [""] };
    const failures = (ignoreChanges: string[], args: Bag = old) =>
        new Lifecycle(definition).check(old, { ...args, __context: JSON.stringify({ ignoreChanges }) }).failures;
    expect(failures(["connectivityRuleIds"])).toEqual([]);
    expect(failures(["tags"])).toHaveLength(1);
    expect(failures(["connectivityRuleIds"], { ...old, connectivityRuleIds: ["", "x"] })).toHaveLength(1);
});
