// Runs of the real engine that end before their time: by Ctrl-C, once and twice, and by a full disk under the state.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Emulator } from "../../emulator";
import { EngineError, type Result, TestStack } from "../support/engine";
import { descendants, isEngine } from "../support/processes";
import { faultsOf, fleet, inventory, leftovers } from "./fleet";
import { until } from "./with";

jest.setTimeout(180_000);

const EACH = 3;
const VERSION = { values: 0, names: 0 };

let emulator: Emulator;
let stack: TestStack;

beforeEach(async () => {
    emulator = await Emulator.start({ settings: { operationDurationMs: 1_000, checkDurationMs: 100 } });
    stack = await TestStack.create({ emulator, program: fleet(VERSION, EACH) });
});

afterEach(async () => {
    stack.remove();
    await emulator.stop();
});

/** Presses Ctrl-C when the second layer of the program is being created. */
async function interrupted(times: number): Promise<Result> {
    const up = stack.up({ expectFailure: true });
    await until("the creates", () => emulator.requests.count("CreateUser") >= EACH);
    for (let press = 0; press < times; press += 1) {
        for (const { pid } of descendants().filter(isEngine)) {
            process.kill(pid, "SIGINT");
        }
        await new Promise((resolve) => setTimeout(resolve, 150));
    }
    return up;
}

/** All that a run said, of whichever resource. */
function said({ diagnostics }: Result): string {
    return diagnostics.map(({ message }) => message).join("\n");
}

test("Ctrl-C once: what has begun is finished and saved", async () => {
    await interrupted(1);
    const saved = stack.resources().length;
    expect(saved).toBeGreaterThanOrEqual(3 * EACH);
    expect(emulator.apiKeys.list()).toEqual([]);
    // Nothing has to be taken over.
    expect(said(await stack.up())).not.toContain("Taking over");
    expect(await faultsOf(stack, emulator, VERSION, EACH)).toEqual([]);
});

test("Ctrl-C twice: the next run takes over what has begun", async () => {
    await interrupted(2);
    await stack.cancel();
    expect(inventory(emulator).length).toBeGreaterThan(stack.resources().length);
    expect(said(await stack.up())).toContain("Taking over User");
    expect(await faultsOf(stack, emulator, VERSION, EACH)).toEqual([]);
    await stack.destroy();
    expect(leftovers(stack, emulator)).toEqual([]);
});

test("a full disk under the state: the next run takes over what could not be saved", async () => {
    const backend = path.join(stack.workDir, "backend");
    const mounted = mountSmall(backend);
    if (!mounted) {
        // Who may mount has to be able to.
        expect({ platform: process.platform, user: process.getuid?.() }).not.toEqual({ platform: "linux", user: 0 });
        process.stdout.write("not tested: a file system of its own needs Linux and the right to mount\n");
        return;
    }
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
function mountSmall(folder: string): boolean {
    const copy = mkdtempSync(path.join(os.tmpdir(), "temporal-cloud-test-"));
    try {
        cpSync(folder, copy, { recursive: true });
        const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${SMALL_BYTES}`, "tmpfs", folder]);
        if (status !== 0) {
            return false;
        }
        cpSync(copy, folder, { recursive: true });
        return true;
    } finally {
        rmSync(copy, { recursive: true, force: true });
    }
}
