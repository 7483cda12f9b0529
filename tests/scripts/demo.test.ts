// The demo, as `npm run demo` runs it: it shows what it says, and leaves nothing.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { repositoryRoot, requireBuild } from "../support/workdir";

jest.setTimeout(180_000);

let folder: string;

beforeAll(() => {
    // The demo would build by itself, beneath the tests that are using the build.
    requireBuild();
});

beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "temporal-cloud-test-"));
});

afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
});

interface Ended {
    code: number | null;
    output: string;
}

function runDemo(onOutput: (output: string, demo: ChildProcess) => void = () => {}): Promise<Ended> {
    const demo = spawn(process.execPath, [path.join(repositoryRoot, "scripts", "demo.mjs")], {
        // What a developer may have set for the own account and backend.
        env: {
            ...process.env,
            TMPDIR: folder,
            TEMP: folder,
            PULUMI_BACKEND_URL: "https://127.0.0.1:1",
            TEMPORAL_CLOUD_ALLOWED_ACCOUNT_ID: "mine",
        },
        stdio: ["ignore", "pipe", "pipe"],
        // Its own process group, as in a terminal: Ctrl-C goes to the whole of it.
        detached: true,
    });
    let output = "";
    for (const stream of [demo.stdout, demo.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
            output += text;
            onOutput(output, demo);
        });
    }
    return new Promise((resolve) => demo.once("close", (code) => resolve({ code, output })));
}

/** No file, and no emulator. */
async function expectNothingLeft(output: string): Promise<void> {
    expect(readdirSync(folder)).toEqual([]);
    const [, port] = /listens on 127\.0\.0\.1:(\d+)/.exec(output) ?? [];
    await expect(once(net.connect(Number(port), "127.0.0.1"), "connect")).rejects.toThrow("ECONNREFUSED");
}

test("it goes through a whole life, and leaves nothing", async () => {
    const { code, output } = await runDemo();
    expect(output).toContain("nothing is left behind");
    expect(code).toBe(0);
    expect(output).toMatch(/\+ 4 created/);
    expect(output).toMatch(/4 unchanged/);
    expect(output).toMatch(/~ retentionDays *: 30 => 7/);
    expect(output).toMatch(/~ permission *: "write" => "admin"/);
    expect(output).toMatch(/~ 2 updated/);
    expect(output).toMatch(/- 4 deleted/);
    expect(output).not.toMatch(/tmprl_/);
    await expectNothingLeft(output);
});

test.each<[string, NodeJS.Signals]>([
    ["Ctrl-C", "SIGINT"],
    ["the end of its terminal", "SIGHUP"],
])("%s ends it, and it still leaves nothing", async (_, signal) => {
    let interrupted = false;
    const { code, output } = await runDemo((sofar, demo) => {
        if (!interrupted && sofar.includes("Namespace orders creating") && demo.pid !== undefined) {
            interrupted = true;
            process.kill(-demo.pid, signal);
        }
    });
    expect(output).toContain("Interrupted.");
    expect(code).toBe(130);
    await expectNothingLeft(output);
});
