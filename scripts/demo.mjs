// `npm run demo`: the quickstart on the real Pulumi engine and an emulated Cloud Ops API, from the first `up` to
// `destroy`. Everything it creates is in one temporary folder, and it talks to this machine only.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { forgetOwnSettings } from "./environment.mjs";
import { root, SetupError, setup } from "./setup.mjs";

// Only for the temporary folder's state.
const PASSPHRASE = "demo";
const EMULATOR_START_MS = 20_000;
// Long enough to see an operation run.
const OPERATION_MS = 1_500;
// A terminal sends Ctrl-C to the engine too, which then lets operations in progress finish.
const INTERRUPT_GRACE_MS = 10_000;

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const interrupt = new AbortController();
let interrupted = false;

class DemoError extends Error {}

try {
    await main();
} catch (error) {
    if (interrupted) {
        console.error("\nInterrupted.");
        process.exitCode = 130;
    } else {
        const expected = error instanceof DemoError || error instanceof SetupError;
        console.error(`\n${expected ? error.message : (error?.stack ?? error)}`);
        process.exitCode = 1;
    }
}

async function main() {
    const started = Date.now();
    const { pulumi } = await setup();
    forgetOwnSettings();
    // Only now: before the setup there are no dependencies.
    const require = createRequire(path.join(root, "package.json"));
    const automation = require("@pulumi/pulumi/automation");

    listenForInterrupts();
    const folder = mkdtempSync(path.join(os.tmpdir(), "temporal-cloud-demo-"));
    let emulator;
    try {
        emulator = await startEmulator();
        heading(`An emulated Cloud Ops API listens on ${emulator.address}`);
        const program = quickstart(require, folder);
        const stack = await makeStack(automation, pulumi, folder, program, emulator);
        await tour(stack, require, emulator);
    } finally {
        await emulator?.stop();
        rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    }
    heading(`Done in ${Math.round((Date.now() - started) / 1_000)} s; nothing is left behind`);
}

function listenForInterrupts() {
    // Otherwise the emulator would outlive its terminal. Failing writes to a closed terminal must not stop the cleanup.
    for (const stream of [process.stdout, process.stderr]) {
        stream.on("error", (error) => {
            if (error.code !== "EIO" && error.code !== "EPIPE") {
                throw error;
            }
        });
    }
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
        process.on(signal, () => {
            interrupted = true;
            setTimeout(() => interrupt.abort(), signal === "SIGINT" ? INTERRUPT_GRACE_MS : 0).unref();
        });
    }
}

async function tour(stack, require, emulator) {
    const common = { color: colour ? "always" : "never", onOutput: (text) => process.stdout.write(text) };
    const run = async (operation, options) => {
        if (interrupted) {
            throw new DemoError("interrupted");
        }
        const summary = { changes: {} };
        await stack[operation]({
            ...common,
            ...options,
            signal: interrupt.signal,
            onError: (text) => process.stderr.write(text),
            onEvent: ({ summaryEvent }) => {
                summary.changes = summaryEvent?.resourceChanges ?? summary.changes;
            },
        });
        if (interrupted) {
            throw new DemoError("interrupted");
        }
        return summary.changes;
    };

    heading("up: create what the program declares");
    expectChanges(await run("up"), { create: 4 });

    heading("up again: no changes");
    expectChanges(await run("up"), { same: 4 });

    heading("Two things are changed outside the program");
    await changeBehindTheBack(require, emulator);

    heading("preview --refresh --diff: the drift, property by property");
    expectChanges(await run("preview", { refresh: true, diff: true }), { same: 2, update: 2 });

    heading("up --refresh: repair it");
    expectChanges(await run("up", { refresh: true }), { same: 2, update: 2 });

    heading("destroy: delete everything");
    expectChanges(await run("destroy"), { delete: 4 });
}

/** The exports of the quickstart's index.ts, evaluated again for each operation, as `pulumi up` does. */
function quickstart(require, folder) {
    const ts = require("typescript");
    const source = readFileSync(path.join(root, "examples", "quickstart", "index.ts"), "utf8");
    const { outputText } = ts.transpileModule(source, {
        compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    });
    const file = path.join(folder, "index.js");
    writeFileSync(file, outputText);
    writeFileSync(path.join(folder, "package.json"), '{ "name": "demo", "private": true }\n');
    for (const [name, target] of [
        ["pulumi-temporal-cloud", root],
        ["@pulumi/pulumi", path.join(root, "node_modules", "@pulumi", "pulumi")],
    ]) {
        const link = path.join(folder, "node_modules", name);
        mkdirSync(path.dirname(link), { recursive: true });
        symlinkSync(target, link, "junction");
    }
    const load = createRequire(file);
    return async () => {
        delete load.cache[load.resolve(file)];
        return load(file);
    };
}

/** Like somebody in the web UI, or a script: a plain client that does not know Pulumi. */
async function changeBehindTheBack(require, emulator) {
    const generated = "./dist/proto/generated";
    const api = `${generated}/temporal/api/cloud`;
    const { CloudServiceDefinition } = require(`${api}/cloudservice/v1/service`);
    const { NamespaceAccess_Permission: Permission } = require(`${api}/identity/v1/message`);
    const { AsyncOperation_State: State } = require(`${api}/operation/v1/message`);
    const { API_VERSION } = require(`${generated}/version`);
    const { createChannel, createClient, Metadata } = require("nice-grpc");

    const channel = createChannel(emulator.address);
    try {
        const metadata = Metadata({
            authorization: `Bearer ${emulator.apiKey}`,
            "temporal-cloud-api-version": API_VERSION,
        });
        const cloud = createClient(CloudServiceDefinition, channel, { "*": { metadata } });
        const done = async ({ asyncOperation }) => {
            while (asyncOperation.state !== State.STATE_FULFILLED) {
                await sleep(100);
                const { id } = asyncOperation;
                ({ asyncOperation } = await cloud.getAsyncOperation({ asyncOperationId: id }));
            }
        };

        const { namespaces } = await cloud.getNamespaces({});
        const [{ namespace, resourceVersion, spec }] = namespaces;
        console.log(`  namespace ${namespace}: retention ${spec.retentionDays} -> 7 days`);
        await done(await cloud.updateNamespace({ namespace, resourceVersion, spec: { ...spec, retentionDays: 7 } }));

        const { serviceAccount: accounts } = await cloud.getServiceAccounts({});
        const worker = accounts.find((account) => account.spec.namespaceScopedAccess);
        console.log(`  service account ${worker.spec.name}: permission write -> admin`);
        worker.spec.namespaceScopedAccess.access = { permission: Permission.PERMISSION_ADMIN };
        await done(
            await cloud.updateServiceAccount({
                serviceAccountId: worker.id,
                resourceVersion: worker.resourceVersion,
                spec: worker.spec,
            }),
        );
    } finally {
        channel.close();
    }
}

async function startEmulator() {
    const child = spawn(
        process.execPath,
        [
            path.join(root, "dist", "cli", "main.js"),
            "emulator",
            "--json",
            ...["--port", "0"],
            ...["--operation-duration", String(OPERATION_MS)],
        ],
        // A separate process group: Ctrl-C must not stop it before the engine is done with it.
        { stdio: ["ignore", "pipe", "pipe"], detached: true },
    );
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    const exited = new Promise((resolve) => child.once("exit", resolve));

    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
        errors += text;
    });
    const line = await new Promise((resolve, reject) => {
        const fail = (why) => {
            clearTimeout(timer);
            kill();
            reject(new DemoError(`The emulator did not start: ${why}\n${errors}`));
        };
        const timer = setTimeout(() => fail(`no output for ${EMULATOR_START_MS / 1_000} s`), EMULATOR_START_MS);
        child.once("error", (error) => fail(error.message));
        child.once("exit", (code) => fail(`it exited with code ${code}`));
        createInterface({ input: child.stdout }).once("line", (text) => {
            clearTimeout(timer);
            resolve(text);
        });
    });
    const { address, apiKey } = JSON.parse(line);
    return {
        address,
        apiKey,
        async stop() {
            child.kill("SIGTERM");
            const timer = setTimeout(kill, 3_000);
            await exited;
            clearTimeout(timer);
            process.off("exit", kill);
        },
    };
}

async function makeStack(automation, pulumi, folder, program, emulator) {
    for (const name of ["home", "backend", "tmp"]) {
        mkdirSync(path.join(folder, name));
    }
    const projectName = "quickstart";
    const stack = await automation.LocalWorkspace.createStack(
        { projectName, stackName: "demo", program },
        {
            workDir: folder,
            pulumiHome: path.join(folder, "home"),
            pulumiCommand: await automation.PulumiCommand.get(pulumi.root ? { root: pulumi.root } : {}),
            projectSettings: {
                name: projectName,
                runtime: "nodejs",
                backend: { url: `file://${path.join(folder, "backend")}` },
            },
            secretsProvider: "passphrase",
            envVars: {
                PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
                PULUMI_SKIP_UPDATE_CHECK: "true",
                PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
                TMPDIR: path.join(folder, "tmp"),
                TEMP: path.join(folder, "tmp"),
            },
        },
    );
    await stack.setAllConfig({
        "temporalcloud:endpoint": { value: emulator.address },
        "temporalcloud:apiKey": { value: emulator.apiKey, secret: true },
        "temporalcloud:allowInsecure": { value: "true" },
    });
    return stack;
}

function heading(text) {
    const line = `=== ${text}`;
    console.log(`\n${colour ? `\u001b[1;36m${line}\u001b[0m` : line}\n`);
}

/** Fails the demo if a step does not do what its heading says. */
function expectChanges(changes, wanted) {
    const text = (map) => JSON.stringify(Object.fromEntries(Object.entries(map).sort()));
    if (text(changes) !== text(wanted)) {
        throw new DemoError(`Expected ${text(wanted)}, got ${text(changes)}`);
    }
}
