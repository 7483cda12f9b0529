// The rate limit bites. `npm run test:limits` runs 300 resources at 40 requests/s and 5; `npm test` a small part of that.

import { setMaxListeners } from "node:events";
import { ApiKey, Namespace, ServiceAccount, User } from "pulumi-temporal-cloud";
import { Emulator } from "../../emulator";
import { Client } from "../../provider/client/client";
import { pulumiIn } from "../support/cli";
import { withStack } from "../support/engine";

const [RESOURCES = 40, ...RATES] = (process.env.TEMPORAL_CLOUD_TEST_LIMITS ?? "40,40").split(",").map(Number);
/** How far away the server is: on this machine, and on another continent. */
const LATENCIES_MS = [0, 250];
const EACH = RESOURCES / 4;
const MANY_RESOURCES = 200;
const REFUSED_SHARE = 0.02;
/** What it takes to find the limit, however few requests there are. */
const REFUSED_LEAST = 12;

jest.setTimeout(30 * 60_000);

function program(): void {
    for (let index = 0; index < EACH; index++) {
        new Namespace(`namespace-${index}`, { regions: ["aws-us-east-1"], apiKeyAuth: true });
        new User(`user-${index}`, { email: `user-${index}@example.com`, accountRole: "read" });
        const worker = new ServiceAccount(`worker-${index}`, { accountRole: "read" });
        new ApiKey(`key-${index}`, { ownerId: worker.id, expiresIn: "90d" });
    }
}

interface Figures {
    readonly seconds: number;
    readonly requests: number;
    readonly refused: number;
    readonly byMethod: Readonly<Record<string, number>>;
}

async function measured(emulator: Emulator, command: () => Promise<unknown>): Promise<Figures> {
    emulator.requests.reset();
    const startedAt = Date.now();
    await command();
    const ms = Date.now() - startedAt;
    return {
        seconds: Math.round(ms / 100) / 10,
        requests: emulator.requests.count(),
        refused: emulator.requests.refused,
        byMethod: emulator.requests.byMethod(),
    };
}

const CASES = RATES.flatMap((rate) => LATENCIES_MS.map((latencyMs) => [rate, latencyMs] as const));

const name = `${RESOURCES} resources at %d requests/s, %d ms away, are made, read and removed`;
test.each(CASES)(name, async (requestsPerSecond, latencyMs) => {
    const emulator = await Emulator.start({ settings: { requestsPerSecond, latencyMs, operationDurationMs: 500 } });
    try {
        await withStack({ emulator, program: async () => program() }, async (stack) => {
            const parallel = 100;
            const figures = {
                up: await measured(emulator, () => stack.up({ parallel })),
                refresh: await measured(emulator, () => stack.refresh({ parallel })),
                // On the command line it previews itself first, in a plugin process of its own.
                refreshYes: await measured(emulator, async () => {
                    const options = ["--yes", "--non-interactive", "--stack", "stack", "--parallel", `${parallel}`];
                    expect(await pulumiIn(stack, ["refresh", ...options])).toMatchObject({ code: 0 });
                }),
                destroy: await measured(emulator, () => stack.destroy({ parallel })),
            };
            if (process.env.TEMPORAL_CLOUD_TEST_LIMITS) {
                const what = `${RESOURCES} resources at ${requestsPerSecond}/s, ${latencyMs} ms away`;
                console.log(what, JSON.stringify(figures, undefined, 1));
            }
            expect(stack.resources()).toEqual([]);
            expect(emulator.namespaces.list()).toEqual([]);
            expect(emulator.apiKeys.list()).toEqual([]);
            // Of each kind three one by one, and a page of the rest; of 1,000 there can be two pages.
            expect(figures.refresh.requests - figures.refresh.refused).toBe(4 * (3 + 1));
            expect(figures.refreshYes.requests - figures.refreshYes.refused).toBe(2 * 4 * (3 + 1));
            const all = Object.values(figures);
            const requests = all.reduce((sum, figure) => sum + figure.requests, 0);
            const refused = all.reduce((sum, figure) => sum + figure.refused, 0);
            // Under a lower limit than a user has (40) it only has to end: the client starts near that, and probes by steps
            // that are large then.
            if (requestsPerSecond >= 40) {
                expect(refused).toBeLessThanOrEqual(Math.max(REFUSED_LEAST, requests * REFUSED_SHARE));
                // A write, the end of its operation, and a share of a page: so many have to wait that they read together.
                const most = RESOURCES < MANY_RESOURCES ? 4 : 2.6;
                expect(figures.up.requests).toBeLessThan(RESOURCES * most);
                expect(figures.destroy.requests).toBeLessThan(RESOURCES * most);
            }
        });
    } finally {
        await emulator.stop();
    }
});

test("polls never starve writes", async () => {
    const emulator = await Emulator.start({ settings: { requestsPerSecond: 40 } });
    const client = Client.for({
        apiKey: emulator.rootKey,
        endpoint: emulator.address,
        plaintext: true,
        allowedAccountId: undefined,
        requestsPerSecond: undefined,
        operationSalt: "",
    });
    const end = new AbortController();
    const { signal } = end;
    setMaxListeners(0, signal);
    const poll = async () => {
        while (!signal.aborted) {
            await client.cloud.getAsyncOperation({ asyncOperationId: "unheard-of" }, { signal }).catch(() => {});
        }
    };
    const polls = Array.from({ length: 200 }, poll);
    const tookMs: number[] = [];
    for (let index = 0; index < 120; index++) {
        const startedAt = Date.now();
        await client.cloud.createUser({
            spec: { email: `user-${index}@example.com`, access: { accountAccess: { role: 5 } } },
            asyncOperationId: `create-${index}`,
        });
        tookMs.push(Date.now() - startedAt);
    }
    end.abort();
    await Promise.all(polls);
    client.close();
    await emulator.stop();
    tookMs.sort((left, right) => left - right);
    // 200 polls that wait would be 5 s to wait for.
    expect(tookMs[60]).toBeLessThan(500);
    expect(tookMs.at(-1)).toBeLessThan(4_000);
});
