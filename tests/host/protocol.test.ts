// What Pulumi's dynamic host asks of a provider, and what it makes of the answers.

import { Emulator } from "../../emulator";
import { API_VERSION } from "../../proto/generated/version";
import { type Host, startHost, UNKNOWN, withHost } from "../support/host";
import { type Kind, providerText, urnOf } from "../support/inputs";
import { until } from "../support/until";
import { configurationOf, errorOf, namespace, resource, up } from "./resources";

const settings = { operationDurationMs: 0, checkDurationMs: 100, duplicateNameFrom: "call" } as const;

let emulator: Emulator;
let host: Host;

beforeAll(async () => {
    emulator = await Emulator.start({ settings });
    host = await startHost();
    await host.configure(configurationOf(emulator));
});
afterAll(async () => {
    await host?.close();
    await emulator?.stop();
});
afterEach(() => {
    emulator.faults.clear();
    Object.assign(emulator.settings, settings);
});

test("the text that every state holds is short, and is echoed by every method", async () => {
    const { urn, news } = namespace("echo");
    expect(news.__provider).toBe('exports.handler = () => require("pulumi-temporal-cloud/plugin").namespace;');
    const { id, inputs, properties } = await up(host, { urn, news });
    const read = await host.read({ id, urn, properties });
    const updated = await host.update({ id, urn, olds: properties, news: { ...inputs, retentionDays: 7 } });
    for (const bag of [inputs, properties, read.properties, read.inputs, updated]) {
        expect(bag?.__provider).toBe(news.__provider);
        expect(Buffer.byteLength(String(bag?.__provider))).toBeLessThan(200);
    }
    await host.delete({ id, urn, properties: updated });
});

test("a life", async () => {
    const { urn, news } = namespace("life", { retentionDays: 7, tags: { team: "a" } });
    const { id, inputs, properties } = await up(host, { urn, news });
    expect(id).toBe("life.a1b2c");
    expect(inputs).toEqual({ ...news, name: "life" });
    expect(properties).toMatchObject({
        ...inputs,
        __managed: "name regions retentionDays apiKeyAuth tags",
        deleteProtection: false,
        activeRegion: "aws-us-east-1",
        state: "active",
        endpoints: { grpcAddress: "us-east-1.aws.api.temporal.io:7233" },
    });

    await expect(host.diff({ id, urn, olds: properties, news: inputs })).resolves.toEqual({
        changes: "none",
        replaces: [],
        deleteBeforeReplace: true,
    });
    await expect(host.read({ id, urn, properties })).resolves.toEqual({ id, properties, inputs });

    emulator.namespaces.change(id, ({ spec }) => {
        if (spec) spec.retentionDays = 60;
    });
    const drifted = await host.read({ id, urn, properties });
    expect(drifted).toMatchObject({ inputs: { ...inputs, retentionDays: 60 }, properties: { retentionDays: 60 } });
    const drift = await host.diff({ id, urn, olds: drifted.properties, news: inputs });
    expect(drift).toMatchObject({ changes: "some", replaces: [] });
    const repaired = await host.update({ id, urn, olds: drifted.properties, news: inputs });
    expect(repaired).toMatchObject({ retentionDays: 7 });
    expect(emulator.namespaces.get(id)?.spec?.retentionDays).toBe(7);

    const renamed = { ...inputs, name: "other" };
    await expect(host.diff({ id, urn, olds: repaired, news: renamed })).resolves.toEqual({
        changes: "some",
        replaces: ["name"],
        deleteBeforeReplace: false,
    });

    await host.delete({ id, urn, properties: repaired });
    expect(emulator.namespaces.get(id)).toBeUndefined();
    // Gone already is as good.
    await expect(host.delete({ id, urn, properties: repaired })).resolves.toBeUndefined();
    await expect(host.read({ id, urn, properties: repaired })).resolves.toMatchObject({ id: "" });
});

test("a read of what was never described, as `.get` makes it, needs nothing but the id", async () => {
    const { namespace: id } = emulator.namespaces.add({
        spec: {
            name: "found",
            retentionDays: 14,
            replicas: [{ region: "aws-us-west-2" }],
            apiKeyAuth: { enabled: true },
        },
    });
    const urn = urnOf("Namespace", "found");
    const read = await host.read({ id, urn, properties: { __provider: providerText("Namespace") } });
    expect(read).toMatchObject({
        id,
        properties: { name: "found", retentionDays: 14, regions: ["aws-us-west-2"], deleteProtection: false },
        inputs: { name: "found", retentionDays: 14, regions: ["aws-us-west-2"], apiKeyAuth: true },
    });
    expect(read.inputs).not.toHaveProperty("deleteProtection");
});

test("`.get()` of what is not there is an error, a refresh of what has been deleted is not", async () => {
    const properties = { __provider: providerText("Namespace") };
    const urn = urnOf("Namespace", "missing");
    const error = await errorOf(host.read({ id: "missing.a1b2c", urn, properties }));
    expect(error.message).toContain(
        'there is no Namespace "missing.a1b2c". Check the id, and that the API key\'s owner may see it.',
    );
    const { namespace: id } = emulator.namespaces.add({
        spec: { name: "missing", replicas: [{ region: "aws-us-east-1" }], apiKeyAuth: { enabled: true } },
    });
    const read = await host.read({ id, urn, properties });
    emulator.namespaces.remove(id);
    // In another process, which has no list from before.
    await withHost({}, async (refreshing) => {
        await refreshing.configure(configurationOf(emulator));
        const again = { id, urn, properties: read.properties };
        await expect(refreshing.read(again)).resolves.toMatchObject({ id: "" });
    });
});

test("a namespace of a name that somebody else has, which the operation finds out, is none of ours", async () => {
    emulator.settings.duplicateNameFrom = "operation";
    const { namespace: id } = emulator.namespaces.add({
        spec: { name: "theirs", replicas: [{ region: "aws-us-east-1" }], apiKeyAuth: { enabled: true } },
    });
    const error = await errorOf(up(host, namespace("theirs")));
    expect(error.message).toContain('a Namespace "theirs" already exists (id theirs.a1b2c), and no recent operation');
    expect(error.message).toContain("Nothing was changed.");
    // Nothing for the state, from which it would be deleted.
    expect(error.initFailed).toBeUndefined();
    expect(emulator.namespaces.get(id)).toBeDefined();
});

test("what was made anew elsewhere under its name is left alone until a refresh has shown it", async () => {
    const { urn, news } = namespace("anew", { retentionDays: 7 });
    const { id, inputs, properties } = await up(host, { urn, news });
    emulator.namespaces.change(id, (theirs) => {
        theirs.createdTime = { seconds: BigInt(Math.round(Date.now() / 1000) + 3_600), nanos: 0 };
        if (theirs.spec) theirs.spec.description = "Theirs";
    });
    const before = emulator.namespaces.get(id);
    const another = /deleted outside this stack, and recreated on 20.*Nothing was changed\..*`pulumi refresh`/;
    await expect(host.update({ id, urn, olds: properties, news: { ...inputs, retentionDays: 9 } })).rejects.toThrow(
        another,
    );
    await expect(host.delete({ id, urn, properties })).rejects.toThrow(another);
    expect(emulator.namespaces.get(id)).toEqual(before);

    const read = await host.read({ id, urn, properties });
    await until("the warning", () =>
        host.logs.some(({ message }) => message.includes("was deleted outside this stack, and recreated on 20")),
    );
    await host.update({ id, urn, olds: read.properties, news: { ...inputs, retentionDays: 9 } });
    await host.delete({ id, urn, properties: read.properties });
    expect(emulator.namespaces.get(id)).toBeUndefined();
});

test("an existing resource is taken over by its id, and by `adopt`", async () => {
    for (const [name, context] of [
        ["imported", { importId: "imported.a1b2c" }],
        ["adopted", { adopt: true }],
    ] as const) {
        const { namespace: id } = emulator.namespaces.add({
            spec: { name, retentionDays: 14, replicas: [{ region: "aws-us-east-1" }], apiKeyAuth: { enabled: true } },
        });
        const created = await up(host, namespace(name, { retentionDays: 14 }, context));
        expect(created).toMatchObject({ id, properties: { retentionDays: 14 } });
    }
    const taken = await errorOf(up(host, namespace("second", { name: "imported" })));
    expect(taken.message).toMatch(/"imported" already exists .*another resource of this program .*::imported\)/);
});

test("values that are not known at preview", async () => {
    const { urn, news } = namespace("preview");
    const { id, inputs, properties } = await up(host, { urn, news });
    for (const unknown of [
        { retentionDays: UNKNOWN },
        { name: UNKNOWN },
        { regions: UNKNOWN },
        { regions: ["aws-us-east-1", UNKNOWN] },
        { tags: { a: UNKNOWN } },
        { mtlsAuth: { acceptedClientCa: UNKNOWN } },
    ]) {
        const checked = await host.check({ urn, olds: inputs, news: { ...news, ...unknown } });
        expect(checked).toMatchObject({ failures: [], inputs: unknown });
        const diff = await host.diff({ id, urn, olds: properties, news: checked.inputs });
        expect(diff).toMatchObject({ changes: "some", replaces: [] });
    }
    // A program whose configuration is not known yet has no text for the provider either.
    const olds = properties;
    await expect(host.check({ urn, olds, news: { ...news, __provider: UNKNOWN } })).resolves.toMatchObject({
        failures: [],
    });
});

test("what is wrong is said by property, before anything is sent", async () => {
    emulator.requests.reset();
    const { urn, news } = namespace("Wrong-", { retentionDays: 91, regions: [], retention: 3, tags: { A: "" } });
    const { failures } = await host.check({ urn, news });
    expect(failures.map(({ reason }) => reason).sort()).toEqual([
        expect.stringMatching(/^`name` must be 2 to 39.*defaults to the logical name/),
        "`regions` must list at least one region, for example aws-us-east-1.",
        "`retentionDays` must be a whole number from 1 to 90, but is 91.",
        expect.stringMatching(/^`retention` is not a known property\. Did you mean "retentionDays"/),
        expect.stringMatching(/^`tags\["A"\]` must be/),
        expect.stringMatching(/^`tags\["A"\]` must be/),
    ]);
    // The engine would print their values, which may be secrets.
    expect(failures.map(({ property }) => property).join("")).toBe("");
    expect(emulator.requests.count()).toBe(0);
});

test("changing only the timeouts changes nothing", async () => {
    const { urn, news } = namespace("timeouts");
    const { id, properties } = await up(host, { urn, news });
    const later = namespace("timeouts", {}, { timeouts: { create: "1h", update: "5m" } });
    const { inputs } = await host.check({ urn, olds: properties, news: later.news });
    await expect(host.diff({ id, urn, olds: properties, news: inputs })).resolves.toMatchObject({ changes: "none" });
});

test("a create that runs out of time says what becomes of it, and keeps what it made", async () => {
    emulator.settings.operationDurationMs = Number.POSITIVE_INFINITY;
    const { urn, news } = namespace("slow", {}, { timeouts: { create: "300ms", update: "10s" } });
    const error = await errorOf(up(host, { urn, news }));
    expect(error.message).toMatch(/was not finished after .*customTimeouts.*continues in Temporal Cloud/);
    expect(error.initFailed).toMatchObject({
        id: "slow.a1b2c",
        properties: { __provider: news.__provider, name: "slow" },
        reasons: [error.message],
    });
    emulator.settings.operationDurationMs = 0;
    emulator.finishOperations();
    const olds = error.initFailed?.properties ?? {};
    const updated = await host.update({ id: "slow.a1b2c", urn, olds, news: { ...news, name: "slow" } });
    expect(updated).toMatchObject({ state: "active" });
    await host.delete({ id: "slow.a1b2c", urn, properties: updated });
});

test.each(["FAILED", "REJECTED", "CANCELLED"] as const)(
    "a create whose operation ends %s leaves what is needed to replace and to delete it",
    async (state) => {
        emulator.faults.add({ method: "CreateNamespace", kind: "operationEnds", state, reason: "no capacity left" });
        const name = state.toLowerCase();
        const { urn, news } = namespace(name);
        const error = await errorOf(up(host, { urn, news }));
        expect(error.message).toMatch(new RegExp(`ended ${state}: no capacity left.*next \`pulumi up\` replaces it`));
        const id = `${name}.a1b2c`;
        const { properties = {}, reasons } = error.initFailed ?? {};
        expect(error.initFailed?.id).toBe(id);
        expect(reasons).toEqual([error.message]);
        expect(properties).toMatchObject({ __provider: news.__provider, __context: news.__context, name });
        await expect(host.diff({ id, urn, olds: properties, news: { ...news, name } })).resolves.toMatchObject({
            changes: "some",
            replaces: ["id"],
            deleteBeforeReplace: true,
        });
        await host.delete({ id, urn, properties });
        expect(emulator.namespaces.get(id)).toBeUndefined();
    },
);

test("an update that fails half way keeps what was done", async () => {
    const { urn, news } = namespace("half");
    const { id, properties } = await up(host, { urn, news });
    emulator.faults.add({ method: "UpdateNamespaceTags", kind: "operationEnds", state: "FAILED", reason: "no" });
    const wanted = { ...news, name: "half", retentionDays: 5, tags: { a: "1" } };
    const error = await errorOf(host.update({ id, urn, olds: properties, news: wanted }));
    expect(error.initFailed).toMatchObject({
        id,
        properties: { __provider: news.__provider, retentionDays: 5, tags: {} },
        reasons: [expect.stringContaining("ended FAILED: no")],
    });
    const olds = error.initFailed?.properties ?? {};
    await expect(host.diff({ id, urn, olds, news: wanted })).resolves.toMatchObject({ changes: "some" });
    await expect(host.update({ id, urn, olds, news: wanted })).resolves.toMatchObject({ tags: { a: "1" } });
});

test("what takes its time shows on the resource's own row, and goes again", async () => {
    emulator.settings.operationDurationMs = 3_000;
    const { urn, news } = namespace("watched");
    const before = host.logs.length;
    await up(host, { urn, news });
    const shown = host.logs.slice(before).filter((message) => message.urn === urn);
    expect(shown.map(({ message }) => message)).toEqual([expect.stringMatching(/^creating \(\d s\)$/)]);
    expect(shown.every(({ ephemeral, severity }) => ephemeral && severity === "info")).toBe(true);
});

test("a warning is no status: it stays", async () => {
    const { urn, news } = namespace("warned", { searchAttributes: { Customer: "keyword" } });
    const { id, properties } = await up(host, { urn, news });
    const { searchAttributes: _, ...fewer } = news;
    await host.diff({ id, urn, olds: properties, news: { ...fewer, name: "warned" } });
    await eventually(() => host.logs.some(({ urn: of, severity }) => of === urn && severity === "warning"));
    const [warning] = host.logs.filter(({ urn: of, severity }) => of === urn && severity === "warning");
    expect(warning).toMatchObject({ ephemeral: false, message: expect.stringContaining('"Customer" stays') });
});

test("every kind goes through the same life", async () => {
    const account = await up(host, resource("ServiceAccount", "worker", { accountRole: "read" }));
    const kinds: [Kind, string, Parameters<typeof resource>[2], Parameters<typeof resource>[2]][] = [
        ["User", "ann", { email: "ann@example.com", accountRole: "read" }, { accountRole: "developer" }],
        ["ServiceAccount", "bot", { accountRole: "read" }, { description: "changed" }],
        ["ApiKey", "key", { ownerId: account.id, expiresIn: "90d" }, { description: "changed" }],
    ];
    for (const [kind, name, args, change] of kinds) {
        const { urn, news } = resource(kind, name, args);
        const { id, inputs, properties } = await up(host, { urn, news });
        expect(JSON.parse(JSON.stringify(properties))).toEqual(properties);
        await expect(host.diff({ id, urn, olds: properties, news: inputs })).resolves.toMatchObject({
            changes: "none",
        });
        await expect(host.read({ id, urn, properties })).resolves.toEqual({ id, properties, inputs });
        const updated = await host.update({ id, urn, olds: properties, news: { ...inputs, ...change } });
        expect(updated).toMatchObject({ ...change, __provider: providerText(kind) });
        await host.delete({ id, urn, properties: updated });
        await host.delete({ id, urn, properties: updated });
        await expect(host.read({ id, urn, properties: updated })).resolves.toMatchObject({ id: "" });
    }
});

test("every request names the version of the API and whose it is", () => {
    expect(API_VERSION).toMatch(/^v\d/);
    expect(new Set(emulator.requests.all.map(({ apiVersion }) => apiVersion))).toEqual(new Set([API_VERSION]));
    expect(emulator.requests.all.filter(({ principal }) => principal === "")).toEqual([]);
});

async function eventually(condition: () => boolean): Promise<void> {
    for (let tries = 0; tries < 100 && !condition(); tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}
