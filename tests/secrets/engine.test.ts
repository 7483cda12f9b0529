// Secrets in the hands of the real engine: what stands in the state, on the screen, in logs and on command lines.

import { readFileSync } from "node:fs";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { ApiKey, Namespace, ServiceAccount } from "pulumi-temporal-cloud";
import { Emulator } from "../../emulator";
import { ONE, TWO } from "../drift/certificates";
import { pulumiIn } from "../support/cli";
import { isSecret, type Result, TestStack } from "../support/engine";
import { CommandLines } from "./command-lines";

jest.setTimeout(180_000);

const LOUD = { GRPC_TRACE: "all", GRPC_VERBOSITY: "DEBUG", TEMPORAL_CLOUD_DEBUG: "1" };
/** A line from the middle of each, which the state would hold as it is. */
const [CA, OTHER_CA] = [ONE, TWO].map((pem) => pem.split("\n")[3] ?? "");
const KEY = "tmprl_the_key_that_nobody_else_may_see";
const WORDS = ["hush-description", "hush-tag", "hush-account"] as const;

let emulator: Emulator;
let stack: TestStack;
let description: string;
let stateFile: string;

function program(): void {
    new Namespace("orders", {
        regions: ["aws-us-east-1"],
        apiKeyAuth: true,
        mtlsAuth: { acceptedClientCa: pulumi.secret(ONE) },
        description: pulumi.secret(description),
        tags: { team: pulumi.secret("hush-tag"), stage: "production" },
    });
    const worker = new ServiceAccount("worker", { accountRole: "read", description: pulumi.secret("hush-account") });
    new ApiKey("worker", { ownerId: worker.id, expiresIn: "90d", description: pulumi.secret(description) });
}

beforeAll(async () => {
    description = "hush-description";
    stack = await TestStack.create({ program: async () => program() });
    stateFile = path.join(stack.workDir, "account.json");
    emulator = await Emulator.start({ rootKey: KEY, stateFile, settings: { checkDurationMs: 100 } });
    await stack.setConfig({
        "temporalcloud:endpoint": `http://${emulator.address}`,
        "temporalcloud:apiKey": { secret: KEY },
    });
});
afterAll(async () => {
    stack.remove();
    await emulator.stop();
});

const tokens: string[] = [];

/** The tokens in the state, in the clear. */
async function decryptedTokens(): Promise<string[]> {
    const { text } = await pulumiIn(stack, ["stack", "export", "--show-secrets", "--stack", "stack"]);
    const { deployment } = JSON.parse(text) as { deployment: { resources: { outputs?: { token?: unknown } }[] } };
    return deployment.resources.flatMap(({ outputs }) => {
        const { plaintext } = (outputs?.token ?? {}) as { plaintext?: string };
        return plaintext === undefined ? [] : [JSON.parse(plaintext) as string];
    });
}

/** Where a secret can be read. */
function leaks(places: Readonly<Record<string, string>>, secrets: readonly string[]): string[] {
    return Object.entries(places).flatMap(([place, text]) =>
        secrets
            .flatMap((secret) => [secret, Buffer.from(secret).toString("base64"), JSON.stringify(secret).slice(1, -1)])
            .filter((spelling) => spelling !== "" && text.includes(spelling))
            .map((spelling) => `${place}: ${spelling.slice(0, 9)}...`),
    );
}

function shown({ stdout, stderr, diagnostics }: Result): string {
    return [stdout, stderr, ...diagnostics.map(({ message }) => message)].join("\n");
}

function secretProperties(name: string, properties: readonly string[]): Record<string, boolean[]> {
    const found = stack.resources().find(({ urn }) => urn.endsWith(name));
    const at = (bag: unknown, property: string): boolean => {
        let value = bag;
        for (const part of property.split(".")) {
            // What holds a secret may be one as a whole.
            if (isSecret(value as never)) {
                return true;
            }
            value = (value as Record<string, unknown> | undefined)?.[part];
        }
        return isSecret(value as never);
    };
    return Object.fromEntries(properties.map((it) => [it, [at(found?.inputs, it), at(found?.outputs, it)]]));
}

function expectSecrets(): void {
    expect(secretProperties("Namespace::orders", ["description", "tags.team", "mtlsAuth.acceptedClientCa"])).toEqual({
        description: [true, true],
        "tags.team": [true, true],
        "mtlsAuth.acceptedClientCa": [true, true],
    });
    expect(secretProperties("ServiceAccount::worker", ["description"])).toEqual({ description: [true, true] });
    expect(secretProperties("ApiKey::worker", ["description"])).toEqual({ description: [true, true] });
    expect(secretProperties("ApiKey::worker", ["token"])).toEqual({ token: [false, true] });
}

test("made: in the state encrypted, and nowhere else, however much is logged", async () => {
    const lines = new CommandLines();
    const result = await stack.up({ env: LOUD });
    const commandLines = lines.stop();
    tokens.push(...(await decryptedTokens()));
    expect(tokens).toEqual([expect.stringMatching(/.{20,}/)]);
    expect(shown(result)).toContain("CloudService/CreateApiKey");
    expect(commandLines).toContain("dynamic-provider");
    const secrets = [KEY, ...tokens, CA ?? "", ...WORDS];
    expect(leaks({ state: stack.stateFiles(), screen: shown(result), commandLines }, secrets)).toEqual([]);
    expectSecrets();
    // What is no secret can be read there: the search does find things.
    expect(leaks({ state: stack.stateFiles() }, ["production"])).not.toEqual([]);
});

test("read: they stay secret, also when they have changed", async () => {
    await stack.refresh();
    expectSecrets();
    emulator.namespaces.change("orders.a1b2c", (namespace) => {
        namespace.tags = { team: "hush-drift" };
        if (namespace.spec?.mtlsAuth) {
            namespace.spec.description = "hush-drift";
            namespace.spec.mtlsAuth.acceptedClientCa = Buffer.from(TWO);
        }
    });
    const preview = await stack.preview({ refresh: true, env: LOUD });
    const refresh = await stack.refresh({ env: LOUD });
    expect(shown(refresh)).toContain("CloudService/GetNamespace");
    expectSecrets();
    const places = { state: stack.stateFiles(), preview: shown(preview), refresh: shown(refresh) };
    expect(leaks(places, [KEY, ...tokens, ...WORDS, "hush-drift", CA ?? "", OTHER_CA ?? ""])).toEqual([]);
});

test("half done: an update and a create that fail keep their secrets", async () => {
    emulator.faults.add({ method: "UpdateNamespace", kind: "operationEnds", reason: "no luck" });
    emulator.faults.add({ method: "UpdateApiKey", kind: "operationEnds", reason: "no luck" });
    emulator.faults.add({ method: "CreateApiKey", kind: "operationEnds", reason: "no luck" });
    description = "hush-changed";
    const result = await stack.up({
        env: LOUD,
        expectFailure: true,
        program: async () => {
            program();
            new ApiKey("half", {
                ownerId: pulumi.secret(emulator.serviceAccounts.list()[0]?.id ?? ""),
                expiresIn: "90d",
            });
        },
    });
    expect(stack.resources().filter(({ initErrors }) => initErrors !== undefined).length).toBeGreaterThanOrEqual(2);
    // After a failure, the engine may not have started the others.
    emulator.faults.clear();
    const [, half = ""] = emulator.apiKeys.list().map(({ id }) => id);
    expect(stack.resources().map(({ id }) => id)).toContain(half);
    const found = await decryptedTokens();
    expect(new Set(found).size).toBe(2);
    const places = { state: stack.stateFiles(), screen: shown(result) };
    expect(leaks(places, [KEY, ...found, "hush-changed", ...WORDS])).toEqual([]);
    tokens.push(...found);
});

test("refused: what is wrong is said without the value", async () => {
    const result = await stack.preview({
        expectFailure: true,
        program: async () => {
            new Namespace("refused", {
                regions: ["aws-us-east-1"],
                mtlsAuth: { acceptedClientCa: pulumi.secret("hush-certificate") },
                description: pulumi.secret("hush-\u00e9"),
                tags: pulumi.secret(Object.fromEntries([..."abcdefghijk"].map((key) => [key, "hush-tag"]))),
            });
        },
    });
    expect(shown(result)).toContain("`description` must be at most 255 printable ASCII characters.");
    expect(shown(result)).toContain("`tags` must have at most 10 tags.");
    expect(leaks({ screen: shown(result) }, ["hush-certificate", "hush-\u00e9", "hush-tag"])).toEqual([]);
});

test("removed: nothing of it is shown", async () => {
    await stack.up();
    const destroy = await stack.destroy({ env: LOUD });
    expect(shown(destroy)).toContain("CloudService/DeleteApiKey");
    expect(leaks({ screen: shown(destroy) }, [KEY, ...tokens, ...WORDS])).toEqual([]);
});

test("the emulator's file has neither the key nor a token", async () => {
    await stack.up();
    tokens.push(...(await decryptedTokens()));
    await emulator.stop();
    const text = readFileSync(stateFile, "utf8");
    expect(text).toContain("orders.a1b2c");
    expect(leaks({ file: text }, [KEY, ...tokens])).toEqual([]);
});

test("a token stays a secret where a transformation of the program drops its resource's options", async () => {
    const server = await Emulator.start({ rootKey: "the-root-key", settings: { checkDurationMs: 100 } });
    const own = await TestStack.create({ emulator: server, program: async () => {} });
    try {
        const shows: string[] = [];
        const up = async (name: string, disabled: boolean, expectFailure = false) => {
            const program = async () => {
                pulumi.runtime.registerStackTransformation(({ props }) => ({ props, opts: {} }));
                const worker = new ServiceAccount("worker", { accountRole: "read" });
                return { token: new ApiKey(name, { ownerId: worker.id, expiresIn: "90d", disabled }).token };
            };
            shows.push(shown(await own.up({ program, diff: true, expectFailure })));
        };
        const isSecretOf = (name: string) => isSecret(own.resource(name).outputs?.token as never);

        await up("key", false);
        expect(own.resource("key").additionalSecretOutputs).toBeUndefined();
        expect(isSecretOf("key")).toBe(true);
        shows.push(shown(await own.refresh()));
        expect(isSecretOf("key")).toBe(true);
        await up("key", true);
        expect(isSecretOf("key")).toBe(true);
        await up("key", true);
        expect(isSecretOf("key")).toBe(true);
        server.faults.add({ method: "CreateApiKey", kind: "operationEnds", reason: "no luck" });
        await up("half", true, true);
        expect(isSecretOf("half")).toBe(true);
        expect(shows.join("\n")).toContain("ApiKey");
        expect([...shows, own.stateFiles()].join("\n")).not.toMatch(/tmprl_\w{8}/);
    } finally {
        own.remove();
        await server.stop();
    }
});
