// Lookups in programs that the real engine runs: what is known at preview and what is not, and which account is asked.

import * as pulumi from "@pulumi/pulumi";
import * as temporalcloud from "pulumi-temporal-cloud";
import { Emulator } from "../../../emulator";
import { namespaceSpec } from "../../emulator/client";
import { withStack } from "../../support/engine";
import { settled } from "./support";

jest.setTimeout(120_000);

let emulator: Emulator;
let other: Emulator;

beforeAll(async () => {
    emulator = await Emulator.start();
    other = await Emulator.start({ account: "other" });
});

afterAll(async () => {
    await emulator.stop();
    await other.stop();
});

/** How a transform refers to a provider. */
const REFERENCE = "urn:pulumi:stack::project::pulumi:providers:pulumi-nodejs::staging::1234";

class BareProvider extends pulumi.ProviderResource {}

class Shop extends pulumi.ComponentResource {
    readonly orders: temporalcloud.Namespace;

    constructor(name: string) {
        super("example:index:Shop", name);
        this.orders = new temporalcloud.Namespace(
            "orders",
            { regions: ["aws-us-east-1"], apiKeyAuth: true },
            { parent: this },
        );
    }
}

test("what depends on a resource that is yet to be created is unknown at preview, and looked up at up", async () => {
    let seen: Record<string, unknown> = {};
    const program = async () => {
        const { regions } = await temporalcloud.getRegions();
        const shop = new Shop("shop");
        const { orders } = shop;
        // Nobody waits for this one.
        void temporalcloud.getAccount().then(({ id }) => {
            new temporalcloud.Namespace(`late-${id}`, { regions: ["aws-us-east-1"], apiKeyAuth: true });
        });
        const byId = temporalcloud.getNamespaceOutput({ id: orders.id });
        seen = {
            region: regions.some(({ id }) => id === "aws-us-east-1"),
            byId: await settled(byId.endpoints.grpcAddress),
            // The name is known at preview; that there will be a namespace of that name does not mean that there is.
            byName: await settled(temporalcloud.getNamespaceOutput({ name: orders.name }).id),
            after: await settled(temporalcloud.getNamespacesOutput({ name: "orders" }, { dependsOn: orders })),
            afterComponent: await settled(
                temporalcloud.getNamespacesOutput({ name: "orders" }, { dependsOn: [shop] }).namespaces,
            ),
            // The id of what is read by an id that is not known yet.
            throughGet: await settled(
                temporalcloud.getNamespaceOutput({ id: temporalcloud.Namespace.get("read", orders.id).id }).id,
            ),
            independent: await settled(temporalcloud.getAccountOutput().id),
            secret: await pulumi.isSecret(temporalcloud.getNamespaceOutput({ id: pulumi.secret(orders.id) })),
        };
        return { address: byId.endpoints.grpcAddress, id: pulumi.secret(orders.id) };
    };
    const unknown = { known: false };
    const config = { "temporalcloud:apiKey": { secret: emulator.rootKey } };
    await withStack({ emulator, program, config }, async (stack) => {
        await stack.preview();
        expect(seen).toEqual({
            region: true,
            byId: unknown,
            byName: unknown,
            after: unknown,
            afterComponent: unknown,
            throughGet: unknown,
            independent: { known: true, value: "a1b2c" },
            secret: true,
        });
        expect(emulator.requests.count("GetNamespace") + emulator.requests.count("GetNamespaces")).toBe(0);

        const created = await stack.up();
        expect(created.ops("late-a1b2c")).toEqual(["create"]);
        const address = emulator.namespaces.get("orders.a1b2c")?.endpoints?.grpcAddress;
        expect(seen).toMatchObject({
            byId: { known: true, value: address },
            byName: { known: true, value: "orders.a1b2c" },
            after: { known: true, value: { namespaces: [{ id: "orders.a1b2c" }] } },
            afterComponent: { known: true, value: [{ id: "orders.a1b2c" }] },
            throughGet: { known: true, value: "orders.a1b2c" },
        });
        await expect(stack.outputs()).resolves.toEqual({ address, id: "orders.a1b2c" });

        const preview = await stack.preview();
        expect(preview.changes).toMatchObject({ same: expect.any(Number) });
        expect(seen).toMatchObject({ byId: { known: true, value: address } });
        expect(stack.stateFiles()).not.toContain(emulator.rootKey);
    });
});

test("an explicit provider, the parent's, and one whose configuration is not known yet", async () => {
    other.namespaces.add({ spec: namespaceSpec({ name: "theirs" }) });
    let seen: Record<string, unknown> = {};
    const program = async () => {
        const settings = {
            endpoint: other.address,
            allowInsecure: true,
            apiKey: pulumi.secret(other.rootKey),
        };
        const provider = new temporalcloud.Provider("explicit", { ...settings, allowedAccountId: "other" });
        const bare = new BareProvider("pulumi-nodejs", "bare", {
            "temporalcloud:endpoint": `http://${other.address}`,
            "temporalcloud:apiKey": pulumi.secret(other.rootKey),
        });
        const parent = new pulumi.ComponentResource("example:index:Team", "team", {}, { providers: [provider] });
        const wrong = new temporalcloud.Provider("wrong", { ...settings, allowedAccountId: "a1b2c" });
        const first = new temporalcloud.Namespace("first", { regions: ["aws-us-east-1"], apiKeyAuth: true });
        const late = new temporalcloud.Provider("late", {
            ...settings,
            allowedAccountId: first.id.apply((id) => (id === "first.a1b2c" ? "other" : "none")),
        });
        const account = temporalcloud.getAccountOutput({ provider });
        seen = {
            stack: (await temporalcloud.getAccount()).id,
            explicit: (await temporalcloud.getAccount({ provider })).id,
            explicitOutput: await settled(account.id),
            isSecret: await pulumi.isSecret(account),
            parent: (await temporalcloud.getAccount({ parent })).id,
            bare: (await temporalcloud.getAccount({ provider: bare })).id,
            reference: await temporalcloud
                .getAccount({ provider: new pulumi.DependencyProviderResource(REFERENCE) })
                .then(({ id }) => id, String),
            wrong: await temporalcloud.getAccount({ provider: wrong }).catch(String),
            late: await temporalcloud.getAccount({ provider: late }).then(({ id }) => id, String),
            lateOutput: await settled(temporalcloud.getAccountOutput({ provider: late }).id),
        };
        const theirs = temporalcloud.getNamespaceOutput({ name: "theirs" }, { provider });
        return { theirs: theirs.id };
    };
    await withStack({ emulator, program }, async (stack) => {
        await stack.preview();
        const always = {
            stack: "a1b2c",
            explicit: "other",
            explicitOutput: { known: true, value: "other" },
            isSecret: false,
            parent: "other",
            bare: "other",
            reference: expect.stringContaining(
                "getAccount: The configuration of the given provider cannot be read here",
            ),
            wrong: expect.stringContaining('allowedAccountId allows only "a1b2c"'),
        };
        expect(seen).toEqual({
            ...always,
            late: expect.stringMatching(
                /getAccount: The provider's configuration is not known yet.*Call getAccountOutput instead/,
            ),
            lateOutput: { known: false },
        });
        await stack.up();
        expect(seen).toEqual({ ...always, late: "other", lateOutput: { known: true, value: "other" } });
        await expect(stack.outputs()).resolves.toEqual({ theirs: "theirs.other" });
        expect(stack.stateFiles()).not.toContain(other.rootKey);
    });
});

test("a provider's `envVarMappings` hold for lookups as for resources", async () => {
    let account = "";
    const program = async () => {
        const envVarMappings = { OTHER_KEY: "TEMPORAL_CLOUD_API_KEY", NOT_SET: "TEMPORAL_CLOUD_ALLOWED_ACCOUNT_ID" };
        const provider = new temporalcloud.Provider(
            "mapped",
            { endpoint: other.address, allowInsecure: true },
            { envVarMappings },
        );
        const { id } = new temporalcloud.Namespace(
            "mapped",
            { regions: ["aws-us-east-1"], apiKeyAuth: true },
            { provider },
        );
        account = (await temporalcloud.getAccount({ provider })).id;
        return { id };
    };
    process.env.OTHER_KEY = other.rootKey;
    try {
        await withStack({ emulator, program }, async (stack) => {
            await stack.up({ env: { OTHER_KEY: other.rootKey } });
            await expect(stack.outputs()).resolves.toEqual({ id: "mapped.other" });
            expect(account).toBe("other");
        });
    } finally {
        delete process.env.OTHER_KEY;
    }
});

test("a lookup that finds nothing ends the program with a message, and no stack trace", async () => {
    const program = async () => {
        await temporalcloud.getNamespace({ id: "nobody.a1b2c" });
    };
    await withStack({ emulator, program }, async (stack) => {
        const { messages } = await stack.preview({ expectFailure: true });
        expect(messages().join("\n")).toContain('getNamespace: there is no namespace with the id "nobody.a1b2c".');
    });
});
