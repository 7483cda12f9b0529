// What the official Terraform provider gets wrong, and this one has to get right: one `describe` or test for each.

import { ApiKey, Namespace, type NamespaceArgs, ServiceAccount, User } from "pulumi-temporal-cloud";
import { Emulator } from "../../emulator";
import {
    AccountAccess_Role as AccountRole,
    ProjectAccess_ProjectRole as ProjectRole,
} from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import {
    NamespaceSpec_SearchAttributeType as AttributeType,
    MtlsAuthSpec,
} from "../../proto/generated/temporal/api/cloud/namespace/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import { ca } from "../support/certificates";
import { type TestStack, withStack } from "../support/engine";
import { inDays } from "./kinds/api-key";

jest.setTimeout(180_000);

const EAST = "aws-us-east-1";
const WEST = "aws-us-west-2";
const NORTH = "aws-ca-central-1";

const base: NamespaceArgs = { regions: [EAST], apiKeyAuth: true };

let emulator: Emulator;

beforeEach(async () => {
    emulator = await Emulator.start({ settings: { checkDurationMs: 100 } });
});
afterEach(() => emulator.stop());

function inStack(body: (stack: TestStack) => Promise<void>): Promise<void> {
    return withStack({ emulator, program: async () => {} }, body);
}

/** A program of one namespace. */
const one =
    (args: Partial<NamespaceArgs>, timeouts?: { create?: string; update?: string }) => async (): Promise<void> => {
        new Namespace("one", { ...base, ...args }, timeouts ? { customTimeouts: timeouts } : {});
    };

const ONE = "one.a1b2c";

function live(id = ONE) {
    const namespace = emulator.namespaces.get(id);
    if (namespace?.spec === undefined) {
        throw new Error(`there is no namespace ${id}`);
    }
    return { ...namespace, spec: namespace.spec };
}

/** The writes to one resource, as they arrived. */
function writes(id: string): string[] {
    return emulator.requests.all
        .filter(({ method, resourceId }) => resourceId === id && !/^Get/.test(method))
        .map(({ method }) => method);
}

test("1. an update keeps what it does not manage", async () => {
    const project = emulator.projects.add({ spec: { displayName: "project" } }).id;
    const program = (retentionDays: number, permission: "read" | "write") => async () => {
        const namespace = new Namespace("one", { ...base, retentionDays });
        new User("ann", {
            email: "ann@example.com",
            accountRole: "read",
            namespaceAccesses: namespace.id.apply((id) => ({ [id]: permission })),
        });
    };
    await inStack(async (stack) => {
        await stack.up({ program: program(7, "read") });
        const userId = stack.resource("ann").id ?? "";
        emulator.namespaces.change(ONE, ({ spec }) => {
            if (spec) {
                spec.highAvailability = { disableManagedFailover: true, disablePassivePollerForwarding: true };
            }
        });
        emulator.users.change(userId, ({ spec }) => {
            if (spec?.access) {
                spec.access.projectAccesses = { [project]: { role: ProjectRole.PROJECT_ROLE_WRITE } };
            }
        });
        const newer = Buffer.from("a field of a later version");
        emulator.addUnknownField("namespaces", ONE, 4001, newer);
        emulator.addUnknownField("users", userId, 4002, newer);

        const updated = await stack.up({ program: program(8, "write") });

        expect([updated.ops("one"), updated.ops("ann")]).toEqual([["update"], ["update"]]);
        const { spec } = live();
        expect(spec).toMatchObject({
            retentionDays: 8,
            highAvailability: { disableManagedFailover: true, disablePassivePollerForwarding: true },
        });
        expect(unknownFields(spec)).toEqual([[4001, newer.toString()]]);
        const access = emulator.users.get(userId)?.spec?.access;
        expect(Object.keys(access?.namespaceAccesses ?? {})).toEqual([ONE]);
        expect(access?.projectAccesses).toMatchObject({ [project]: { role: ProjectRole.PROJECT_ROLE_WRITE } });
        expect(unknownFields(emulator.users.get(userId)?.spec)).toEqual([[4002, newer.toString()]]);
    });
});

function unknownFields(spec: object | undefined): [number, string][] {
    const { _unknownFields = {} } = (spec ?? {}) as { _unknownFields?: Record<number, Uint8Array[]> };
    return Object.entries(_unknownFields).map(([tag, values]) => [
        Number(tag) >> 3,
        // The first byte is the length.
        Buffer.from(values[0] ?? [])
            .subarray(1)
            .toString(),
    ]);
}

test("2. regions change in place: added, removed, the primary moved by failover, each step awaited", async () => {
    emulator.settings.operationDurationMs = 400;
    const program = (steps: string[], move: string[]) => async () => {
        new Namespace("steps", { ...base, regions: steps });
        new Namespace("move", { ...base, regions: move });
    };
    const [stepsId, moveId] = ["steps.a1b2c", "move.a1b2c"];
    const shown = (id: string) => {
        const { activeRegion, replicas, state, asyncOperationId } = live(id);
        const regions = replicas.map(({ region }) => region).sort((left) => (left === activeRegion ? -1 : 1));
        return { regions, settled: state === ResourceState.RESOURCE_STATE_ACTIVE && asyncOperationId === "" };
    };
    await inStack(async (stack) => {
        await stack.up({ program: program([EAST], [EAST]) });

        emulator.requests.reset();
        const moved = await stack.up({ program: program([EAST, WEST], [NORTH]) });
        expect([moved.ops("steps"), moved.ops("move")]).toEqual([["update"], ["update"]]);
        expect(shown(stepsId)).toEqual({ regions: [EAST, WEST], settled: true });
        expect(writes(stepsId)).toEqual(["UpdateNamespace"]);
        expect(shown(moveId)).toEqual({ regions: [NORTH], settled: true });
        expect(writes(moveId)).toEqual(["UpdateNamespace", "FailoverNamespaceRegion", "UpdateNamespace"]);

        emulator.requests.reset();
        const turned = await stack.up({ program: program([WEST, EAST], [NORTH]) });
        expect(turned.ops("steps")).toEqual(["update"]);
        expect(shown(stepsId)).toEqual({ regions: [WEST, EAST], settled: true });
        expect(writes(stepsId)).toEqual(["FailoverNamespaceRegion"]);

        emulator.requests.reset();
        const removed = await stack.up({ program: program([WEST], [NORTH]) });
        expect(removed.ops("steps")).toEqual(["update"]);
        expect(shown(stepsId)).toEqual({ regions: [WEST], settled: true });
        expect(writes(stepsId)).toEqual(["UpdateNamespace"]);

        emulator.requests.reset();
        const [primary] = live(stepsId).replicas;
        const doubled = await stack.up({ program: program([WEST, WEST], [NORTH]) });
        expect(doubled.ops("steps")).toEqual(["update"]);
        expect(shown(stepsId)).toEqual({ regions: [WEST, WEST], settled: true });
        expect(live(stepsId).replicas.map(({ isPrimary }) => isPrimary)).toEqual([true, false]);
        expect(stack.resource("steps").outputs).toMatchObject({ regions: [WEST, WEST] });
        expect((await stack.preview({ refresh: true, program: program([WEST, WEST], [NORTH]) })).ops("steps")).toEqual([
            "refresh",
        ]);
        await stack.up({ program: program([WEST], [NORTH]) });
        expect(live(stepsId).replicas).toEqual([primary]);
        expect(writes(stepsId)).toEqual(["UpdateNamespace", "UpdateNamespace"]);

        expect(stack.resource("steps").outputs).toMatchObject({ regions: [WEST], activeRegion: WEST, state: "active" });
        expect((await stack.preview({ refresh: true, program: program([WEST], [NORTH]) })).ops("steps")).toEqual([
            "refresh",
        ]);
    });
});

test("3. an operation that ends REJECTED is an error at once, with its reason", async () => {
    await inStack(async (stack) => {
        const reason = "this account may not have it";
        const atOnce = { create: "1h", update: "1h" };
        emulator.faults.add({ method: "CreateNamespace", kind: "operationEnds", state: "REJECTED", reason });
        emulator.settings.failedCreateLeavesResource = false;
        const created = await stack.up({ program: one({}, atOnce), expectFailure: true });
        expect(created.messages("one").join()).toContain(`ended REJECTED: ${reason}.`);

        await stack.up({ program: one({}, atOnce) });

        emulator.faults.add({ method: "UpdateNamespace", kind: "operationEnds", state: "REJECTED", reason });
        const updated = await stack.up({ program: one({ retentionDays: 9 }, atOnce), expectFailure: true });
        expect(updated.messages("one").join()).toContain(`ended REJECTED: ${reason}.`);
        expect(live().spec.retentionDays).toBe(30);

        await stack.up({ program: one({ retentionDays: 9 }, atOnce) });
        expect(live().spec.retentionDays).toBe(9);
    });
});

describe("4. after a create whose operation failed or timed out, the next `up` goes on from what is there", () => {
    test.each([
        ["failed, and left a namespace that never became active", true],
        ["failed, and left nothing", false],
    ])("%s", async (_, leavesResource) => {
        emulator.settings.failedCreateLeavesResource = leavesResource;
        emulator.faults.add({ method: "CreateNamespace", kind: "operationEnds", reason: "no room" });
        await inStack(async (stack) => {
            const failed = await stack.up({ program: one({}), expectFailure: true });
            expect(failed.messages("one").join()).toContain("ended FAILED: no room.");
            expect(stack.resources().map(({ id }) => id)).toEqual(leavesResource ? [ONE] : []);

            const repaired = await stack.up({ program: one({}) });

            expect(repaired.ops("one")).toEqual(
                leavesResource ? ["delete-replaced", "replace", "create-replacement"] : ["create"],
            );
            expect(live().state).toBe(ResourceState.RESOURCE_STATE_ACTIVE);
            const after = await stack.preview({ refresh: true, program: one({}) });
            expect(after.ops("one")).toEqual(["refresh"]);
        });
    });

    test("timed out, while the operation goes on", async () => {
        emulator.faults.add({ method: "CreateNamespace", kind: "slowOperation", durationMs: Number.POSITIVE_INFINITY });
        await inStack(async (stack) => {
            const late = await stack.up({ program: one({}, { create: "2s" }), expectFailure: true });
            expect(late.messages("one").join()).toMatch(/not finished after 2 s .*continues in Temporal Cloud/);
            expect(stack.resource("one")).toMatchObject({ id: ONE, initErrors: [expect.any(String)] });
            emulator.finishOperations();

            const resumed = await stack.up({ program: one({}) });

            expect(resumed.ops("one")).toEqual(["update"]);
            expect(emulator.requests.count("CreateNamespace")).toBe(1);
            expect(stack.resource("one")).toMatchObject({ outputs: { state: "active" } });
            expect(stack.resource("one").initErrors ?? []).toEqual([]);
        });
    });
});

test("5. an expiry time in any offset makes no difference on the next preview", async () => {
    const time = inDays(100);
    const program = (expiryTime: string) => async () => {
        const worker = new ServiceAccount("worker", { accountRole: "read" });
        new ApiKey("key", { ownerId: worker.id, expiryTime });
    };
    await inStack(async (stack) => {
        await stack.up({ program: program(atOffset(time, 2)) });
        const keyId = stack.resource("key").id ?? "";
        expect(emulator.apiKeys.get(keyId)?.spec?.expiryTime?.seconds).toBe(BigInt(time.getTime() / 1000));

        const same = await stack.preview({ program: program(atOffset(time, 2)), refresh: true });
        expect(same.ops("key")).toEqual(["refresh"]);

        emulator.requests.reset();
        const respelt = await stack.up({ program: program(atOffset(time, -7)) });
        expect(respelt.ops("key")).toEqual([]);
        expect(emulator.requests.byMethod()).toEqual({});
    });
});

/** The time as a clock shows it that is so many hours ahead: `2027-06-01T02:00:00+02:00`. */
function atOffset(time: Date, hours: number): string {
    const clock = new Date(time.getTime() + hours * 3_600_000).toISOString().slice(0, 19);
    return `${clock}${hours < 0 ? "-" : "+"}${String(Math.abs(hours)).padStart(2, "0")}:00`;
}

describe("6. search attributes", () => {
    const attributes: NamespaceArgs["searchAttributes"] = { Customer: "keyword", Amount: "int" };
    const names = () => Object.keys(live().spec.searchAttributes).sort();

    test("renamed or removed elsewhere are drift", async () => {
        await inStack(async (stack) => {
            await stack.up({ program: one({ searchAttributes: attributes }) });
            emulator.namespaces.change(ONE, ({ spec }) => {
                if (spec) {
                    spec.searchAttributes = { Client: AttributeType.SEARCH_ATTRIBUTE_TYPE_KEYWORD };
                }
            });

            const drift = await stack.preview({ program: one({ searchAttributes: attributes }), refresh: true });
            expect(drift.ops("one")).toEqual(["refresh", "update"]);
            expect(drift.stdout).toMatch(/~ searchAttributes *: \{/);
            expect(drift.stdout).toMatch(/\+ Customer *: "keyword"/);

            await stack.up({ program: one({ searchAttributes: attributes }), refresh: true });
            expect(names()).toEqual(["Amount", "Client", "Customer"]);
            const after = await stack.preview({ program: one({ searchAttributes: attributes }), refresh: true });
            expect(after.ops("one")).toEqual(["refresh"]);
        });
    });

    test("a rename in the program is the rename RPC; another type is refused at preview; a removal warns", async () => {
        await inStack(async (stack) => {
            await stack.up({ program: one({ searchAttributes: attributes }) });

            emulator.requests.reset();
            const renames = { searchAttributeRenames: { Client: "Customer" } };
            const renamed = one({ searchAttributes: { Client: "keyword", Amount: "int" }, ...renames });
            expect((await stack.up({ program: renamed })).ops("one")).toEqual(["update"]);
            expect(writes(ONE)).toEqual(["RenameCustomSearchAttribute"]);
            expect(names()).toEqual(["Amount", "Client"]);

            emulator.requests.reset();
            const retyped = await stack.preview({
                program: one({ searchAttributes: { Client: "keyword", Amount: "double" }, ...renames }),
                expectFailure: true,
            });
            expect(retyped.messages("one").join()).toContain(
                'searchAttributes["Amount"]` has the type int, which cannot be changed to double',
            );
            expect(emulator.requests.byMethod()).toEqual({});

            const removed = await stack.up({ program: one({ searchAttributes: { Client: "keyword" }, ...renames }) });
            expect(removed.messages("one").join()).toContain(
                'The search attribute "Amount" stays in Temporal Cloud: the API cannot delete one.',
            );
            expect(names()).toEqual(["Amount", "Client"]);
        });
    });
});

test("7. a change of nothing but `customTimeouts` sends nothing", async () => {
    await inStack(async (stack) => {
        await stack.up({ program: one({}) });
        emulator.requests.reset();
        for (const timeouts of [{ create: "5m", update: "7m" }, { update: "8m" }]) {
            await stack.up({ program: one({}, timeouts) });
        }
        expect(emulator.requests.byMethod()).toEqual({});
    });
});

test("8. white space of the CA bundle, order of filters and accesses make no difference; a CA removed elsewhere does", async () => {
    const [first, second] = [ca("first").trim(), ca("second").trim()];
    const filters = [{ commonName: "worker" }, { organization: "acme", commonName: "starter" }];
    const ids = [ONE, "two.a1b2c"];
    const program = (acceptedClientCa: string, turned: <T>(list: T[]) => T[]) => async () => {
        const one = new Namespace("one", {
            ...base,
            mtlsAuth: { acceptedClientCa, certificateFilters: turned(filters) },
            connectivityRuleIds: turned(["a", "b"]),
        });
        const two = new Namespace("two", base);
        const access = {
            email: "ann@example.com",
            accountRole: "read",
            customRoles: turned(["x", "y"]),
            namespaceAccesses: Object.fromEntries(turned(ids).map((id) => [id, "read"] as const)),
        } as const;
        new User("ann", access, { dependsOn: [one, two] });
    };
    const tidy = program(`${first}\n${second}\n`, (list) => list);
    await inStack(async (stack) => {
        await stack.up({ program: tidy });

        emulator.requests.reset();
        const untidy = `\n\n${second}\r\n\n  \n${first.replaceAll("\n", "\r\n")}   \n\n`;
        const result = await stack.up({ program: program(untidy, (list) => list.toReversed()) });
        expect(result.steps.filter(({ op }) => op !== "same")).toEqual([]);
        expect(emulator.requests.byMethod()).toEqual({});

        emulator.namespaces.change(ONE, ({ spec }) => {
            if (spec) {
                spec.mtlsAuth = MtlsAuthSpec.fromPartial({
                    enabled: true,
                    acceptedClientCa: Buffer.from(first),
                    certificateFilters: spec.mtlsAuth?.certificateFilters ?? [],
                });
            }
        });
        const drift = await stack.preview({ program: tidy, refresh: true });
        expect(drift.ops("one")).toEqual(["refresh", "update"]);
        expect(drift.stdout).toMatch(/~ acceptedClientCa *: /);
        expect([drift.ops("two"), drift.ops("ann")]).toEqual([["refresh"], ["refresh"]]);
    });
});

test("9. an owner can be adopted and read, and is not deleted", async () => {
    const owner = emulator.users.add({
        spec: { email: "owner@example.com", access: { accountAccess: { role: AccountRole.ROLE_OWNER } } },
    });
    await inStack(async (stack) => {
        emulator.requests.reset();
        await stack.up({
            program: async () => {
                const args = { email: "owner@example.com", accountRole: "owner" } as const;
                new User("imported", args, { import: owner.id });
                return { role: User.get("read", owner.id).accountRole };
            },
        });
        expect(stack.resource("imported").outputs).toMatchObject({ accountRole: "owner" });
        await expect(stack.outputs()).resolves.toEqual({ role: "owner" });

        const refused = await stack.up({ program: async () => {}, expectFailure: true });
        expect(refused.messages("imported").join()).toContain("an account owner cannot be deleted");
        expect(Object.keys(emulator.requests.byMethod()).filter((method) => !method.startsWith("Get"))).toEqual([]);
        expect(emulator.users.get(owner.id)).toBeDefined();
    });
});

test("10. provisioned capacity is set on create, changed, and unset, and awaited each time", async () => {
    emulator.settings.capacityDurationMs = 500;
    const capacity = () => live().capacity;
    await inStack(async (stack) => {
        await stack.up({ program: one({ capacity: { mode: "provisioned", value: 2 } }) });
        expect(capacity()?.currentMode).toMatchObject({ $case: "provisioned", value: { currentValue: 2 } });
        expect(stack.resource("one").outputs).toMatchObject({
            capacity: { mode: "provisioned", value: 2 },
            capacityStatus: { mode: "provisioned", value: 2, latestRequest: { state: "completed" } },
        });

        const changed = await stack.up({ program: one({ capacity: { mode: "provisioned", value: 8 } }) });
        expect(changed.ops("one")).toEqual(["update"]);
        expect(capacity()?.currentMode).toMatchObject({ $case: "provisioned", value: { currentValue: 8 } });

        const unset = await stack.up({ program: one({}) });
        expect(unset.ops("one")).toEqual(["update"]);
        expect(capacity()?.currentMode).toMatchObject({ $case: "onDemand" });
        expect(stack.resource("one").outputs).toMatchObject({ capacity: { mode: "on_demand" } });

        emulator.faults.add({ method: "UpdateNamespace", kind: "capacityFails" });
        const failed = await stack.up({
            program: one({ capacity: { mode: "provisioned", value: 16 } }),
            expectFailure: true,
        });
        expect(failed.messages("one").join()).toContain("could not provide the capacity");
    });
});
