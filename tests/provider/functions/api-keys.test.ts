import { OwnerType } from "../../../proto/generated/temporal/api/cloud/identity/v1/message";
import { getApiKey, getApiKeyOutput, getApiKeys, getApiKeysOutput } from "../../../provider/functions/api-keys";
import { settled, unknown, useEmulator } from "./support";

const emulator = useEmulator();
const expiryTime = { seconds: 1_900_000_000n, nanos: 0 };

test("an API key is found by its id, in the shape of the resource, without its token", async () => {
    const { id } = emulator().apiKeys.add({
        spec: {
            ownerId: "s-1",
            ownerType: OwnerType.OWNER_TYPE_SERVICE_ACCOUNT,
            displayName: "pipeline",
            description: "deploys",
            expiryTime,
            disabled: true,
        },
    });
    const key = await getApiKey({ id });
    expect(key).toEqual({
        id,
        ownerId: "s-1",
        ownerType: "service-account",
        displayName: "pipeline",
        description: "deploys",
        expiryTime: "2030-03-17T17:46:40Z",
        disabled: true,
        state: "active",
        createdTime: expect.any(String),
        lastModifiedTime: expect.any(String),
    });
    await expect(settled(getApiKeyOutput({ id: Promise.resolve(id) }))).resolves.toEqual({ known: true, value: key });
    await expect(settled(getApiKeyOutput({ id: unknown() }))).resolves.toEqual({ known: false });
    await expect(getApiKey({ id: "k-1" })).rejects.toMatchObject({
        failure: "notFound",
        message: expect.stringMatching(/^getApiKey: there is no API key with the id "k-1"\. \(GetApiKey: NOT_FOUND: /),
    });
});

test("an id is required", async () => {
    const message = "getApiKey: `id` is required, as a string that is not empty.";
    await expect(getApiKey({} as never)).rejects.toMatchObject({ failure: "invalid", message });
    await expect(getApiKey({ id: "" })).rejects.toMatchObject({ failure: "invalid", message });
    expect(emulator().requests.count()).toBe(0);
});

test("lists, filtered by the server", async () => {
    const { apiKeys, requests } = emulator();
    for (let index = 0; index < 1100; index += 1) {
        const ownerType = index < 3 ? OwnerType.OWNER_TYPE_USER : OwnerType.OWNER_TYPE_SERVICE_ACCOUNT;
        apiKeys.add({ spec: { ownerId: index < 5 ? "first" : "second", ownerType, expiryTime } });
    }
    expect((await getApiKeys()).apiKeys).toHaveLength(1100);
    expect(requests.byMethod()).toEqual({ GetApiKeys: 2 });
    expect((await getApiKeys({ ownerId: "first" })).apiKeys).toHaveLength(5);
    expect((await getApiKeys({ ownerType: "user" })).apiKeys).toHaveLength(3);
    expect((await getApiKeys({ ownerId: "first", ownerType: "service-account" })).apiKeys).toHaveLength(2);
    await expect(settled(getApiKeysOutput({ ownerId: "nobody" }))).resolves.toMatchObject({ value: { apiKeys: [] } });
    await expect(settled(getApiKeysOutput({ ownerId: unknown() }))).resolves.toEqual({ known: false });
});

test("a type of owner that there is not would be no filter at all", async () => {
    await expect(getApiKeys({ ownerType: "robot" as never })).rejects.toMatchObject({
        name: "LookupError",
        message: 'getApiKeys: `ownerType` must be "user" or "service-account", but is "robot".',
    });
    expect(emulator().requests.count()).toBe(0);
});
