// The Pulumi CLI: found, downloaded, or built from source. Kept outside the repository, so that clones share it.

import { execFile, spawn } from "node:child_process";
import { access, chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { SetupError } from "./errors.mjs";
import { exclusively } from "./lock.mjs";

/** The CLI version to fetch if none is found. */
const VERSION = "3.250.0";
/** The oldest supported CLI: the version of the SDK that this package is developed with. */
const MINIMUM_VERSION = "3.248.0";
const GO_MINIMUM_VERSION = "1.25.0";
const SCRATCH_PREFIX = "scratch-";

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const executable = process.platform === "win32" ? ".exe" : "";
// The plugin that runs dynamic providers: a script that ships with the CLI and that the engine looks up on PATH.
const pluginName = process.platform === "win32" ? "pulumi-resource-pulumi-nodejs.cmd" : "pulumi-resource-pulumi-nodejs";

/**
 * @typedef {object} Pulumi
 * @property {string | undefined} root where `bin/pulumi` is, as Automation API expects it; undefined: on PATH
 * @property {string} version
 */

function cacheDir() {
    if (process.env.XDG_CACHE_HOME) {
        return path.join(process.env.XDG_CACHE_HOME, "pulumi-temporal-cloud");
    }
    if (process.platform === "win32" && process.env.LOCALAPPDATA) {
        return path.join(process.env.LOCALAPPDATA, "pulumi-temporal-cloud", "Cache");
    }
    const caches = process.platform === "darwin" ? path.join("Library", "Caches") : ".cache";
    return path.join(os.homedir(), caches, "pulumi-temporal-cloud");
}

const cachedRoot = () => path.join(cacheDir(), `pulumi-v${VERSION}`);

/**
 * The CLI on PATH, else the one cached by an earlier setup.
 * @returns {Promise<Pulumi | undefined>}
 */
export async function findPulumi() {
    const [onPath, cached] = await Promise.all([
        versionOf("pulumi"),
        versionOf(path.join(cachedRoot(), "bin", `pulumi${executable}`)),
    ]);
    if (onPath && !isOlder(onPath, MINIMUM_VERSION) && (await isOnPath(pluginName))) {
        return { root: undefined, version: onPath };
    }
    return cached ? { root: cachedRoot(), version: cached } : undefined;
}

/**
 * The CLI on PATH, else a cached one, else the official download, else a build from source.
 * @param {(line: string) => void} say
 * @returns {Promise<Pulumi>}
 */
export async function installPulumi(say) {
    const found = await findPulumi();
    if (found) {
        return found;
    }
    return exclusively(path.join(cacheDir(), "pulumi.lock"), say, async () => {
        // Another setup may have finished it while this one waited.
        const made = await findPulumi();
        if (made) {
            return made;
        }
        // Leftovers of interrupted setups: no other is running now.
        for (const name of await readdir(cacheDir())) {
            if (name.startsWith(SCRATCH_PREFIX)) {
                await rm(path.join(cacheDir(), name), { recursive: true, force: true });
            }
        }
        const reasons = [];
        for (const [how, make] of [
            ["the official download", download],
            ["a build from source", buildFromSource],
        ]) {
            const scratch = await mkdtemp(path.join(cacheDir(), SCRATCH_PREFIX));
            try {
                await make(scratch, say);
                const version = await versionOf(path.join(scratch, "bin", `pulumi${executable}`));
                if (!version) {
                    throw new Error("the result does not run");
                }
                // Atomic: an interrupted setup leaves nothing that looks like a CLI.
                await rm(cachedRoot(), { recursive: true, force: true });
                await rename(scratch, cachedRoot());
                say(`Pulumi CLI ${version}, from ${how}, cached in ${cachedRoot()}`);
                return { root: cachedRoot(), version };
            } catch (error) {
                const reason = error instanceof Error ? error.message : String(error);
                say(`Pulumi CLI: ${how} failed: ${reason}`);
                reasons.push(`  ${how}: ${reason}`);
            } finally {
                await rm(scratch, { recursive: true, force: true });
            }
        }
        throw new SetupError(
            `No Pulumi CLI ${MINIMUM_VERSION} or later on PATH, and none could be obtained:\n${reasons.join("\n")}\n` +
                "Install it (https://www.pulumi.com/docs/install/), or Go 1.25 or later, and retry.",
        );
    });
}

async function download(root, say) {
    const { PulumiCommand } = require("@pulumi/pulumi/automation");
    const { SemVer } = createRequire(require.resolve("@pulumi/pulumi"))("semver");
    say("Pulumi CLI: trying the official download ...");
    // PulumiCommand.install by itself waits for minutes if packets are dropped.
    await fetch("https://get.pulumi.com/", { method: "HEAD", signal: AbortSignal.timeout(5_000) }).catch((error) => {
        throw new Error(`cannot reach get.pulumi.com (${error.cause?.message ?? error.message})`);
    });
    await PulumiCommand.install({ root, version: new SemVer(VERSION) });
}

async function buildFromSource(root, say) {
    const goVersion = await versionOf("go", /go version go(\d+\.\d+(?:\.\d+)?)/);
    if (!goVersion || isOlder(goVersion, GO_MINIMUM_VERSION)) {
        throw new Error(goVersion ? `Go ${goVersion} is older than 1.25` : "Go is not installed");
    }
    say(`Pulumi CLI: building v${VERSION} with Go ${goVersion}. This takes about 4 minutes, once.`);
    const module = await mkdtemp(path.join(os.tmpdir(), "pulumi-cli-"));
    try {
        // A `replace` in pkg's own go.mod only applies to its own build, so it is repeated here.
        await writeFile(
            path.join(module, "go.mod"),
            `module scratch

go 1.25

require (
	github.com/pulumi/pulumi/pkg/v3 v${VERSION}
	github.com/pulumi/pulumi/sdk/v3 v${VERSION}
)

replace github.com/atotto/clipboard => github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e
`,
        );
        const bin = path.join(root, "bin");
        await mkdir(bin, { recursive: true });
        const go = (args, progress) => runWithProgress("go", args, { cwd: module, progress, say });
        await go(["mod", "download", "github.com/pulumi/pulumi/pkg/v3"], "sources");
        await go(
            [
                "build",
                "-mod=mod",
                "-trimpath",
                "-v",
                // Otherwise the CLI reports no version, and Automation API rejects it.
                `-ldflags=-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${VERSION}`,
                "-o",
                path.join(bin, `pulumi${executable}`),
                "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            ],
            "packages",
        );
        const plugin = path.join(path.dirname(require.resolve("@pulumi/pulumi/package.json")), pluginName);
        await copyFile(plugin, path.join(bin, pluginName));
        await chmod(path.join(bin, pluginName), 0o755);
    } finally {
        await rm(module, { recursive: true, force: true });
    }
}

/** Runs a command that prints one line per item, and reports progress periodically. */
function runWithProgress(command, args, { cwd, progress, say }) {
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, {
            cwd,
            env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "" },
            stdio: ["ignore", "inherit", "pipe"],
        });
        const started = Date.now();
        let lines = 0;
        let tail = "";
        child.stderr.setEncoding("utf8").on("data", (text) => {
            lines += text.split("\n").length - 1;
            tail = (tail + text).slice(-4_000);
        });
        const timer = setInterval(() => {
            say(
                `  ${lines > 0 ? `${lines} ` : ""}${progress} after ${Math.round((Date.now() - started) / 1_000)} s ...`,
            );
        }, 15_000);
        child.once("error", (error) => {
            clearInterval(timer);
            reject(error);
        });
        child.once("close", (code) => {
            clearInterval(timer);
            if (code === 0) {
                resolve();
            } else {
                reject(new Error(`${command} ${args[0]} exited with code ${code}:\n${tail}`));
            }
        });
    });
}

async function versionOf(command, pattern = /v?(\d+\.\d+\.\d+)/) {
    try {
        const { stdout } = await run(command, ["version"], {
            env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
            timeout: 30_000,
        });
        return pattern.exec(stdout)?.[1];
    } catch {
        return undefined;
    }
}

async function isOnPath(name) {
    for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
        try {
            await access(path.join(folder, name));
            return true;
        } catch {
            // Not in this one.
        }
    }
    return false;
}

/** Compares versions of up to three numbers. */
function isOlder(version, than) {
    return version.localeCompare(than, "en", { numeric: true }) < 0;
}
