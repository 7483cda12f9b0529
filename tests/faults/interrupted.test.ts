// Runs of the real engine that end before their time: by Ctrl-C, once and twice, and by a full disk under the state.

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Emulator } from "../../emulator";
import { EngineError, type Result, TestStack } from "../support/engine";
import { descendants, isEngine } from "../support/processes";
import { until } from "../support/until";
import { faultsOf, fleet, inventory, leftovers } from "./fleet";

jest.setTimeout(180_000);

const EACH = 3;
const VERSION = { values: 0, names: 0 };

let emulator: Emulator;
let stack: TestStack;

beforeEach(async () => {
    emulator = await Emulator.start({ settings: { operationDurationMs: 100, checkDurationMs: 100 } });
    stack = await TestStack.create({ emulator, program: fleet(VERSION, EACH) });
});

afterEach(async () => {
    stack.remove();
    await emulator.stop();
});

/** Presses Ctrl-C when the second layer of the program is being created, which does not end before `finish`. */
async function interrupted(times: number): Promise<{ run: Promise<Result>; finish: () => void }> {
    const durationMs = Number.POSITIVE_INFINITY;
    emulator.faults.add({
        kind: "slowOperation",
        method: /^Create(User|ServiceAccount)$/,
        durationMs,
        times: 2 * EACH,
    });
    const run = stack.up({ expectFailure: true });
    await until("the creates", () =>
        ["CreateUser", "CreateServiceAccount"].every((method) => emulator.requests.count(method) >= EACH),
    );
    for (let press = 0; press < times; press += 1) {
        for (const { pid } of descendants().filter(isEngine)) {
            process.kill(pid, "SIGINT");
        }
        await new Promise((resolve) => setTimeout(resolve, 150));
    }
    return { run, finish: () => emulator.finishOperations() };
}

/** All that a run said, of whichever resource. */
function said({ diagnostics }: Result): string {
    return diagnostics.map(({ message }) => message).join("\n");
}

test("Ctrl-C once: what has begun is finished and saved", async () => {
    const { run, finish } = await interrupted(1);
    finish();
    await run;
    const saved = stack.resources().length;
    expect(saved).toBeGreaterThanOrEqual(3 * EACH);
    expect(emulator.apiKeys.list()).toEqual([]);
    // Nothing has to be taken over.
    expect(said(await stack.up())).not.toContain("Taking over");
    expect(await faultsOf(stack, emulator, VERSION, EACH)).toEqual([]);
});

test("Ctrl-C twice: the next run takes over what has begun", async () => {
    const { run, finish } = await interrupted(2);
    await run;
    finish();
    await stack.cancel();
    expect(inventory(emulator).length).toBeGreaterThan(stack.resources().length);
    expect(said(await stack.up())).toContain("Taking over User");
    expect(await faultsOf(stack, emulator, VERSION, EACH)).toEqual([]);
    await stack.destroy();
    expect(leftovers(stack, emulator)).toEqual([]);
});

/** A file system of one's own needs Linux and the right to mount. */
const whereOneCanMount = process.platform === "linux" && process.getuid?.() === 0 ? test : test.skip;

whereOneCanMount("a full disk under the state: the next run takes over what could not be saved", async () => {
    const backend = path.join(stack.workDir, "backend");
    mountSmall(backend);
    try {
        const filler = path.join(backend, "filler");
        const fill = (bytes: number) => writeFileSync(filler, Buffer.alloc(bytes));
        // So much that the first resources can be saved, and the others cannot.
        fill(SMALL_BYTES - 120 * 1024);
        const full = await stack.up({ expectFailure: true });
        expect(`${full.stdout}${full.stderr}`).toMatch(/no space left on device/);
        expect(emulator.namespaces.list().length).toBeGreaterThan(0);
        rmSync(filler);
        await stack.cancel();
        await stack.up();
        expect(await faultsOf(stack, emulator, VERSION, EACH)).toEqual([]);
    } catch (error) {
        throw error instanceof EngineError ? new Error(`${error.message}\n${error.result.stdout}`) : error;
    } finally {
        spawnSync("umount", ["--lazy", backend]);
    }
});

const SMALL_BYTES = 4 * 1024 * 1024;

/** Puts a file system of a few megabytes in the place of a folder, with what is in it. */
function mountSmall(folder: string): void {
    const copy = mkdtempSync(path.join(os.tmpdir(), "temporal-cloud-test-"));
    try {
        cpSync(folder, copy, { recursive: true });
        execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SMALL_BYTES}`, "tmpfs", folder]);
        cpSync(copy, folder, { recursive: true });
    } finally {
        rmSync(copy, { recursive: true, force: true });
    }
}
