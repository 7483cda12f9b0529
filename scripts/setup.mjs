// Everything that a clean clone needs before the demo and the tests: dependencies, generated code, the build, and the
// Pulumi CLI. Plain Node.js, since nothing is installed yet. Skips what is already done.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { SetupError } from "./errors.mjs";
import { exclusively } from "./lock.mjs";
import { findPulumi, installPulumi } from "./pulumi.mjs";

export { findPulumi, SetupError };

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

// What tsc compiles: tsconfig.json's "include".
const sourceFolders = ["provider", "emulator", "cli", "proto/generated"];

/**
 * @param {{ say?: (line: string) => void, pulumi?: boolean }} options `pulumi: false`: without the Pulumi CLI
 * @returns {Promise<{ pulumi: import("./pulumi.mjs").Pulumi | undefined }>}
 */
export async function setup({ say = console.log, pulumi = true } = {}) {
    const problem = nodeProblem(process.version);
    if (problem) {
        throw new SetupError(problem);
    }
    const clone = createHash("sha256").update(root).digest("hex").slice(0, 16);
    await exclusively(path.join(os.tmpdir(), `pulumi-temporal-cloud-${clone}.lock`), say, async () => {
        installDependencies(say);
        generateCode(say);
        build(say);
    });
    return { pulumi: pulumi ? await installPulumi(say) : undefined };
}

/** What is wrong with a version of Node.js, if anything. Without the semver package: nothing is installed yet. */
export function nodeProblem(version) {
    // ">=20.3"
    const wanted = readJson(path.join(root, "package.json")).engines.node;
    const [[major, minor], [wantedMajor, wantedMinor]] = [version, wanted].map((text) =>
        text.match(/\d+/g).map(Number),
    );
    const isOld = major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
    return isOld ? `Node.js ${wantedMajor}.${wantedMinor} or later is required; this is ${version}` : undefined;
}

function installDependencies(say) {
    if (dependenciesAreInstalled()) {
        return;
    }
    step(say, "Installing dependencies (npm ci), about half a minute", "npm", [
        "ci",
        "--include=dev",
        "--no-audit",
        "--no-fund",
    ]);
}

// npm records in node_modules what it installed. Modification times would not do: a checkout changes them.
function dependenciesAreInstalled() {
    const wanted = readJson(path.join(root, "package-lock.json")).packages;
    const record = path.join(root, "node_modules", ".package-lock.json");
    if (!existsSync(record)) {
        return false;
    }
    const present = readJson(record).packages;
    return Object.entries(wanted).every(
        ([name, entry]) => name === "" || entry.link || isForOthers(entry) || present[name]?.version === entry.version,
    );
}

/** Whether a package is for other platforms. For one of this platform, npm does not report a failed download. */
function isForOthers({ optional, os: systems, cpu, libc }) {
    const fits = (list, value) => list === undefined || list.includes(value);
    return optional && !(fits(systems, process.platform) && fits(cpu, process.arch) && fits(libc, libcName()));
}

function libcName() {
    return process.report.getReport().header.glibcVersionRuntime === undefined ? "musl" : "glibc";
}

function generateCode(say) {
    const stamp = path.join(root, "proto", "generated", ".inputs");
    const inputs = [
        ...files("proto", (name) => !name.startsWith("proto/generated/")),
        "scripts/codegen.mjs",
        // The package's own version is part of the generated code.
        "package.json",
        // The version of ts-proto affects its output.
        "package-lock.json",
    ];
    once(stamp, inputs, () =>
        step(say, "Generating code from proto/", process.execPath, [path.join(root, "scripts", "codegen.mjs")]),
    );
}

const buildStamp = path.join(root, "dist", ".inputs");
const buildInputs = () => [...sourceFolders.flatMap((folder) => files(folder, isSource)), "tsconfig.json"];

function build(say) {
    once(buildStamp, buildInputs(), () => {
        const compiler = path.join(root, "node_modules", "typescript", "bin", "tsc");
        step(say, "Compiling to dist/", process.execPath, [compiler, "-p", path.join(root, "tsconfig.json")]);
        removeOrphans();
    });
}

/** Why dist/ is out of date; undefined if it is up to date. */
export function staleBuild() {
    const inputs = buildInputs();
    if (existsSync(buildStamp) && readFileSync(buildStamp, "utf8") === hash(inputs)) {
        return undefined;
    }
    // Also fine: tsc was run manually after the last change.
    for (const source of inputs.filter(isSource)) {
        const output = path.join(root, "dist", source.replace(/\.ts$/, ".js"));
        if (!existsSync(output)) {
            return `dist/ is not up to date (${source} is not compiled): run \`npm run build\``;
        }
        if (statSync(output).mtimeMs < statSync(path.join(root, source)).mtimeMs) {
            return `dist/ is not up to date (${source} has changed since): run \`npm run build\``;
        }
    }
    return undefined;
}

// Output of a deleted source would still be packed and found by `require`.
function removeOrphans() {
    for (const output of files("dist", (name) => name.endsWith(".js"))) {
        const base = output.slice("dist/".length, -".js".length);
        if (!existsSync(path.join(root, `${base}.ts`))) {
            for (const extension of [".js", ".js.map", ".d.ts"]) {
                rmSync(path.join(root, "dist", base + extension), { force: true });
            }
        }
    }
}

/** Runs `make` unless it has succeeded before on the same inputs. */
function once(stamp, inputs, make) {
    const before = hash(inputs);
    if (existsSync(stamp) && readFileSync(stamp, "utf8") === before) {
        return;
    }
    rmSync(stamp, { force: true });
    make();
    mkdirSync(path.dirname(stamp), { recursive: true });
    writeFileSync(stamp, before);
}

function hash(inputs) {
    const sum = createHash("sha256");
    for (const input of [...inputs].sort()) {
        sum.update(`${input}\0`)
            .update(readFileSync(path.join(root, input)))
            .update("\0");
    }
    return sum.digest("hex");
}

function isSource(name) {
    return name.endsWith(".ts");
}

/** The files below a folder of the repository, as paths from its root with forward slashes. */
function files(folder, keep) {
    const absolute = path.join(root, folder);
    if (!existsSync(absolute)) {
        return [];
    }
    return readdirSync(absolute, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
        .map((name) => name.split(path.sep).join("/"))
        .filter(keep);
}

function step(say, what, command, args) {
    say(`${what} ...`);
    const started = Date.now();
    const { status, error } = spawnSync(command, args, {
        cwd: root,
        stdio: "inherit",
        shell: process.platform === "win32" && command === "npm",
    });
    if (error || status !== 0) {
        throw new SetupError(`${what}: failed${error ? ` (${error.message})` : ""}`);
    }
    say(`  done in ${((Date.now() - started) / 1_000).toFixed(1)} s`);
}

function readJson(file) {
    return JSON.parse(readFileSync(file, "utf8"));
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
    try {
        const buildOnly = process.argv.includes("--build-only");
        const { pulumi } = await setup({ pulumi: !buildOnly });
        console.log(pulumi ? `Ready. Pulumi CLI ${pulumi.version} (${pulumi.root ?? "on PATH"}).` : "Ready.");
    } catch (error) {
        console.error(error instanceof SetupError ? error.message : error);
        process.exitCode = 1;
    }
}
