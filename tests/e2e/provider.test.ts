// What is not about one kind of resource: configuration and accounts, secrets, rotation, interruption, versions, and
// what the engine shows to the user.

import { rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation";
import * as temporalcloud from "pulumi-temporal-cloud";
import { Emulator, type EmulatorOptions } from "../../emulator";
import { type ConfigInput, isSecret, type Result, withStack } from "../support/engine";
import { copyAsVersion, removeWorkDir } from "../support/workdir";
import { inDays } from "./kinds/api-key";

jest.setTimeout(180_000);

const { ApiKey, Namespace, Provider, ServiceAccount, User } = temporalcloud;
const base = { regions: ["aws-us-east-1"], apiKeyAuth: true };

let emulator: Emulator;
const started: Emulator[] = [];

async function start(options: EmulatorOptions = {}): Promise<Emulator> {
    const another = await Emulator.start({ ...options, settings: { checkDurationMs: 100, ...options.settings } });
    started.push(another);
    return another;
}

beforeEach(async () => {
    emulator = await start();
});
afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.stop()));
});

const nothing: PulumiFn = async () => {};
/** As `pulumi config set --secret` sets it. */
const secretKey = () => ({ "temporalcloud:apiKey": { secret: emulator.rootKey } });

describe("configuration", () => {
    test("two explicit providers and the default one manage three accounts in one program", async () => {
        const [blue, green] = [await start({ account: "blue1" }), await start({ account: "green" })];
        const provider = (name: string, { address, rootKey, account }: Emulator) =>
            new Provider(name, {
                endpoint: address,
                apiKey: pulumi.secret(rootKey),
                allowInsecure: true,
                allowedAccountId: account,
            });
        const program: PulumiFn = async () => {
            new Namespace("ours", base);
            new Namespace("blues", base, { provider: provider("blue", blue) });
            new Namespace("greens", { ...base, description: "green" }, { provider: provider("green", green) });
        };
        await withStack({ emulator, program, config: secretKey() }, async (stack) => {
            await stack.up();

            expect(stack.resources().map(({ id }) => id)).toEqual(
                expect.arrayContaining(["ours.a1b2c", "blues.blue1", "greens.green"]),
            );
            for (const each of [emulator, blue, green]) {
                expect(each.namespaces.list()).toHaveLength(1);
                expect(stack.stateFiles()).not.toContain(each.rootKey);
                each.requests.reset();
            }

            const unchanged = await stack.up();
            expect(unchanged.changes).toEqual({ same: expect.any(Number) });
            expect([emulator, blue, green].map(({ requests }) => requests.count())).toEqual([0, 0, 0]);

            await stack.destroy();
            expect([emulator, blue, green].flatMap(({ namespaces }) => namespaces.list())).toEqual([]);
        });
    });

    test("the environment stands in for what is not configured", async () => {
        const env = {
            TEMPORAL_CLOUD_API_KEY: emulator.rootKey,
            TEMPORAL_CLOUD_ENDPOINT: emulator.address,
            TEMPORAL_CLOUD_ALLOW_INSECURE: "true",
            TEMPORAL_CLOUD_ALLOWED_ACCOUNT_ID: emulator.account,
        };
        const program: PulumiFn = async () => {
            new Namespace("one", base);
        };
        await withStack({ program, env }, async (stack) => {
            await stack.up();
            expect(emulator.namespaces.get("one.a1b2c")).toBeDefined();
            expect(stack.stateFiles()).not.toContain(emulator.rootKey);
            expect((await stack.refresh()).steps.map(({ op }) => op)).toEqual(["same"]);
            await stack.destroy();
            expect(emulator.namespaces.list()).toEqual([]);
        });
    });

    test.each<[string, Record<string, ConfigInput>, string]>([
        [
            "a key that is refused",
            { "temporalcloud:apiKey": { secret: "tmprl_wrong" } },
            "rejected the API key: it may be expired, disabled, deleted",
        ],
        [
            "the key of another account",
            { "temporalcloud:allowedAccountId": "other" },
            'belongs to the account "a1b2c", and temporalcloud:allowedAccountId allows only "other". Nothing was changed.',
        ],
        [
            "no key",
            { "temporalcloud:apiKey": { secret: "" } },
            "No API key for Temporal Cloud. Set it with `pulumi config set --secret temporalcloud:apiKey`",
        ],
    ])("%s is one clear error, and nothing is changed", async (_, config, message) => {
        const program: PulumiFn = async () => {
            new Namespace("one", base);
        };
        await withStack({ emulator, program, config }, async (stack) => {
            const refused = await stack.up({ expectFailure: true });
            const [said, ...more] = refused.messages("one");
            expect(more).toEqual([]);
            expect(said).toContain(message);
            expect(said).not.toMatch(/^ +at /m);
            expect(emulator.namespaces.list()).toEqual([]);
            expect(stack.resources()).toEqual([]);
        });
    });

    test.each<[string, () => void, string[]]>([
        [
            "Namespace",
            () =>
                new Namespace("Bad_Name", {
                    regions: [],
                    retentionDays: 91,
                    apiKeyAuth: true,
                    mtlsAuth: { acceptedClientCa: "no certificate" },
                    tags: { Team: "x" },
                    ...{ retentionDay: 3 },
                }),
            [
                "`name` must be 2 to 39 lowercase letters",
                "`regions` must list at least one region",
                "`retentionDays` must be a whole number from 1 to 90, but is 91.",
                "`mtlsAuth.acceptedClientCa` must be certificates in PEM",
                '`tags["Team"]` must be 1 to 63 characters',
                '`retentionDay` is not a known property. Did you mean "retentionDays"?',
            ],
        ],
        [
            "User",
            () => new User("ann", { email: "nobody", ...{ accountRole: "boss" as "read", emial: "x" } }),
            [
                "`email` must be an email address",
                '`accountRole` must be one of "owner", "admin"',
                '`emial` is not a known property. Did you mean "email"?',
            ],
        ],
        [
            "ServiceAccount",
            () =>
                new ServiceAccount("both", {
                    accountRole: "read",
                    namespaceScopedAccess: { namespaceId: "one.a1b2c", permission: "read" },
                    projectScopedAccess: { projectId: "p", role: "read" },
                }),
            ["`namespaceScopedAccess` cannot be combined", "`projectScopedAccess` cannot be combined"],
        ],
        [
            "ApiKey",
            () => new ApiKey("key", { ownerId: "", expiresIn: "1h", rotateBefore: "soon" }),
            ["`ownerId` must be an id", "`expiresIn` must be from 24h to 731d", "`rotateBefore` must be a duration"],
        ],
    ])(
        "bad input of a %s is refused at preview, every property by name, before anything is sent",
        async (_, make, reasons) => {
            const program: PulumiFn = async () => {
                make();
            };
            await withStack({ emulator, program }, async (stack) => {
                const refused = await stack.preview({ expectFailure: true });
                const said = refused.diagnostics.filter(({ urn }) => urn !== "").map(({ message }) => message);
                for (const reason of reasons) {
                    expect(said.join("\n")).toContain(reason);
                }
                expect(emulator.requests.byMethod()).toEqual({});
            });
        },
    );
});

describe("secrets", () => {
    const program =
        (timeouts?: { create: string }): PulumiFn =>
        async () => {
            const worker = new ServiceAccount("worker", { accountRole: "read" });
            const key = new ApiKey(
                "key",
                { ownerId: worker.id, expiresIn: "90d" },
                timeouts ? { customTimeouts: timeouts } : {},
            );
            return { token: key.token };
        };
    const tokens = /tmprl_[\w-]{20,}/;
    // With `--debug`, Pulumi's own SDK prints every property of every resource, secret or not.
    const displayed = ({ events }: Result): string =>
        JSON.stringify(events.filter(({ diagnosticEvent }) => (diagnosticEvent?.severity as string) !== "debug"));

    test("neither the key nor a token stands in the state in plain text, nor is it displayed", async () => {
        await withStack({ emulator, program: program(), config: secretKey() }, async (stack) => {
            const created = await stack.up();
            const previewed = await stack.preview({ refresh: true });
            for (const text of [stack.stateFiles(), created.stdout, created.stderr, previewed.stdout]) {
                expect(text).not.toMatch(tokens);
                expect(text).not.toContain(emulator.rootKey);
            }
            expect(displayed(created)).not.toMatch(tokens);

            const { id, outputs } = stack.resource("key");
            expect(isSecret(outputs?.token)).toBe(true);
            await expect(stack.outputs()).resolves.toEqual({ token: expect.stringContaining(`tmprl_${id}_`) });

            await stack.refresh();
            expect(isSecret(stack.resource("key").outputs?.token)).toBe(true);
            expect(stack.stateFiles()).not.toMatch(tokens);
        });
    });

    test("a token is kept, and kept secret, when the create is not finished", async () => {
        emulator.faults.add({ method: "CreateApiKey", kind: "slowOperation", durationMs: Number.POSITIVE_INFINITY });
        await withStack({ emulator, program: program({ create: "2s" }), config: secretKey() }, async (stack) => {
            const late = await stack.up({ expectFailure: true });
            expect(late.messages("key").join()).toContain("not finished after 2 s");
            const { id, outputs } = stack.resource("key");
            expect(isSecret(outputs?.token)).toBe(true);
            for (const text of [stack.stateFiles(), late.stdout, late.stderr, displayed(late)]) {
                expect(text).not.toMatch(tokens);
            }
            emulator.finishOperations();

            const resumed = await stack.up();

            expect(resumed.ops("key")).toEqual(["update"]);
            expect(emulator.apiKeys.list()).toHaveLength(1);
            expect(isSecret(stack.resource("key").outputs?.token)).toBe(true);
            expect(stack.stateFiles()).not.toMatch(tokens);
            await expect(stack.outputs()).resolves.toEqual({ token: expect.stringContaining(`tmprl_${id}_`) });
        });
    });

    test("an API key near its end is replaced: new first, then what uses it, then the old one goes", async () => {
        const rotating: PulumiFn = async () => {
            const worker = new ServiceAccount("worker", { accountRole: "read" });
            const key = new ApiKey("key", { ownerId: worker.id, expiresIn: "90d", rotateBefore: "14d" });
            new Namespace("user", { ...base, description: key.id });
            return { token: key.token };
        };
        await withStack({ emulator, program: rotating }, async (stack) => {
            await stack.up();
            const { id: oldId = "" } = stack.resource("key");
            const { token: oldToken } = await stack.outputs();
            expect((await stack.up({ refresh: true })).ops("key")).toEqual(["refresh"]);
            emulator.apiKeys.change(oldId, ({ spec }) => {
                if (spec) {
                    spec.expiryTime = { seconds: BigInt(inDays(13).getTime() / 1000), nanos: 0 };
                }
            });

            const plan = await stack.preview({ refresh: true });
            expect(plan.ops("key")).toEqual(["refresh", "create-replacement", "replace", "delete-replaced"]);
            expect(emulator.apiKeys.list().map(({ id }) => id)).toEqual([oldId]);
            emulator.requests.reset();
            await stack.up({ refresh: true });

            const writes = emulator.requests.all.map(({ method }) => method).filter((name) => !name.startsWith("Get"));
            expect(writes).toEqual(["CreateApiKey", "UpdateNamespace", "DeleteApiKey"]);
            const { id: newId = "" } = stack.resource("key");
            expect(emulator.apiKeys.list().map(({ id }) => id)).toEqual([newId]);
            expect(emulator.namespaces.get("user.a1b2c")?.spec?.description).toBe(newId);
            expect((await stack.outputs()).token).not.toBe(oldToken);
            expect((await stack.up()).ops("key")).toEqual([]);
        });
    });
});

test("Ctrl-C during an `up` leaves a state from which the next `up` goes on", async () => {
    emulator.settings.operationDurationMs = 5_000;
    const program: PulumiFn = async () => {
        const first = new Namespace("first", base);
        new Namespace("second", { ...base, description: first.id });
    };
    await withStack({ emulator, program }, async (stack) => {
        const interrupt = new AbortController();
        const interrupted = await stack.up({
            signal: interrupt.signal,
            onEvent: ({ diagnosticEvent }) => {
                if (diagnosticEvent?.ephemeral && diagnosticEvent.urn?.endsWith("::first")) {
                    interrupt.abort();
                }
            },
            expectFailure: true,
        });
        expect(interrupted.succeeded).toBe(false);
        expect(stack.resources().map(({ id }) => id)).toEqual(["first.a1b2c"]);

        emulator.settings.operationDurationMs = 100;
        const resumed = await stack.up();

        expect([resumed.ops("first"), resumed.ops("second")]).toEqual([[], ["create"]]);
        expect(emulator.requests.count("CreateNamespace")).toBe(2);
        expect((await stack.preview({ refresh: true })).ops("first")).toEqual(["refresh"]);
    });
});

test("while an operation runs, its resource's row says what is being done", async () => {
    emulator.settings.operationDurationMs = 300;
    const program =
        (regions: string[]): PulumiFn =>
        async () => {
            new Namespace("one", { ...base, regions });
        };
    await withStack({ emulator, program: nothing }, async (stack) => {
        const statuses = async (regions: string[]) => {
            const { diagnostics } = await stack.up({ program: program(regions) });
            return diagnostics.filter(({ ephemeral, urn }) => ephemeral && urn.endsWith("::one")).map((d) => d.message);
        };
        // That, Pulumi says by itself.
        expect(await statuses(["aws-us-east-1"])).toEqual([]);
        const changing = await statuses(["aws-us-west-2"]);
        expect([...new Set(changing)]).toEqual(
            expect.arrayContaining([
                "adding a replica in aws-us-west-2",
                "failing over to aws-us-west-2",
                "removing a replica in aws-us-east-1",
            ]),
        );
    });
});

test("a resource can have a component for its parent", async () => {
    class Team extends pulumi.ComponentResource {
        readonly namespace: temporalcloud.Namespace;

        constructor(name: string) {
            super("example:index:Team", name);
            this.namespace = new Namespace(`${name}-orders`, base, { parent: this });
            new ServiceAccount(`${name}-worker`, { accountRole: "read" }, { parent: this.namespace });
            this.registerOutputs({});
        }
    }
    const program: PulumiFn = async () => ({ id: new Team("blue").namespace.id });
    await withStack({ emulator, program }, async (stack) => {
        await stack.up();
        for (const name of ["blue-orders", "blue-worker"]) {
            const { urn, inputs } = stack.resource(name);
            expect(urn).toContain("example:index:Team$");
            expect(JSON.parse(String(inputs?.__context))).toMatchObject({ urn });
        }
        emulator.requests.reset();
        expect((await stack.up()).steps.filter(({ op }) => op !== "same")).toEqual([]);
        expect(emulator.requests.count()).toBe(0);
        await stack.destroy();
        expect(emulator.namespaces.list()).toEqual([]);
    });
});

describe("the next release", () => {
    const program =
        ({ Namespace, User, ServiceAccount, ApiKey }: typeof temporalcloud): PulumiFn =>
        async () => {
            new Namespace("one", { ...base, tags: { team: "orders" } });
            new User("ann", { email: "ann@example.com", accountRole: "read" });
            const worker = new ServiceAccount("worker", { accountRole: "read" });
            new ApiKey("key", { ownerId: worker.id, expiresIn: "90d", rotateBefore: "14d" });
        };

    test("finds its provider in every state: `__provider` is short, and never changes", async () => {
        await withStack({ emulator, program: program(temporalcloud) }, async (stack) => {
            await stack.up();
            const texts = stack.resources().map(({ outputs, inputs, type }) => {
                expect(inputs?.__provider).toBe(outputs?.__provider);
                return [type, outputs?.__provider];
            });
            const provider = (name: string) =>
                `exports.handler = () => require("pulumi-temporal-cloud/plugin").${name};`;
            expect(Object.fromEntries(texts)).toEqual({
                "pulumi-nodejs:dynamic/temporalcloud:Namespace": provider("namespace"),
                "pulumi-nodejs:dynamic/temporalcloud:User": provider("user"),
                "pulumi-nodejs:dynamic/temporalcloud:ServiceAccount": provider("serviceAccount"),
                "pulumi-nodejs:dynamic/temporalcloud:ApiKey": provider("apiKey"),
            });
            for (const [, text] of texts) {
                expect(Buffer.byteLength(String(text))).toBeLessThan(200);
            }
        });
    });

    test("changes nothing in what this one has made", async () => {
        const copy = copyAsVersion("987.6.5");
        try {
            await withStack({ emulator, program: program(temporalcloud) }, async (stack) => {
                await stack.up();
                const link = path.join(stack.workDir, "node_modules", "pulumi-temporal-cloud");
                rmSync(link);
                symlinkSync(copy, link, "junction");
                const other = require(path.join(copy, "dist", "provider", "index.js")) as typeof temporalcloud;
                expect(other.Namespace).not.toBe(Namespace);

                const preview = await stack.preview({ program: program(other) });
                expect(preview.steps.filter(({ op }) => op !== "same")).toEqual([]);

                const refreshed = await stack.up({ program: program(other), refresh: true });
                expect(new Set(refreshed.steps.map(({ op }) => op))).toEqual(new Set(["refresh", "same"]));
                await stack.destroy();
                expect(emulator.namespaces.list()).toEqual([]);
            });
        } finally {
            removeWorkDir(copy);
        }
    });
});
