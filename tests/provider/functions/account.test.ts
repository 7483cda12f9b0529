import { AccountAccess_Role, OwnerType } from "../../../proto/generated/temporal/api/cloud/identity/v1/message";
import { getAccount, getAccountOutput } from "../../../provider/functions/account";
import { getCurrentIdentity, getCurrentIdentityOutput } from "../../../provider/functions/current-identity";
import { getRegion, getRegionOutput, getRegions, getRegionsOutput } from "../../../provider/functions/regions";
import { connect } from "../../emulator/client";
import { configure, disconnect, settingsFor, settled, unknown, useEmulator } from "./support";

const emulator = useEmulator({ account: "z9y8x", settings: { regions: ["aws-us-east-1", "gcp-us-west1", "moon-1"] } });

test("the account", async () => {
    const nothing = { uri: undefined, acceptedClientCa: undefined };
    const account = {
        id: "z9y8x",
        state: "active",
        metrics: nothing,
        authenticationSettings: { restrictSessionLifetimes: false },
    };
    await expect(getAccount()).resolves.toEqual(account);
    emulator().accounts.change("z9y8x", (live) => {
        live.metrics = { uri: "https://z9y8x.tmprl.cloud/prometheus", _unknownFields: {} };
        live.spec = {
            metrics: { acceptedClientCa: Buffer.from("-----BEGIN CERTIFICATE-----") },
            authenticationSettings: { restrictSessionLifetimes: true },
        };
    });
    const changed = {
        id: "z9y8x",
        state: "active",
        metrics: { uri: "https://z9y8x.tmprl.cloud/prometheus", acceptedClientCa: "-----BEGIN CERTIFICATE-----" },
        authenticationSettings: { restrictSessionLifetimes: true },
    };
    await expect(getAccount()).resolves.toEqual(changed);
    await expect(settled(getAccountOutput())).resolves.toEqual({ known: true, value: changed });
});

test("regions", async () => {
    const virginia = {
        id: "aws-us-east-1",
        cloudProvider: "aws",
        cloudProviderRegion: "us-east-1",
        location: "us-east-1",
    };
    const { regions } = await getRegions();
    expect(regions.map(({ id, cloudProvider }) => [id, cloudProvider])).toEqual([
        ["aws-us-east-1", "aws"],
        ["gcp-us-west1", "gcp"],
        ["moon-1", undefined],
    ]);
    expect(regions[0]).toEqual(virginia);
    await expect(getRegion({ id: "aws-us-east-1" })).resolves.toEqual(virginia);
    await expect(settled(getRegionsOutput().regions)).resolves.toMatchObject({ value: [virginia, {}, {}] });
    await expect(settled(getRegionOutput({ id: "aws-us-east-1" }))).resolves.toMatchObject({ value: virginia });
    await expect(settled(getRegionOutput({ id: unknown() }))).resolves.toEqual({ known: false });
    await expect(getRegion({ id: "aws-mars-1" })).rejects.toMatchObject({
        failure: "notFound",
        message: expect.stringMatching(/^getRegion: there is no region with the id "aws-mars-1"\. \(GetRegion: NOT_F/),
    });
});

test("whom the key acts for: a service account", async () => {
    await expect(getCurrentIdentity()).resolves.toEqual({
        kind: "service-account",
        id: expect.any(String),
        email: undefined,
        name: "root",
        accountRole: "admin",
        apiKey: undefined,
    });
});

test("whom the key acts for: a user", async () => {
    emulator().settings.rootPrincipal = "user";
    const identity = await getCurrentIdentity();
    expect(identity).toMatchObject({ kind: "user", email: "owner@z9y8x.example", accountRole: "owner" });
    await expect(settled(getCurrentIdentityOutput().email)).resolves.toEqual({ known: true, value: identity.email });
});

test("whom the key acts for: with the key, but not its token", async () => {
    const { api, close } = connect(emulator());
    const account = { accountAccess: { role: AccountAccess_Role.ROLE_DEVELOPER } };
    const { serviceAccountId: ownerId } = await api.createServiceAccount({ spec: { name: "ci", access: account } });
    const expiryTime = { seconds: BigInt(Math.floor(Date.now() / 1000) + 90 * 86_400), nanos: 0 };
    const { keyId, token } = await api.createApiKey({
        spec: { ownerId, ownerType: OwnerType.OWNER_TYPE_SERVICE_ACCOUNT, displayName: "pipeline", expiryTime },
    });
    close();
    emulator().finishOperations();
    const settings = { ...settingsFor(emulator()), apiKey: token };
    configure(settings);
    const identity = await getCurrentIdentity();
    expect(identity).toEqual({
        kind: "service-account",
        id: ownerId,
        email: undefined,
        name: "ci",
        accountRole: "developer",
        apiKey: {
            id: keyId,
            displayName: "pipeline",
            expiryTime: new Date(Number(expiryTime.seconds) * 1000).toISOString().replace(".000Z", "Z"),
        },
    });
    expect(JSON.stringify(identity)).not.toContain(token);
    disconnect(settings);
});
