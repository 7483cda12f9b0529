// What a run finds that an earlier one has left, and whose it is. Each test takes all kinds at once through the same, so
// that few processes have to be started.

import { Status } from "nice-grpc-common";
import type { Emulator, EmulatorOptions } from "../../emulator";
import type { Properties } from "../support/host";
import { until } from "../support/until";
import { type MiniStack, owner, type Sample, samples, tokenWorks } from "./mini-stack";
import { dieCreating, dieWhen, EITHER_WAY, finishOnceAwaited, withStacks } from "./stacks";

jest.setTimeout(240_000);

const [namespaces, , serviceAccounts, apiKeys] = samples as [Sample, Sample, Sample, Sample];
const unique = samples.filter((sample) => sample.unique);
const withoutKeys = samples.filter((sample) => sample !== apiKeys);

interface Scene {
    readonly emulator: Emulator;
    readonly stack: MiniStack;
    /** Does it for every kind, at the same time. */
    all(step: (sample: Sample) => Promise<void>): Promise<void>;
    /** One `up` for every kind, under the logical name "<kind>", and what it should do. */
    up(args: (sample: Sample) => Properties, op: string): Promise<void>;
    /** There is exactly one of every kind, the one that is in the state, and it is of use. */
    one(): Promise<void>;
    none(): void;
    /** The plugin dies while every kind is being created; then the next run begins. */
    die(args?: (sample: Sample) => Properties): Promise<void>;
    /** The next run begins. */
    next(): Promise<void>;
}

type Settings = EmulatorOptions["settings"];
type Body = (scene: Scene) => Promise<void>;

/** Twice: where what it is about is the first that a run creates, and where it is not. */
function eitherWay(title: string, settings: Settings, body: Body, kinds = samples): void {
    for (const [end, isFirst] of EITHER_WAY) {
        scene(`${title}${end}`, settings, body, kinds, isFirst);
    }
}

function scene(
    title: string,
    settings: Settings,
    body: Body,
    kinds: readonly Sample[] = samples,
    isFirst = true,
): void {
    test.concurrent(title, () =>
        withStacks(settings, async (emulator, newStack) => {
            const stack = newStack();
            const next = () => stack.next(isFirst);
            await next();
            const all: Scene["all"] = async (step) => {
                await Promise.all(kinds.map(step));
            };
            const first = (sample: Sample) => sample.args(emulator);
            await body({
                emulator,
                stack,
                all,
                up: (args, op) =>
                    all(async (sample) => {
                        const { kind } = sample;
                        expect(`${kind}: ${await stack.up(kind, kind, args(sample))}`).toBe(`${kind}: ${op}`);
                    }),
                one: () =>
                    all(async (sample) => {
                        expect(sample.ids(emulator)).toEqual([stack.id(sample.kind)]);
                        if (sample === apiKeys) {
                            expect(await tokenWorks(stack, sample.kind)).toBe(true);
                        }
                    }),
                none: () => {
                    expect(kinds.flatMap((sample) => sample.ids(emulator))).toEqual([]);
                },
                die: async (args = first) => {
                    await dieCreating(
                        stack,
                        kinds.map((sample) => [sample, sample.kind, args(sample)]),
                    );
                    await next();
                },
                next,
            });
        }),
    );
}

describe("a create that was killed", () => {
    eitherWay("and the program has changed since", {}, async ({ emulator, stack, die, up, one, none, all }) => {
        await die();
        emulator.finishOperations();
        await up((sample) => sample.changed(emulator), "create");
        await one();
        await all(async (sample) => expect(sample.isChanged(emulator, stack.id(sample.kind))).toBe(true));
        await up((sample) => sample.changed(emulator), "same");
        await all(({ kind }) => stack.destroy(kind));
        none();
    });

    eitherWay(
        "and the program has changed since, in a way that only a replacement can make",
        {},
        async ({ emulator, stack, die, up, one }) => {
            await die();
            emulator.finishOperations();
            await up((sample) => sample.replaced(emulator), "create");
            await one();
            await until("the warning", () => stack.warnings.length > 0);
            expect(stack.warnings.join()).toMatch(
                /Deleting ServiceAccount .*the program has since changed in `.*A new one/,
            );
        },
        [serviceAccounts],
    );

    test.concurrent("of a service account that was for one namespace, and is for the account now", () =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            const { namespace: namespaceId } = emulator.namespaces.add({ spec: { name: "shop" } });
            const before = { name: "worker", namespaceScopedAccess: { namespaceId, permission: "write" } };
            await dieCreating(stack, [[serviceAccounts, "worker", before]]);
            emulator.finishOperations();
            await stack.up("ServiceAccount", "worker", { name: "worker", accountRole: "read" });
            expect(serviceAccounts.ids(emulator)).toEqual([stack.id("worker")]);
            expect(stack.state.get("worker")?.outputs).toMatchObject({ accountRole: "read" });
        }));

    eitherWay(
        "and failed, since somebody else has the name",
        { duplicateNameFrom: "operation" },
        async ({ emulator, stack, die, up }) => {
            const spec = { name: "orders", replicas: [{ region: "aws-us-east-1" }], apiKeyAuth: { enabled: true } };
            const args = (sample: Sample) => ({ ...sample.args(emulator), name: spec.name });
            const { namespace: id } = emulator.namespaces.add({ spec });
            await die(args);
            emulator.finishOperations();
            await expect(up(args, "create")).rejects.toThrow(
                /already exists \(id orders\..*no recent operation of this resource/,
            );
            expect(stack.state.size).toBe(0);
            expect(emulator.namespaces.get(id)).toBeDefined();
        },
        [namespaces],
    );

    for (const startedTimeFrom of ["pending", "in_progress"] as const) {
        const says = startedTimeFrom === "pending" ? "" : ", and does not say when it started";
        eitherWay(
            `and its operation is still in flight${says}`,
            { startedTimeFrom },
            async ({ emulator, die, up, one }) => {
                await die();
                finishOnceAwaited(emulator);
                await up((sample) => sample.args(emulator), "create");
                await one();
            },
        );
    }

    for (const failedCreateLeavesResource of [true, false]) {
        // What has been left may not be visible yet: where there is nothing, that is waited for, and once is enough.
        const scenes = failedCreateLeavesResource ? eitherWay : scene;
        scenes(
            `and its operation has failed since, leaving ${failedCreateLeavesResource ? "something" : "nothing"}`,
            { failedCreateLeavesResource },
            async ({ emulator, die, up, one }) => {
                emulator.faults.add({ kind: "operationEnds", method: /^Create/, state: "FAILED", times: 4 });
                await die();
                emulator.finishOperations();
                await up((sample) => sample.args(emulator), "create");
                await one();
            },
        );
    }

    for (const code of [Status.PERMISSION_DENIED, Status.NOT_FOUND]) {
        eitherWay(
            `and what it made cannot be seen yet (${Status[code]})`,
            // Not even the name would tell that it is there.
            { serviceAccountNamesUnique: false },
            async ({ emulator, die, up, one }) => {
                emulator.faults.add({ kind: "hideCreated", method: /^Create/, code, durationMs: 4_000, times: 4 });
                await die();
                emulator.finishOperations();
                await up((sample) => sample.args(emulator), "create");
                await one();
            },
        );
    }

    eitherWay(
        "and the server does not repeat its answer",
        {},
        async ({ emulator, die, up, one }) => {
            await die();
            emulator.finishOperations();
            const details = "the operation id was used before";
            const refusal = { kind: "failBefore", code: Status.ALREADY_EXISTS, details } as const;
            for (const { create } of unique) {
                // The first creates of the next run are those that ask for the answer again.
                emulator.faults.add({ ...refusal, method: create, times: 2 });
            }
            await up((sample) => sample.args(emulator), "create");
            await one();
        },
        // What has neither a name nor an answer cannot be found.
        unique,
    );

    eitherWay("and then again, and again", {}, async ({ emulator, die, up, one }) => {
        for (let kill = 0; kill < 3; kill += 1) {
            await die();
            emulator.finishOperations();
        }
        await up((sample) => sample.args(emulator), "create");
        await one();
    });
});

eitherWay(
    "an answer that is lost, to the create, the update, the delete",
    {},
    async ({ emulator, stack, up, one, all, none }) => {
        emulator.faults.add({ kind: "loseAnswer", method: /^Create/, cut: true, times: 4 });
        await up((sample) => sample.args(emulator), "create");
        await one();
        emulator.faults.add({ kind: "loseAnswer", method: /^Update/, cut: true, times: 4 });
        await up((sample) => sample.changed(emulator), "update");
        await all(async (sample) => expect(sample.isChanged(emulator, stack.id(sample.kind))).toBe(true));
        emulator.faults.add({ kind: "loseAnswer", method: /^Delete/, cut: true, times: 4 });
        await all(({ kind }) => stack.destroy(kind));
        none();
        expect(emulator.faults.pending).toBe(0);
    },
);

describe("two stacks of one name on two machines", () => {
    const ana = { env: { PULUMI_BACKEND_URL: "file:///home/ana/state" } };
    const ben = { env: { PULUMI_BACKEND_URL: "file:///home/ben/state" } };

    test.concurrent("each have a key of their own for one service account, also after a kill", async () => {
        await withStacks({ replayedCreateReturnsToken: true }, async (emulator, newStack) => {
            const args = { ownerId: owner(emulator), displayName: "key", expiresIn: "90d" };
            const [first, second] = [newStack(ana), newStack(ben)];
            await first.up("ApiKey", "a", args);
            await dieCreating(second, [[apiKeys, "a", args]]);
            emulator.finishOperations();
            await second.up("ApiKey", "a", args);
            expect(first.id("a")).not.toBe(second.id("a"));
            expect(await tokenWorks(first, "a")).toBe(true);
            expect(await tokenWorks(second, "a")).toBe(true);
            expect(apiKeys.ids(emulator).sort()).toEqual([first.id("a"), second.id("a")].sort());
            await second.destroy("a");
            expect(await tokenWorks(first, "a")).toBe(true);
        });
    });

    test.concurrent("take nothing from each other, also after a kill", async () => {
        await withStacks({}, async (emulator, newStack) => {
            const [first, second] = [newStack(ana), newStack(ben)];
            const args = (sample: Sample) => sample.args(emulator);
            await dieCreating(
                first,
                samples.map((sample) => [sample, sample.kind, args(sample)]),
            );
            emulator.finishOperations();
            const [left] = apiKeys.ids(emulator);
            await second.up("ApiKey", "ApiKey", args(apiKeys));
            expect(apiKeys.ids(emulator)).toEqual([left, second.id("ApiKey")]);
            const refused = () =>
                Promise.all(
                    unique.map((sample) =>
                        expect(second.up(sample.kind, sample.kind, args(sample))).rejects.toThrow(
                            /already exists .*no recent operation of this resource created it/,
                        ),
                    ),
                );
            await refused();
            await Promise.all(samples.map((sample) => first.up(sample.kind, sample.kind, args(sample))));
            await refused();
            expect(second.state.size).toBe(1);
            for (const sample of unique) {
                expect(sample.ids(emulator)).toEqual([first.id(sample.kind)]);
            }
            expect(apiKeys.ids(emulator)).toEqual([second.id("ApiKey"), first.id("ApiKey")]);
        });
    });
});

test.concurrent("a stack stays itself when the options of its `file:` backend change", () =>
    withStacks({}, async (emulator, newStack) => {
        const url = "file:///home/ana/state";
        const before = newStack({ env: { PULUMI_BACKEND_URL: url } });
        const after = newStack({ env: { PULUMI_BACKEND_URL: `${url}?metadata=skip` } });
        await dieCreating(before, [[namespaces, "a", namespaces.args(emulator)]]);
        emulator.finishOperations();
        await after.up("Namespace", "a", namespaces.args(emulator));
        expect(namespaces.ids(emulator)).toEqual([after.id("a")]);
    }));

describe("another life", () => {
    eitherWay("after a destroy, again and again", {}, async ({ emulator, stack, up, one, none, all, next }) => {
        const ids = new Set<string>();
        for (let life = 0; life < 4; life += 1) {
            await up((sample) => sample.args(emulator), "create");
            await one();
            await all(async ({ kind }) => {
                ids.add(stack.id(kind));
                await stack.destroy(kind);
            });
            none();
            expect(stack.warnings).toEqual([]);
            await next();
        }
        // A namespace's id is its name.
        expect(ids.size).toBe(1 + 3 * 4);
    });

    eitherWay("after a replacement and another, within a day", {}, async ({ emulator, stack, up, one, all, next }) => {
        const ids = new Set<string>();
        const note = () => all(async ({ kind }) => void ids.add(stack.id(kind)));
        await up((sample) => sample.args(emulator), "create");
        await note();
        await up((sample) => sample.replaced(emulator), "replace");
        await note();
        await next();
        await up((sample) => sample.args(emulator), "replace");
        await note();
        await one();
        expect(ids.size).toBe(2 + 3 * 3);
    });

    eitherWay(
        "after it was deleted by somebody else, just after it was made",
        {},
        async ({ emulator, stack, up, one, next }) => {
            await up((sample) => sample.args(emulator), "create");
            emulator.namespaces.remove(stack.id("Namespace"));
            expect(await stack.refresh("Namespace")).toBe("gone");
            await next();
            await up((sample) => sample.args(emulator), "create");
            await one();
        },
        // The others wait for the 90 seconds in which it could be there and not be visible yet.
        [namespaces],
    );
});

describe("`--target-replace` of what was just made", () => {
    const replace = (stack: MiniStack, emulator: Emulator, dieBeforeDelete: boolean) => async (sample: Sample) => {
        const options = { targetReplace: true, dieBeforeDelete };
        expect(await stack.up(sample.kind, sample.kind, sample.args(emulator), options)).toBe("replace");
    };

    for (const replayedCreateReturnsToken of [false, true]) {
        const said = replayedCreateReturnsToken ? "repeated" : "said once";
        eitherWay(
            `leaves one of each, and another key, a token ${said}`,
            { replayedCreateReturnsToken },
            async ({ emulator, stack, up, one, all, next }) => {
                await up((sample) => sample.args(emulator), "create");
                const leaked = stack.id("ApiKey");
                await next();
                await all(replace(stack, emulator, false));
                await one();
                expect(stack.id("ApiKey")).not.toBe(leaked);
                await stack.end();
                await up((sample) => sample.args(emulator), "same");
                await one();
            },
        );

        eitherWay(
            `killed before the deletion of the old, a token ${said}`,
            { replayedCreateReturnsToken },
            async ({ emulator, stack, up, one, all, none, next }) => {
                await up((sample) => sample.args(emulator), "create");
                await next();
                await all(replace(stack, emulator, true));
                await stack.kill();
                expect(stack.condemned).toHaveLength(4);
                await up((sample) => sample.args(emulator), "same");
                await stack.cleanUp();
                await one();
                await stack.end();
                await up((sample) => sample.changed(emulator), "update");
                await all(({ kind }) => stack.destroy(kind));
                none();
            },
        );
    }
});

describe("`--target-replace` of what was deleted elsewhere", () => {
    for (const killed of [false, true]) {
        eitherWay(
            `makes it anew, and deletes nothing${killed ? ", also when killed before the old one leaves the state" : ""}`,
            {},
            async ({ emulator, stack, up, one, all, none, next }) => {
                await up((sample) => sample.args(emulator), "create");
                await next();
                emulator.namespaces.remove(stack.id("Namespace"));
                const options = { targetReplace: true, dieBeforeDelete: killed };
                await all(async ({ kind, args }) => {
                    expect(await stack.up(kind, kind, args(emulator), options)).toBe("replace");
                });
                if (killed) {
                    await stack.kill();
                    await up((sample) => sample.args(emulator), "same");
                    await stack.cleanUp();
                }
                await one();
                await stack.end();
                await all(({ kind }) => stack.destroy(kind));
                none();
            },
            // The ids of the others do not come back.
            [namespaces],
        );
    }
});

describe("taken over with fields to be ignored", () => {
    test.concurrent("what is there stays, by the option and by the argument, and later on", () =>
        withStacks({}, async (emulator, newStack) => {
            const stack = newStack();
            const regions = ["aws-us-east-1", "aws-us-west-2"];
            const spec = { retentionDays: 90, replicas: regions.map((region) => ({ region })) };
            for (const name of ["one", "two"]) {
                emulator.namespaces.add({ spec: { ...spec, name }, activeRegion: "aws-us-west-2" });
            }
            const ignoreChanges = ["regions", "retentionDays"];
            const args = (name: string) => ({ name, regions, retentionDays: 30, apiKeyAuth: true });
            const brought = () =>
                Promise.all([
                    stack.up("Namespace", "one", args("one"), { importId: "one.a1b2c", ignoreChanges }),
                    stack.up("Namespace", "two", args("two"), { adopt: true, ignoreChanges }),
                ]);
            for (const op of ["create", "same"]) {
                expect(await brought()).toEqual([op, op]);
                for (const id of ["one.a1b2c", "two.a1b2c"]) {
                    expect(emulator.namespaces.get(id)).toMatchObject({
                        activeRegion: "aws-us-west-2",
                        spec: { retentionDays: 90, apiKeyAuth: { enabled: true } },
                    });
                }
                await stack.end();
            }
            expect(emulator.requests.count("FailoverNamespaceRegion")).toBe(0);
        }));
});

test.concurrent("`--target-replace` with `import` left in: the key stays, and a warning says why", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        await stack.up("ApiKey", "elsewhere", apiKeys.args(emulator));
        const id = stack.id("elsewhere");
        const left = { importId: id };
        const other = newStack();
        await other.up("ApiKey", "key", { ...apiKeys.args(emulator), displayName: "key" }, left);
        await other.end();
        await other.up(
            "ApiKey",
            "key",
            { ...apiKeys.args(emulator), displayName: "key" },
            { ...left, targetReplace: true },
        );
        expect(apiKeys.ids(emulator)).toEqual([id]);
        await until("the warning", () => other.warnings.length > 0);
        expect(other.warnings.join()).toContain(
            `ApiKey ${id} is not deleted: its replacement has adopted it, because of \`import\` or \`adopt\`. ` +
                "To create another in its place, remove that from the program first.",
        );
    }));

describe("one resource under another name", () => {
    for (const killed of [false, true]) {
        scene(
            `by \`import\` of its id${killed ? ", killed before the old name left the state" : ""}`,
            {},
            async ({ emulator, stack, up, all, none }) => {
                await up((sample) => sample.args(emulator), "create");
                const ids = new Map(withoutKeys.map(({ kind }) => [kind, stack.id(kind)]));
                const renamed = (sample: Sample) =>
                    stack.up(sample.kind, `new ${sample.kind}`, sample.args(emulator), {
                        importId: ids.get(sample.kind),
                    });
                await stack.end();
                await all(async (sample) => expect(await renamed(sample)).toBe("create"));
                if (killed) {
                    await stack.kill();
                    await all(async (sample) => expect(await renamed(sample)).toBe("same"));
                }
                await all(({ kind }) => stack.destroy(kind));
                await until("the warnings", () => stack.warnings.length === withoutKeys.length);
                await all(async ({ kind, ids: there }) => {
                    expect(there(emulator)).toEqual([ids.get(kind)]);
                    expect(stack.warnings.join()).toContain(`${ids.get(kind)} is not deleted`);
                });
                await stack.end();
                await all(async (sample) => expect(await renamed(sample)).toBe("same"));
                await all(({ kind }) => stack.destroy(`new ${kind}`));
                none();
            },
            withoutKeys,
        );
    }

    eitherWay(
        "by an alias, and then another takes the old name",
        { serviceAccountNamesUnique: false },
        async ({ emulator, stack, up, all, next }) => {
            await up((sample) => sample.args(emulator), "create");
            const old = new Map(samples.map(({ kind }) => [kind, stack.id(kind)]));
            const renamed = (sample: Sample) => stack.up(sample.kind, `new ${sample.kind}`, sample.args(emulator));
            await all(async ({ kind }) => stack.rename(kind, `new ${kind}`));
            await stack.end();
            await all(async (sample) => expect(await renamed(sample)).toBe("same"));
            await next();
            await all(async (sample) => {
                const { kind } = sample;
                const id = old.get(kind);
                expect(await renamed(sample)).toBe("same");
                const another = stack.up(kind, kind, sample.args(emulator));
                if (sample === serviceAccounts || sample === apiKeys) {
                    await another;
                    expect(sample.ids(emulator).sort()).toEqual([id, stack.id(kind)].sort());
                } else {
                    await expect(another).rejects.toThrow(/already exists/);
                    expect(sample.ids(emulator)).toEqual([id]);
                }
            });
            expect(await tokenWorks(stack, "new ApiKey")).toBe(true);
        },
    );
});

test.concurrent.each([
    ["one", "two"],
    ["two", "one"],
])("what two resources of a program have is not deleted with one of them, whichever came first: %s, %s", (...order) =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        const args = namespaces.args(emulator);
        await stack.up("Namespace", "one", args);
        await stack.end();
        const id = stack.id("one");
        await stack.up("Namespace", "two", args, { importId: id });
        await stack.end();
        for (const name of order) {
            await stack.up("Namespace", name, args, name === "two" ? { importId: id } : {});
        }
        await stack.up("Namespace", "one", { ...args, name: "orders-2" });
        expect(namespaces.ids(emulator).sort()).toEqual([stack.id("one"), stack.id("two")].sort());
    }),
);

describe("a delete that was killed", () => {
    const dieDeleting = ({ emulator, stack, all }: Scene) => {
        const before = samples.map((sample) => emulator.requests.count(sample.delete));
        return dieWhen(
            stack,
            () => all(({ kind }) => stack.destroy(kind)),
            () => samples.every((sample, index) => emulator.requests.count(sample.delete) > (before[index] ?? 0)),
        );
    };

    scene("is made again where its operation failed", {}, async (there) => {
        const { emulator, stack, up, one, all, none } = there;
        await up((sample) => sample.args(emulator), "create");
        emulator.settings.operationDurationMs = 60_000;
        emulator.faults.add({ kind: "operationEnds", method: /^Delete/, state: "FAILED", times: 4 });
        await dieDeleting(there);
        emulator.finishOperations();
        emulator.settings.operationDurationMs = 0;
        await one();
        await all(({ kind }) => stack.destroy(kind));
        none();
    });

    scene("is waited for where its operation is in flight", {}, async (there) => {
        const { emulator, stack, up, all, none } = there;
        await up((sample) => sample.args(emulator), "create");
        emulator.settings.operationDurationMs = 60_000;
        await dieDeleting(there);
        finishOnceAwaited(emulator);
        await all(({ kind }) => stack.destroy(kind));
        none();
        expect(samples.map((sample) => emulator.requests.count(sample.delete))).toEqual([1, 1, 1, 1]);
    });
});

test.concurrent("what is created at once is not taken for another's where its operation says late when it started", () =>
    withStacks({ startedTimeFrom: "in_progress" }, async (emulator, newStack) => {
        const stack = newStack();
        await stack.next(false);
        emulator.settings.operationDurationMs = 1_500;
        await Promise.all(samples.map((sample) => stack.up(sample.kind, sample.kind, sample.args(emulator))));
        expect(samples.map(({ create }) => emulator.requests.count(create))).toEqual([1, 1, 2, 1]);
        expect(await tokenWorks(stack, "ApiKey")).toBe(true);
        expect(stack.warnings).toEqual([]);
    }));

test.concurrent("a create asks before it creates only where none has been answered in its run", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        const requests = async (name: string) => {
            emulator.requests.reset();
            await stack.up("User", name, { email: `${name}@example.com`, accountRole: "read" });
            return emulator.requests.byMethod();
        };
        const each = { CreateUser: 1, GetUser: 1 };
        expect(await requests("ann")).toMatchObject({ ...each, GetAsyncOperation: 2 });
        expect(await requests("bob")).toEqual({ ...each, GetAsyncOperation: 1 });
        await stack.end();
        expect(await requests("cid")).toMatchObject({ ...each, GetAsyncOperation: 2 });
    }));

test.concurrent("of creates that begin at once only the first asks, and where it fails the others go on", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        const names = Array.from({ length: 12 }, (_, index) => `user-${index}`);
        const args = (name: string) => ({ email: `${name}@example.com`, accountRole: "read" });
        const all = () => Promise.allSettled(names.map((name) => stack.up("User", name, args(name))));
        emulator.faults.add({ kind: "failBefore", method: "CreateUser", code: Status.INVALID_ARGUMENT });
        expect((await all()).map(({ status }) => status).toSorted()).toEqual([
            ...names.slice(1).map(() => "fulfilled"),
            "rejected",
        ]);
        await stack.end();
        const more = newStack();
        emulator.requests.reset();
        await Promise.all(names.map((name) => more.up("User", `${name}-2`, args(`${name}-2`))));
        expect(emulator.requests.byMethod()).toMatchObject({ CreateUser: 12, GetAsyncOperation: 12 + 1 });
    }));

test.concurrent("two resources of one stack do not take each other's place", () =>
    withStacks({}, async (emulator, newStack) => {
        const stack = newStack();
        await Promise.all(
            unique.map(async (sample) => {
                await stack.up(sample.kind, sample.kind, sample.args(emulator));
                const another = stack.up(sample.kind, `another ${sample.kind}`, sample.args(emulator));
                await expect(another).rejects.toThrow(/already exists .*another resource of this program manages it/);
                expect(sample.ids(emulator)).toEqual([stack.id(sample.kind)]);
            }),
        );
    }));
