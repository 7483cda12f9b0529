// What an earlier run has left behind, and what has become of it since.

import { Status } from "nice-grpc-common";
import { connect } from "../emulator/client";
import { until } from "../support/until";
import { type Sample, samples, tokenWorks } from "./mini-stack";
import { dieCreating, EITHER_WAY, withStacks } from "./stacks";

jest.setTimeout(60_000);

const [namespaces, users, serviceAccounts, apiKeys] = samples as [Sample, Sample, Sample, Sample];

test.concurrent("what somebody else has made of the name since is not taken over", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        await dieCreating(stack, [[namespaces, "a", namespaces.args(emulator)]]);
        emulator.finishOperations();
        const [id = ""] = namespaces.ids(emulator);
        // It was deleted, and made anew by somebody else, two minutes later.
        emulator.namespaces.change(id, (theirs) => {
            theirs.createdTime = { seconds: BigInt(Math.round(Date.now() / 1000) + 120), nanos: 0 };
        });
        await expect(stack.up("Namespace", "a", namespaces.args(emulator))).rejects.toThrow(
            /already exists \(id orders\./,
        );
        expect(stack.state.size).toBe(0);
    }));

test.concurrent("what another resource of the program has by now is not taken over for its name", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        const args = users.args(emulator);
        await stack.up("User", "ann", args);
        stack.rename("ann", "new ann");
        await stack.end();
        expect(await stack.up("User", "new ann", args)).toBe("same");
        await stack.end();
        expect(await stack.up("User", "new ann", { ...args, accountRole: "developer" })).toBe("update");
        const details = "the operation id was used before";
        emulator.faults.add({ kind: "failBefore", code: Status.ALREADY_EXISTS, details, method: "CreateUser" });
        await expect(stack.up("User", "ann", args)).rejects.toThrow(/already exists/);
        expect(stack.state.has("ann")).toBe(false);
    }));

test.concurrent("a key whose token was lost is deleted, also where it cannot be seen yet", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        const code = Status.NOT_FOUND;
        emulator.faults.add({ kind: "hideCreated", method: "CreateApiKey", code, durationMs: 3_000 });
        emulator.faults.add({ kind: "loseAnswer", method: "CreateApiKey", cut: true });
        expect(await stack.up("ApiKey", "key", apiKeys.args(emulator))).toBe("create");
        expect(apiKeys.ids(emulator)).toEqual([stack.id("key")]);
        expect(await tokenWorks(stack, "key")).toBe(true);
    }));

test.concurrent("a create that was killed, and that still goes on when the next run's time is up, is kept", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        await dieCreating(
            stack,
            samples.map((sample) => [sample, sample.kind, sample.args(emulator)]),
        );
        await Promise.all(
            samples.map(async ({ kind, args, ids }) => {
                const up = stack.up(kind, kind, args(emulator), { timeouts: { create: "2s" } });
                await expect(up).rejects.toThrow(/was created but is not ready: it was not finished after 2 s/);
                expect([stack.id(kind)]).toEqual(ids(emulator));
            }),
        );
    }));

test.concurrent.each(EITHER_WAY)(
    "a key whose token was lost is replaced when its create ends after the next run%s",
    (_, isFirst) =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            const key = apiKeys.args(emulator);
            await dieCreating(stack, [[apiKeys, "key", key]]);
            await stack.next(isFirst);
            const up = stack.up("ApiKey", "key", key, { timeouts: { create: "2s" } });
            await expect(up).rejects.toThrow(/is not ready.*The next `pulumi up` replaces it/);
            await stack.end();
            emulator.finishOperations();
            // Also if a refresh comes first.
            expect(await stack.refresh("key")).toEqual([]);
            expect(await stack.up("ApiKey", "key", key)).toBe("replace");
            expect(apiKeys.ids(emulator)).toEqual([stack.id("key")]);
            expect(await tokenWorks(stack, "key")).toBe(true);
        }),
);

test.concurrent("a service account whose scope has changed since it was created is replaced, also if its create could not be seen", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        const code = Status.NOT_FOUND;
        emulator.faults.add({ kind: "hideOperation", method: "CreateServiceAccount", code, durationMs: 20_000 });
        await dieCreating(stack, [[serviceAccounts, "worker", serviceAccounts.args(emulator)]]);
        const changed = serviceAccounts.replaced(emulator);
        const failing = expect(stack.up("ServiceAccount", "worker", changed)).rejects.toThrow(/is not ready/);
        await until("the takeover", () => stack.warnings.some((warning) => warning.startsWith("Taking over")));
        emulator.finishOperations();
        await failing;
        await expect(stack.up("ServiceAccount", "worker", changed)).rejects.toThrow(
            /was created with another value of .*The next `pulumi up` replaces it/,
        );
        expect(await stack.up("ServiceAccount", "worker", changed)).toBe("replace");
        expect(serviceAccounts.ids(emulator)).toEqual([stack.id("worker")]);
    }));

test.concurrent("to who may not read operations, an earlier life is no new create", () =>
    withStacks({ completeAtOnce: true }, async (emulator, newStack) => {
        const stack = newStack();
        const code = Status.PERMISSION_DENIED;
        emulator.faults.add({ kind: "failBefore", method: "GetAsyncOperation", code, times: 1_000_000 });
        await stack.up("Namespace", "orders", namespaces.args(emulator));
        await stack.destroy("orders");
        await stack.next(false);
        await stack.up("Namespace", "orders", namespaces.args(emulator));
        expect(namespaces.ids(emulator)).toEqual([stack.id("orders")]);
    }));

test.concurrent("what an earlier run made and is being deleted is waited for", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        await dieCreating(stack, [[namespaces, "a", namespaces.args(emulator)]]);
        emulator.finishOperations();
        const [namespace = ""] = namespaces.ids(emulator);
        emulator.settings.operationDurationMs = 60_000;
        const { api, close } = connect(emulator);
        try {
            const { resourceVersion = "" } = emulator.namespaces.get(namespace) ?? {};
            await api.deleteNamespace({ namespace, resourceVersion });
        } finally {
            close();
        }
        emulator.settings.operationDurationMs = 0;
        const looks = emulator.requests.count("GetNamespace");
        await Promise.all([
            until("a second look", () => emulator.requests.count("GetNamespace") >= looks + 2).then(() =>
                emulator.finishOperations(),
            ),
            stack.up("Namespace", "a", namespaces.args(emulator)),
        ]);
        expect(namespaces.ids(emulator)).toEqual([stack.id("a")]);
    }));

test.concurrent("what another resource of the program is still creating is not noted under its old name, too", () =>
    withStacks({ operationDurationMs: 60_000 }, async (emulator, newStack) => {
        const stack = newStack();
        const key = apiKeys.args(emulator);
        const late = { timeouts: { create: "2s", update: "2s" } };
        await expect(stack.up("ApiKey", "a", key, late)).rejects.toThrow(/is not ready/);
        await stack.end();
        const id = stack.id("a");
        stack.rename("a", "b");
        await Promise.allSettled([stack.up("ApiKey", "b", key, late), stack.up("ApiKey", "a", key, late)]);
        expect(stack.id("b")).toBe(id);
        expect(stack.state.get("a")?.id).not.toBe(id);
        await stack.end();
        emulator.settings.operationDurationMs = 0;
        emulator.finishOperations();
        await stack.up("ApiKey", "b", key);
        await stack.up("ApiKey", "a", key);
        expect([await tokenWorks(stack, "b"), await tokenWorks(stack, "a")]).toEqual([true, true]);
    }));
