// One operation of the real engine, in a process of its own, so that the program's memory can be told from the rest.
// Gets its job from the environment, and sends the result to whoever has started it.

import { createRequire } from "node:module";
import { register } from "./resources.mjs";

// The SDK has been loaded with resources.mjs. This far a program has come before its first line; the clock of `wallMs`
// begins later, when Automation API is there too, which no program of a user needs.
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
// After every operation Automation API asks the CLI for these, which is not what is measured.
stack.outputs = async () => ({});
stack.info = async () => undefined;

const OPERATIONS = {
    up: (options) => stack.up(options),
    "up again": (options) => stack.up(options),
    refresh: (options) => stack.refresh(options),
    drift: (options) => stack.preview({ ...options, refresh: true }),
    destroy: (options) => stack.destroy(options),
};

// Who asked for it is gone.
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
