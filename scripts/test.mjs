// `npm test`: setup, type check, lint and formatting, all tests. Arguments are passed to jest: `npm test -- namespace`.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { root, SetupError, setup } from "./setup.mjs";

const SLOWEST_SHOWN = 8;

const stages = [];
let passed = 0;
let failed = 0;
let skipped = 0;

/** @param {() => boolean | Promise<boolean>} run returns whether it succeeded */
async function stage(name, run) {
    console.log(`\n--- ${name}`);
    const started = Date.now();
    const succeeded = await run();
    stages.push({ name, succeeded, seconds: (Date.now() - started) / 1_000 });
    if (succeeded) {
        passed++;
    } else {
        failed++;
    }
}

/** Runs a program from node_modules with this Node.js, independent of PATH and shell. */
function node(file, ...args) {
    const { status, error } = spawnSync(process.execPath, [path.join(root, "node_modules", file), ...args], {
        cwd: root,
        stdio: "inherit",
    });
    if (error) {
        console.error(error.message);
    }
    return status === 0;
}

await stage("Setup", async () => {
    try {
        const { pulumi } = await setup();
        console.log(`Pulumi CLI ${pulumi.version}`);
        return true;
    } catch (error) {
        // Continue: the other stages tell more about what is wrong.
        console.error(error instanceof SetupError ? error.message : error);
        return false;
    }
});
if (!existsSync(path.join(root, "node_modules", "jest"))) {
    finish([]);
    process.exit();
}
await stage("Type check", () => node("typescript/bin/tsc", "-p", "tsconfig.check.json", "--noEmit"));
await stage("Lint and formatting", () => node("@biomejs/biome/bin/biome", "check"));
await stage("Protobuf lint", () => node("@bufbuild/buf/bin/buf", "lint", "proto"));
const suites = await runJest(process.argv.slice(2));

finish(suites);

function finish(suites) {
    console.log("\nTime by stage:");
    for (const { name, succeeded, seconds } of stages) {
        console.log(`  ${seconds.toFixed(1).padStart(6)} s  ${name}${succeeded ? "" : "  FAILED"}`);
    }
    if (suites.length > 0) {
        console.log("Slowest test files (run in parallel, so their sum exceeds the total):");
        for (const { file, seconds } of suites.slice(0, SLOWEST_SHOWN)) {
            console.log(`  ${seconds.toFixed(1).padStart(6)} s  ${file}`);
        }
    }
    console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
    process.exitCode = failed === 0 ? 0 : 1;
}

/** Runs and counts the tests; returns the test files, slowest first. */
async function runJest(args) {
    console.log("\n--- Tests");
    const folder = mkdtempSync(path.join(os.tmpdir(), "temporal-cloud-jest-"));
    const started = Date.now();
    try {
        const report = path.join(folder, "report.json");
        // Jest would leave one core free, but an engine test mostly waits for other processes.
        const workers = String(Math.max(2, os.availableParallelism()));
        const succeeded = node("jest/bin/jest.js", "--maxWorkers", workers, "--json", "--outputFile", report, ...args);
        const results = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : undefined;
        stages.push({ name: "Tests", succeeded, seconds: (Date.now() - started) / 1_000 });
        const failures = (results?.numFailedTests ?? 0) + (results?.numRuntimeErrorTestSuites ?? 0);
        passed += results?.numPassedTests ?? 0;
        skipped += results?.numPendingTests ?? 0;
        // Jest can fail without a failed test: no test found, or a crashed worker.
        failed += succeeded ? 0 : Math.max(1, failures);
        return (results?.testResults ?? [])
            .map(({ name, startTime, endTime }) => ({
                file: path.relative(root, name),
                seconds: (endTime - startTime) / 1_000,
            }))
            .sort((left, right) => right.seconds - left.seconds);
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}
