// Many lifecycles in one plugin process: nothing grows, nothing is left open, and the process ends when the engine does.
// `npm run test:long-haul` runs 2,000, which shows a leak of 2 KB each; `npm test` so many that one of 20 KB shows.

import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Emulator } from "../../emulator";
import { type Host, type Properties, withHost } from "../support/host";
import { inputsOf, type Kind, urnOf } from "../support/inputs";

const LIFECYCLES = Number(process.env.TEMPORAL_CLOUD_TEST_LIFECYCLES ?? 200);
const WARM_UP = Math.floor(LIFECYCLES / 4);
const AT_ONCE = 20;
/** What code that is compiled late, and caches that fill, may still take after the warm-up. */
const GROWTH_BYTES = 3_000_000;

interface Probe {
    readonly heapUsed: number;
    readonly rss: number;
    readonly resources: Readonly<Record<string, number>>;
    readonly listeners: number;
}

async function probe(host: Host): Promise<Probe> {
    const before = host.stderr().length;
    process.kill(host.pid, "SIGUSR2");
    for (;;) {
        const match = /^probe (.*)$/m.exec(host.stderr().slice(before));
        if (match?.[1]) {
            return JSON.parse(match[1]) as Probe;
        }
        await sleep(20);
    }
}

/** Arguments of each kind, before and after the update; the keys are all of one service account's. */
const ARGS: Readonly<Record<Kind, (name: string, version: number, owner: string) => Properties>> = {
    Namespace: (_, version) => ({ regions: ["aws-us-east-1"], retentionDays: 7 + version, apiKeyAuth: true }),
    User: (name, version) => ({ email: `${name}@example.com`, accountRole: version === 0 ? "read" : "developer" }),
    ServiceAccount: (_, version) => ({ accountRole: "read", description: `version ${version}` }),
    ApiKey: (_, version, ownerId) => ({ ownerId, expiresIn: "90d", description: `version ${version}` }),
};
const KINDS = Object.keys(ARGS) as Kind[];

async function lifecycle(host: Host, number: number, owner: string): Promise<void> {
    const kind = KINDS[number % KINDS.length] ?? "Namespace";
    const name = `${kind.toLowerCase()}-${number}`;
    const urn = urnOf(kind, name);
    const bag = (version: number) => inputsOf(kind, name, ARGS[kind](name, version, owner));
    const { inputs, failures } = await host.check({ urn, news: bag(0) });
    expect(failures).toEqual([]);
    const { id, properties } = await host.create({ urn, properties: inputs });
    const read = await host.read({ id, urn, properties });
    expect(read.id).toBe(id);
    const { inputs: news } = await host.check({ urn, olds: inputs, news: bag(1) });
    expect((await host.diff({ id, urn, olds: read.properties, news })).changes).toBe("some");
    const updated = await host.update({ id, urn, olds: read.properties, news });
    await host.delete({ id, urn, properties: updated });
}

async function lifecycles(host: Host, from: number, to: number, owner: string): Promise<void> {
    let next = from;
    const worker = async () => {
        while (next < to) {
            next += 1;
            await lifecycle(host, next - 1, owner);
        }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

test(`${LIFECYCLES} lifecycles leave nothing behind in the plugin process`, async () => {
    const emulator = await Emulator.start({ settings: { operationDurationMs: 50, checkDurationMs: 100 } });
    try {
        const owner = emulator.serviceAccounts.add({
            spec: { name: "owner", access: { accountAccess: { role: 5 } } },
        }).id;
        const env = { NODE_OPTIONS: `--expose-gc --require ${path.join(__dirname, "probe.cjs")}` };
        await withHost({ env }, async (host) => {
            await host.configure({
                "temporalcloud:apiKey": emulator.rootKey,
                "temporalcloud:endpoint": emulator.address,
                "temporalcloud:allowInsecure": "true",
            });
            await lifecycles(host, 0, WARM_UP, owner);
            const warm = await probe(host);
            await lifecycles(host, WARM_UP, LIFECYCLES, owner);
            const end = await probe(host);
            process.stdout.write(
                `heap after ${WARM_UP} lifecycles ${mb(warm.heapUsed)}, after ${LIFECYCLES} ${mb(end.heapUsed)}; ` +
                    `resident ${mb(warm.rss)}, ${mb(end.rss)}\n`,
            );
            expect(end.heapUsed - warm.heapUsed).toBeLessThan(GROWTH_BYTES);
            // Connections come and go (one to the engine, one to Temporal Cloud); everything else stays as it was.
            const { TCPSocketWrap: sockets = 0, ...resources } = end.resources;
            const { TCPSocketWrap: _, ...before } = warm.resources;
            expect(sockets).toBeLessThanOrEqual(4);
            expect(resources).toEqual(before);
            expect(end.listeners).toBe(warm.listeners);
            expect(host.stderr()).not.toContain("MaxListenersExceededWarning");
            const exit = await host.close();
            expect(exit.signal).toBe("SIGINT");
        });
        const left = [emulator.namespaces, emulator.users, emulator.apiKeys].flatMap((kind) => kind.list().length);
        expect(left).toEqual([0, 0, 0]);
        expect(emulator.serviceAccounts.list().map(({ id }) => id)).toEqual([owner]);
    } finally {
        await emulator.stop();
    }
}, 600_000);

function mb(bytes: number): string {
    return `${(bytes / 1e6).toFixed(1)} MB`;
}
