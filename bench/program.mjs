// One operation of the real engine, in a separate process, so that the program's memory can be measured by itself.
// Reads its job from the environment and sends the result to its parent.

import { createRequire } from "node:module";
import { register } from "./resources.mjs";

// The SDK has been loaded by resources.mjs: this is the startup time of a program before its first line. `wallMs` starts
// later, after loading Automation API, which a user's program does not need.
const startMs = performance.now();
const require = createRequire(import.meta.url);
const { LocalWorkspace, PulumiCommand } = require("@pulumi/pulumi/automation");

const job = JSON.parse(process.env.BENCH_JOB);

const stack = await LocalWorkspace.createOrSelectStack(
    { projectName: "bench", stackName: "bench", program: async () => register(job) },
    {
        workDir: job.folder,
        pulumiHome: `${job.folder}/home`,
        pulumiCommand: await PulumiCommand.get(job.pulumiRoot ? { root: job.pulumiRoot } : {}),
        projectSettings: { name: "bench", runtime: "nodejs", backend: { url: `file://${job.folder}/backend` } },
        secretsProvider: "passphrase",
        envVars: { PULUMI_CONFIG_PASSPHRASE: "bench", PULUMI_SKIP_UPDATE_CHECK: "true", ...job.env },
    },
);
// Automation API asks the CLI for these after every operation, which is not to be measured.
stack.outputs = async () => ({});
stack.info = async () => undefined;

const OPERATIONS = {
    up: (options) => stack.up(options),
    "up again": (options) => stack.up(options),
    refresh: (options) => stack.refresh(options),
    read: (options) => stack.refresh(options),
    drift: (options) => stack.preview({ ...options, refresh: true }),
    destroy: (options) => stack.destroy(options),
};

// The parent is gone.
process.once("disconnect", () => process.exit());
process.send("ready");
await new Promise((resolve) => process.once("message", resolve));
const before = process.cpuUsage();
const startedAt = performance.now();
let error;
let summary;
try {
    const result = await OPERATIONS[job.operation]({ parallel: job.parallel, color: "never" });
    summary = result.summary?.resourceChanges ?? result.changeSummary;
} catch (failure) {
    error = String(failure?.message ?? failure).slice(-4_000);
}
const wallMs = performance.now() - startedAt;
const { user, system } = process.cpuUsage(before);
const peakMb = process.resourceUsage().maxRSS / 1024;
process.send({ wallMs, error, summary, program: { startMs, cpuMs: (user + system) / 1000, peakMb } });
process.disconnect();
