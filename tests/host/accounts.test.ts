// A key of another account than the one that the resources are in: nothing of them is to be found there, and still nothing
// counts as gone.

import { Status } from "nice-grpc-common";
import { Emulator } from "../../emulator";
import type { Host, Properties } from "../support/host";
import { withHost } from "../support/host";
import type { Kind } from "../support/inputs";
import { configurationOf, errorOf, namespace, resource, up } from "./resources";

let emulator: Emulator;
let other: Emulator;

beforeAll(async () => {
    const settings = { checkDurationMs: 100 };
    emulator = await Emulator.start({ settings });
    other = await Emulator.start({ settings, account: "zz9zz" });
});
afterAll(async () => {
    await emulator?.stop();
    await other?.stop();
});
beforeEach(() => {
    emulator.requests.reset();
    other.requests.reset();
});

function at<T>(account: Emulator, body: (host: Host) => Promise<T>): Promise<T> {
    return withHost({}, async (host) => {
        await host.configure(configurationOf(account));
        return body(host);
    });
}

/** A resource of each kind, as an `up` leaves them. */
async function made(host: Host, name: string): Promise<[Kind, { urn: string; id: string; properties: Properties }][]> {
    const args: [Kind, (ownerId: string) => Properties][] = [
        ["ServiceAccount", () => ({ accountRole: "read" })],
        ["Namespace", () => ({ regions: ["aws-us-east-1"], apiKeyAuth: true })],
        ["User", () => ({ email: `${name}@example.com`, accountRole: "read" })],
        ["ApiKey", (ownerId) => ({ ownerId, expiresIn: "90d" })],
    ];
    const all: Awaited<ReturnType<typeof made>> = [];
    for (const [kind, argsOf] of args) {
        const it = resource(kind, name, argsOf(all[0]?.[1].id ?? ""));
        all.push([kind, { urn: it.urn, ...(await up(host, it)) }]);
    }
    return all;
}

test("neither a refresh, nor an update, nor a delete takes a resource for gone that is in another account", async () => {
    const all = await at(emulator, (host) => made(host, "elsewhere"));
    expect(all.map(([, { properties }]) => properties.__account)).toEqual(["a1b2c", "a1b2c", "a1b2c", "a1b2c"]);
    await at(other, async (host) => {
        for (const [kind, { id, urn, properties }] of all) {
            const calls: [string, Promise<unknown>][] = [
                ["read", host.read({ id, urn, properties })],
                ["updated", host.update({ id, urn, olds: properties, news: properties })],
                ["deleted", host.delete({ id, urn, properties })],
            ];
            for (const [what, call] of calls) {
                const { message, initFailed } = await errorOf(call);
                expect(message).toContain(
                    `${kind} "elsewhere" (${id}) could not be ${what}: it is in the account "a1b2c", and the API key ` +
                        'belongs to "zz9zz". Nothing was changed.',
                );
                expect(message).toContain(`pulumi state delete '${urn}'`);
                expect(initFailed).toBeUndefined();
            }
        }
    });
    expect(other.requests.count("GetAccount")).toBe(1);
    expect(Object.keys(other.requests.byMethod()).filter((rpc) => !rpc.startsWith("Get"))).toEqual([]);
});

test("in its own account, what is gone is gone", async () => {
    await at(emulator, async (host) => {
        const all = await made(host, "gone");
        for (const [, { id, urn, properties }] of all.toReversed()) {
            await host.delete({ id, urn, properties });
            expect((await host.read({ id, urn, properties })).id).toBe("");
            await host.delete({ id, urn, properties });
        }
    });
    expect(emulator.requests.count("GetAccount")).toBe(1);
});

test("what an earlier version has made, or an import has brought, is noted as soon as it is read", async () => {
    await at(emulator, async (host) => {
        const { urn, news } = namespace("earlier");
        const { id, properties } = await up(host, { urn, news });
        const { __account, ...earlier } = properties;
        for (const old of [earlier, { __provider: properties.__provider as string }]) {
            const read = await host.read({ id, urn, properties: old });
            expect(read.properties.__account).toBe("a1b2c");
            expect(read.inputs).not.toHaveProperty("__account");
        }
        const updated = await host.update({
            id,
            urn,
            olds: earlier,
            news: { ...news, name: "earlier", retentionDays: 7 },
        });
        expect(updated.__account).toBe("a1b2c");
        expect((await host.read({ id, urn, properties: updated })).properties).toEqual(updated);
    });
});

test("a key that may not ask for its account works none the less, and asks once", async () => {
    emulator.faults.add({
        method: "GetAccount",
        kind: "failBefore",
        code: Status.PERMISSION_DENIED,
        times: Number.POSITIVE_INFINITY,
    });
    await at(emulator, async (host) => {
        const { urn, news } = namespace("denied");
        const { id, properties } = await up(host, { urn, news });
        expect(properties).not.toHaveProperty("__account");
        const noted = { ...properties, __account: "zz9zz" };
        expect((await host.read({ id, urn, properties: noted })).id).toBe(id);
        await host.delete({ id, urn, properties });
        for (let read = 0; read < 3; read += 1) {
            expect((await host.read({ id, urn, properties: noted })).id).toBe("");
        }
    });
    expect(emulator.requests.count("GetAccount")).toBe(1);
});
