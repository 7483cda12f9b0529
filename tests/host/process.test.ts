// The plugin as a process: its end, and one release beside another.

import { Emulator } from "../../emulator";
import type { Properties } from "../support/host";
import { startHost, withHost } from "../support/host";
import { copyAsVersion, removeWorkDir } from "../support/workdir";
import { configurationOf, namespace, resource, up } from "./resources";

let emulator: Emulator;

beforeAll(async () => {
    emulator = await Emulator.start({ settings: { checkDurationMs: 100 } });
});
afterAll(async () => {
    await emulator?.stop();
});

test.each(["idle", "busy"])("it ends on SIGINT: %s", async (state) => {
    const host = await startHost();
    await host.configure(configurationOf(emulator));
    await up(host, namespace(`${state}-before`));
    let interrupted: Promise<unknown> = Promise.resolve();
    if (state === "busy") {
        emulator.settings.operationDurationMs = Number.POSITIVE_INFINITY;
        interrupted = up(host, namespace("busy")).catch((error: unknown) => error);
        while (emulator.requests.all.every(({ resourceId }) => resourceId !== "busy.a1b2c")) {
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }
    const startedAt = Date.now();
    await expect(host.close()).resolves.toEqual({ code: null, signal: "SIGINT" });
    // Five seconds later it would have been killed.
    expect(Date.now() - startedAt).toBeLessThan(4_000);
    await interrupted;
    emulator.settings.operationDurationMs = 0;
    emulator.finishOperations();
    expect(host.stderr()).toBe("");
});

test("it writes nothing of its own to the screen", async () => {
    await withHost({}, async (host) => {
        await host.configure(configurationOf(emulator));
        const { id, properties } = await up(host, namespace("silent"));
        await host.delete({ id, urn: namespace("silent").urn, properties });
        expect([host.stdout(), host.stderr()]).toEqual(["", ""]);
    });
});

describe("this release and another", () => {
    let folder: string;

    beforeAll(() => {
        folder = copyAsVersion("99.0.0");
    });
    afterAll(() => removeWorkDir(folder));

    test("make the same state of the same program, and no difference of each other's", async () => {
        const program = [
            namespace("shop", { tags: { a: "1" }, searchAttributes: { Customer: "keyword" } }),
            resource("User", "ann", { email: "ann@example.com", accountRole: "read" }),
            resource("ServiceAccount", "worker", { accountRole: "developer" }),
        ];
        const releases = [{}, { packages: { "pulumi-temporal-cloud": folder } }];
        const states = await Promise.all(
            releases.map((options) =>
                withHost(options, async (host) => {
                    const cloud = await Emulator.start({ settings: { checkDurationMs: 100 } });
                    await host.configure(configurationOf(cloud));
                    const state: Properties[] = [];
                    for (const declared of program) {
                        state.push((await up(host, declared)).properties);
                    }
                    await cloud.stop();
                    return state;
                }),
            ),
        );
        const [ours, theirs] = states.map((state) => state.map(timeless));
        expect(theirs).toEqual(ours);

        await withHost(releases[1] ?? {}, async (host) => {
            for (const [index, { urn, news }] of program.entries()) {
                const olds = states[0]?.[index] ?? {};
                const { inputs } = await host.check({ urn, olds, news });
                await expect(host.diff({ id: "id", urn, olds, news: inputs })).resolves.toMatchObject({
                    changes: "none",
                    replaces: [],
                });
            }
        });
    });
});

/** Without what is another in every run: times, and ids that the server makes. */
function timeless({ createdTime: _, lastModifiedTime: __, replicas: ___, projectId: ____, ...rest }: Properties) {
    return { ...rest, __claim: rest.__claim !== undefined, invitation: undefined };
}
