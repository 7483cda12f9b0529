import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { ChannelCredentials, createChannel, createClient } from "nice-grpc";
import { CloudServiceDefinition } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import { API_VERSION } from "../../proto/generated/version";
import { repositoryRoot, requireBuild } from "../support/workdir";
import { errorOf, headers, namespaceSpec } from "./client";

const rootKey = "the-root-key";
let running: ChildProcess | undefined;
beforeAll(requireBuild);
afterEach(() => {
    running?.kill("SIGKILL");
    running = undefined;
});

/** Starts `temporal-cloud emulator` on a free port. */
function start(...options: string[]): ChildProcess & { lines: AsyncIterableIterator<string> } {
    const main = path.join(repositoryRoot, "dist", "cli", "main.js");
    const child = spawn(process.execPath, [main, "emulator", "--port", "0", ...options], {
        env: { ...process.env, TEMPORAL_CLOUD_EMULATOR_KEY: rootKey },
        stdio: ["ignore", "pipe", "pipe"],
    });
    running = child;
    return Object.assign(child, { lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() });
}

test("the emulator as a process: settings, faults, TLS, state, report", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "emulator-"));
    const state = path.join(folder, "state.json");
    const child = start(
        ...["--json", "--tls", "--report", "--account", "zz9zz", "--state", state, "--operation-duration", "60000"],
        ...["--set", "staleVersionCode=ABORTED", "--set", "regions=aws-us-east-1,aws-moon-1"],
        ...["--fault", '{"method":"/^GetRegion/","kind":"failBefore","code":"INTERNAL","details":"ordered"}'],
    );
    const { address, account, apiKey, caFile } = JSON.parse((await child.lines.next()).value);
    expect({ account, apiKey }).toEqual({ account: "zz9zz", apiKey: rootKey });

    const channel = createChannel(address, ChannelCredentials.createSsl(readFileSync(caFile)));
    const api = createClient(CloudServiceDefinition, channel, { "*": { metadata: headers(rootKey, API_VERSION) } });
    expect(await errorOf(api.getRegions({}))).toBe("INTERNAL: ordered");
    expect((await api.getRegions({})).regions.map(({ id }) => id)).toEqual(["aws-us-east-1", "aws-moon-1"]);
    const { namespace } = await api.createNamespace({ spec: namespaceSpec() });
    const removal = api.deleteNamespace({ namespace, resourceVersion: "x" });
    expect(await errorOf(removal)).toMatch(/^ABORTED: operation .* is in flight/);
    channel.close();

    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    expect(JSON.parse((await child.lines.next()).value)).toEqual({
        refused: 0,
        CreateNamespace: 1,
        DeleteNamespace: 1,
        GetRegions: 2,
    });
    expect(existsSync(caFile)).toBe(false);
    expect(readFileSync(state, "utf8")).toContain('"account":"zz9zz"');
    rmSync(folder, { recursive: true, force: true });
});

test("what it prints can be pasted into a shell", async () => {
    const child = start();
    await child.lines.next();
    expect((await child.lines.next()).value).toMatch(/^ {2}export TEMPORAL_CLOUD_ENDPOINT=127\.0\.0\.1:\d+$/);
    expect((await child.lines.next()).value).toBe(`  export TEMPORAL_CLOUD_API_KEY=${rootKey}`);
    child.kill("SIGINT");
    expect((await once(child, "exit"))[0]).toBe(0);
});

test.each([
    [["--set", "bogus=1"]],
    [["--set", "staleVersionCode=BOGUS"]],
    [["--fault", "{"]],
    [["--fault", "null"]],
    [["--set", "completeAtOnce=maybe"]],
    [["--account", ""]],
    [["--operation-duration", "soon"]],
    // Only found out when it listens already.
    [["--tls", "--ca-file", path.join("no", "such", "folder", "ca.pem")]],
])("%j is refused", async (options) => {
    const main = path.join(repositoryRoot, "dist", "cli", "main.js");
    const child = spawn(process.execPath, [main, "emulator", "--port", "0", ...options], { stdio: "ignore" });
    expect((await once(child, "exit"))[0]).toBe(1);
});

test("a state file that can no longer be written does not end it", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "emulator-"));
    const child = start("--json", "--state", path.join(folder, "state.json"));
    const { address } = JSON.parse((await child.lines.next()).value);
    rmSync(folder, { recursive: true, force: true });
    const channel = createChannel(address, ChannelCredentials.createInsecure());
    const api = createClient(CloudServiceDefinition, channel, { "*": { metadata: headers(rootKey, API_VERSION) } });
    const said = once(child.stderr as NodeJS.ReadableStream, "data");
    await api.createNamespace({ spec: namespaceSpec() });
    expect(String((await said)[0])).toMatch(/The emulator's state cannot be written: ENOENT/);
    expect((await api.getNamespaces({})).namespaces).toHaveLength(1);
    channel.close();
});
