import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Emulator, type EmulatorOptions } from "../../emulator";
import type { CloudServiceClient } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import { OwnerType } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import { AsyncOperation_State as State } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import { connect, errorOf, namespaceSpec } from "./client";

const id = "orders.a1b2c";
const never = Number.POSITIVE_INFINITY;
let folder: string;
let stateFile: string;
beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "emulator-"));
    stateFile = path.join(folder, "state.json");
});
afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
});

/** Runs an emulator on the state file for as long as `use` takes. */
async function run(
    options: EmulatorOptions,
    use: (api: CloudServiceClient, emulator: Emulator) => Promise<void>,
    key?: string,
) {
    const emulator = await Emulator.start({ stateFile, ...options });
    const client = connect(emulator, key);
    try {
        await use(client.api, emulator);
    } finally {
        client.close();
        await emulator.stop();
    }
}

/** A request for a key of a service account that is there. */
function keyRequest(emulator: Emulator) {
    const { id: ownerId } = emulator.serviceAccounts.add({ spec: { name: "worker", access: {} } });
    const expiryTime = { seconds: BigInt(Math.floor(Date.now() / 1000) + 90 * 24 * 3600), nanos: 0 };
    const spec = { ownerId, ownerType: OwnerType.OWNER_TYPE_SERVICE_ACCOUNT, displayName: "key", expiryTime };
    return { asyncOperationId: "key", spec };
}

test("what was there is there after the next start, operations in flight included", async () => {
    let before: unknown;
    await run({ settings: { operationDurationMs: never } }, async (api, emulator) => {
        await api.createNamespace({ spec: namespaceSpec(), asyncOperationId: "create" });
        emulator.finishOperations();
        const { namespace } = await api.getNamespace({ namespace: id });
        const resourceVersion = namespace?.resourceVersion ?? "";
        const spec = namespaceSpec({ retentionDays: 5 });
        await api.updateNamespace({ namespace: id, resourceVersion, asyncOperationId: "update", spec });
        await api.createNamespace({ spec: namespaceSpec({ name: "deleted" }) });
        emulator.addUnknownField("namespaces", id, 900, Buffer.from("new"));
        before = (await api.getNamespace({ namespace: id })).namespace;
    });
    await run({}, async (api, emulator) => {
        expect((await api.getNamespace({ namespace: id })).namespace).toEqual(before);
        const create = await api.getAsyncOperation({ asyncOperationId: "create" });
        expect(create.asyncOperation?.state).toBe(State.STATE_FULFILLED);
        const replayed = await api.createNamespace({ spec: namespaceSpec(), asyncOperationId: "create" });
        expect(replayed.namespace).toBe(id);
        expect((await api.getAsyncOperation({ asyncOperationId: "update" })).asyncOperation?.state).toBe(
            State.STATE_PENDING,
        );
        emulator.finishOperations();
        expect((await api.getNamespace({ namespace: id })).namespace).toMatchObject({
            state: ResourceState.RESOURCE_STATE_ACTIVE,
            spec: { retentionDays: 5 },
        });
        expect((await api.getNamespaces({})).namespaces.map(({ namespace }) => namespace)).toEqual([
            "deleted.a1b2c",
            id,
        ]);
        expect((await api.getProjects({})).projects).toHaveLength(1);
    });
});

test("keys go on working, and neither they nor the root key stand in the file", async () => {
    let token = "";
    const rootKey = "the-root-key";
    await run({ rootKey }, async (api, emulator) => {
        ({ token } = await api.createApiKey(keyRequest(emulator)));
    });
    const text = readFileSync(stateFile, "utf8");
    expect(text).not.toContain(token);
    expect(text).not.toContain(rootKey);
    expect(statSync(stateFile).mode & 0o077).toBe(0);
    await run({}, async (api) => expect(await errorOf(api.getRegions({}))).toBe("OK"), token);
    await run({}, async (api) => expect(await errorOf(api.getRegions({}))).toMatch(/^UNAUTHENTICATED/), rootKey);
});

test.each([true, false])("a CreateApiKey is replayed after the next start, without its token: %s", async (returns) => {
    const settings = { replayedCreateReturnsToken: returns };
    let request: ReturnType<typeof keyRequest> | undefined;
    let keyId = "";
    await run({ settings }, async (api, emulator) => {
        request = keyRequest(emulator);
        ({ keyId } = await api.createApiKey(request));
    });
    await run({ settings }, async (api) => {
        expect(await api.createApiKey(request ?? {})).toMatchObject({ keyId, token: "" });
    });
});

test("what was deleted can be read for as long as the settings say, also after the next start", async () => {
    const settings = { deletedReadableMs: 3_600_000 };
    const state = async (api: CloudServiceClient) => (await api.getNamespace({ namespace: id })).namespace?.state;
    await run({ settings }, async (api) => {
        await api.createNamespace({ spec: namespaceSpec() });
        const { namespace } = await api.getNamespace({ namespace: id });
        await api.deleteNamespace({ namespace: id, resourceVersion: namespace?.resourceVersion ?? "" });
        expect(await state(api)).toBe(ResourceState.RESOURCE_STATE_DELETED);
    });
    await run({ settings }, async (api) => {
        expect(await state(api)).toBe(ResourceState.RESOURCE_STATE_DELETED);
        const now = Date.now();
        const clock = jest.spyOn(Date, "now").mockReturnValue(now + 3_600_000);
        expect(await errorOf(api.getNamespace({ namespace: id }))).toMatch(/^NOT_FOUND/);
        expect((await api.getNamespaces({})).namespaces).toEqual([]);
        clock.mockRestore();
    });
});

test("the file is written a moment after a change, and nothing stays beside it", async () => {
    await run({}, async (api) => {
        await api.createNamespace({ spec: namespaceSpec() });
        while (!readFileSync(stateFile, "utf8").includes("CreateNamespace")) {
            await new Promise((resolve) => setTimeout(resolve, 10));
        }
        expect(readdirSync(folder)).toEqual(["state.json"]);
    });
});

test("a file for another account, one that is broken, and one that cannot be written are refused", async () => {
    await run({ account: "zz9zz" }, async () => {});
    await expect(Emulator.start({ stateFile, account: "a1b2c" })).rejects.toThrow("holds account zz9zz, not a1b2c");
    await run({}, async (_, emulator) => expect(emulator.account).toBe("zz9zz"));
    const whole = JSON.parse(readFileSync(stateFile, "utf8")) as Record<string, unknown>;
    for (const [text, message] of [
        ["{", "cannot be read"],
        ["null", "is not a state file of the emulator"],
        ["{}", "is not a state file of the emulator"],
        [JSON.stringify({ ...whole, format: 2 }), "has format 2, not 1"],
        [JSON.stringify({ ...whole, collections: undefined }), "is damaged: parts of it are missing"],
        [JSON.stringify({ ...whole, collections: { accounts: [{ resource: null }] } }), "is damaged: "],
        [
            JSON.stringify({ ...whole, collections: { ...(whole.collections as object), namespaces: [{}] } }),
            "is damaged: ",
        ],
    ] as const) {
        writeFileSync(stateFile, text);
        await expect(Emulator.start({ stateFile })).rejects.toThrow(message);
        // Longer than a change waits to be written.
        await new Promise((resolve) => setTimeout(resolve, 100));
        expect(readFileSync(stateFile, "utf8")).toBe(text);
    }
    await expect(Emulator.start({ stateFile: path.join(folder, "none", "state.json") })).rejects.toThrow("ENOENT");
    expect(existsSync(path.join(folder, "none"))).toBe(false);
});
