// How the plugin process gets to Temporal Cloud, and what it says when it does not.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { Emulator } from "../../emulator";
import type { Host, HostOptions } from "../support/host";
import { withHost } from "../support/host";
import { providerText, urnOf } from "../support/inputs";
import { until } from "../support/until";
import { configurationOf, errorOf, namespace, up } from "./resources";

let emulator: Emulator;
let secure: Emulator;
let folder: string;
let roots: string;

beforeAll(async () => {
    const settings = { checkDurationMs: 100 };
    emulator = await Emulator.start({ settings });
    secure = await Emulator.start({ settings, tls: true });
    folder = mkdtempSync(path.join(os.tmpdir(), "temporal-cloud-roots-"));
    roots = path.join(folder, "roots.pem");
    writeFileSync(roots, secure.caCertificate ?? "");
});
afterAll(async () => {
    await emulator?.stop();
    await secure?.stop();
    rmSync(folder, { recursive: true });
});
beforeEach(() => {
    emulator.requests.reset();
    secure.requests.reset();
});

/** Only what the test says of proxies and certificates. */
const CLEAN = Object.fromEntries(
    ["http_proxy", "https_proxy", "grpc_proxy", "no_proxy", "no_grpc_proxy", "all_proxy"]
        .flatMap((name) => [name, name.toUpperCase()])
        .concat("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "NODE_EXTRA_CA_CERTS")
        .map((name) => [name, undefined]),
);

async function configured<T>(
    config: Record<string, string>,
    body: (host: Host) => Promise<T>,
    env: HostOptions["env"] = {},
): Promise<T> {
    return withHost({ env: { ...CLEAN, ...env } }, async (host) => {
        await host.configure(config);
        return body(host);
    });
}

const creating = (config: Record<string, string>, env?: HostOptions["env"]) =>
    configured(config, (host) => errorOf(up(host, namespace())), env);

describe("what is missing or wrong is one clear error", () => {
    test("no key", async () => {
        const { message } = await creating({ "temporalcloud:endpoint": `http://${emulator.address}` });
        expect(message).toBe(
            "No API key for Temporal Cloud. Set it with `pulumi config set --secret temporalcloud:apiKey`, " +
                "or in the environment variable TEMPORAL_CLOUD_API_KEY.",
        );
        expect(emulator.requests.count()).toBe(0);
    });

    test("a misspelt key of the configuration is warned of", async () => {
        const said = await configured(
            { ...configurationOf(emulator, { "temporalcloud:allowedAccount": "a1b2c" }), "shop:allowedAccount": "x" },
            async (host) => {
                await up(host, namespace("misspelt"));
                await until("the warning", () => host.logs.length > 0);
                return host.logs.map(({ message }) => message);
            },
        );
        expect(said).toEqual([
            'temporalcloud:allowedAccount is not a known configuration key. Did you mean "allowedAccountId"?',
        ]);
    });

    test("and so it is at a preview, which needs no key; an invalid value is an error there", async () => {
        const previewed = (config: Record<string, string>) =>
            configured(config, async (host) => {
                await host.check(namespace("previewed"));
                await until("the warning", () => host.logs.length > 0);
                return host.logs.map(({ message }) => message);
            });
        const misspelt = { "temporalcloud:allowedAccount": "a1b2c" };
        expect(await previewed(misspelt)).toEqual([
            'temporalcloud:allowedAccount is not a known configuration key. Did you mean "allowedAccountId"?',
        ]);
        await expect(previewed({ "temporalcloud:requestsPerSecond": "abc" })).rejects.toThrow(
            'temporalcloud:requestsPerSecond is "abc"; it must be a number above 0',
        );
    });

    test("a key that is refused", async () => {
        const { message } = await creating(configurationOf(emulator, { "temporalcloud:apiKey": "tmprl_wrong" }));
        expect(message).toMatch(/^Namespace "orders" could not be created: \w+: UNAUTHENTICATED: /);
        expect(message).toContain("rejected the API key");
        expect(message).toContain("run `pulumi up`");
        expect(message).not.toContain("tmprl_wrong");
        expect(emulator.requests.count("CreateNamespace")).toBe(0);
    });

    test("a certificate that cannot be verified, at once, and without the key having been sent", async () => {
        const startedAt = Date.now();
        const { message } = await creating(configurationOf(secure));
        expect(message).toContain(`The certificate of ${secure.address} could not be verified.`);
        expect(message).toContain("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH");
        expect(Date.now() - startedAt).toBeLessThan(10_000);
        expect(secure.requests.count()).toBe(0);
    });

    test("TLS to a server that speaks none", async () => {
        const { message } = await creating(configurationOf(emulator, { "temporalcloud:endpoint": emulator.address }));
        expect(message).toMatch(/CreateNamespace|GetAsyncOperation/);
        expect(message).toContain(`${emulator.address} does not speak TLS, or not to this client.`);
        expect(emulator.requests.count()).toBe(0);
    });

    test("another account, before anything is written", async () => {
        const config = configurationOf(emulator, { "temporalcloud:allowedAccountId": "other" });
        await configured(config, async (host) => {
            const { urn, news } = namespace();
            const properties = { ...news, name: "orders" };
            const id = "orders.a1b2c";
            for (const call of [
                host.create({ urn, properties }),
                host.read({ id, urn, properties }),
                host.update({ id, urn, olds: properties, news: { ...properties, retentionDays: 7 } }),
                host.delete({ id, urn, properties }),
            ]) {
                const { message } = await errorOf(call);
                expect(message).toContain(
                    'The API key belongs to the account "a1b2c", and temporalcloud:allowedAccountId allows only "other". Nothing was changed.',
                );
            }
        });
        expect(Object.keys(emulator.requests.byMethod())).toEqual(["GetAccount"]);
    });

    test("a key that would go over the network in plain text", async () => {
        const { message } = await creating({
            "temporalcloud:apiKey": "tmprl_key",
            "temporalcloud:endpoint": "http://cloud.example:7233",
        });
        expect(message).toMatch(/cloud\.example:7233 is not local.*temporalcloud:allowInsecure to true/);
    });

    test("an endpoint and a rate that make no sense", async () => {
        expect((await creating(configurationOf(emulator, { "temporalcloud:endpoint": "a b" }))).message).toMatch(
            /^temporalcloud:endpoint is "a b"/,
        );
        expect(
            (await creating(configurationOf(emulator, { "temporalcloud:requestsPerSecond": "fast" }))).message,
        ).toMatch(/^temporalcloud:requestsPerSecond is "fast"/);
    });
});

test("the allowed account is no hindrance to itself, and is asked for once", async () => {
    const config = configurationOf(emulator, { "temporalcloud:allowedAccountId": "a1b2c" });
    await configured(config, async (host) => {
        await Promise.all(["allowed-a", "allowed-b", "allowed-c"].map((name) => up(host, namespace(name))));
    });
    expect(emulator.requests.count("GetAccount")).toBe(1);
});

test("the environment stands in for the configuration", async () => {
    const env = {
        TEMPORAL_CLOUD_API_KEY: emulator.rootKey,
        TEMPORAL_CLOUD_ENDPOINT: emulator.address,
        TEMPORAL_CLOUD_ALLOW_INSECURE: "true",
    };
    await configured({}, (host) => up(host, namespace("by-environment")), env);
    expect(emulator.namespaces.get("by-environment.a1b2c")).toBeDefined();
});

test("TLS works with the authority's certificate in a file", async () => {
    const env = { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: roots };
    await configured(configurationOf(secure), (host) => up(host, namespace("secure")), env);
    expect(secure.namespaces.get("secure.a1b2c")).toBeDefined();
});

test("calls that come before `configure` has returned have the configuration", async () => {
    await withHost({ env: CLEAN }, async (host) => {
        const urn = urnOf("Namespace", "nowhere");
        const reads = Array.from({ length: 8 }, (_, index) => ({
            id: `nowhere-${index}.a1b2c`,
            urn,
            properties: { __provider: providerText(index % 2 === 0 ? "Namespace" : "User") },
        }));
        const [, ...answers] = await Promise.all([
            host.configure(configurationOf(emulator)),
            ...reads.map((read) => errorOf(host.read(read))),
        ]);
        expect(answers.map(({ message }) => message)).toEqual(
            reads.map(({ id }) => expect.stringMatching(`there is no (Namespace|User) "${id}"`)),
        );
    });
});

describe("a proxy", () => {
    test.each([
        ["HTTPS_PROXY", "proxied-capital"],
        ["https_proxy", "proxied-small"],
    ])("that %s names is used, for Temporal Cloud only", async (variable, name) => {
        const proxy = await startProxy();
        const env = { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: roots, [variable]: `http://127.0.0.1:${proxy.port}` };
        const logs = await configured(
            configurationOf(secure),
            async (host) => {
                const { urn, news } = namespace(name);
                const { id, properties } = await up(host, { urn, news });
                await host.update({ id, urn, olds: properties, news: { ...news, name, retentionDays: 5 } });
                return host.logs;
            },
            env,
        );
        expect(secure.namespaces.get(`${name}.a1b2c`)).toBeDefined();
        // The engine is on this machine: what is shown to the person who watches takes no detour.
        expect(logs.map(({ message }) => message)).toContain("updating");
        proxy.close();
        expect(new Set(proxy.targets)).toEqual(new Set([secure.address]));
    });

    test("that NO_PROXY exempts is not used", async () => {
        const proxy = await startProxy();
        const env = {
            GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: roots,
            HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
            NO_PROXY: "localhost",
        };
        await configured(configurationOf(secure), (host) => up(host, namespace("exempt")), env);
        expect(secure.namespaces.get("exempt.a1b2c")).toBeDefined();
        proxy.close();
        expect(proxy.targets).toEqual([]);
    });
});

/** A proxy that knows CONNECT and nothing else, and notes where to. */
async function startProxy(): Promise<{ port: number; targets: string[]; close(): void }> {
    const targets: string[] = [];
    const sockets = new Set<net.Socket>();
    const server = http.createServer();
    server.on("connect", (request: http.IncomingMessage, client: net.Socket) => {
        const target = request.url ?? "";
        targets.push(target);
        const [host = "", port = ""] = target.split(":");
        const upstream = net.connect(Number(port), host, () => {
            client.write("HTTP/1.1 200 OK\r\n\r\n");
            upstream.pipe(client).pipe(upstream);
        });
        for (const socket of [client, upstream]) {
            sockets.add(socket);
            socket.on("error", () => socket.destroy());
        }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    return {
        port,
        targets,
        close: () => {
            server.close();
            for (const socket of sockets) {
                socket.destroy();
            }
        },
    };
}
