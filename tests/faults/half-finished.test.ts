// Creates, updates and deletes that stop half way: what the state keeps, what is said, and that the next run goes on.

import path from "node:path";
import { Status } from "nice-grpc-common";
import type { Emulator, FailedEnd } from "../../emulator";
import { HostError, type Properties } from "../support/host";
import { until } from "../support/until";
import { type MiniStack, type Sample, type Saved, samples, tokenWorks } from "./mini-stack";
import { finishOnceAwaited, withStacks } from "./stacks";

jest.setTimeout(240_000);

const ENDS: readonly FailedEnd[] = ["FAILED", "REJECTED", "CANCELLED"];
const [namespaces, , , apiKeys] = samples;
const REGION = "aws-us-east-1";
const FAST_CLOCK = { NODE_OPTIONS: `--require ${path.join(__dirname, "fast-clock.cjs")}` };

async function refusal(step: Promise<unknown>): Promise<HostError> {
    const error = await step.then(
        () => undefined,
        (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(HostError);
    return error as HostError;
}

async function expectOne(stack: MiniStack, sample: Sample): Promise<void> {
    expect(sample.ids(stack.emulator)).toEqual([stack.id(sample.kind)]);
    expect(stack.state.get(sample.kind)?.reasons).toBeUndefined();
    if (sample === apiKeys) {
        expect(await tokenWorks(stack, sample.kind)).toBe(true);
    }
}

/** Lets the time pass until what failed creates have left would be visible. */
function later(stack: MiniStack): void {
    for (const [kind, saved] of stack.state) {
        const leftMs = Date.parse(String(saved.outputs.__unseen)) - Date.now();
        expect(leftMs).toBeGreaterThan(30_000);
        expect(leftMs).toBeLessThanOrEqual(90_000);
        stack.state.set(kind, { ...saved, outputs: { ...saved.outputs, __unseen: new Date().toISOString() } });
    }
}

const each = (step: (sample: Sample) => Promise<void>) => Promise.all(samples.map(step));

describe.each(ENDS)("an operation that ends %s", (state) => {
    const order = { kind: "operationEnds", state, reason: "the moon is full", times: 4 } as const;

    /** Whether what cannot be seen is not there: what was begun can become visible later, and a name be another's then. */
    const isCertain = ({ kind }: Sample) => state === "REJECTED" || kind === "Namespace";

    test.concurrent.each([true, false])("of a create that leaves something: %s", (failedCreateLeavesResource) =>
        withStacks({ failedCreateLeavesResource }, async (emulator, newStack) => {
            const stack = newStack();
            emulator.faults.add({ ...order, method: /^Create/ });
            await each(async (sample) => {
                const { kind } = sample;
                const { message } = await refusal(stack.up(kind, kind, sample.args(emulator)));
                expect(message).toContain(`${kind} "${kind}"`);
                expect(message).toMatch(new RegExp(`The operation \\S+ ended ${state}: the moon is full\\.`));
                const kept = failedCreateLeavesResource || !isCertain(sample);
                expect(stack.state.has(kind)).toBe(kept);
                expect(sample.ids(emulator)).toEqual(failedCreateLeavesResource ? [stack.id(kind)] : []);
                expect(message).toContain(
                    kept
                        ? "The next `pulumi up` replaces it."
                        : `${state === "REJECTED" ? "Nothing was created" : "Nothing of it is visible"}. The next \`pulumi up\` tries again.`,
                );
            });
            await stack.end();
            if (!failedCreateLeavesResource) {
                later(stack);
            }
            await each(async (sample) => {
                const { kind } = sample;
                const op = await stack.up(kind, kind, sample.args(emulator));
                expect(op).toBe(failedCreateLeavesResource || !isCertain(sample) ? "replace" : "create");
                await expectOne(stack, sample);
            });
        }),
    );

    test.concurrent("of a create that leaves something which cannot be seen yet", () =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            const lasting = samples.filter((sample) => !isCertain(sample));
            const code = Status.NOT_FOUND;
            for (const { create } of lasting) {
                emulator.faults.add({ ...order, method: create, times: 1 });
                emulator.faults.add({ kind: "hideCreated", method: create, code, durationMs: 3_000 });
            }
            await Promise.all(
                lasting.map(async ({ kind, args, ids }) => {
                    await refusal(stack.up(kind, kind, args(emulator)));
                    expect(ids(emulator)).toEqual([stack.id(kind)]);
                }),
            );
            await stack.end();
            // At once, like a CI job that tries again.
            await Promise.all(
                lasting.map(async (sample) => {
                    expect(await stack.up(sample.kind, sample.kind, sample.args(emulator))).toBe("replace");
                    await expectOne(stack, sample);
                }),
            );
        }));

    test.concurrent.each([Status.NOT_FOUND, Status.PERMISSION_DENIED])(
        "of a create that leaves something which cannot be seen yet (%i): `destroy` deletes that too",
        (code) =>
            withStacks({}, async (emulator, newStack) => {
                const stack = newStack();
                const lasting = samples.filter((sample) => !isCertain(sample));
                for (const { create } of lasting) {
                    emulator.faults.add({ ...order, method: create, times: 1 });
                    emulator.faults.add({ kind: "hideCreated", method: create, code, durationMs: 6_000 });
                }
                await Promise.all(lasting.map(({ kind, args }) => refusal(stack.up(kind, kind, args(emulator)))));
                await stack.end();
                await Promise.all(lasting.map(({ kind }) => stack.destroy(kind)));
                expect(lasting.flatMap((sample) => sample.ids(emulator))).toEqual([]);
            }),
    );

    if (state !== "REJECTED") {
        test.concurrent("of the create of a namespace that cannot be seen yet: the next run finds it", () =>
            withStacks({}, async (emulator, newStack) => {
                const stack = newStack();
                emulator.faults.add({ ...order, method: "CreateNamespace", times: 1 });
                const code = Status.NOT_FOUND;
                emulator.faults.add({ kind: "hideCreated", method: "CreateNamespace", code, durationMs: 6_000 });
                const sample = namespaces as Sample;
                const up = () => stack.up("Namespace", "Namespace", sample.args(emulator));
                expect((await refusal(up())).message).toContain("Nothing of it is visible");
                await stack.end();
                await up();
                await expectOne(stack, sample);
            }));
    }

    test.concurrent("of an update that was to take something back: the next run takes it back", () =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            const described = samples.filter(({ kind }) => kind !== "User");
            const args = (sample: Sample) => sample.args(emulator);
            for (const sample of described) {
                await stack.up(sample.kind, sample.kind, { ...args(sample), description: "to go" });
            }
            const role = { "shop.a1b2c": "write" };
            const user = { email: "ann@example.com", accountRole: "read" };
            emulator.namespaces.add({ spec: { name: "shop", replicas: [{ region: "aws-us-east-1" }] } });
            await stack.up("User", "User", { ...user, namespaceAccesses: role });
            emulator.faults.add({ ...order, method: /^Update/ });
            const outputs = (kind: Sample["kind"]) => stack.state.get(kind)?.outputs;
            for (const sample of described) {
                const { message } = await refusal(stack.up(sample.kind, sample.kind, args(sample)));
                expect(message).toContain("the next `pulumi up` does the rest");
                expect(outputs(sample.kind)?.description).toBe("to go");
            }
            await refusal(stack.up("User", "User", user));
            expect(outputs("User")?.namespaceAccesses).toEqual(role);
            await stack.end();
            for (const sample of described) {
                expect(await stack.up(sample.kind, sample.kind, args(sample))).toBe("update");
                expect(outputs(sample.kind)?.description).toBe("");
                expect(await stack.up(sample.kind, sample.kind, args(sample))).toBe("same");
            }
            expect(await stack.up("User", "User", user)).toBe("update");
            expect(emulator.users.get(stack.id("User"))?.spec?.access?.namespaceAccesses).toEqual({});
            expect(await stack.up("User", "User", user)).toBe("same");
        }));

    test.concurrent("of an update, and of a delete", () =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            await each(async (sample) => {
                await stack.up(sample.kind, sample.kind, sample.args(emulator));
            });
            emulator.faults.add({ ...order, method: /^Update/ });
            await each(async (sample) => {
                const { kind } = sample;
                const { message } = await refusal(stack.up(kind, kind, sample.changed(emulator)));
                expect(message).toContain(`${kind} "${kind}" (${stack.id(kind)})`);
                expect(message).toMatch(
                    new RegExp(`ended ${state}: the moon is full\\..*the next \`pulumi up\` does the rest`),
                );
                expect(sample.ids(emulator)).toEqual([stack.id(kind)]);
            });
            await stack.end();
            await each(async (sample) => {
                expect(await stack.up(sample.kind, sample.kind, sample.changed(emulator))).toBe("update");
                expect(sample.isChanged(emulator, stack.id(sample.kind))).toBe(true);
                await expectOne(stack, sample);
            });
            // Those whose ids are never given twice are tried a second time at once.
            emulator.faults.add({ ...order, method: /^Delete/, times: 7 });
            await each(async ({ kind, ids }) => {
                const { message } = await refusal(stack.destroy(kind));
                expect(message).toContain(`${kind} "${kind}" (${stack.id(kind)}) could not be deleted: `);
                expect(message).toContain("the next `pulumi up` or `pulumi destroy` retries.");
                expect(message).toMatch(new RegExp(`ended ${state}: the moon is full\\.`));
                expect(ids(emulator)).toEqual([stack.id(kind)]);
            });
            expect(emulator.faults.pending).toBe(0);
            await stack.end();
            await each(async ({ kind, ids }) => {
                await stack.destroy(kind);
                expect(ids(emulator)).toEqual([]);
            });
        }));
});

test.concurrent("a delete whose operation fails, which the server no longer tells: what is still there is deleted", () =>
    withStacks({ operationDurationMs: 400 }, async (emulator, newStack) => {
        const stack = newStack();
        for (const sample of samples) {
            await stack.up(sample.kind, sample.kind, sample.args(emulator));
            emulator.faults.add({ kind: "operationEnds", method: sample.delete });
            // It was seen once, and is then unknown.
            const code = Status.NOT_FOUND;
            emulator.faults.add({ kind: "failBefore", method: "GetAsyncOperation", code, after: 1, times: 2 });
            await stack.destroy(sample.kind);
            expect(sample.ids(emulator)).toEqual([]);
            expect(emulator.faults.pending).toBe(0);
        }
    }));

describe("time that is up", () => {
    const timeouts = { create: "2s", update: "2s", delete: "2s" };

    test.concurrent("for a create, an update, a delete: each goes on in the next run", () =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            const up = (sample: Sample, args: Properties) => stack.up(sample.kind, sample.kind, args, { timeouts });
            const slowly = async (step: (sample: Sample) => Promise<unknown>, what: RegExp) => {
                emulator.settings.operationDurationMs = 600_000;
                await each(async (sample) => {
                    const { message } = await refusal(step(sample));
                    expect(message).toContain(`${sample.kind} "${sample.kind}"`);
                    expect(message).toMatch(/not finished after 2 s \(change that with `customTimeouts`\)/);
                    expect(message).toMatch(what);
                    expect(sample.ids(emulator)).toEqual([stack.id(sample.kind)]);
                });
                await stack.end();
                emulator.settings.operationDurationMs = 0;
                finishOnceAwaited(emulator, samples.length);
            };
            const creates = () => samples.map((sample) => emulator.requests.count(sample.create));

            await slowly((sample) => up(sample, sample.args(emulator)), /the next `pulumi up` resumes/);
            const before = creates();
            await each(async (sample) => {
                expect(await up(sample, sample.args(emulator))).toBe("update");
                await expectOne(stack, sample);
            });
            expect(creates()).toEqual(before);

            await slowly(
                (sample) => up(sample, sample.changed(emulator)),
                /Anything started continues in Temporal Cloud/,
            );
            await each(async (sample) => {
                expect(await up(sample, sample.changed(emulator))).toBe("update");
                expect(sample.isChanged(emulator, stack.id(sample.kind))).toBe(true);
                await expectOne(stack, sample);
            });

            const goesOn = /continues in Temporal Cloud.* the next `pulumi up` or `pulumi destroy` retries/;
            await slowly(({ kind }) => stack.destroy(kind), goesOn);
            await each(async ({ kind, ids }) => {
                await stack.destroy(kind);
                expect(ids(emulator)).toEqual([]);
            });
        }));
});

describe("what was created cannot be seen", () => {
    test.concurrent.each([Status.PERMISSION_DENIED, Status.NOT_FOUND])("for a while (%i)", (code) =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            emulator.faults.add({ kind: "hideCreated", method: /^Create/, code, durationMs: 3_000, times: 4 });
            await each(async (sample) => {
                expect(await stack.up(sample.kind, sample.kind, sample.args(emulator))).toBe("create");
                await expectOne(stack, sample);
            });
        }),
    );

    test.concurrent.each([
        [Status.PERMISSION_DENIED, "its timeout", "up"],
        [Status.PERMISSION_DENIED, "90 s", "up"],
        [Status.NOT_FOUND, "its timeout", "up"],
        [Status.NOT_FOUND, "its timeout", "destroy"],
        [Status.NOT_FOUND, "90 s", "up"],
        [Status.NOT_FOUND, "90 s", "destroy"],
        [Status.PERMISSION_DENIED, "its timeout", "refresh"],
        [Status.NOT_FOUND, "its timeout", "refresh"],
    ])("(%i) for longer than %s, and still not by the next %s", (code, limit, command) =>
        withStacks({}, async (emulator, newStack) => {
            const isHurried = limit === "90 s";
            const timeouts = isHurried ? {} : { create: "3s" };
            const first = newStack(isHurried ? { env: FAST_CLOCK } : {});
            emulator.faults.add({ kind: "hideCreated", method: /^Create/, code, durationMs: 8_000, times: 4 });
            await each(async (sample) => {
                const { kind } = sample;
                const { message } = await refusal(first.up(kind, kind, sample.args(emulator), { timeouts }));
                expect(message).toMatch(/was created but is not ready: .*the next `pulumi up` resumes/);
                expect(first.id(kind)).toBe(sample.ids(emulator)[0]);
            });
            await first.end();
            const stack = newStack();
            for (const [name, saved] of first.state) {
                stack.state.set(name, saved);
            }
            await each(async (sample) => {
                if (command === "destroy") {
                    await stack.destroy(sample.kind);
                    expect(sample.ids(emulator)).toEqual([]);
                    return;
                }
                const isRefresh = command === "refresh";
                if (isRefresh) {
                    expect(await stack.refresh(sample.kind)).toEqual([]);
                }
                const op = isRefresh ? "same" : "update";
                expect(await stack.up(sample.kind, sample.kind, sample.args(emulator))).toBe(op);
                await expectOne(stack, sample);
            });
        }),
    );

    test.concurrent("by the next run, which does not take it for gone", () =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            emulator.faults.add({ kind: "hideCreated", method: /^Create/, durationMs: 600_000, times: 4 });
            await each(async (sample) => {
                const { kind } = sample;
                const timeouts = { create: "3s", update: "3s" };
                await refusal(stack.up(kind, kind, sample.args(emulator), { timeouts }));
                const { message } = await refusal(stack.up(kind, kind, sample.args(emulator), { timeouts }));
                expect(message).toMatch(
                    /could not be updated: .*not finished after 3 s.* The next `pulumi up` retries/,
                );
                expect(sample.ids(emulator)).toEqual([stack.id(kind)]);
            });
        }));
});

describe("a create whose second write goes wrong does all that the program says in the next run, what is to be ignored too", () => {
    test.concurrent.each([
        ["refused", { kind: "failBefore", code: Status.PERMISSION_DENIED }],
        ["failed", { kind: "operationEnds", state: "FAILED" }],
    ] as const)("%s", (_, fault) =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            const orders = { name: "orders", regions: ["aws-us-east-1"], apiKeyAuth: true };
            const ignoreChanges = ["capacity", 'tags["cost-center"]'];
            const up = (args: Properties) => stack.up("Namespace", "orders", args, { ignoreChanges });
            const provisioned = (value: number) => ({
                ...orders,
                tags: { team: "a" },
                capacity: { mode: "provisioned", value },
            });
            const capacity = () => emulator.namespaces.get("orders.a1b2c")?.spec?.capacitySpec?.spec;
            emulator.faults.add({ ...fault, method: "UpdateNamespace", times: 2 });
            for (let run = 0; run < 2; run += 1) {
                await refusal(up(provisioned(4)));
                await stack.end();
                emulator.namespaces.change("orders.a1b2c", (namespace) => {
                    namespace.tags = { ...namespace.tags, "cost-center": "5" };
                });
            }
            expect(await up(provisioned(4))).toBe("update");
            expect(capacity()).toMatchObject({ $case: "provisioned", value: { value: 4 } });
            // What the program does not say is left to others all the time, and from then on the rest, too.
            expect(emulator.namespaces.get("orders.a1b2c")?.tags).toEqual({ team: "a", "cost-center": "5" });
            expect(await up({ ...provisioned(2), description: "new" })).toBe("update");
            expect(capacity()).toMatchObject({ $case: "provisioned", value: { value: 4 } });
        }),
    );
});

describe("a resource that was gone when an update looked for it", () => {
    const marked = async (stack: MiniStack, emulator: Emulator, sample: Sample) => {
        const { kind } = sample;
        await stack.up(kind, kind, sample.args(emulator));
        emulator.faults.add({ kind: "failBefore", code: Status.NOT_FOUND, method: sample.get, times: 1 });
        const { message } = await refusal(stack.up(kind, kind, sample.changed(emulator)));
        expect(message).toContain("no longer exists");
    };

    test.concurrent("and is there again is not deleted: somebody else may have made it", () =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            await each(async (sample) => {
                const { kind, changed, ids, isChanged } = sample;
                await marked(stack, emulator, sample);
                const id = stack.id(kind);
                if (!sample.unique) {
                    // Nobody else can have its id.
                    expect(await stack.up(kind, kind, changed(emulator))).toBe("replace");
                    await expectOne(stack, sample);
                    return;
                }
                for (const step of [() => stack.up(kind, kind, changed(emulator)), () => stack.destroy(kind)]) {
                    const { message } = await refusal(step());
                    expect(message).toContain(`${kind} "${kind}" (${id}) could not be deleted: it was gone`);
                    expect(message).toContain("Run `pulumi refresh` first");
                }
                expect(ids(emulator)).toEqual([id]);
                expect(await stack.refresh(kind)).not.toBe("gone");
                expect(await stack.up(kind, kind, changed(emulator))).toBe("update");
                await expectOne(stack, sample);
                expect(stack.id(kind)).toBe(id);
                expect(isChanged(emulator, id)).toBe(true);
            });
        }));

    test.concurrent("and is gone is made anew", () =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            await each(async (sample) => {
                const { kind } = sample;
                await marked(stack, emulator, sample);
                const { id, urn, outputs } = stack.state.get(kind) as Saved;
                const { __replace, ...whole } = outputs;
                await (await stack.plugin()).delete({ id, urn, properties: whole });
                expect(sample.ids(emulator)).toEqual([]);
                expect(await stack.up(kind, kind, sample.changed(emulator))).toBe("replace");
                await expectOne(stack, sample);
            });
        }));
});

test.concurrent("what never became active after the time of its create was up is replaced", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        const times = samples.length;
        emulator.faults.add({ kind: "operationEnds", method: /^Create/, state: "FAILED", times });
        emulator.faults.add({ kind: "slowOperation", method: /^Create/, durationMs: 600_000, times });
        await Promise.all(
            samples.map(async ({ kind, args }) => {
                const late = stack.up(kind, kind, args(emulator), { timeouts: { create: "2s" } });
                await expect(late).rejects.toThrow("was created but is not ready");
            }),
        );
        await stack.end();
        emulator.finishOperations();
        await Promise.all(
            samples.map(async (sample) => {
                const { kind, args, ids } = sample;
                await expect(stack.up(kind, kind, args(emulator))).rejects.toThrow(
                    "never became active: its creation failed. The next `pulumi up` replaces it.",
                );
                expect(await stack.up(kind, kind, args(emulator))).toBe("replace");
                expect(ids(emulator)).toEqual([stack.id(kind)]);
            }),
        );
    }));

test.concurrent("what never became active is replaced also after a refresh", () =>
    withStacks({ failedCreateLeavesResource: true }, async (emulator, newStack) => {
        const stack = newStack();
        emulator.faults.add({ kind: "operationEnds", method: /^Create/, state: "FAILED", times: samples.length });
        await Promise.all(
            samples.map(async ({ kind, args, ids }) => {
                await expect(stack.up(kind, kind, args(emulator))).rejects.toThrow("ended FAILED");
                await stack.refresh(kind);
                expect(await stack.up(kind, kind, args(emulator))).toBe("replace");
                expect(ids(emulator)).toEqual([stack.id(kind)]);
            }),
        );
    }));

test.concurrent("an update whose time is up keeps what it has done", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        const args = { name: "orders", regions: [REGION], apiKeyAuth: true };
        await stack.up("Namespace", "a", args, { timeouts: { update: "2s" } });
        emulator.faults.add({ kind: "slowOperation", method: "UpdateNamespaceTags", durationMs: 600_000 });
        const changed = { ...args, retentionDays: 9, tags: { team: "a" } };
        const late = stack.up("Namespace", "a", changed, { timeouts: { update: "2s" } });
        await expect(late).rejects.toThrow(/is only partly updated: it was not finished after 2 s/);
        expect(stack.state.get("a")?.outputs.retentionDays).toBe(9);
    }));

test.concurrent("what was deleted elsewhere, and is still shown as deleted, does not exist any more", () =>
    withStacks({ deletedReadableMs: 86_400_000 }, async (emulator, newStack) => {
        const [stack, elsewhere] = [newStack(), newStack()];
        await Promise.all(
            samples.map(async (sample) => {
                const { kind, args, changed, ids } = sample;
                await stack.up(kind, kind, args(emulator));
                const saved = stack.state.get(kind);
                if (saved) {
                    elsewhere.state.set(kind, saved);
                }
                await elsewhere.destroy(kind);
                await expect(stack.up(kind, kind, changed(emulator))).rejects.toThrow("no longer exists");
                expect(await stack.up(kind, kind, changed(emulator))).toBe("replace");
                expect(ids(emulator)).toEqual([stack.id(kind)]);
            }),
        );
    }));

describe("a later write of a create fails, and so does the look after it", () => {
    test.concurrent.each([1, 2])("%i times: it is resumed, not replaced", (times) =>
        withStacks({ operationDurationMs: 1_500 }, async (emulator, newStack) => {
            const stack = newStack();
            emulator.faults.add({ kind: "operationEnds", method: "UpdateNamespace", reason: "no capacity" });
            const [orders] = samples as [Sample];
            const args = { ...orders.args(emulator), capacity: { mode: "provisioned", value: 4 } };
            const failing = expect(stack.up("Namespace", "ns", args)).rejects.toThrow(/no capacity.*resumes|partly/);
            await until("the update", () => emulator.requests.count("UpdateNamespace") > 0);
            const code = Status.INTERNAL;
            emulator.faults.add({ kind: "failBefore", method: "GetNamespace", code, details: "oops", times });
            await failing;
            await stack.end();
            emulator.faults.clear();
            expect(await stack.up("Namespace", "ns", args)).toBe("update");
            expect(emulator.requests.count("CreateNamespace")).toBe(1);
        }),
    );
});
