// What has the name need not be what the program means. A namespace's id is its name: it need not be what this stack has
// created.

import { Status } from "nice-grpc-common";
import type { Emulator } from "../../emulator";
import { until } from "../support/until";
import type { MiniStack } from "./mini-stack";
import { withStacks } from "./stacks";

jest.setTimeout(120_000);

const ID = "orders.a1b2c";
const ARGS = { name: "orders", regions: ["aws-us-east-1"], apiKeyAuth: true, retentionDays: 5 };
const DAY_S = 86_400n;
/** The name is taken, as only the operation finds out. */
const TAKEN = { duplicateNameFrom: "operation", operationDurationMs: 4_000 } as const;

/** Somebody else's namespace, of the same name. */
function addTheirs(emulator: Emulator): void {
    const replicas = [{ region: "aws-us-east-1" }];
    emulator.namespaces.add({
        spec: { name: "orders", retentionDays: 90, replicas, apiKeyAuth: { enabled: true } },
    });
}

function makeADayOlder(emulator: Emulator, id: string): void {
    emulator.namespaces.change(id, (namespace) => {
        const { seconds = 0n, nanos = 0 } = namespace.createdTime ?? {};
        namespace.createdTime = { seconds: seconds - DAY_S, nanos };
    });
}

function expectTheirs(emulator: Emulator): void {
    expect(emulator.namespaces.get(ID)?.spec?.retentionDays).toBe(90);
    expect(emulator.requests.count("UpdateNamespace")).toBe(0);
    expect(emulator.requests.count("DeleteNamespace")).toBe(0);
}

describe("the name is somebody else's, as the operation of a create finds out", () => {
    test.concurrent.each([Status.NOT_FOUND, Status.PERMISSION_DENIED])(
        "and one poll of it is refused (%i), or all after the first",
        (code) =>
            withStacks(TAKEN, async (emulator, newStack) => {
                addTheirs(emulator);
                makeADayOlder(emulator, ID);
                const stack = newStack();
                emulator.faults.add({ kind: "failBefore", method: "GetAsyncOperation", code, times: 1, after: 2 });
                await expect(stack.up("Namespace", "ns", ARGS)).rejects.toThrow(/already exists/);
                emulator.faults.add({ kind: "failBefore", method: "GetAsyncOperation", code, times: 1_000, after: 2 });
                await expect(stack.up("Namespace", "ns", ARGS)).rejects.toThrow(/already exists.*no longer tells/);
                expect(stack.state.size).toBe(0);
                expectTheirs(emulator);
            }),
    );

    describe.each([
        ["its time was up", { timeouts: { create: "2s" } }],
        ["a poll of it failed", {}],
    ])("after %s", (_, options) => {
        /** The first run, and the end of the operation. */
        const giveUp = async (emulator: Emulator, stack: MiniStack) => {
            addTheirs(emulator);
            if (!("timeouts" in options)) {
                emulator.faults.add({
                    kind: "failBefore",
                    method: "GetAsyncOperation",
                    code: Status.INTERNAL,
                    details: "oops",
                    times: 1,
                    after: 1,
                });
            }
            await expect(stack.up("Namespace", "ns", ARGS, options)).rejects.toThrow(/is not ready/);
            await stack.end();
            expect(stack.id("ns")).toBe(ID);
        };

        test.concurrent("the next `up` leaves it alone, and a refresh forgets it", () =>
            withStacks(TAKEN, async (emulator, newStack) => {
                const stack = newStack();
                await giveUp(emulator, stack);
                await expect(stack.up("Namespace", "ns", ARGS)).rejects.toThrow(/somebody else's.*pulumi refresh/);
                expect(await stack.refresh("ns")).toBe("gone");
                await until("the warning", () => stack.warnings.length > 0);
                expect(stack.warnings).toEqual([expect.stringMatching(/leaves the state: .* somebody else's/)]);
                expectTheirs(emulator);
                await stack.end();
                await stack.up("Namespace", "ns", ARGS, { adopt: true });
                expect(emulator.namespaces.get(ID)?.spec?.retentionDays).toBe(5);
            }));

        test.concurrent("`destroy` leaves it alone", () =>
            withStacks(TAKEN, async (emulator, newStack) => {
                const stack = newStack();
                await giveUp(emulator, stack);
                await stack.destroy("ns");
                await until("the warning", () => stack.warnings.length > 0);
                expect(stack.warnings).toEqual([expect.stringMatching(/is not deleted: .* somebody else's/)]);
                expectTheirs(emulator);
            }));
    });
});

test.concurrent("what somebody else created after a create had failed is not deleted", () =>
    withStacks({ failedCreateLeavesResource: false, operationDurationMs: 4_000 }, async (emulator, newStack) => {
        const stack = newStack();
        emulator.faults.add({ kind: "operationEnds", method: "CreateNamespace", state: "FAILED", times: 1 });
        const up = stack.up("Namespace", "ns", ARGS, { timeouts: { create: "2s" } });
        await expect(up).rejects.toThrow(/is not ready/);
        await stack.end();
        emulator.finishOperations();
        addTheirs(emulator);
        await stack.destroy("ns");
        expectTheirs(emulator);
    }));

describe.each([
    ["forgotten", Status.NOT_FOUND],
    ["not to be read", Status.PERMISSION_DENIED],
])("a create of days ago, whose operation is %s, may have failed: what has the name now is left alone", (_, code) => {
    const daysAgo = async (emulator: Emulator, stack: MiniStack) => {
        emulator.faults.add({ kind: "operationEnds", method: "CreateNamespace", state: "FAILED", times: 1 });
        const up = stack.up("Namespace", "ns", ARGS, { timeouts: { create: "2s" } });
        await expect(up).rejects.toThrow(/is not ready/);
        await stack.end();
        const saved = stack.state.get("ns");
        const [operation] = String(saved?.outputs.__create).split(" ");
        const then = new Date(Date.now() - 2 * 86_400_000).toISOString();
        if (saved) {
            stack.state.set("ns", { ...saved, outputs: { ...saved.outputs, __create: `${operation} ${then}` } });
        }
        emulator.finishOperations();
        addTheirs(emulator);
        emulator.faults.add({ kind: "failBefore", method: "GetAsyncOperation", code, times: 1_000 });
    };
    const settings = { failedCreateLeavesResource: false, operationDurationMs: 60_000 };

    test.concurrent("by `destroy`", () =>
        withStacks(settings, async (emulator, newStack) => {
            const stack = newStack();
            await daysAgo(emulator, stack);
            await stack.destroy("ns");
            expectTheirs(emulator);
        }));

    test.concurrent("by `up`", () =>
        withStacks(settings, async (emulator, newStack) => {
            const stack = newStack();
            await daysAgo(emulator, stack);
            await expect(stack.up("Namespace", "ns", ARGS)).rejects.toThrow(/somebody else's.*pulumi refresh/);
            expectTheirs(emulator);
        }));

    test.concurrent("by a refresh", () =>
        withStacks(settings, async (emulator, newStack) => {
            const stack = newStack();
            await daysAgo(emulator, stack);
            expect(await stack.refresh("ns")).toBe("gone");
            expectTheirs(emulator);
        }));
});

describe("while lists lag behind, and many are created at once", () => {
    const names = Array.from({ length: 40 }, (_, index) => `orders-${index}`);
    const argsOf = (name: string) => ({ ...ARGS, name });
    const withQueue = (body: (emulator: Emulator, stack: MiniStack) => Promise<void>) =>
        withStacks({ deletedReadableMs: 86_400_000 }, (emulator, newStack) =>
            body(emulator, newStack({ config: { "temporalcloud:requestsPerSecond": "40" } })),
        );
    const createdSeconds = (emulator: Emulator, stack: MiniStack, name: string) =>
        Number(emulator.namespaces.get(stack.id(name))?.createdTime?.seconds ?? 0n);

    test.concurrent("a new namespace is not taken for what it replaces", () =>
        withQueue(async (emulator, stack) => {
            await Promise.all(names.map((name) => stack.up("Namespace", name, argsOf(name))));
            for (const name of names) {
                makeADayOlder(emulator, stack.id(name));
                await stack.refresh(name);
                const saved = stack.state.get(name);
                if (saved) {
                    stack.state.set(name, { ...saved, outputs: { ...saved.outputs, __replace: true } });
                }
            }
            await stack.end();
            emulator.settings.listLagMs = 600_000;
            await Promise.all(names.map((name) => stack.up("Namespace", name, argsOf(name))));
            expect(emulator.requests.count("GetNamespaces")).toBeGreaterThan(0);
            const wrong = names.filter((name) => {
                const inState = Date.parse(String(stack.state.get(name)?.outputs.createdTime)) / 1000;
                return Math.abs(inState - createdSeconds(emulator, stack, name)) > 60;
            });
            expect(wrong).toEqual([]);
        }));

    test.concurrent("nor for one whose creation has just failed", () =>
        withQueue(async (emulator, stack) => {
            const times = names.length;
            emulator.faults.add({ kind: "operationEnds", method: "CreateNamespace", state: "FAILED", times });
            const first = await Promise.allSettled(names.map((name) => stack.up("Namespace", name, argsOf(name))));
            expect(first.filter(({ status }) => status === "rejected")).toHaveLength(times);
            await stack.end();
            emulator.settings.listLagMs = 600_000;
            await Promise.all(names.map((name) => stack.up("Namespace", name, argsOf(name))));
            expect(names.map((name) => stack.state.get(name)?.outputs.state)).toEqual(names.map(() => "active"));
        }));
});

test.concurrent("of several service accounts with the name, none is adopted", () =>
    withStacks({ serviceAccountNamesUnique: false }, async (emulator, newStack) => {
        const stack = newStack();
        const { id } = emulator.serviceAccounts.add({
            spec: { name: "worker", access: { accountAccess: { role: 4 } } },
        });
        emulator.serviceAccounts.add({ spec: { name: "worker", access: { accountAccess: { role: 4 } } } });
        const args = { name: "worker", accountRole: "developer" };
        await expect(stack.up("ServiceAccount", "worker", args, { adopt: true })).rejects.toThrow(
            /several have this name \(ids .*\)\. Use the option `import`/,
        );
        await stack.up("ServiceAccount", "worker", args, { importId: id });
        expect(stack.id("worker")).toBe(id);
    }));

describe("two stacks create one name at the same moment, and the second gives up before its operation fails", () => {
    const atOnce = (goOn: (ours: MiniStack) => Promise<unknown>) =>
        withStacks({ ...TAKEN, operationDurationMs: 12_000 }, async (emulator, newStack) => {
            const [theirs, ours] = ["theirs", "ours"].map((name) =>
                newStack({ env: { PULUMI_BACKEND_URL: `file:///${name}` } }),
            ) as [MiniStack, MiniStack];
            const first = theirs.up("Namespace", "ns", { ...ARGS, retentionDays: 90 });
            await until("their create", () => emulator.requests.count("CreateNamespace") > 0);
            const up = ours.up("Namespace", "ns", ARGS, { timeouts: { create: "2s" } });
            await expect(up).rejects.toThrow(/is not ready/);
            await ours.end();
            await goOn(ours);
            await first;
            expectTheirs(emulator);
        });

    test.concurrent("`up`", () =>
        atOnce((ours) => expect(ours.up("Namespace", "ns", ARGS)).rejects.toThrow(/somebody else's/)));
    test.concurrent("`destroy`", () => atOnce((ours) => ours.destroy("ns")));
    test.concurrent("`refresh`", () =>
        atOnce(async (ours) => {
            expect(await ours.refresh("ns")).toBe("gone");
        }));
});

describe("after its time was up, a create that has succeeded is this stack's, whatever the clocks say", () => {
    const late = (goOn: (stack: MiniStack, emulator: Emulator) => Promise<void>) =>
        withStacks({ operationDurationMs: 4_000, startedTimeFrom: "in_progress" }, async (emulator, newStack) => {
            const stack = newStack();
            const up = stack.up("Namespace", "ns", ARGS, { timeouts: { create: "2s" } });
            await expect(up).rejects.toThrow(/is not ready/);
            await stack.end();
            emulator.finishOperations();
            emulator.namespaces.change(ID, (namespace) => {
                namespace.createdTime = { seconds: BigInt(Math.floor(Date.now() / 1000) - 95), nanos: 0 };
            });
            await goOn(stack, emulator);
        });

    test.concurrent("`up`", () =>
        late(async (stack) => {
            await stack.up("Namespace", "ns", ARGS);
            expect(stack.state.get("ns")?.outputs.state).toBe("active");
        }));
    test.concurrent("`destroy`", () =>
        late(async (stack, emulator) => {
            await stack.destroy("ns");
            expect(emulator.namespaces.get(ID)).toBeUndefined();
        }));
    test.concurrent("`refresh`", () =>
        late(async (stack) => {
            expect(await stack.refresh("ns")).toEqual([]);
        }));
});

test.concurrent("one answer that its operation does not exist does not make what has the name ours", () =>
    withStacks(TAKEN, async (emulator, newStack) => {
        addTheirs(emulator);
        const stack = newStack();
        const up = stack.up("Namespace", "ns", ARGS, { timeouts: { create: "2s" } });
        await expect(up).rejects.toThrow(/is not ready/);
        await stack.end();
        emulator.finishOperations();
        const code = Status.NOT_FOUND;
        emulator.faults.add({ kind: "failBefore", method: "GetAsyncOperation", code, times: 1 });
        await stack.destroy("ns");
        expectTheirs(emulator);
    }));

test.concurrent("a name that another resource of the program has is said to be its, also by the operation", () =>
    withStacks({ duplicateNameFrom: "operation" }, async (_, newStack) => {
        const stack = newStack();
        await stack.up("Namespace", "one", ARGS);
        await expect(stack.up("Namespace", "two", ARGS)).rejects.toThrow(/another resource of this program manages it/);
    }));

test.concurrent("several of one name do not hide why a create was refused", () =>
    withStacks({ serviceAccountNamesUnique: false }, async (emulator, newStack) => {
        const stack = newStack();
        for (const role of [3, 4]) {
            emulator.serviceAccounts.add({ spec: { name: "worker", access: { accountAccess: { role } } } });
        }
        const [code, details] = [Status.INVALID_ARGUMENT, "limit reached"];
        emulator.faults.add({ kind: "failBefore", method: "CreateServiceAccount", code, details });
        const up = stack.up("ServiceAccount", "worker", { name: "worker", accountRole: "read" });
        await expect(up).rejects.toThrow(/limit reached/);
    }));
