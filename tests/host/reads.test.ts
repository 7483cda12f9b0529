// Many resources read at once, as a refresh does: how many requests that takes, and that none of it is old.

import { Status } from "nice-grpc-common";
import { Emulator } from "../../emulator";
import { type Host, type ReadResult, withHost } from "../support/host";
import type { Kind } from "../support/inputs";
import { configurationOf, resource, up } from "./resources";

/** So many of each kind: more than are read one by one, and than an owner may have keys. */
const EACH = 12;
const LISTS = ["GetNamespaces", "GetUsers", "GetServiceAccounts", "GetApiKeys"];

type Made = Awaited<ReturnType<typeof up>> & { readonly urn: string; readonly kind: Kind };

let emulator: Emulator;
let made: Made[];

beforeAll(async () => {
    emulator = await Emulator.start();
    made = [];
    await inPlugin(async (host) => {
        const make = async (kind: Kind, name: string, args: Parameters<typeof resource>[2]) => {
            const { urn, news } = resource(kind, name, args);
            const one = { kind, urn, ...(await up(host, { urn, news })) };
            made.push(one);
            return one;
        };
        await Promise.all(
            numbers.map(async (number) => {
                await make("Namespace", `orders-${number}`, { regions: ["aws-us-east-1"], apiKeyAuth: true });
                await make("User", `user-${number}`, { email: `user-${number}@example.com`, accountRole: "read" });
                const owner = await make("ServiceAccount", `worker-${number}`, { accountRole: "read" });
                await make("ApiKey", `key-${number}`, { ownerId: owner.id, expiresIn: "90d" });
            }),
        );
    });
});
beforeEach(() => {
    emulator.faults.clear();
    emulator.requests.reset();
});
afterAll(async () => {
    await emulator.stop();
});

/** A plugin process of its own, as every command of the engine has. */
function inPlugin<T>(work: (host: Host) => Promise<T>): Promise<T> {
    return withHost({}, async (host) => {
        await host.configure(configurationOf(emulator));
        return work(host);
    });
}

const readAll = (host: Host): Promise<ReadResult[]> => Promise.all(made.map((one) => host.read(one)));

function one(kind: Kind, number: number): Made {
    const found = made.filter((candidate) => candidate.kind === kind)[number];
    if (found === undefined) {
        throw new Error(`there is no ${kind} ${number}`);
    }
    return found;
}

const numbers = Array.from({ length: EACH }, (_, number) => number);

/** Somebody else gives a namespace another retention period. */
function change({ id }: Made, retentionDays: number): void {
    emulator.namespaces.change(id, ({ spec }) => {
        if (spec) spec.retentionDays = retentionDays;
    });
}

const lists = () => LISTS.map((method) => emulator.requests.count(method));

test("pages serve them, and whoever is missing there is asked for alone", async () => {
    const gone = one("Namespace", 7);
    emulator.namespaces.remove(gone.id);
    await inPlugin(async (host) => {
        const read = await readAll(host);
        expect(read.map(({ id }) => id)).toEqual(made.map((one) => (one === gone ? "" : one.id)));
    });
    expect(emulator.requests.byMethod()).toEqual({
        GetNamespace: 4,
        GetNamespaces: 1,
        GetUser: 3,
        GetUsers: 1,
        GetServiceAccount: 3,
        GetServiceAccounts: 1,
        GetApiKey: 3,
        GetApiKeys: 1,
        // Before it counts as gone: it may be another account's.
        GetAccount: 1,
    });
    made = made.filter((one) => one !== gone);
});

test("where some kinds may not be listed, those are read one by one", async () => {
    emulator.faults.add({
        method: /^Get(Users|ApiKeys)$/,
        kind: "failBefore",
        code: Status.PERMISSION_DENIED,
        times: 99,
    });
    await inPlugin(async (host) => {
        expect((await readAll(host)).map(({ id }) => id)).toEqual(made.map(({ id }) => id));
    });
    expect(lists()).toEqual([1, 1, 1, 1]);
    const { GetNamespace, GetUser, GetServiceAccount, GetApiKey } = emulator.requests.byMethod();
    expect({ GetNamespace, GetUser, GetServiceAccount, GetApiKey }).toEqual({
        GetNamespace: 3,
        GetUser: EACH,
        GetServiceAccount: 3,
        GetApiKey: EACH,
    });
});

test.each<[string, (host: Host) => Promise<unknown>]>([
    [
        "an update",
        async (host) => {
            const { id, urn, properties, inputs } = one("Namespace", 1);
            await host.update({ id, urn, olds: properties, news: { ...inputs, retentionDays: 9 } });
        },
    ],
    [
        "an update that fails",
        async (host) => {
            emulator.faults.add({ method: "UpdateNamespace", kind: "operationEnds" });
            const { id, urn, properties, inputs } = one("Namespace", 2);
            await expect(
                host.update({ id, urn, olds: properties, news: { ...inputs, retentionDays: 9 } }),
            ).rejects.toThrow();
        },
    ],
    ["a create", (host) => up(host, resource("Namespace", "new", { regions: ["aws-us-east-1"], apiKeyAuth: true }))],
    [
        "a delete",
        async (host) => {
            const deleted = one("Namespace", 1);
            await host.delete(deleted);
            made = made.filter((one) => one !== deleted);
        },
    ],
])("after %s of its kind, what has been read is read anew", async (_, write) => {
    await inPlugin(async (host) => {
        const watched = one("Namespace", 8);
        change(watched, 30);
        await readAll(host);
        change(watched, 80);
        // As old as this command is at most.
        await expect(host.read(watched)).resolves.toMatchObject({ properties: { retentionDays: 30 } });
        await write(host);
        await expect(host.read(watched)).resolves.toMatchObject({ properties: { retentionDays: 80 } });
    });
});

test("what is imported is read with the others, and only what differs is looked at again", async () => {
    await inPlugin(async (host) => {
        const args = { regions: ["aws-us-east-1"], apiKeyAuth: true };
        const imported = (number: number, retentionDays: number) => {
            const { id } = one("Namespace", number);
            const name = id.replace(/\..*/, "");
            return up(host, resource("Namespace", name, { ...args, retentionDays }, { importId: id }));
        };
        const days = (number: number) => emulator.namespaces.get(one("Namespace", number).id)?.spec?.retentionDays;
        const there = numbers.slice(0, made.filter(({ kind }) => kind === "Namespace").length);
        const declared = there.map((number) => days(number) ?? 0);
        const taken = await Promise.all(there.map((number) => imported(number, declared[number] ?? 0)));
        expect(taken.map(({ properties }) => properties.retentionDays)).toEqual(declared);
        expect(emulator.requests.byMethod()).toEqual({ GetAccount: 1, GetNamespace: 3, GetNamespaces: 1 });

        // Somebody else has changed it since the list was read: what is written is laid over that.
        emulator.requests.reset();
        const stale = one("Namespace", 5);
        emulator.namespaces.change(stale.id, ({ spec }) => {
            if (spec) spec.description = "changed elsewhere";
        });
        await expect(imported(5, 44)).resolves.toMatchObject({
            properties: { retentionDays: 44, description: "changed elsewhere" },
        });
        expect(emulator.namespaces.get(stale.id)?.spec).toMatchObject({
            retentionDays: 44,
            description: "changed elsewhere",
        });
        expect(emulator.requests.count("UpdateNamespace")).toBe(2);
    });
});

test.each([
    ["soon", 0],
    ["late", 600_000],
])(
    "while requests wait for their turn, and lists show %s what has changed, as much is read at once",
    async (_, lagMs) => {
        const USERS = 80;
        const limited = await Emulator.start({ settings: { requestsPerSecond: 40 } });
        // Nor does it matter where it is a page that is refused: it does not wait behind all writes once more.
        limited.faults.add({ method: "GetUsers", kind: "failBefore", code: Status.RESOURCE_EXHAUSTED });
        /** The reads for each user. */
        const reads = () => (limited.requests.count("GetUser") + limited.requests.count("GetUsers")) / USERS;
        try {
            await withHost({}, async (host) => {
                await host.configure(configurationOf(limited));
                const made = await Promise.all(
                    Array.from({ length: USERS }, async (_, number) => {
                        const email = `user-${number}@example.com`;
                        const { urn, news } = resource("User", `user-${number}`, { email, accountRole: "read" });
                        return { urn, email, ...(await up(host, { urn, news })) };
                    }),
                );
                expect(new Set(made.map(({ id }) => id)).size).toBe(USERS);
                for (const { email, properties } of made) {
                    expect(properties).toMatchObject({ email, state: "active" });
                }
                expect(reads()).toBeLessThan(0.5);

                limited.settings.listLagMs = lagMs;
                limited.requests.reset();
                const updated = await Promise.all(
                    made.map(({ id, urn, properties, inputs }) =>
                        host.update({ id, urn, olds: properties, news: { ...inputs, accountRole: "developer" } }),
                    ),
                );
                for (const properties of updated) {
                    expect(properties).toMatchObject({ accountRole: "developer" });
                }
                // Each reads before it writes, and afterwards.
                expect(reads()).toBeLessThan(lagMs === 0 ? 1 : 2.5);
                expect(limited.requests.count("UpdateUser")).toBeLessThan(USERS + 10);

                limited.requests.reset();
                await Promise.all(made.map((one) => host.delete(one)));
                expect(limited.users.list().filter(({ spec }) => spec?.email.startsWith("user-"))).toEqual([]);
                expect(reads()).toBeLessThan(lagMs === 0 ? 0.5 : 3);
            });
        } finally {
            await limited.stop();
        }
    },
);

test("what an old list shows of an earlier failure is not taken for that of the update", async () => {
    const NAMESPACES = 24;
    const busy = await Emulator.start();
    try {
        await withHost({}, async (host) => {
            // So few that requests wait, and reads share a list.
            await host.configure(configurationOf(busy, { "temporalcloud:requestsPerSecond": "60" }));
            const made = await Promise.all(
                Array.from({ length: NAMESPACES }, async (_, number) => {
                    const args = { regions: ["aws-us-east-1"], apiKeyAuth: true };
                    const { urn, news } = resource("Namespace", `orders-${number}`, args);
                    return { urn, ...(await up(host, { urn, news })) };
                }),
            );
            const provision = (value: number) =>
                Promise.allSettled(
                    made.map(({ id, urn, properties, inputs }) => {
                        const news = { ...inputs, capacity: { mode: "provisioned", value } };
                        return host.update({ id, urn, olds: properties, news });
                    }),
                );
            busy.faults.add({ method: "UpdateNamespace", kind: "capacityFails", times: NAMESPACES });
            expect((await provision(4)).filter(({ status }) => status === "rejected")).toHaveLength(NAMESPACES);
            busy.settings.listLagMs = 600_000;
            const before = busy.requests.count("GetNamespaces");
            expect((await provision(2)).filter(({ status }) => status === "rejected")).toEqual([]);
            expect(busy.requests.count("GetNamespaces")).toBeGreaterThan(before);
        });
    } finally {
        await busy.stop();
    }
});
