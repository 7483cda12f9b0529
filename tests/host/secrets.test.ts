// Keys and tokens appear nowhere, however much is logged.

import { Emulator } from "../../emulator";
import { type HostError, withHost } from "../support/host";
import { configurationOf, errorOf, namespace, resource, up } from "./resources";

const LOUD = { GRPC_TRACE: "all", GRPC_VERBOSITY: "DEBUG", TEMPORAL_CLOUD_DEBUG: "1" };

/** All the ways in which a text can be written down. */
function spellings(secret: string): string[] {
    return [
        secret,
        Buffer.from(secret).toString("base64"),
        Buffer.from(secret).toString("hex"),
        encodeURIComponent(secret),
    ];
}

test("of the configuration, of a new key, and in errors", async () => {
    // Without a list, every read is a call of its own, which can fail.
    const emulator = await Emulator.start({ settings: { checkDurationMs: 100, rootMayList: false } });
    const errors: HostError[] = [];
    const { texts, tokens } = await withHost({ env: LOUD }, async (host) => {
        await host.configure(configurationOf(emulator));
        const { id, properties } = await up(host, namespace());
        const owner = await up(host, resource("ServiceAccount", "worker", { accountRole: "read" }));
        const key = resource("ApiKey", "key", { ownerId: owner.id, expiresIn: "90d" });
        const made = await up(host, key);
        await host.read({ id: made.id, urn: key.urn, properties: made.properties });
        const updated = await host.update({
            id: made.id,
            urn: key.urn,
            olds: made.properties,
            news: { ...made.inputs, description: "changed" },
        });
        expect(updated.token).toBe(made.properties.token);

        // Half finished, with a token in the properties that are kept, and a server that repeats what it was sent.
        const reason = `no luck with ${emulator.rootKey}`;
        emulator.faults.add({ method: "CreateApiKey", kind: "operationEnds", reason });
        const half = await errorOf(up(host, resource("ApiKey", "half", { ownerId: owner.id, expiresIn: "90d" })));
        errors.push(half);
        for (const code of [3, 7, 13, 16]) {
            emulator.faults.add({
                method: "GetNamespace",
                kind: "failBefore",
                code,
                details: `refused: Bearer ${emulator.rootKey}`,
            });
            errors.push(await errorOf(host.read({ id, urn: namespace().urn, properties })));
        }
        emulator.faults.add({ method: "GetNamespace", kind: "malformed", shape: "garbage", times: 1 });
        await host.read({ id, urn: namespace().urn, properties }).catch((error: HostError) => errors.push(error));
        emulator.faults.add({ method: "GetNamespace", kind: "loseAnswer", cut: true });
        await host.read({ id, urn: namespace().urn, properties });

        const halfToken = half.initFailed?.properties.token;
        return {
            tokens: [made.properties.token, ...(halfToken === undefined ? [] : [halfToken])].map(String),
            texts: () => [
                host.stdout(),
                host.stderr(),
                JSON.stringify(host.logs),
                ...errors.map(({ message }) => message),
            ],
        };
    });
    await emulator.stop();

    const [stdout = "", stderr = ""] = texts();
    // The gRPC library did log, or the test would say nothing.
    expect((stdout + stderr).length).toBeGreaterThan(10_000);
    expect((stdout + stderr).includes("CloudService/CreateApiKey")).toBe(true);
    expect(tokens[0]).toMatch(/.{20,}/);
    expect(errors.length).toBeGreaterThanOrEqual(5);
    for (const secret of [emulator.rootKey, ...tokens]) {
        for (const spelling of spellings(secret)) {
            const found = texts().filter((text) => text.includes(spelling));
            expect(found.map((text) => around(text, spelling))).toEqual([]);
        }
    }
});

test("a key that is refused, or cannot be one, is not repeated", async () => {
    const emulator = await Emulator.start();
    for (const wrong of ["tmprl_wrong_key_of_mine", "Bearer wrong key of mine"]) {
        const text = await withHost({ env: LOUD }, async (host) => {
            await host.configure(configurationOf(emulator, { "temporalcloud:apiKey": wrong }));
            const { message } = await errorOf(up(host, namespace()));
            return () => [message, host.stdout(), host.stderr(), JSON.stringify(host.logs)].join("\n");
        });
        expect(text()).not.toContain(wrong);
    }
    await emulator.stop();
});

/** The place, without the secret itself. */
function around(text: string, secret: string): string {
    const at = text.indexOf(secret);
    return `${text.slice(Math.max(0, at - 200), at)}<here>${text.slice(at + secret.length, at + secret.length + 80)}`;
}
