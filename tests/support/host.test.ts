// The harness's own test: what it reports of a plugin that works, fails, and dies.

import { realpathSync } from "node:fs";
import path from "node:path";
import { type Host, HostError, startHost } from "./host";

const packages = { "trivial-provider": path.join(__dirname, "trivial-provider") };
const __provider = 'exports.handler = () => require("trivial-provider").thing;';
const urn = "urn:pulumi:stack::project::pulumi-nodejs:dynamic/trivial:Thing::a";

let host: Host;

beforeEach(async () => {
    host = await startHost({ packages, env: { TRIVIAL_DRIFT: "drifted" } });
    await host.configure({ "temporalcloud:endpoint": "127.0.0.1:1" });
});

afterEach(async () => {
    await host.close();
});

test("every method returns what the provider answered", async () => {
    const folder = realpathSync(host.workDir);
    const inputs = { value: "one", __provider };
    await expect(host.check({ urn, news: inputs })).resolves.toEqual({ inputs, failures: [] });
    await expect(host.check({ urn, news: { ...inputs, value: "refused" } })).resolves.toMatchObject({
        failures: [{ property: "value", reason: "value must not be refused" }],
    });

    const created = await host.create({ urn, properties: inputs });
    expect(created).toEqual({ id: "whole", properties: { ...inputs, seen: "127.0.0.1:1" } });

    const olds = created.properties;
    await expect(host.diff({ id: "whole", urn, olds, news: inputs })).resolves.toEqual({
        changes: "none",
        replaces: [],
        deleteBeforeReplace: true,
    });
    await expect(host.diff({ id: "whole", urn, olds, news: { ...inputs, fixed: 1 } })).resolves.toEqual({
        changes: "some",
        replaces: ["fixed"],
        deleteBeforeReplace: true,
    });

    await expect(host.read({ id: "whole", urn, properties: olds })).resolves.toEqual({
        id: "whole",
        properties: { ...olds, value: "drifted" },
        inputs: { value: "drifted", __provider },
    });
    await expect(host.update({ id: "whole", urn, olds, news: { ...inputs, value: "two" } })).resolves.toMatchObject({
        value: "two",
    });
    await expect(host.delete({ id: "whole", urn, properties: olds })).resolves.toBeUndefined();
    await expect(host.close()).resolves.toEqual({ code: null, signal: "SIGINT" });
    expect(host.stdout()).toBe(`created in ${folder}\n`);
});

test("a resource that is there but not ready comes with its id, properties and reasons", async () => {
    const error = await host.create({ urn, properties: { value: "unready", __provider } }).catch((caught) => caught);
    expect(error).toBeInstanceOf(HostError);
    expect(error).toMatchObject({
        method: "create",
        message: "it did not become ready",
        initFailed: {
            id: "half",
            properties: { value: "unready", seen: "127.0.0.1:1", __provider },
            reasons: ["it did not become ready"],
        },
    });
});

test("a plugin that dies in the middle of a call fails that call", async () => {
    const error = await host.create({ urn, properties: { value: "crash", __provider } }).catch((caught) => caught);
    expect(error).toMatchObject({ name: "HostError", method: "create", initFailed: undefined });
    await expect(host.exited).resolves.toEqual({ code: 3, signal: null });
});
