// What the classes hand to Pulumi, without an engine.

import * as pulumi from "@pulumi/pulumi";
import * as temporalcloud from "../../provider";
import { typeToken } from "../../provider/resource";
import { definitions } from "./definitions";

const registered: pulumi.runtime.MockResourceArgs[] = [];

beforeAll(async () => {
    await pulumi.runtime.setMocks(
        {
            newResource: (args) => {
                registered.push(args);
                return { id: `${args.name}-id`, state: args.inputs };
            },
            call: ({ inputs }) => inputs,
        },
        "project",
        "stack",
        false,
        "acme",
    );
});
beforeEach(() => registered.splice(0));

/** What was registered for a resource. */
async function made(resource: pulumi.CustomResource): Promise<pulumi.runtime.MockResourceArgs> {
    const urn = await new Promise<string>((resolve) => resource.urn.apply(resolve));
    const name = urn.slice(urn.lastIndexOf("::") + 2);
    const args = registered.find((candidate) => candidate.name === name);
    if (!args) {
        throw new Error(`${name} was not registered`);
    }
    return args;
}

/** Frozen: it is in every user's state, and in every release it has to be the same. */
const FROZEN: readonly [string, string, () => pulumi.CustomResource][] = [
    [
        "pulumi-nodejs:dynamic/temporalcloud:Namespace",
        'exports.handler = () => require("pulumi-temporal-cloud/plugin").namespace;',
        () => new temporalcloud.Namespace("namespace", { regions: ["aws-us-east-1"], apiKeyAuth: true }),
    ],
    [
        "pulumi-nodejs:dynamic/temporalcloud:User",
        'exports.handler = () => require("pulumi-temporal-cloud/plugin").user;',
        () => new temporalcloud.User("user", { email: "ann@example.com", accountRole: "read" }),
    ],
    [
        "pulumi-nodejs:dynamic/temporalcloud:ServiceAccount",
        'exports.handler = () => require("pulumi-temporal-cloud/plugin").serviceAccount;',
        () => new temporalcloud.ServiceAccount("service-account", { accountRole: "read" }),
    ],
    [
        "pulumi-nodejs:dynamic/temporalcloud:ApiKey",
        'exports.handler = () => require("pulumi-temporal-cloud/plugin").apiKey;',
        () => new temporalcloud.ApiKey("api-key", { ownerId: "owner", expiresIn: "90d" }),
    ],
];

test("every kind is among them", () => {
    expect(FROZEN.map(([type]) => type)).toEqual(
        expect.arrayContaining(definitions.map(({ kind }) => typeToken(kind))),
    );
});

test.each(FROZEN)("%s", async (type, text, make) => {
    const args = await made(make());
    expect(args.type).toBe(type);
    expect(args.inputs.__provider).toBe(text);
    expect(Buffer.byteLength(text)).toBeLessThan(200);
    const { handler } = evaluated(text);
    expect(handler()).toMatchObject({ create: expect.any(Function), diff: expect.any(Function) });
});

/** The text as the host runs it, with this package's sources in the place of the package. */
function evaluated(text: string): { handler(): unknown } {
    const exported: { handler?: () => unknown } = {};
    const find = (name: string) => {
        expect(name).toBe("pulumi-temporal-cloud/plugin");
        return require("../../provider/plugin") as unknown;
    };
    new Function("exports", "require", text)(exported, find);
    if (!exported.handler) {
        throw new Error("the text exports no handler");
    }
    return { handler: exported.handler };
}

test("the hidden context has what the host keeps back", async () => {
    const parent = new temporalcloud.ServiceAccount("parent", { accountRole: "read" });
    const { inputs } = await made(
        new temporalcloud.Namespace(
            "orders",
            { regions: ["aws-us-east-1"], apiKeyAuth: true, adopt: true },
            { parent, import: "orders.a1b2c", customTimeouts: { create: "5m" } },
        ),
    );
    expect(JSON.parse(inputs.__context as string)).toEqual({
        urn:
            "urn:pulumi:stack::project::pulumi-nodejs:dynamic/temporalcloud:ServiceAccount$" +
            "pulumi-nodejs:dynamic/temporalcloud:Namespace::orders",
        organization: "acme",
        timeouts: { create: "5m" },
        importId: "orders.a1b2c",
        adopt: true,
    });
    expect(inputs).not.toHaveProperty("adopt");
    expect(inputs).toMatchObject({ regions: ["aws-us-east-1"], apiKeyAuth: true });
});

test("`adopt` of a kind that cannot be found by a name is passed on, for the check to refuse it", async () => {
    const common = { adopt: true };
    const { inputs } = await made(new temporalcloud.ApiKey("key", { ...common, ownerId: "s1", expiresIn: "90d" }));
    expect(inputs).toMatchObject({ adopt: true });
    expect(JSON.parse(inputs.__context as string)).not.toHaveProperty("adopt");
});

test.each<[string, { readonly adopt?: unknown; readonly import?: unknown }, string]>([
    ["a text", { adopt: "true" }, 'Namespace "billing": `adopt` must be true or false, but is a string.'],
    [
        "an output",
        { adopt: pulumi.output(true) },
        'Namespace "billing": `adopt` must be true or false, but is an output, whose value is not known in time.',
    ],
    [
        "an output for an id",
        { import: pulumi.output("billing.a1b2c") },
        'Namespace "billing": the option `import` must be a string, but is an output, whose value is not known in time.',
    ],
])("what to adopt cannot be %s, which JavaScript lets through", (_, { adopt, import: id }, message) => {
    const args = { regions: ["aws-us-east-1"], apiKeyAuth: true, ...(adopt === undefined ? {} : { adopt }) };
    const opts = id === undefined ? {} : { import: id };
    expect(() => new temporalcloud.Namespace("billing", args as never, opts as never)).toThrow(message);
});

test("a resource without arguments, which only JavaScript lets through for now, has a context", async () => {
    const { inputs } = await made(new temporalcloud.User("nobody", undefined as never));
    expect(JSON.parse(inputs.__context as string).urn).toMatch(/::nobody$/);
});

test("a resource that is only read has no context, and the id that was given", async () => {
    const read = temporalcloud.Namespace.get("existing", "existing.a1b2c");
    const { id, inputs } = await made(read);
    expect(id).toBe("existing.a1b2c");
    expect(inputs).not.toHaveProperty("__context");
    expect(inputs.__provider).toBe(FROZEN[0]?.[1]);
});

test("isInstance knows its own, also of another copy of the package", () => {
    const user = new temporalcloud.User("ann", { email: "ann@example.com", accountRole: "read" });
    expect(temporalcloud.User.isInstance(user)).toBe(true);
    expect(temporalcloud.Namespace.isInstance(user)).toBe(false);
    jest.isolateModules(() => {
        const copy = require("../../provider") as typeof temporalcloud;
        expect(copy.User).not.toBe(temporalcloud.User);
        expect(copy.User.isInstance(user)).toBe(true);
    });
    for (const other of [undefined, null, 7, {}, { __pulumiType: "x" }]) {
        expect(temporalcloud.User.isInstance(other)).toBe(false);
    }
});

test("an explicit provider takes its settings as texts", async () => {
    const provider = new temporalcloud.Provider("staging", {
        apiKey: pulumi.output("tmprl_key"),
        allowInsecure: true,
        requestsPerSecond: 7,
        endpoint: undefined,
        operationSalt: pulumi.output(null as unknown as string),
    });
    const { inputs } = await made(provider);
    expect(inputs).toEqual({
        // Wrapped, as a secret is on its way to the engine.
        "temporalcloud:apiKey": expect.objectContaining({ value: "tmprl_key" }),
        "temporalcloud:allowInsecure": "true",
        "temporalcloud:requestsPerSecond": "7",
    });
    expect(await pulumi.isSecret(provider.configuration.apiKey as pulumi.Output<string>)).toBe(true);
});

test("an explicit provider refuses arguments that it does not know, without their values", () => {
    const misspelt = { apikey: "tmprl_key" } as temporalcloud.ProviderArgs;
    const making = () => new temporalcloud.Provider("staging", misspelt);
    expect(making).toThrow(/`apikey` is not a known argument. Did you mean "apiKey"\?$/);
});

test("an error of the registration has the line of the program", () => {
    function madeByTheProgram(opts: pulumi.CustomResourceOptions): unknown {
        try {
            new temporalcloud.User("wrong", { email: "ann@example.com", accountRole: "read" }, opts);
            return undefined;
        } catch (error) {
            return (error as Error).stack;
        }
    }
    function transformation(): never {
        throw new Error("not so");
    }
    const ofSdk = madeByTheProgram({ parent: "parent" as unknown as pulumi.Resource });
    const ofProgram = madeByTheProgram({ transformations: [transformation] });
    expect(ofSdk).toMatch(/^Error: Resource parent is not a valid Resource: parent\n\s+at .*\n\s+at madeByTheProgram /);
    expect(ofProgram).toMatch(/^Error: not so\n\s+at transformation .*\n\s+at madeByTheProgram /);
});
