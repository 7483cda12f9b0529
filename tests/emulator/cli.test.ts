import { type ChildProcess, spawn, spawnSync } from "node:child_process";
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
        ...["--fault", '{"method":"/^GetRegion/","kind":"failBefore","code":"INTERNAL","details":"injected"}'],
    );
    const { address, account, apiKey, caFile } = JSON.parse((await child.lines.next()).value);
    expect({ account, apiKey }).toEqual({ account: "zz9zz", apiKey: rootKey });

    const channel = createChannel(address, ChannelCredentials.createSsl(readFileSync(caFile)));
    const api = createClient(CloudServiceDefinition, channel, { "*": { metadata: headers(rootKey, API_VERSION) } });
    expect(await errorOf(api.getRegions({}))).toBe("INTERNAL: injected");
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

test("a key that no client could send is refused", () => {
    const main = path.join(repositoryRoot, "dist", "cli", "main.js");
    const env = { ...process.env, TEMPORAL_CLOUD_EMULATOR_KEY: "the root key" };
    const { status, stderr } = spawnSync(process.execPath, [main, "emulator", "--port", "0"], {
        env,
        encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("must not contain blanks") });
});

test("what it prints can be pasted into a shell", async () => {
    const child = start();
    await child.lines.next();
    expect((await child.lines.next()).value).toMatch(/^ {2}export TEMPORAL_CLOUD_ENDPOINT=127\.0\.0\.1:\d+$/);
    expect((await child.lines.next()).value).toBe(`  export TEMPORAL_CLOUD_API_KEY=${rootKey}`);
    child.kill("SIGINT");
    expect((await once(child, "exit"))[0]).toBe(0);
});

test.each<[string[], string]>([
    [["--set", "bogus=1"], "Unknown setting bogus."],
    [["--set", "staleVersionCode=BOGUS"], "BOGUS is not a gRPC code"],
    [["--set", "completeAtOnce=maybe"], "It must be true or false."],
    [["--set", "rootPrincipal=nobody"], "It must be one of service-account, user."],
    [["--set", "regions=aws-us-east-1,"], "It must be a list such as aws-us-east-1,aws-us-west-2."],
    [["--set", 'regions=["aws-us-east-1"]'], "It must be a list such as aws-us-east-1,aws-us-west-2."],
    [["--fault", "{"], "It must be JSON."],
    [["--fault", "null"], "It must be a JSON object."],
    [["--fault", "[]"], "It must be a JSON object."],
    [["--fault", '{"kind":"hang"}'], "It must have a method."],
    [["--fault", '{"method":"GetUser","kind":"run"}'], "kind must be one of failBefore, loseAnswer, "],
    [["--fault", '{"method":"GetUser","kind":"hang","time":2}'], "Unknown key time; known keys: method, kind, times, "],
    [["--fault", '{"method":"GetUser","kind":"hang","times":-1}'], "times must be a whole number, 0 or more."],
    [["--fault", '{"method":"/(/","kind":"hang"}'], "method must be a regular expression between the slashes."],
    [["--fault", '{"method":"GetUser","kind":"failBefore","code":99}'], "code must be a gRPC code"],
    [["--fault", '{"method":"GetUsr","kind":"hang"}'], "No RPC matches GetUsr."],
    [["--random-faults", '{"failBefore":0.1}'], "It must have a seed."],
    [["--random-faults", '{"seed":1,"failBefore":10}'], "failBefore must be a number from 0 to 1."],
    [["--account", ""], "It must not be empty."],
    [["--account", "My Account"], 'An account id consists of lowercase letters and digits, unlike "My Account".'],
    // An address for documentation, which no machine has.
    [["--host", "192.0.2.1"], "Cannot listen on 192.0.2.1:0: "],
    [["--operation-duration", "soon"], "It must be a number, 0 or more."],
    [["--ca-file", "ca.pem"], "--ca-file requires --tls."],
    // Only found out when it listens already.
    [["--tls", "--ca-file", path.join("no", "such", "folder", "ca.pem")], "Cannot write the certificate to "],
])("%j is refused", async (options, message) => {
    const child = start(...options);
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
    });
    expect((await once(child, "close"))[0]).toBe(1);
    expect(said).toContain(message);
    expect(said).not.toContain("    at ");
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
