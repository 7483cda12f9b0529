// Others who write at the same time.

import { Status } from "nice-grpc-common";
import * as temporalcloud from "pulumi-temporal-cloud";
import { Emulator, type Fault } from "../../emulator";
import type { CloudServiceClient } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import { type Access, NamespaceAccess } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { Namespace } from "../../proto/generated/temporal/api/cloud/namespace/v1/message";
import { connect } from "../emulator/client";
import { TestStack } from "../support/engine";
import { inputsOf, urnOf } from "../support/inputs";
import { until } from "../support/until";
import { faultsOf, fleet } from "./fleet";
import { MiniStack, type Sample, samples } from "./mini-stack";
import { withStacks } from "./stacks";

jest.setTimeout(180_000);

const REGION = "aws-us-east-1";

function change(emulator: Emulator, id: string, values: (spec: NonNullable<Namespace["spec"]>) => void): void {
    emulator.namespaces.change(id, ({ spec }) => {
        if (spec) {
            values(spec);
        }
    });
}

/** Writes as any other client does: reads, changes, sends, again if need be, and waits. */
async function write(api: CloudServiceClient, namespace: string, retentionDays: number): Promise<void> {
    for (;;) {
        const { namespace: live } = await api.getNamespace({ namespace });
        const { spec, resourceVersion = "" } = live ?? {};
        try {
            await api.updateNamespace({ namespace, spec: { ...spec, retentionDays }, resourceVersion });
            return;
        } catch {
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }
}

describe("another client, between the read and the write", () => {
    test.concurrent("changes other fields: both changes are there", () =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            await Promise.all(samples.map(({ kind, args }) => stack.up(kind, kind, args(emulator))));
            const touched = new Map<Sample, number>();
            for (const sample of samples) {
                const run = () => {
                    touched.set(sample, (touched.get(sample) ?? 0) + 1);
                    sample.touch(emulator, stack.id(sample.kind));
                };
                emulator.faults.add({ kind: "run", method: sample.update, times: 3, run });
            }
            await Promise.all(
                samples.map(async (sample) => {
                    const { kind } = sample;
                    expect(await stack.up(kind, kind, sample.changed(emulator))).toBe("update");
                    expect(sample.isChanged(emulator, stack.id(kind))).toBe(true);
                    expect(touched.get(sample)).toBe(3);
                }),
            );
            const description = (spec: { description: string } | undefined) => spec?.description;
            expect(description(emulator.namespaces.get(stack.id("Namespace"))?.spec)).toMatch(/^touched/);
            expect(description(emulator.serviceAccounts.get(stack.id("ServiceAccount"))?.spec)).toMatch(/^touched/);
            expect(description(emulator.apiKeys.get(stack.id("ApiKey"))?.spec)).toMatch(/^touched/);
            const access = emulator.users.get(stack.id("User"))?.spec?.access;
            expect(Object.keys(access?.projectAccesses ?? {})).toHaveLength(1);
        }));

    type When = Pick<Fault, "method" | "after" | "times">;
    const beforeTheWrite: When = { method: "UpdateNamespace" };
    /** The first look comes before the first write. */
    const afterEachOfFourWrites: When = { method: "GetNamespace", after: 1, times: 4 };

    /** The program sets the retention to 7 days, and meets that fault. */
    const whileRetentionIsSet = (
        faultOf: (emulator: Emulator, id: string) => Fault,
        verify: (up: Promise<unknown>, emulator: Emulator, id: string) => Promise<void>,
    ) =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            const args = { name: "orders", regions: [REGION], apiKeyAuth: true };
            await stack.up("Namespace", "a", { ...args, retentionDays: 5 });
            const id = stack.id("a");
            emulator.faults.add(faultOf(emulator, id));
            await verify(stack.up("Namespace", "a", { ...args, retentionDays: 7 }), emulator, id);
        });

    /** Another client sets the retention to so many days. */
    const retentionBecomes =
        (days: number, when: When) =>
        (emulator: Emulator, id: string): Fault => ({
            ...when,
            kind: "run",
            run: () =>
                change(emulator, id, (spec) => {
                    spec.retentionDays = days;
                }),
        });

    const whileRetentionBecomes = (days: number, when: When, verify: (emulator: Emulator, id: string) => void) =>
        whileRetentionIsSet(retentionBecomes(days, when), async (up, emulator, id) => {
            await up;
            verify(emulator, id);
        });

    test.concurrent("changes the same field: the program wins", () =>
        whileRetentionBecomes(60, beforeTheWrite, (emulator, id) => {
            expect(emulator.namespaces.get(id)?.spec?.retentionDays).toBe(7);
        }));

    test.concurrent("changes the same field back after each of the first writes: the program wins", () =>
        whileRetentionBecomes(60, afterEachOfFourWrites, (emulator, id) => {
            expect(emulator.namespaces.get(id)?.spec?.retentionDays).toBe(7);
            expect(emulator.requests.count("UpdateNamespace")).toBe(5);
        }));

    test.concurrent("makes the very change that is about to be made: there is nothing to do", () =>
        whileRetentionBecomes(7, beforeTheWrite, (emulator) => {
            expect(emulator.requests.count("UpdateNamespace")).toBe(1);
        }));

    test.concurrent.each<{ what: string; faultOf: (emulator: Emulator, id: string) => Fault; says: RegExp }>([
        {
            what: "the server accepts it, and another client undoes it",
            faultOf: retentionBecomes(60, { method: "GetNamespace", after: 1, times: Number.POSITIVE_INFINITY }),
            says: /^Namespace "a" \(.*\) is only partly updated: The server accepted this 6 times, but the change is not visible: /,
        },
        {
            what: "the server says that there is nothing to change",
            faultOf: () => ({
                method: "UpdateNamespace",
                kind: "failBefore",
                times: Number.POSITIVE_INFINITY,
                code: Status.INVALID_ARGUMENT,
                details: "nothing to change",
            }),
            says: /^Namespace "a" \(.*\) could not be updated: The server said that there is nothing to change 6 times, but /,
        },
    ])("each time, $what: the error says so after six times", ({ faultOf, says }) =>
        whileRetentionIsSet(faultOf, async (up, emulator) => {
            await expect(up).rejects.toThrow(says);
            expect(emulator.requests.count("UpdateNamespace")).toBe(6);
        }),
    );

    test.concurrent("has an operation of its own in flight: it is waited for", () =>
        withStacks({ operationDurationMs: 400 }, async (emulator, newStack) => {
            const stack = newStack();
            const args = { name: "orders", regions: [REGION], apiKeyAuth: true };
            await stack.up("Namespace", "a", { ...args, description: "one" });
            const { api, close } = connect(emulator);
            try {
                const others = [11, 12, 13].map((days) => write(api, stack.id("a"), days));
                await stack.up("Namespace", "a", { ...args, description: "two" });
                await Promise.all(others);
            } finally {
                close();
            }
            emulator.finishOperations();
            const { spec } = emulator.namespaces.get(stack.id("a")) ?? {};
            expect(spec?.description).toBe("two");
            expect([11, 12, 13]).toContain(spec?.retentionDays);
        }));

    test.concurrent("deletes it: the update says so, the state knows, and the next one makes another", () =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            const user = { email: "ann@example.com", accountRole: "read" };
            await stack.up("User", "a", user);
            const id = stack.id("a");
            emulator.faults.add({ kind: "run", method: "UpdateUser", run: () => emulator.users.remove(id) });
            const changed = { ...user, accountRole: "developer" };
            await expect(stack.up("User", "a", changed)).rejects.toThrow(/deleted outside this stack/);
            expect(await stack.up("User", "a", changed)).toBe("replace");
            expect(stack.id("a")).not.toBe(id);
            expect(emulator.users.list().filter(({ spec }) => spec?.email === user.email)).toHaveLength(1);
        }));

    test.concurrent("has an operation in flight that nobody else may see: it is asked for once, and a delete waits", () =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            await stack.up("Namespace", "a", { name: "orders", regions: [REGION], apiKeyAuth: true });
            emulator.faults.add({ kind: "hideOperation", method: "UpdateNamespace", durationMs: 600_000 });
            // However long it has waited, this says no more of the delete than without waiting.
            const code = Status.FAILED_PRECONDITION;
            emulator.faults.add({ kind: "failBefore", method: "DeleteNamespace", code });
            emulator.settings.operationDurationMs = 600_000;
            const { api, close } = connect(emulator);
            try {
                await write(api, stack.id("a"), 11);
            } finally {
                close();
            }
            emulator.settings.operationDurationMs = 0;
            const rounds = () => emulator.requests.count("GetNamespace");
            const [before, asked] = [rounds(), emulator.requests.count("GetAsyncOperation")];
            const gone = stack.destroy("a");
            await until("five rounds of waiting", () => rounds() >= before + 5);
            expect(emulator.requests.count("GetAsyncOperation")).toBe(asked + 1);
            emulator.finishOperations();
            await gone;
            expect(emulator.namespaces.list()).toEqual([]);
            expect(emulator.requests.count("DeleteNamespace")).toBe(2);
        }));
});

test.concurrent("another client's operation in flight, which fails, is waited for, and no failure of ours", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        const args = { name: "orders", regions: [REGION], apiKeyAuth: true };
        await stack.up("Namespace", "a", { ...args, description: "one" });
        emulator.settings.operationDurationMs = 1_500;
        emulator.faults.add({ kind: "operationEnds", method: "UpdateNamespace", state: "FAILED" });
        const { api, close } = connect(emulator);
        try {
            const { spec, resourceVersion = "" } = emulator.namespaces.get(stack.id("a")) ?? {};
            await api.updateNamespace({
                namespace: stack.id("a"),
                spec: { ...spec, retentionDays: 11 } as never,
                resourceVersion,
            });
        } finally {
            close();
        }
        emulator.settings.operationDurationMs = 0;
        expect(await stack.up("Namespace", "a", { ...args, description: "two" })).toBe("update");
        expect(emulator.namespaces.get(stack.id("a"))?.spec?.description).toBe("two");
    }));

test.concurrent("what somebody else deletes between the look and the delete is deleted", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        await Promise.all(
            samples.map(async ({ kind, args, ids, delete: method }) => {
                await stack.up(kind, kind, args(emulator));
                const id = stack.id(kind);
                const { namespaces, users, serviceAccounts, apiKeys } = emulator;
                const all = { Namespace: namespaces, User: users, ServiceAccount: serviceAccounts, ApiKey: apiKeys };
                const run = () => all[kind].remove(id);
                emulator.faults.add({ kind: "run", method, run });
                await stack.destroy(kind);
                expect(ids(emulator)).toEqual([]);
            }),
        );
    }));

test.concurrent("what only an old list shows is no reason to refuse a change", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack({ config: { "temporalcloud:requestsPerSecond": "40" } });
        const names = Array.from({ length: 40 }, (_, index) => `user-${index}`);
        const args = (name: string, accountRole: string) => ({ email: `${name}@example.com`, accountRole });
        const setAccesses = (accesses: Access["namespaceAccesses"]) => {
            for (const name of names) {
                emulator.users.change(stack.id(name), ({ spec }) => {
                    if (spec?.access) {
                        spec.access.namespaceAccesses = accesses;
                    }
                });
            }
        };
        await Promise.all(names.map((name) => stack.up("User", name, args(name, "read"))));
        const { namespace } = emulator.namespaces.add({ spec: { name: "shop" } });
        setAccesses({ [namespace]: NamespaceAccess.fromPartial({ permission: 2 }) });
        await stack.end();
        emulator.settings.listLagMs = 600_000;
        // Revoked elsewhere; an admin must have none.
        setAccesses({});
        await Promise.all(names.map((name) => stack.up("User", name, args(name, "admin"))));
        expect(emulator.requests.count("GetUsers")).toBeGreaterThan(0);
        expect(emulator.requests.count("UpdateUser")).toBe(names.length);
    }));

test.concurrent("50 writes to one object from one process are made one after the other", () =>
    withStacks({ operationDurationMs: 20 }, async (emulator, newStack) => {
        const stack = newStack();
        const args = { name: "orders", regions: [REGION], apiKeyAuth: true };
        await stack.up("Namespace", "a", args);
        const host = await stack.plugin();
        const [urn, id, olds] = [urnOf("Namespace", "a"), stack.id("a"), stack.state.get("a")?.outputs ?? {}];
        await Promise.all(
            Array.from({ length: 50 }, (_, index) => {
                const news = inputsOf("Namespace", "a", { ...args, description: `write ${index}` });
                return host.update({ id, urn, olds, news });
            }),
        );
        expect(emulator.requests.count("UpdateNamespace")).toBe(50);
        expect(emulator.requests.all.filter(({ method, code }) => method === "UpdateNamespace" && code !== 0)).toEqual(
            [],
        );
        expect(emulator.namespaces.get(id)?.spec?.description).toMatch(/^write \d+$/);
    }));

test.concurrent("writes to one object from several processes all land", () =>
    withStacks({ operationDurationMs: 50 }, async (emulator) => {
        const stacks = Array.from({ length: 3 }, () => new MiniStack(emulator));
        try {
            const spec = {
                name: "orders",
                retentionDays: 3,
                replicas: [{ region: REGION }],
                apiKeyAuth: { enabled: true },
            };
            const { namespace: id } = emulator.namespaces.add({ spec });
            const own = [{ retentionDays: 9 }, { description: "ours" }, { deleteProtection: true }];
            const base = { name: "orders", regions: [REGION] };
            await Promise.all(
                stacks.map((stack, index) => stack.up("Namespace", "a", { ...base, ...own[index] }, { adopt: true })),
            );
            const live = emulator.namespaces.get(id)?.spec;
            expect(live).toMatchObject({ retentionDays: 9, description: "ours" });
            expect(live?.lifecycle?.enableDeleteProtection).toBe(true);
            expect(live?.apiKeyAuth?.enabled).toBe(true);
        } finally {
            await Promise.all(stacks.map((stack) => stack.end()));
        }
    }));

test.concurrent("where reads lag behind writes, nothing is written twice, and the state has what was written", () =>
    withStacks({ readLagMs: 6_000 }, async (emulator, newStack) => {
        const stack = newStack();
        await Promise.all(samples.map(({ kind, args }) => stack.up(kind, kind, args(emulator))));
        emulator.requests.reset();
        await Promise.all(samples.map(({ kind, changed }) => stack.up(kind, kind, changed(emulator))));
        for (const { kind, update, isChanged } of samples) {
            expect([kind, emulator.requests.count(update)]).toEqual([kind, 1]);
            expect([kind, isChanged(emulator, stack.id(kind))]).toEqual([kind, true]);
        }
        expect(stack.state.get("Namespace")?.outputs.retentionDays).toBe(7);
    }));

test.concurrent.each(["call", "operation"] as const)(
    "several stacks that adopt one name at once get one object, also if it does not exist yet (refused by the %s)",
    (duplicateNameFrom) =>
        withStacks({ operationDurationMs: 300, duplicateNameFrom }, async (emulator) => {
            const stacks = Array.from({ length: 3 }, () => new MiniStack(emulator));
            try {
                const args = { name: "orders", regions: [REGION], apiKeyAuth: true };
                // So that all plugins run, and look for it before any creates it.
                const own = stacks.map((stack, index) => stack.up("Namespace", "b", { ...args, name: `b${index}` }));
                await Promise.all(own);
                emulator.settings.latencyMs = 500;
                await Promise.all(stacks.map((stack) => stack.up("Namespace", "a", args, { adopt: true })));
                expect(stacks.map((stack) => stack.id("a"))).toEqual(stacks.map(() => "orders.a1b2c"));
                expect(emulator.requests.count("CreateNamespace")).toBeGreaterThan(4);
            } finally {
                await Promise.all(stacks.map((stack) => stack.end()));
            }
        }),
);

describe("with the engine", () => {
    let emulator: Emulator;

    beforeEach(async () => {
        emulator = await Emulator.start({ settings: { operationDurationMs: 200, checkDurationMs: 100 } });
    });

    afterEach(() => emulator.stop());

    test("two `up`s of two stacks change different fields of one adopted namespace at once", async () => {
        const spec = {
            name: "orders",
            retentionDays: 3,
            replicas: [{ region: REGION }],
            apiKeyAuth: { enabled: true },
        };
        const { namespace: id } = emulator.namespaces.add({ spec });
        const program = (own: Partial<temporalcloud.NamespaceArgs>) => async () => {
            new temporalcloud.Namespace("orders", { regions: [REGION], ...own }, { import: id });
        };
        const stacks = await Promise.all(
            ["one", "two"].map((stackName) => TestStack.create({ emulator, stackName, program: program({}) })),
        );
        const [one, two] = stacks as [TestStack, TestStack];
        try {
            for (const round of [1, 2]) {
                await Promise.all([
                    one.up({ program: program({ retentionDays: 10 + round, tags: { round: `${round}` } }) }),
                    two.up({ program: program({ description: `round ${round}`, taskQueueFairness: round === 1 }) }),
                ]);
                const live = emulator.namespaces.get(id);
                expect(live?.tags).toEqual({ round: `${round}` });
                expect(live?.spec).toMatchObject({ retentionDays: 10 + round, description: `round ${round}` });
                expect(live?.spec?.fairness?.taskQueueFairnessEnabled ?? false).toBe(round === 1);
            }
        } finally {
            for (const stack of stacks) {
                stack.remove();
            }
        }
    });

    test("others change everything while an `up` changes everything", async () => {
        const each = 3;
        const stack = await TestStack.create({ emulator, program: fleet({ values: 0, names: 0 }, each) });
        try {
            await stack.up();
            let changes = 0;
            const meddle = setInterval(() => {
                for (const { namespace } of emulator.namespaces.list()) {
                    changes += 1;
                    change(emulator, namespace, (spec) => {
                        spec.description = "theirs";
                    });
                }
                for (const { id } of emulator.users.list()) {
                    emulator.users.change(id, () => {});
                }
                for (const { id } of emulator.serviceAccounts.list()) {
                    emulator.serviceAccounts.change(id, () => {});
                }
                for (const { id } of emulator.apiKeys.list()) {
                    emulator.apiKeys.change(id, () => {});
                }
            }, 120);
            try {
                await stack.up({ program: fleet({ values: 1, names: 0 }, each) });
            } finally {
                clearInterval(meddle);
            }
            expect(changes).toBeGreaterThan(0);
            for (const { spec } of emulator.namespaces.list()) {
                expect(spec?.description).toBe("theirs");
            }
            expect(await faultsOf(stack, emulator, { values: 1, names: 0 }, each)).toEqual([]);
        } finally {
            stack.remove();
        }
    });
});
