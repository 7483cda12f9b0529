// The harness's own test, on a provider that keeps nothing: what it reports of operations that succeed and fail, and
// that stacks in one process do not disturb one another.

import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { EngineError, isSecret, type StackOptions, withStack } from "./engine";

const __provider = 'exports.handler = () => require("trivial-provider").thing;';

class Thing extends pulumi.CustomResource {
    declare readonly seen: pulumi.Output<string>;

    constructor(name: string, args: { value: pulumi.Input<string>; fixed?: string }) {
        super("pulumi-nodejs:dynamic/trivial:Thing", name, { ...args, seen: undefined, __provider });
    }
}

const options: Pick<StackOptions, "packages" | "config"> = {
    packages: { "trivial-provider": path.join(__dirname, "trivial-provider") },
    config: { "temporalcloud:endpoint": "127.0.0.1:1", "program:password": { secret: "swordfish" } },
};

const program = (value: pulumi.Input<string>, fixed?: string) => async () => {
    const thing = new Thing("a", { value, ...(fixed ? { fixed } : {}) });
    return { seen: thing.seen, password: new pulumi.Config("program").requireSecret("password") };
};

jest.setTimeout(120_000);

test("a life, from the first up to destroy", async () => {
    await withStack({ ...options, program: program("one") }, async (stack) => {
        const created = await stack.up();
        expect(created.changes).toEqual({ create: 2 });
        expect(created.ops("a")).toEqual(["create"]);
        expect(created.messages()).toEqual([`created in ${stack.workDir}`]);
        expect(stack.resource("a")).toMatchObject({
            id: "whole",
            outputs: { value: "one", seen: "127.0.0.1:1", __provider },
        });
        await expect(stack.outputs()).resolves.toEqual({ seen: "127.0.0.1:1", password: "swordfish" });
        const [root] = stack.allResources();
        expect(isSecret(root?.outputs?.password)).toBe(true);
        expect(stack.stateFiles()).not.toContain("swordfish");

        const unchanged = await stack.up();
        expect(unchanged.changes).toEqual({ same: 2 });
        expect(unchanged.ops("a")).toEqual([]);

        const drift = await stack.preview({ refresh: true, env: { TRIVIAL_DRIFT: "two" } });
        expect(drift.ops("a")).toEqual(["refresh", "update"]);
        expect(drift.stdout).toContain('~ value: "two" => "one"');

        const refreshed = await stack.refresh({ env: { TRIVIAL_DRIFT: "two" } });
        expect(refreshed.step("a")).toMatchObject({
            op: "update",
            old: { outputs: { value: "one" } },
            new: { outputs: { value: "two" } },
        });

        const replaced = await stack.up({ program: program("one", "other") });
        expect(replaced.ops("a")).toEqual(["delete-replaced", "replace", "create-replacement"]);
        expect(replaced.steps.at(-1)?.replaceKeys).toEqual(["fixed"]);

        const gone = await stack.refresh({ env: { TRIVIAL_GONE: "yes" } });
        expect(gone.ops("a")).toEqual(["delete"]);
        expect(stack.resources()).toEqual([]);

        await stack.up();
        const destroyed = await stack.destroy();
        expect(destroyed.ops("a")).toEqual(["delete"]);
        expect(stack.allResources()).toEqual([]);
    });
});

test("an operation that fails throws, unless the test expects it, and the stack goes on", async () => {
    await withStack({ ...options, program: program("one") }, async (stack) => {
        const refused = await stack.preview({ program: program("refused"), expectFailure: true });
        expect(refused.messages("a").join()).toContain("value must not be refused");

        const unready = await stack.up({ program: program("unready"), expectFailure: true });
        expect(unready.step("a")).toMatchObject({ op: "create", failed: true, new: { id: "half" } });
        expect(unready.messages("a")).toEqual(["1 error occurred:\n\t* it did not become ready"]);
        expect(stack.resource("a").initErrors).toEqual(["it did not become ready"]);
        const repaired = await stack.up();
        expect(repaired.ops("a")).toEqual(["update"]);

        await expect(stack.up({ program: program("refused") })).rejects.toThrow(EngineError);
        await expect(stack.up({ expectFailure: true })).rejects.toThrow("up was expected to fail, and did not");
    });
});

test("a plugin that dies is reported on the resource", async () => {
    await withStack({ ...options, program: program("crash") }, async (stack) => {
        const crashed = await stack.up({ expectFailure: true });
        expect(crashed.messages("a")).toEqual(["error reading from server: EOF"]);
        expect(stack.resources()).toEqual([]);
    });
});

test("what a program leaves uncaught fails its update, not the test", async () => {
    await withStack({ ...options, program: program("one") }, async (stack) => {
        const thrown = await stack.up({
            program: async () => {
                throw new Error("thrown by the program");
            },
            expectFailure: true,
        });
        expect(thrown.messages().join("\n")).toContain("thrown by the program");

        const rejected = await stack.up({
            program: async () => {
                void Promise.reject(new Error("left uncaught"));
            },
            expectFailure: true,
        });
        expect(rejected.messages().join("\n")).toContain("Unhandled exception: Error: left uncaught");
    });
});

test("Ctrl-C lets what has begun finish, and keeps it", async () => {
    await withStack({ ...options, program: program("slow") }, async (stack) => {
        const interrupt = new AbortController();
        const interrupted = await stack.up({
            signal: interrupt.signal,
            onEvent: ({ resourcePreEvent }) => {
                if (resourcePreEvent?.metadata.type.includes("Thing")) {
                    setTimeout(() => interrupt.abort(), 200);
                }
            },
            expectFailure: true,
        });
        expect(interrupted.succeeded).toBe(false);
        expect(stack.resource("a").id).toBe("whole");
        expect((await stack.up()).ops("a")).toEqual([]);
    });
});

test("stacks that run at the same time have programs, configurations and failures of their own", async () => {
    const life = (index: number) =>
        withStack(
            {
                ...options,
                projectName: `project-${index}`,
                config: { "temporalcloud:endpoint": `127.0.0.1:${index}`, "program:password": `p${index}` },
                program: program(index === 2 ? "refused" : `value-${index}`),
            },
            async (stack) => {
                if (index === 2) {
                    const failed = await stack.up({ expectFailure: true });
                    return failed.messages("a").length;
                }
                await stack.up();
                expect(stack.resource("a").inputs).toMatchObject({ value: `value-${index}` });
                return stack.outputs();
            },
        );
    await expect(Promise.all([1, 2, 3].map(life))).resolves.toEqual([
        { seen: "127.0.0.1:1", password: "p1" },
        1,
        { seen: "127.0.0.1:3", password: "p3" },
    ]);
});
