// What leaves this machine: the key goes over TLS that is verified, or to this machine, or where `allowInsecure` says so.

import "./certificates";

import { readFileSync, rmSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import net, { type AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import type { Duplex } from "node:stream";
import { inspect } from "node:util";
import { Emulator } from "../../emulator";
import { Client } from "../../provider/client/client";
import { type Configuration, readConfiguration } from "../../provider/configuration";
import { type Certificate, certificates, folder } from "./certificates";

const KEY = "tmprl_the_key_that_nobody_else_may_see";

/** Notes the headers of every request, and answers none. */
interface Recorder {
    readonly port: number;
    readonly seen: string[];
    close(): void;
}

async function listening(server: net.Server, host: string): Promise<number> {
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    return (server.address() as AddressInfo).port;
}

async function secureRecorder({ cert, key }: Certificate): Promise<Recorder> {
    const seen: string[] = [];
    const server = http2.createSecureServer({ cert, key });
    server.on("sessionError", () => {});
    server.on("stream", (stream, headers) => {
        seen.push(JSON.stringify(headers));
        stream.on("error", () => {});
        stream.respond(
            { ":status": 200, "content-type": "application/grpc", "grpc-status": "16", "grpc-message": "no" },
            { endStream: true },
        );
    });
    return { port: await listening(server, "127.0.0.1"), seen, close: () => server.close() };
}

/** Notes every byte that comes, whatever it means. */
async function rawRecorder(host = "127.0.0.1"): Promise<Recorder> {
    const seen: string[] = [];
    const sockets = new Set<Duplex>();
    const server = net.createServer((socket) => {
        sockets.add(socket);
        socket.on("error", () => {});
        socket.on("data", (data) => {
            seen.push(data.toString("latin1"));
        });
    });
    return {
        port: await listening(server, host),
        seen,
        close: () => {
            server.close();
            for (const socket of sockets) {
                socket.destroy();
            }
        },
    };
}

function configured(values: Partial<Record<string, string>>): Configuration {
    const all: Partial<Record<string, string>> = { apiKey: KEY, ...values };
    return readConfiguration((key) => all[key], {});
}

/** The error that a call ends with, for want of time at the latest. */
async function failureOf(configuration: Configuration, timeoutMs = 5_000): Promise<Error> {
    const client = Client.for(configuration);
    try {
        await client.cloud.getAccount({}, { signal: AbortSignal.timeout(timeoutMs) });
    } catch (error) {
        return error as Error;
    } finally {
        client.close();
    }
    throw new Error("the call succeeded");
}

const environment = { ...process.env };

beforeAll(() => {
    // gRPC complains there.
    jest.spyOn(console, "error").mockImplementation(() => {});
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
    for (const name of ["https_proxy", "HTTPS_PROXY", "http_proxy", "grpc_proxy", "NODE_TLS_REJECT_UNAUTHORIZED"]) {
        delete process.env[name];
        if (environment[name] !== undefined) {
            process.env[name] = environment[name];
        }
    }
});

describe("TLS", () => {
    test("with a good certificate gets the key", async () => {
        const recorder = await secureRecorder(certificates.good);
        const error = await failureOf(configured({ endpoint: `localhost:${recorder.port}` }));
        expect(error.message).toContain("UNAUTHENTICATED");
        expect(recorder.seen).toHaveLength(1);
        expect(recorder.seen[0]).toContain(`Bearer ${KEY}`);
        expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(KEY);
        recorder.close();
    });

    describe.each(["strange", "of another host", "expired", "of the future"] as const)(
        "with a certificate %s",
        (name) => {
            test.each(["0", "1"])("gets nothing, whatever NODE_TLS_REJECT_UNAUTHORIZED (%s) says", async (reject) => {
                process.env.NODE_TLS_REJECT_UNAUTHORIZED = reject;
                const recorder = await secureRecorder(certificates[name]);
                const error = await failureOf(configured({ endpoint: `localhost:${recorder.port}` }));
                expect(error.message).toMatch(/could not be verified/);
                expect(recorder.seen).toEqual([]);
                recorder.close();
            });
        },
    );

    test("is what a server that has none is met with", async () => {
        const recorder = await rawRecorder();
        await failureOf(configured({ endpoint: `localhost:${recorder.port}` }), 1_500);
        expect(recorder.seen.length).toBeGreaterThan(0);
        expect(recorder.seen.join("")).not.toContain(KEY);
        // The first byte of a TLS handshake.
        expect(recorder.seen[0]?.charCodeAt(0)).toBe(0x16);
        recorder.close();
    });
});

describe("without TLS", () => {
    const [here] = Object.values(os.networkInterfaces())
        .flatMap((addresses) => addresses ?? [])
        .filter(({ internal, family }) => !internal && family === "IPv4");
    const elsewhere = here ? test : test.skip;

    test("this machine gets the key", async () => {
        const recorder = await rawRecorder();
        await failureOf(configured({ endpoint: `http://127.0.0.1:${recorder.port}` }), 1_000);
        expect(recorder.seen.join("")).toContain("PRI * HTTP/2.0");
        recorder.close();
    });

    elsewhere("another gets nothing", async () => {
        const recorder = await rawRecorder("0.0.0.0");
        const endpoint = `${here?.address}:${recorder.port}`;
        expect(() => configured({ endpoint: `http://${endpoint}` })).toThrow(/would send the API key in plain text/);
        await failureOf(configured({ endpoint }), 1_000);
        await failureOf(configured({ endpoint, allowInsecure: "false" }), 1_000);
        expect(recorder.seen.map((bytes) => bytes.charCodeAt(0)).filter((byte) => byte !== 0x16)).toEqual([]);
        recorder.close();
    });

    elsewhere("another gets it by allowInsecure", async () => {
        const recorder = await rawRecorder("0.0.0.0");
        const endpoint = `${here?.address}:${recorder.port}`;
        await failureOf(configured({ endpoint, allowInsecure: "true" }), 1_000);
        expect(recorder.seen.join("")).toContain("PRI * HTTP/2.0");
        recorder.close();
    });

    test.each(["https_proxy", "HTTPS_PROXY", "http_proxy", "grpc_proxy"])(
        "this machine is not looked for through the proxy of %s",
        async (variable) => {
            const asked: string[] = [];
            const proxy = http.createServer();
            proxy.on("connect", (request: http.IncomingMessage, socket: Duplex) => {
                asked.push(request.url ?? "");
                socket.destroy();
            });
            process.env[variable] = `http://127.0.0.1:${await listening(proxy, "127.0.0.1")}`;
            const emulator = await Emulator.start({ rootKey: KEY });
            const client = Client.for(configured({ endpoint: `http://${emulator.address}` }));
            const answer = await client.cloud
                .getAccount({}, { signal: AbortSignal.timeout(3_000) })
                .catch((error: Error) => error.message);
            client.close();
            await emulator.stop();
            proxy.close();
            expect(asked).toEqual([]);
            expect(answer).toMatchObject({ account: { id: emulator.account } });
        },
    );
});

describe("the emulator", () => {
    test("refuses a key that is not its own", async () => {
        const emulator = await Emulator.start({ rootKey: KEY });
        for (const wrong of [`${KEY}x`, KEY.slice(0, -1), KEY.toUpperCase(), "x"]) {
            const configuration = configured({ endpoint: `http://${emulator.address}`, apiKey: wrong });
            expect((await failureOf(configuration)).message).toContain("UNAUTHENTICATED");
        }
        await emulator.stop();
    });

    test("is not to be reached from outside", async () => {
        const emulator = await Emulator.start();
        const addresses = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
        for (const { address, internal } of addresses) {
            if (!internal) {
                const reached = await new Promise<boolean>((resolve) => {
                    const socket = net.connect({ host: address, port: emulator.port, timeout: 1_000 });
                    socket.once("connect", () => resolve(true));
                    socket.once("error", () => resolve(false));
                    socket.once("timeout", () => resolve(false));
                }).catch(() => false);
                expect({ address, reached }).toEqual({ address, reached: false });
            }
        }
        await emulator.stop();
    });

    test("keeps no key in its file", async () => {
        const stateFile = path.join(folder, "account.json");
        const emulator = await Emulator.start({ rootKey: KEY, stateFile });
        const client = Client.for(configured({ endpoint: `http://${emulator.address}` }));
        const owner = emulator.serviceAccounts.add({ spec: { name: "owner" } });
        const { token } = await client.cloud.createApiKey({
            spec: {
                ownerId: owner.id,
                ownerType: 2,
                displayName: "key",
                expiryTime: { seconds: BigInt(Math.floor(Date.now() / 1000)) + 7_776_000n, nanos: 0 },
            },
            asyncOperationId: "the-operation",
        });
        expect(token).not.toBe("");
        client.close();
        await emulator.stop();
        const text = readFileSync(stateFile, "utf8");
        expect(text).toContain("the-operation");
        for (const secret of [KEY, token]) {
            expect(text).not.toContain(secret);
            expect(text).not.toContain(Buffer.from(secret).toString("base64"));
        }
    });
});
