// What people of Pulumi do beside changing fields: none of it may cost them a resource, or leave them in a circle.

import * as pulumi from "@pulumi/pulumi";
import * as temporalcloud from "pulumi-temporal-cloud";
import { Emulator } from "../../emulator";
import {
    NamespaceSpec_SearchAttributeType as AttributeType,
    type Namespace,
    type NamespaceSpec,
} from "../../proto/generated/temporal/api/cloud/namespace/v1/message";
import { ONE } from "../drift/certificates";
import { pulumiIn } from "../support/cli";
import { type Result, TestStack } from "../support/engine";

jest.setTimeout(180_000);

let emulator: Emulator;
let stack: TestStack;

beforeEach(async () => {
    emulator = await Emulator.start({ settings: { checkDurationMs: 100 } });
    stack = await TestStack.create({ emulator, program: async () => {} });
});

afterEach(async () => {
    stack?.remove();
    await emulator?.stop();
});

const namespaceArgs = { regions: ["aws-us-east-1"], apiKeyAuth: true };

/** What the engine does to resources that are there, beside leaving them alone. */
const steps = (result: Result) => result.steps.filter(({ op }) => op !== "same" && op !== "refresh");

const warnings = ({ diagnostics }: Result) =>
    diagnostics.filter(({ severity }) => severity === "warning").map(({ message }) => message.trim());

/** The emulator's namespace of that name. */
function live(name: string) {
    const found = emulator.namespaces.list().find(({ spec }) => spec?.name === name);
    if (!found?.spec) {
        throw new Error(`there is no namespace ${name}`);
    }
    return { ...found, spec: found.spec };
}

describe("a resource that gets the former logical name of another, which is replaced in the same run,", () => {
    const base = { accountRole: "read" as const };

    test.each(["adopt", "import"])("adopts what the program says, by `%s`", async (how) => {
        const orders = emulator.namespaces.add({ spec: { name: "orders", replicas: [{ region: "aws-us-east-1" }] } });
        const replacing = {
            namespaceScopedAccess: { namespaceId: orders.namespace, permission: "read" as const },
        };
        await stack.up({
            program: async () => {
                new temporalcloud.ServiceAccount("worker", base);
            },
        });
        await stack.up({
            program: async () => {
                new temporalcloud.ServiceAccount("runner", base, { aliases: [{ name: "worker" }] });
            },
        });
        const { id } = emulator.serviceAccounts.add({
            spec: { name: "existing", access: { accountAccess: { role: 5 } } },
        });
        await stack.up({
            program: async () => {
                const runner = new temporalcloud.ServiceAccount("runner", replacing);
                const adopting = how === "adopt" ? { adopt: true } : {};
                const importing = how === "import" ? { import: id } : {};
                const args = { ...base, name: "existing", ...adopting };
                new temporalcloud.ServiceAccount("worker", args, { dependsOn: [runner], ...importing });
            },
        });
        expect(stack.resource("worker").id).toBe(id);
        expect(emulator.serviceAccounts.list().map(({ spec }) => spec?.name)).toEqual(
            expect.arrayContaining(["existing", "worker"]),
        );
        expect(emulator.serviceAccounts.list()).toHaveLength(2);
    });

    test("adopts what `import` names, also after a refresh", async () => {
        const owner = emulator.serviceAccounts.add({ spec: { name: "owner", access: { accountAccess: { role: 5 } } } });
        const key = { ownerId: owner.id, expiresIn: "90d" };
        await stack.up({
            program: async () => {
                new temporalcloud.ApiKey("old", key);
            },
        });
        await stack.up({
            program: async () => {
                new temporalcloud.ApiKey("new", key, { aliases: [{ name: "old" }] });
            },
        });
        await stack.refresh();
        const seconds = BigInt(Math.floor(Date.now() / 1000) + 40 * 86_400);
        const spec = { ownerId: owner.id, ownerType: 2, displayName: "existing", expiryTime: { seconds } };
        const { id } = emulator.apiKeys.add({ spec });
        await stack.up({
            program: async () => {
                const replaced = { ...key, expiresIn: "60d" };
                const dependsOn = [new temporalcloud.ApiKey("new", replaced, { deleteBeforeReplace: true })];
                new temporalcloud.ApiKey("old", { ...key, displayName: "existing" }, { import: id, dependsOn });
            },
        });
        expect(stack.resource("old").id).toBe(id);
        expect(emulator.apiKeys.list()).toHaveLength(2);
    });
});

test("an `import` that comes later has no effect, and says so, until a replacement follows it: once", async () => {
    const owner = emulator.serviceAccounts.add({ spec: { name: "owner", access: { accountAccess: { role: 5 } } } });
    const seconds = BigInt(Math.floor(Date.now() / 1000) + 40 * 86_400);
    const spec = { ownerId: owner.id, ownerType: 2, displayName: "key", expiryTime: { seconds } };
    const { id: other } = emulator.apiKeys.add({ spec });
    const program = (expiresIn: string, opts: pulumi.CustomResourceOptions = {}) => ({
        program: async () => {
            new temporalcloud.ApiKey("key", { ownerId: owner.id, expiresIn }, opts);
        },
    });
    await stack.up(program("90d"));
    const first = stack.resource("key").id;
    const idle = await stack.up(program("90d", { import: other }));
    expect(steps(idle)).toEqual([]);
    expect(warnings(idle)).toEqual([
        `The option \`import: "${other}"\` has no effect: the state already has ApiKey "key" (${first}). To manage the ` +
            "other one too, declare it under a logical name of its own.",
    ]);
    await stack.up(program("60d", { import: other }));
    expect(stack.resource("key").id).toBe(other);
    expect(emulator.apiKeys.list().map(({ id }) => id)).toEqual([other]);
    expect(steps(await stack.up(program("60d", { import: other })))).toEqual([]);
    await stack.up(program("50d", { import: other }));
    expect(stack.resource("key").id).not.toBe(other);
    expect(emulator.apiKeys.list()).toHaveLength(1);
});

describe("a resource that was named by default keeps its name", () => {
    const before = async () => {
        new temporalcloud.Namespace("orders", namespaceArgs);
        new temporalcloud.ServiceAccount("worker", { accountRole: "read" });
    };
    const renamed = (more: Partial<temporalcloud.NamespaceArgs> = {}) => ({
        program: async () => {
            new temporalcloud.Namespace("orders-2", { ...namespaceArgs, ...more }, { aliases: [{ name: "orders" }] });
            new temporalcloud.ServiceAccount("worker-2", { accountRole: "read" }, { aliases: [{ name: "worker" }] });
        },
    });

    test("under an alias, in this run and the next ones, until the program gives it one", async () => {
        await stack.up({ program: before });
        expect(steps(await stack.preview(renamed()))).toEqual([]);
        expect(steps(await stack.up(renamed()))).toEqual([]);
        expect(steps(await stack.up({ ...renamed(), refresh: true }))).toEqual([]);
        expect((await stack.up(renamed({ description: "x" }))).ops("orders-2")).toEqual(["update"]);
        expect(live("orders").spec.description).toBe("x");
        expect((await stack.preview(renamed({ name: "other" }))).ops("orders-2")).toContain("replace");
    });

    test("also when it is replaced, for whatever reason", async () => {
        await stack.up({ program: before });
        const scoped = {
            program: async () => {
                const { id } = new temporalcloud.Namespace("orders-2", namespaceArgs, {
                    aliases: [{ name: "orders" }],
                });
                const namespaceScopedAccess = { namespaceId: id, permission: "read" as const };
                new temporalcloud.ServiceAccount(
                    "worker-2",
                    { namespaceScopedAccess },
                    { aliases: [{ name: "worker" }] },
                );
            },
        };
        expect((await stack.up(scoped)).ops("worker-2")).toContain("replace");
        const names = () => emulator.serviceAccounts.list().map(({ spec }) => spec?.name);
        expect(names()).toContain("worker");
        expect(names()).not.toContain("worker-2");
        expect(steps(await stack.up(scoped))).toEqual([]);
    });

    test("also if somebody has changed it before the alias", async () => {
        await stack.up({ program: before });
        for (const { id, spec } of emulator.serviceAccounts.list()) {
            emulator.serviceAccounts.change(id, (account) => {
                account.spec = spec && { ...spec, name: "changed elsewhere" };
            });
        }
        await stack.refresh();
        expect((await stack.up(renamed())).ops("worker-2")).toEqual(["update"]);
        expect(emulator.serviceAccounts.list().map(({ spec }) => spec?.name)).toEqual(["worker"]);
    });

    test("in a component", async () => {
        await stack.up({ program: before });
        class Team extends pulumi.ComponentResource {
            constructor(name: string) {
                super("test:index:Team", name);
                const aliases = [{ name: "orders", parent: pulumi.rootStackResource }];
                new temporalcloud.Namespace(`${name}-orders`, namespaceArgs, { parent: this, aliases });
            }
        }
        const result = await stack.preview({
            program: async () => {
                new Team("shop");
            },
        });
        expect(steps(result).filter(({ name }) => name === "shop-orders" || name === "orders")).toEqual([]);
    });

    test("after `pulumi state rename`", async () => {
        await stack.up({ program: before });
        await stack.editState((resources) => {
            for (const resource of resources) {
                resource.urn = resource.urn.replace(/::(orders|worker)$/, "::$1-2");
            }
        });
        expect(steps(await stack.up(renamed()))).toEqual([]);
    });
});

test("a failover by Temporal stays until a refresh has shown it, whatever else is updated", async () => {
    const program = (description: string) => async () => {
        new temporalcloud.Namespace("orders", {
            ...namespaceArgs,
            regions: ["aws-us-east-1", "aws-us-west-2"],
            description,
        });
    };
    await stack.up({ program: program("one") });
    emulator.namespaces.change("orders.a1b2c", (namespace) => {
        namespace.activeRegion = "aws-us-west-2";
    });
    const updated = await stack.up({ program: program("two") });
    expect(warnings(updated)).toEqual([
        "Namespace orders.a1b2c is active in aws-us-west-2, not in aws-us-east-1, the first of its `regions`: it was failed " +
            "over outside this stack. This was left unchanged. `pulumi up --refresh` fails back; to keep it, declare " +
            "aws-us-west-2 first.",
    ]);
    expect(steps(await stack.up({ program: program("two") }))).toEqual([]);
    expect(live("orders")).toMatchObject({ activeRegion: "aws-us-west-2", spec: { description: "two" } });
    await stack.up({ program: program("two"), refresh: true });
    expect(live("orders").activeRegion).toBe("aws-us-east-1");
});

test("a misspelt region costs none of those that are there", async () => {
    const program =
        (...regions: string[]) =>
        async () => {
            new temporalcloud.Namespace("orders", { ...namespaceArgs, regions });
        };
    await stack.up({ program: program("aws-us-east-1", "aws-us-west-2") });
    const failed = await stack.up({ program: program("us-east-2", "aws-us-west-2"), expectFailure: true });
    expect(failed.stdout + failed.stderr).toContain('There is no region "us-east-2". Did you mean "aws-us-east-2"?');
    expect(live("orders").activeRegion).toBe("aws-us-east-1");
    expect(live("orders").spec.replicas.map(({ region }) => region)).toEqual(["aws-us-east-1", "aws-us-west-2"]);
    await stack.up({ program: program("aws-us-east-2", "aws-us-west-2") });
    expect(live("orders").activeRegion).toBe("aws-us-east-2");
});

test.each([
    ["fewer regions", ["aws-us-east-1"]],
    ["another order", ["aws-us-west-2", "aws-us-east-1"]],
])("adoption with %s is an error: its preview, a create, would not show what it does", async (_, regions) => {
    const replicas = [{ region: "aws-us-east-1" }, { region: "aws-us-west-2" }];
    emulator.namespaces.add({ spec: { name: "orders", replicas, retentionDays: 7, apiKeyAuth: { enabled: true } } });
    const program = (more: Partial<temporalcloud.NamespaceArgs>, ignoreChanges: string[] = []) => ({
        program: async () => {
            const args = { ...namespaceArgs, regions, retentionDays: 14, ...more };
            new temporalcloud.Namespace("orders", args, { import: "orders.a1b2c", ignoreChanges });
        },
    });
    const failed = await stack.up({ ...program({}), expectFailure: true });
    expect(failed.stdout + failed.stderr).toContain('Declare the existing value, ["aws-us-east-1","aws-us-west-2"]');
    expect(live("orders")).toMatchObject({ activeRegion: "aws-us-east-1", spec: { replicas, retentionDays: 7 } });
    await stack.up(program({}, ["regions"]));
    expect(live("orders")).toMatchObject({ activeRegion: "aws-us-east-1", spec: { replicas, retentionDays: 14 } });
});

test("a search attribute that is missing is all that a refresh shows, of others that the program does not know", async () => {
    const program = async () => {
        new temporalcloud.Namespace("orders", { ...namespaceArgs, searchAttributes: { A: "keyword", B: "int" } });
    };
    await stack.up({ program });
    emulator.namespaces.change("orders.a1b2c", ({ spec }) => {
        if (spec) {
            spec.searchAttributes = { A: AttributeType.SEARCH_ATTRIBUTE_TYPE_KEYWORD, C: 3 };
        }
    });
    const preview = await stack.preview({ program, refresh: true, diff: true });
    expect(preview.stdout).toContain('+ B: "int"');
    expect(preview.stdout).not.toMatch(/\bC:/);
    expect(warnings(preview)).toEqual([]);
});

test("a codec server with a message of its own goes when it is no longer declared", async () => {
    const codecServer = { endpoint: "https://codec.example.com", customErrorMessage: { message: "Ask the team." } };
    await stack.up({
        program: async () => {
            new temporalcloud.Namespace("orders", { ...namespaceArgs, codecServer });
        },
    });
    const without = async () => {
        new temporalcloud.Namespace("orders", namespaceArgs);
    };
    await stack.up({ program: without });
    expect(live("orders").spec.codecServer?.endpoint ?? "").toBe("");
    expect(steps(await stack.up({ program: without, refresh: true }))).toEqual([]);
});

test("capacity that could not be provided can be had by the next `up`", async () => {
    const program = async () => {
        new temporalcloud.Namespace("orders", { ...namespaceArgs, capacity: { mode: "provisioned", value: 4 } });
    };
    await stack.up({
        program: async () => {
            new temporalcloud.Namespace("orders", namespaceArgs);
        },
    });
    emulator.faults.add({ method: "UpdateNamespace", kind: "capacityFails" });
    await stack.up({ program, expectFailure: true });
    await stack.up({ program });
    expect(live("orders").capacity?.currentMode).toMatchObject({ $case: "provisioned", value: { currentValue: 4 } });
    expect(steps(await stack.up({ program, refresh: true }))).toEqual([]);
});

test("adoption tells what it has changed, and no more", async () => {
    const keyword = AttributeType.SEARCH_ATTRIBUTE_TYPE_KEYWORD;
    for (const [name, searchAttributes] of Object.entries({
        more: { A: keyword, B: keyword },
        less: { A: keyword },
        none: { A: keyword },
    })) {
        const replicas = [{ region: "aws-us-east-1" }];
        emulator.namespaces.add({
            spec: { name, replicas, retentionDays: 30, apiKeyAuth: { enabled: true }, searchAttributes },
        });
    }
    const adopt = { ...namespaceArgs, adopt: true };
    const program = async () => {
        new temporalcloud.Namespace("more", { ...adopt, searchAttributes: { A: "keyword" } });
        new temporalcloud.Namespace("less", { ...adopt, searchAttributes: { A: "keyword", B: "keyword" } });
        new temporalcloud.Namespace("none", adopt);
    };
    const adopted = await stack.up({ program });
    expect(warnings(adopted)).toEqual(["Adopted Namespace less.a1b2c and changed `searchAttributes`."]);
    expect(adopted.messages("more")).toEqual([
        "Adopted Namespace more.a1b2c, which already existed. Nothing was changed.",
    ]);
    expect(adopted.messages("less")).toHaveLength(1);
    expect(warnings(await stack.up({ program }))).toEqual([]);
});

test("a replacement takes nothing over, and says how to", async () => {
    const user = (email: string) => async () => {
        new temporalcloud.User("ann", { email, accountRole: "read", adopt: true });
    };
    emulator.users.add({ spec: { email: "new@example.com", access: { accountAccess: { role: 4 } } } });
    await stack.up({ program: user("old@example.com") });
    const { stdout, stderr } = await stack.up({ program: user("new@example.com"), expectFailure: true });
    expect(stdout + stderr).toContain("declare it under another logical name with the option `import:");
});

test("`ignoreChanges`: what somebody else has changed stays, whatever else is updated", async () => {
    const program = (args: Partial<temporalcloud.NamespaceArgs>) => ({
        program: async () => {
            const opts = { ignoreChanges: ["retentionDays", "codecServer.passAccessToken", "regions"] };
            const codecServer = { endpoint: "https://codec.example.com", passAccessToken: false };
            new temporalcloud.Namespace("orders", { ...namespaceArgs, retentionDays: 7, codecServer, ...args }, opts);
        },
    });
    await stack.up(program({ description: "a" }));
    emulator.namespaces.change("orders.a1b2c", ({ spec }) => {
        if (spec?.codecServer) {
            spec.retentionDays = 30;
            spec.codecServer.passAccessToken = true;
        }
    });
    const expectKept = (description: string) =>
        expect(live("orders").spec).toMatchObject({
            description,
            retentionDays: 30,
            codecServer: { endpoint: "https://codec.example.com", passAccessToken: true },
        });
    expect((await stack.up(program({ description: "b" }))).ops("orders")).toEqual(["update"]);
    expectKept("b");
    expect(steps(await stack.up(program({ description: "b", retentionDays: 9 })))).toEqual([]);
    expect(steps(await stack.up({ ...program({ description: "b" }), refresh: true }))).toEqual([]);
    await stack.up(program({ description: "c", regions: ["aws-us-west-2"] }));
    expectKept("c");
    expect(live("orders").spec.replicas.map(({ region }) => region)).toEqual(["aws-us-east-1"]);
});

test("`ignoreChanges` of single entries: the others are the program's, and those are left to others", async () => {
    const program = (args: Partial<temporalcloud.NamespaceArgs>) => ({
        program: async () => {
            const opts = { ignoreChanges: ['tags["cost-center"]', "tags.owner"] };
            const tags = { team: "a", owner: "ann" };
            new temporalcloud.Namespace("orders", { ...namespaceArgs, tags, ...args }, opts);
        },
    });
    await stack.up(program({}));
    emulator.namespaces.change("orders.a1b2c", (namespace) => {
        namespace.tags = { team: "b", owner: "ben", "cost-center": "5" };
    });
    // By an update that knows nothing of it, after a look, and by an update of the other tags.
    expect((await stack.up(program({ description: "b" }))).ops("orders")).toEqual(["update"]);
    expect(live("orders").tags).toEqual({ team: "a", owner: "ben", "cost-center": "5" });
    expect(steps(await stack.up(program({ description: "b" })))).toEqual([]);
    expect(steps(await stack.up({ ...program({ description: "b" }), refresh: true }))).toEqual([]);
    await stack.up(program({ description: "b", tags: { team: "c", owner: "cat", new: "n" } }));
    expect(live("orders").tags).toEqual({ team: "c", owner: "ben", "cost-center": "5", new: "n" });
});

test("`replaceOnChanges` replaces, and nothing else does", async () => {
    const program = (args: Partial<temporalcloud.ServiceAccountArgs>) => ({
        program: async () => {
            const opts = { replaceOnChanges: ["description"] };
            new temporalcloud.ServiceAccount("worker", { accountRole: "read", ...args }, opts);
        },
    });
    await stack.up(program({ description: "a" }));
    expect((await stack.up(program({ description: "a", accountRole: "developer" }))).ops("worker")).toEqual(["update"]);
    const result = await stack.up(program({ description: "b", accountRole: "developer" }));
    expect(result.ops("worker")).toContain("replace");
    expect(emulator.serviceAccounts.list().map(({ spec }) => spec?.description)).toEqual(["b"]);
});

test.each<[string, Partial<temporalcloud.NamespaceArgs>, Partial<temporalcloud.NamespaceArgs>, string[]]>([
    ["an entry of a map", { tags: { a: "2", b: "1" } }, { tags: { a: "2", b: "2" } }, ['tags["b"]']],
    ["any entry", { description: "d" }, { tags: { b: "1" } }, ["tags.*"]],
    [
        "part of what is managed as one",
        { capacity: { mode: "provisioned", value: 4 } },
        { capacity: { mode: "on_demand" } },
        ["capacity.mode"],
    ],
])("`replaceOnChanges` of %s: nothing else replaces", async (_, other, named, replaceOnChanges) => {
    const program = (args: Partial<temporalcloud.NamespaceArgs>) => ({
        program: async () => {
            const start = { tags: { a: "1", b: "1" }, capacity: { mode: "provisioned" as const, value: 3 } };
            const options = { replaceOnChanges, deleteBeforeReplace: true };
            new temporalcloud.Namespace("orders", { ...namespaceArgs, ...start, ...args }, options);
        },
    });
    await stack.up(program({}));
    expect((await stack.preview(program(named))).ops("orders")).toContain("replace");
    expect((await stack.preview(program(other))).ops("orders")).toEqual(["update"]);
});

describe("`ignoreChanges` of a part without which the rest is nothing", () => {
    const codecServer = { endpoint: "https://codec.example.com", passAccessToken: true };
    const capacity = { mode: "provisioned" as const, value: 4 };
    const withoutCodecServer = (spec: NamespaceSpec) => {
        spec.codecServer = undefined;
    };

    test.each<[string, Partial<temporalcloud.NamespaceArgs>, (spec: NamespaceSpec, live: Namespace) => void]>([
        ["codecServer.endpoint", { codecServer }, withoutCodecServer],
        // The rest is what it would be by default.
        ["codecServer.endpoint", { codecServer: { ...codecServer, passAccessToken: false } }, withoutCodecServer],
        [
            "capacity.value",
            { capacity },
            (_, namespace) => {
                namespace.capacity = undefined;
            },
        ],
    ])("%s: what somebody else has taken away stays away", async (path, args, takeAway) => {
        const program = async () => {
            new temporalcloud.Namespace("orders", { ...namespaceArgs, ...args }, { ignoreChanges: [path] });
        };
        await stack.up({ program });
        emulator.namespaces.change("orders.a1b2c", (namespace) => {
            if (namespace.spec) {
                takeAway(namespace.spec, namespace);
            }
        });
        const { resourceVersion } = live("orders");
        await stack.up({ program, refresh: true });
        expect(steps(await stack.up({ program }))).toEqual([]);
        expect(live("orders").resourceVersion).toBe(resourceVersion);
    });

    test("what somebody else has taken away comes back, whole, if the program changes the rest", async () => {
        const program = (passAccessToken: boolean) => async () => {
            const args = { ...namespaceArgs, codecServer: { ...codecServer, passAccessToken } };
            new temporalcloud.Namespace("orders", args, { ignoreChanges: ["codecServer.endpoint"] });
        };
        await stack.up({ program: program(false) });
        emulator.namespaces.change("orders.a1b2c", ({ spec }) => spec && withoutCodecServer(spec));
        expect((await stack.up({ program: program(true) })).ops("orders")).toEqual(["update"]);
        expect(live("orders").spec.codecServer).toMatchObject(codecServer);
        expect(steps(await stack.up({ program: program(true) }))).toEqual([]);
    });

    test("what somebody else has set is not validated", async () => {
        const program = (retentionDays: number) => async () => {
            const args = { ...namespaceArgs, codecServer, retentionDays, tags: { a: "x" } };
            new temporalcloud.Namespace("orders", args, { ignoreChanges: ["codecServer.endpoint", "tags.a"] });
        };
        await stack.up({ program: program(7) });
        emulator.namespaces.change("orders.a1b2c", ({ spec, tags }) => {
            if (spec?.codecServer) {
                spec.codecServer.endpoint = "http://10.0.0.1:8080";
            }
            tags.a = "Of a newer version";
        });
        await stack.up({ program: program(8), refresh: true });
        expect(live("orders")).toMatchObject({
            spec: { retentionDays: 8, codecServer: { endpoint: "http://10.0.0.1:8080" } },
            tags: { a: "Of a newer version" },
        });
    });
});

test("an ignored scope replaces nothing, and what has another is not adopted", async () => {
    const namespaceScopedAccess = { namespace: "orders.a1b2c", access: { permission: 2 } };
    const { id } = emulator.serviceAccounts.add({ spec: { name: "worker", namespaceScopedAccess } });
    const program = (args: temporalcloud.ServiceAccountArgs) => async () => {
        new temporalcloud.ServiceAccount("worker", args, { import: id, ignoreChanges: ["accountRole"] });
    };
    const { stdout, stderr } = await stack.up({ program: program({ accountRole: "read" }), expectFailure: true });
    expect(stdout + stderr).toContain("it exists but differs in `accountRole`, which only a replacement could change");
    await stack.up({
        program: program({ namespaceScopedAccess: { namespaceId: "orders.a1b2c", permission: "read" } }),
    });
    const preview = await stack.preview({ program: program({ accountRole: "read" }), expectFailure: true });
    expect(preview.stdout + preview.stderr).toContain("What `ignoreChanges` names has the value in the state");
    expect(emulator.serviceAccounts.get(id)).toBeDefined();
});

test("two resources do not adopt the same", async () => {
    const program = async () => {
        new temporalcloud.User("ann", { email: "Ann@example.com", adopt: true, accountRole: "read" });
        new temporalcloud.User("anna", { email: "ann@example.com", adopt: true, accountRole: "developer" });
    };
    emulator.users.add({ spec: { email: "ann@example.com", access: { accountAccess: { role: 4 } } } });
    const { stdout, stderr } = await stack.up({ program, expectFailure: true });
    expect(stdout + stderr).toMatch(/another resource of this program has just adopted it \(urn:pulumi:.*::ann?a?\)/);
});

describe("what depends on a service account that is replaced", () => {
    const program = (args: temporalcloud.ServiceAccountArgs, protect = false) => ({
        program: async () => {
            const worker = new temporalcloud.ServiceAccount("worker", args);
            new temporalcloud.ApiKey("key", { ownerId: worker.id, expiresIn: "90d" }, { protect });
        },
    });
    const orders = { namespaceScopedAccess: { namespaceId: "orders.a1b2c", permission: "read" as const } };

    beforeEach(() => {
        emulator.namespaces.add({ spec: { name: "orders", replicas: [{ region: "aws-us-east-1" }] } });
    });

    test("is replaced too, as the preview says", async () => {
        await stack.up(program({ accountRole: "read" }));
        const preview = await stack.preview(program(orders));
        expect(preview.ops("key")).toContain("replace");
        expect((await stack.up(program(orders))).ops("key")).toEqual(preview.ops("key"));
    });

    test("is kept with `retainOnDelete`", async () => {
        const retained = (args: temporalcloud.ServiceAccountArgs) => ({
            program: async () => {
                const options = { retainOnDelete: true, deleteBeforeReplace: true };
                const worker = new temporalcloud.ServiceAccount("worker", args, options);
                new temporalcloud.ApiKey("key", { ownerId: worker.id, expiresIn: "90d" }, { retainOnDelete: true });
            },
        });
        await stack.up(retained({ name: "one", accountRole: "read" }));
        const old = stack.resource("key").id ?? "";
        await stack.up(retained({ name: "two", ...orders }));
        expect(emulator.apiKeys.list().map(({ id }) => id)).toEqual(
            expect.arrayContaining([old, stack.resource("key").id]),
        );
        expect(emulator.apiKeys.list()).toHaveLength(2);
    });

    test("and protected: nothing is deleted, with a preview or without", async () => {
        await stack.up(program({ accountRole: "read" }, true));
        const ids = () => [emulator.serviceAccounts, emulator.apiKeys].map((all) => all.list().map(({ id }) => id));
        const before = ids();
        for (const run of [stack.preview, stack.up]) {
            const { stdout, stderr } = await run.call(stack, { ...program(orders, true), expectFailure: true });
            expect(stdout + stderr).toContain("marked for protection");
        }
        expect(ids()).toEqual(before);
    });
});

test("certificate filters that the program no longer has are gone when mTLS is on again", async () => {
    const mtlsAuth = { acceptedClientCa: ONE };
    const program = (args: Partial<temporalcloud.NamespaceArgs>) => async () => {
        new temporalcloud.Namespace("orders", { ...namespaceArgs, ...args });
    };
    await stack.up({ program: program({ mtlsAuth: { ...mtlsAuth, certificateFilters: [{ commonName: "x" }] } }) });
    emulator.namespaces.change("orders.a1b2c", ({ spec }) => {
        if (spec?.mtlsAuth) {
            spec.mtlsAuth.enabled = false;
        }
    });
    await stack.refresh();
    await stack.up({ program: program({ mtlsAuth }) });
    expect(live("orders").spec.mtlsAuth).toMatchObject({ enabled: true, certificateFilters: [] });
});

test("what was tainted is replaced, also with `adopt` left in", async () => {
    const program = async () => {
        const args = { email: "ann@example.com", accountRole: "read" as const, adopt: true };
        new temporalcloud.User("ann", args, { deleteBeforeReplace: true });
    };
    await stack.up({ program });
    const { id, urn } = stack.resource("ann");
    expect((await pulumiIn(stack, ["state", "taint", urn, "--yes", "--stack", "stack"])).code).toBe(0);
    await stack.up({ program });
    expect(emulator.users.list().map((user) => user.id)).not.toContain(id);
    expect(stack.resource("ann").id).toBe(emulator.users.list()[0]?.id);
});

test("`customTimeouts` has a time for reads, which an update writes to the state", async () => {
    const program = (read?: string) => async () => {
        new temporalcloud.Namespace("orders", namespaceArgs, read ? { customTimeouts: { read } } : {});
    };
    await stack.up({ program: program() });
    expect((await stack.up({ program: program("1s") })).ops("orders")).toEqual(["update"]);
    for (const method of ["GetNamespace", "GetNamespaces"]) {
        emulator.faults.add({ method, kind: "hang", times: 100 });
    }
    const { stdout, stderr } = await stack.up({ program: program("1s"), refresh: true, expectFailure: true });
    expect(stdout + stderr).toContain("could not be read: it was not finished after 1 s (change that with");
});
