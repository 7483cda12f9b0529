// `npm run bench`: what the provider costs on the real engine, compared with what the engine costs by itself. See
// docs/performance.md.

import { fork } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { forgetOwnSettings } from "../scripts/environment.mjs";
import { root, setup } from "../scripts/setup.mjs";
import { makeProjectFolder, removeFolder } from "./folder.mjs";
import { measureImport } from "./import.mjs";
import { LONE_OPERATIONS, LonePlugin } from "./lone-plugin.mjs";
import { watch } from "./processes.mjs";
import { ofEachKind } from "./resources.mjs";
import { growthTable, importTable, LEGEND, mainTable } from "./tables.mjs";
import { Terraform } from "./terraform.mjs";

const require = createRequire(import.meta.url);
const { Command, InvalidArgumentError, Option } = require("commander");
const here = path.dirname(fileURLToPath(import.meta.url));

const ALL_KINDS = ["Namespace", "User", "ServiceAccount", "ApiKey"];
const OPERATIONS = ["up", "up again", "refresh", "read", "drift", "destroy"];

const number = (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (!(value >= 0)) {
        throw new InvalidArgumentError("It must be a number, 0 or more.");
    }
    return value;
};
const file = (name) => {
    if (!existsSync(name)) {
        throw new InvalidArgumentError("File not found.");
    }
    return name;
};
const numbers = (text) => text.split(",").map((item) => (item === "none" ? 0 : number(item)));
const sizes = (text) => {
    const values = numbers(text);
    if (values.some((value) => !Number.isInteger(value) || value < 1)) {
        throw new InvalidArgumentError("It must be whole numbers, 1 or more.");
    }
    return values;
};
const wordsOf = (choices) => (text) => {
    const words = text.split(",");
    const unknown = words.find((word) => !choices.includes(word));
    if (unknown !== undefined) {
        throw new InvalidArgumentError(`Unknown value "${unknown}"; expected ${choices.join(", ")}.`);
    }
    return words;
};

const command = new Command("npm run bench --")
    .description(
        "Benchmark the provider on the real engine and the emulator, compared with a floor: dynamic resources that only " +
            "wait. A full run takes more than an hour, --sizes 10,100 a few minutes.",
    )
    .addOption(
        new Option("--sizes <n,...>", "numbers of resources, rounded up to as many of each kind")
            .argParser(sizes)
            .default([10, 100, 1_000, 4_000]),
    )
    .addOption(new Option("--operation-ms <n,...>", "durations of operations").argParser(numbers).default([0, 2_000]))
    .addOption(
        new Option("--limits <n,...>", "requests per second allowed by the emulator, or none")
            .argParser(numbers)
            .default([0, 40], "none,40"),
    )
    .addOption(
        new Option("--limit-only <command,...>", "the commands that the limits apply to")
            .argParser(wordsOf(OPERATIONS))
            .default(OPERATIONS, "all"),
    )
    .addOption(new Option("--check-ms <n>", "check_duration of operations").argParser(number).default(0))
    .addOption(new Option("--latency-ms <n>", "round-trip time of a request").argParser(number).default(0))
    .addOption(new Option("--parallel <n>", "resources at a time").argParser(number).default(100))
    .addOption(
        new Option("--kinds <name,...>", "kinds of resources, in equal shares; ApiKey needs ServiceAccount before it")
            .argParser(wordsOf(ALL_KINDS))
            .default(ALL_KINDS),
    )
    .addOption(
        new Option("--only <command,...>", `commands out of ${OPERATIONS.join(", ")}; up and destroy always run`)
            .argParser(wordsOf(OPERATIONS))
            .default(OPERATIONS, "all"),
    )
    .addOption(new Option("--repeat <n>", "runs of each, of which the median is reported").argParser(number).default(1))
    .option("--no-floor", "skip the floor")
    .option(
        "--no-engine",
        `drive the plugin without an engine, for less noise in its CPU time: ${LONE_OPERATIONS.join(", ")}`,
    )
    .option("--twins", "also run the floor with all the properties of the real resources")
    .option("--no-import", "skip the cost of importing the package")
    .addOption(
        new Option(
            "--checkpoints-up-to <n>",
            "up to this many resources, the engine saves the state after each step, which in a file backend takes time " +
                "quadratic in their number; above, only at the end (PULUMI_SKIP_CHECKPOINTS)",
        )
            .argParser(number)
            .default(100),
    )
    .addOption(new Option("--terraform <file>", "a terraform binary, to run the same work with").argParser(file))
    .addOption(
        new Option(
            "--terraform-provider <file>",
            "the Terraform provider's binary, terraform-provider-temporalcloud; required with --terraform",
        ).argParser(file),
    )
    .option("--cpu-prof <folder>", "write CPU profiles of plugin and program to this folder")
    .option("--json <file>", "write all figures to this file")
    .parse();
const options = command.opts();
const [owner, key] = ["ServiceAccount", "ApiKey"].map((kind) => options.kinds.indexOf(kind));
if (key >= 0 && (owner < 0 || owner > key)) {
    command.error("error: --kinds: ApiKey needs ServiceAccount before it, which owns the keys.");
}
if ((options.terraform === undefined) !== (options.terraformProvider === undefined)) {
    command.error("error: --terraform and --terraform-provider require each other.");
}

// Exit normally on a signal, so that nothing is left behind. It may come twice: npm forwards what the terminal has
// already sent to every process.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => process.exit(1));
}
const { pulumi } = await setup();
forgetOwnSettings();

const engineEnv = (operation, size) => ({
    ...(size > options.checkpointsUpTo && { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" }),
    ...(operation === "read" && { PULUMI_ENABLE_LEGACY_REFRESH_DIFF: "true" }),
});

/** The emulator process. */
class EmulatorProcess {
    static async start() {
        const child = fork(path.join(here, "emulator.mjs"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
        const { address, apiKey } = await new Promise((resolve, reject) => {
            child.once("message", resolve);
            child.once("exit", (code) => reject(new Error(`the emulator exited with code ${code}`)));
        });
        return new EmulatorProcess(child, address, apiKey);
    }

    constructor(child, address, apiKey) {
        this.child = child;
        this.address = address;
        this.apiKey = apiKey;
        this.nextId = 0;
    }

    ask(command, argument) {
        const id = this.nextId++;
        return new Promise((resolve) => {
            const answered = (answer) => {
                if (answer.id === id) {
                    this.child.off("message", answered);
                    resolve(answer.result);
                }
            };
            this.child.on("message", answered);
            this.child.send({ id, command, argument });
        });
    }

    stop() {
        this.child.disconnect();
    }
}

/** A Pulumi project in a temporary folder. */
class PulumiStack {
    operations = OPERATIONS;

    constructor(contestant) {
        this.contestant = contestant;
        this.folder = makeProjectFolder();
        for (const name of ["home", "backend"]) {
            mkdirSync(path.join(this.folder, name));
        }
    }

    async run(operation, { size, operationMs, emulator, env, profileFolder }) {
        const job = {
            operation,
            size,
            operationMs,
            contestant: this.contestant,
            kinds: options.kinds,
            parallel: options.parallel,
            folder: this.folder,
            pulumiRoot: pulumi.root,
            env: { ...engineEnv(operation, size), ...env },
        };
        const child = fork(path.join(here, "program.mjs"), {
            cwd: root,
            env: { ...process.env, BENCH_JOB: JSON.stringify(job) },
            execArgv: profileFolder
                ? ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`, "--cpu-prof-name=program.cpuprofile"]
                : [],
            stdio: ["ignore", "inherit", "inherit", "ipc"],
        });
        const next = () =>
            new Promise((resolve, reject) => {
                child.once("message", resolve);
                child.once("exit", (code) => reject(new Error(`the program of ${operation} exited with code ${code}`)));
            });
        await next();
        await emulator.ask("reset");
        const watching = watch(child.pid, (commandLine) => {
            const [command = "", ...rest] = commandLine;
            if (rest.some((argument) => argument.endsWith("dynamic-provider/index.js"))) {
                return path.basename(command) === "sh" ? undefined : "plugin";
            }
            return path.basename(command).startsWith("pulumi") ? "engine" : undefined;
        });
        child.send("go");
        const result = await next();
        return { ...result, ...watching.stop(), requests: await emulator.ask("report") };
    }

    remove() {
        removeFolder(this.folder);
    }
}

/** The plugin's environment. */
const pluginEnv = (emulator, profileFolder) => ({
    TEMPORAL_CLOUD_ENDPOINT: emulator.address,
    TEMPORAL_CLOUD_API_KEY: emulator.apiKey,
    TEMPORAL_CLOUD_ALLOW_INSECURE: "true",
    ...(profileFolder
        ? { NODE_OPTIONS: `--require ${path.join(here, "profile.cjs")}`, BENCH_CPU_PROF: profileFolder }
        : {}),
});

/** The contestants, with the same work, one after the other within each command. */
function contestants(scenario) {
    const ours = (name) => ({
        name,
        stack: options.engine ? new PulumiStack(name) : new LonePlugin(name, options.kinds, options.parallel),
    });
    const list = [ours("provider")];
    // A limit does not affect what makes no requests: it is measured in the scenario without one.
    if (options.floor && !(scenario.limit > 0 && options.limits.includes(0))) {
        list.push(ours("floor"));
        if (options.twins) {
            list.push(ours("twin"));
        }
    }
    if (options.terraform) {
        list.push({
            name: "terraform",
            stack: new Terraform(options.terraform, options.terraformProvider, options.kinds, options.parallel),
        });
    }
    return list;
}

async function measure(scenario) {
    const figures = [];
    const made = options.kinds.length * ofEachKind(scenario.size, options.kinds);
    const parties = contestants(scenario);
    // Each has its own account: one must not see what another has done.
    for (const party of parties) {
        party.emulator = await EmulatorProcess.start();
        await party.emulator.ask("settings", {
            operationDurationMs: scenario.operationMs,
            checkDurationMs: options.checkMs,
            latencyMs: options.latencyMs,
        });
    }
    try {
        for (const operation of OPERATIONS) {
            for (const party of parties.filter(({ stack }) => stack.operations.includes(operation))) {
                if (operation === "drift") {
                    await party.emulator.ask("drift");
                }
                const limit = options.limitOnly.includes(operation) ? scenario.limit : 0;
                await party.emulator.ask("settings", { requestsPerSecond: limit });
                const needed = options.only.includes(operation) || operation === "up" || operation === "destroy";
                if (!needed) {
                    continue;
                }
                const profileFolder =
                    options.cpuProf &&
                    path.resolve(options.cpuProf, `${party.name}-${scenario.size}-${operation.replace(" ", "-")}`);
                const env = pluginEnv(party.emulator, profileFolder);
                const result = await party.stack.run(operation, {
                    ...scenario,
                    emulator: party.emulator,
                    env,
                    profileFolder,
                });
                const [load] = os.loadavg();
                figures.push({ ...scenario, limit, made, operation, contestant: party.name, load, ...result });
                say(figures.at(-1));
                if (operation === "destroy" && !result.error && (await party.emulator.ask("count")) > 0) {
                    throw new Error(`${party.name} left resources behind`);
                }
            }
        }
    } finally {
        for (const { stack, emulator } of parties) {
            stack.remove();
            emulator.stop();
        }
    }
    return figures;
}

function say({ made, operationMs, limit, operation, contestant, wallMs, requests, plugin, load, error }) {
    const sum = Object.values(requests.byMethod).reduce((total, count) => total + count, 0);
    console.error(
        `${made} resources, operations ${operationMs} ms, limit ${limit || "none"}, ${operation}, ${contestant}: ` +
            `${(wallMs / 1000).toFixed(1)} s, ${sum} requests, ${requests.refused} refused` +
            `, load ${load.toFixed(1)}` +
            (plugin ? `, plugin ${plugin.cpuMs.toFixed(0)} ms CPU, ${plugin.peakMb.toFixed(0)} MB` : "") +
            (error ? `\n  FAILED: ${error}` : ""),
    );
}

if (options.import) {
    console.log(importTable(await measureImport()));
}
const figures = [];
for (let run = 0; run < options.repeat; run += 1) {
    for (const size of options.sizes) {
        for (const operationMs of options.operationMs) {
            for (const limit of options.limits) {
                figures.push(...(await measure({ size, operationMs, limit })));
            }
        }
    }
}
if (options.json) {
    writeFileSync(options.json, `${JSON.stringify(figures, undefined, 1)}\n`);
}
console.log(mainTable(figures));
console.log(LEGEND);
console.log(growthTable(figures));
if (figures.some(({ error }) => error)) {
    process.exitCode = 1;
}
