// Whose a resource is, with the real engine: what tests/faults/takeover.test.ts sees without one rests on what it does.

import type * as pulumi from "@pulumi/pulumi";
import { Status } from "nice-grpc-common";
import * as temporalcloud from "pulumi-temporal-cloud";
import { Emulator, type Fault } from "../../emulator";
import { connect } from "../emulator/client";
import { TestStack } from "../support/engine";
import { crash, descendants, isEngine, isPlugin } from "../support/processes";
import { until } from "../support/until";
import { faultsOf, fleet, leftovers } from "./fleet";
import { owner } from "./mini-stack";

jest.setTimeout(180_000);

let emulator: Emulator;
const stacks: TestStack[] = [];

async function newStack(program: pulumi.automation.PulumiFn, config: Record<string, string> = {}): Promise<TestStack> {
    const stack = await TestStack.create({ emulator, program, config });
    stacks.push(stack);
    return stack;
}

beforeEach(async () => {
    emulator = await Emulator.start({ settings: { checkDurationMs: 100 } });
});

afterEach(async () => {
    for (const stack of stacks.splice(0)) {
        stack.remove();
    }
    await emulator.stop();
});

async function works(token: unknown): Promise<boolean> {
    const { api, close } = connect(emulator, String(token));
    try {
        return (await api.getCurrentIdentity({})).principal !== undefined;
    } catch {
        return false;
    } finally {
        close();
    }
}

test("two stacks of one name, with their states in two places, have a key each", async () => {
    const ownerId = owner(emulator);
    const program = async () => ({ token: new temporalcloud.ApiKey("key", { ownerId, expiresIn: "90d" }).token });
    const [first, second] = [await newStack(program), await newStack(program)];
    await Promise.all([first.up(), second.up()]);
    expect(emulator.apiKeys.list()).toHaveLength(2);
    const tokens = [(await first.outputs()).token, (await second.outputs()).token];
    await second.destroy();
    expect(emulator.apiKeys.list().map(({ id }) => id)).toEqual([first.resource("key").id]);
    expect(await Promise.all(tokens.map(works))).toEqual([true, false]);
});

test("`--replace` of everything that was just made loses nothing", async () => {
    const [version, each] = [{ values: 0, names: 0 }, 1];
    const stack = await newStack(fleet(version, each));
    await stack.up();
    await stack.up({ replace: stack.resources().map(({ urn }) => urn) });
    expect(await faultsOf(stack, emulator, version, each)).toEqual([]);
    await stack.destroy();
    expect(leftovers(stack, emulator)).toEqual([]);
});

test("a key keeps its life under an alias when another takes its old name", async () => {
    const args = { ownerId: owner(emulator), displayName: "worker", expiresIn: "90d" };
    const key = (name: string, opts: pulumi.CustomResourceOptions = {}) => new temporalcloud.ApiKey(name, args, opts);
    const stack = await newStack(async () => ({ old: key("worker").token }));
    await stack.up();
    const { old } = await stack.outputs();
    const renamed = async () => ({ old: key("worker-old", { aliases: [{ name: "worker" }] }).token });
    await stack.up({ program: renamed });
    await stack.up({ program: async () => ({ old: key("worker-old").token, fresh: key("worker").token }) });
    expect(emulator.apiKeys.list()).toHaveLength(2);
    const { fresh } = await stack.outputs();
    expect(fresh).not.toBe(old);
    expect(await Promise.all([old, fresh].map(works))).toEqual([true, true]);
});

test("what is renamed by `import` of its id is not deleted under its old name", async () => {
    const args = { regions: ["aws-us-east-1"], apiKeyAuth: true, name: "orders" };
    const id = `orders.${emulator.account}`;
    const stack = await newStack(async () => void new temporalcloud.Namespace("one", args));
    await stack.up();
    const renamed = async () => void new temporalcloud.Namespace("two", args, { import: id });
    const result = await stack.up({ program: renamed });
    expect(result.messages("one").join()).toContain(`Namespace ${id} is not deleted`);
    expect(emulator.namespaces.get(id)).toBeDefined();
    expect(stack.resources().map(({ urn }) => urn.split("::").at(-1))).toEqual(["two"]);
    expect((await stack.preview({ program: renamed, refresh: true })).changes).toEqual({ same: 2 });
    await stack.destroy();
    expect(leftovers(stack, emulator)).toEqual([]);
});

test.each<[string, Partial<temporalcloud.NamespaceArgs>, number]>([
    ["is refused by the server", { retentionDays: 7 }, 1],
    ["is refused for what the program says", { regions: ["aws-us-west-2"] }, 0],
])("what `import` cannot rename, since it %s, stays under its old name", async (_, changed, updates) => {
    const args = { regions: ["aws-us-east-1"], apiKeyAuth: true, name: "orders" };
    const id = `orders.${emulator.account}`;
    const stack = await newStack(async () => void new temporalcloud.Namespace("one", args));
    await stack.up();
    emulator.faults.add({ kind: "failBefore", method: "UpdateNamespace", code: Status.PERMISSION_DENIED });
    const result = await stack.up({
        program: async () => void new temporalcloud.Namespace("two", { ...args, ...changed }, { import: id }),
        continueOnError: true,
        expectFailure: true,
    });
    expect(result.messages("one").join()).toMatch(/is not deleted: urn:.*::two was to take it over, and could not/);
    expect(emulator.requests.count("UpdateNamespace")).toBe(updates);
    expect(emulator.namespaces.get(id)).toBeDefined();
    expect(stack.resource("one").id).toBe(id);
});

test.each<[string, Fault, Partial<temporalcloud.NamespaceArgs>, boolean]>([
    [
        "what it depends on fails",
        { kind: "failBefore", method: "CreateServiceAccount", code: Status.PERMISSION_DENIED },
        {},
        true,
    ],
    ["the account cannot be checked", { kind: "failBefore", method: "GetAccount", code: Status.INTERNAL }, {}, true],
    [
        "the look-up fails",
        { kind: "failBefore", method: "GetNamespaces", code: Status.INTERNAL },
        { adopt: true },
        false,
    ],
])("what is to be renamed stays where the engine does not get to that, since %s", async (_, fault, args, isImport) => {
    const orders = { regions: ["aws-us-east-1"], apiKeyAuth: true, name: "orders", ...args };
    const id = `orders.${emulator.account}`;
    const config = { "temporalcloud:allowedAccountId": emulator.account };
    const stack = await newStack(async () => void new temporalcloud.Namespace("one", orders), config);
    await stack.up();
    const renamed = async () => {
        const worker = new temporalcloud.ServiceAccount("worker", { accountRole: "read" });
        new temporalcloud.Namespace("two", orders, { dependsOn: [worker], ...(isImport ? { import: id } : {}) });
    };
    emulator.faults.add(fault);
    const result = await stack.up({ program: renamed, continueOnError: true, expectFailure: true });
    expect(result.messages("one").join()).toMatch(/is not deleted: urn:.*::two was to take it over, and could not/);
    expect(emulator.namespaces.get(id)).toBeDefined();
    emulator.faults.clear();
    await stack.up({ program: renamed });
    expect(emulator.namespaces.get(id)).toBeDefined();
    expect(stack.resource("two").id).toBe(id);
});

test("a key that is replaced with its owner, and killed at that, is there once", async () => {
    const program = (args: temporalcloud.ServiceAccountArgs) => async () => {
        const worker = new temporalcloud.ServiceAccount("worker", args);
        return { token: new temporalcloud.ApiKey("key", { ownerId: worker.id, expiresIn: "90d" }).token };
    };
    emulator.namespaces.add({ spec: { name: "orders", replicas: [{ region: "aws-us-east-1" }] } });
    const stack = await newStack(program({ accountRole: "read" }));
    await stack.up();
    const next = program({ namespaceScopedAccess: { namespaceId: `orders.${emulator.account}`, permission: "read" } });
    emulator.faults.add({ kind: "slowOperation", method: "CreateApiKey", durationMs: Number.POSITIVE_INFINITY });
    const run = stack.up({ program: next, expectFailure: true });
    await until("the new key", () => emulator.requests.count("CreateApiKey") === 2);
    const running = descendants();
    crash(running.filter(isEngine));
    crash(running.filter(isPlugin));
    await run.catch(() => {});
    emulator.finishOperations();
    await stack.cancel();
    await stack.up({ program: next });
    expect(emulator.apiKeys.list().map((key) => key.id)).toEqual([stack.resource("key").id]);
    expect(await works((await stack.outputs()).token)).toBe(true);
});

test("an owner of the account, whom nobody may delete, is renamed by `import` like anything else", async () => {
    const email = "ann@example.com";
    const { id } = emulator.users.add({ spec: { email, access: { accountAccess: { role: 1 } } } });
    const named = (name: string) => async () =>
        void new temporalcloud.User(name, { email, accountRole: "owner" }, { import: id });
    const stack = await newStack(named("one"));
    await stack.up();
    const result = await stack.up({ program: named("two") });
    expect(result.messages("one").join()).toContain(`User ${id} is not deleted: a resource of this program`);
    expect(stack.resources().map(({ urn }) => urn.split("::").at(-1))).toEqual(["two"]);
    await expect(stack.destroy()).rejects.toThrow("an account owner cannot be deleted");
    expect(emulator.users.get(id)).toBeDefined();
});

test("destroyed and made again at once, everything is new", async () => {
    const [version, each] = [{ values: 0, names: 0 }, 2];
    const stack = await newStack(fleet(version, each));
    await stack.up();
    const ids = new Set(stack.resources().map((one) => one.id));
    await stack.destroy();
    const again = await stack.up();
    expect(again.diagnostics.filter(({ severity }) => severity === "warning")).toEqual([]);
    expect(await faultsOf(stack, emulator, version, each)).toEqual([]);
    const kept = stack.resources().filter(({ id }) => ids.has(id));
    // A namespace's id is its name.
    expect(kept.map(({ id }) => id).sort()).toEqual(
        emulator.namespaces
            .list()
            .map(({ namespace }) => namespace)
            .sort(),
    );
});
