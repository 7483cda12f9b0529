import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import * as temporalcloud from "pulumi-temporal-cloud";
import { listAll } from "../../../provider/functions/invoke";
import { namespaceSpec } from "../../emulator/client";
import { makeWorkDir, removeWorkDir } from "../../support/workdir";
import { configure, settingsFor, useEmulator } from "./support";

const emulator = useEmulator();

describe("where the configuration comes from", () => {
    test("the environment, for what the stack does not set", async () => {
        const { address, rootKey, account } = emulator();
        configure({ endpoint: `http://${address}` });
        process.env.TEMPORAL_CLOUD_API_KEY = rootKey;
        process.env.TEMPORAL_CLOUD_ENDPOINT = "http://127.0.0.1:1";
        await expect(temporalcloud.getAccount()).resolves.toMatchObject({ id: account });
    });

    test("no key: the error says what to do", async () => {
        configure({});
        await expect(temporalcloud.getAccount()).rejects.toMatchObject({
            name: "LookupError",
            failure: "configuration",
            message: expect.stringMatching(/^getAccount: No API key for Temporal Cloud\. Set it with/),
        });
    });

    test("a key that is not taken: the error says so, and does not show it", async () => {
        configure({ ...settingsFor(emulator()), apiKey: "tmprl_wrong_key" });
        const error = await temporalcloud.getNamespaces().catch((reason: unknown) => reason);
        expect(error).toMatchObject({
            failure: "unauthenticated",
            message: expect.stringMatching(
                /^getNamespaces: could not look up the namespaces\. GetNamespaces: UNAUTHENTICATED: /,
            ),
        });
        expect(String(error)).not.toContain("tmprl_wrong_key");
        expect(pulumi.RunError.isInstance(error)).toBe(true);
        // Pulumi formats it even though it does not show it.
        expect((error as Error).stack).toBe(`LookupError: ${(error as Error).message}`);
    });

    test("another account than the one allowed is not asked for anything else", async () => {
        configure({ ...settingsFor(emulator()), allowedAccountId: "other" });
        await expect(temporalcloud.getRegions()).rejects.toMatchObject({
            failure: "configuration",
            message: expect.stringContaining('allowedAccountId allows only "other"'),
        });
        expect(emulator().requests.byMethod()).toEqual({ GetAccount: 1 });
        configure({ ...settingsFor(emulator()), allowedAccountId: emulator().account });
        await expect(temporalcloud.getRegions()).resolves.toMatchObject({ regions: expect.any(Array) });
    });
});

test("a list is complete, and each item in it once", async () => {
    const pages = ["", "1", "2", "3"].map((_, index) => ({
        items: index === 1 ? [] : [`${index}`, "same"],
        nextPageToken: index === 3 ? "" : `${index + 1}`,
    }));
    const page = async (token: string) => pages[Number(token)] ?? { items: [], nextPageToken: "" };
    await expect(listAll(page, (item) => item)).resolves.toEqual(["0", "same", "2", "3"]);
});

describe("under the mocks of a program's unit test", () => {
    afterEach(() => pulumi.runtime.resetOptions("", "", -1, "", "", false, ""));

    test("the mocks answer, and nobody is asked", async () => {
        const calls: pulumi.runtime.MockCallArgs[] = [];
        await pulumi.runtime.setMocks({
            call: (args) => {
                calls.push(args);
                return { id: "orders.mock", endpoints: { grpcAddress: "mock:7233" } };
            },
            newResource: ({ inputs, name }) => ({ id: `${name}-id`, state: inputs }),
        });
        await expect(temporalcloud.getNamespace({ name: "orders" })).resolves.toMatchObject({ id: "orders.mock" });
        const { endpoints } = temporalcloud.getNamespaceOutput({ id: pulumi.output("orders.mock") });
        await expect(
            new Promise((resolve) => {
                endpoints.grpcAddress.apply(resolve);
            }),
        ).resolves.toBe("mock:7233");
        expect(calls).toEqual([
            { token: "pulumi-nodejs:dynamic/temporalcloud:getNamespace", inputs: { name: "orders" }, provider: "" },
            { token: "pulumi-nodejs:dynamic/temporalcloud:getNamespace", inputs: { id: "orders.mock" }, provider: "" },
        ]);
        expect(emulator().requests.count()).toBe(0);
    });
});

describe("the built package in a process of its own", () => {
    let folder = "";
    beforeAll(() => {
        folder = makeWorkDir();
    });
    afterAll(() => removeWorkDir(folder));

    const run = async (script: string) => {
        const { address, rootKey } = emulator();
        const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], {
            cwd: folder,
            env: { ...process.env, TEMPORAL_CLOUD_ENDPOINT: `http://${address}`, TEMPORAL_CLOUD_API_KEY: rootKey },
            timeout: 20_000,
        });
        return JSON.parse(stdout) as unknown;
    };

    test("importing it loads no client and no gRPC of its own", async () => {
        const loaded = await run(`
            require("@pulumi/pulumi");
            const before = new Set(Object.keys(require.cache));
            require("pulumi-temporal-cloud");
            const added = Object.keys(require.cache).filter((file) => !before.has(file));
            console.log(JSON.stringify(added.filter((file) => /grpc-js|nice-grpc[^-]|provider.client|cloudservice|yaml/.test(file))));
        `);
        expect(loaded).toEqual([]);
    });

    test("a program that has looked something up ends by itself, at once", async () => {
        emulator().namespaces.add({ spec: namespaceSpec() });
        const startedAt = Date.now();
        const answer = await run(`
            require("pulumi-temporal-cloud").getNamespaces().then(({ namespaces }) => console.log(JSON.stringify(namespaces[0].id)));
        `);
        expect(answer).toBe(`orders.${emulator().account}`);
        expect(Date.now() - startedAt).toBeLessThan(10_000);
    });
});
