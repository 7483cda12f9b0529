// One operation of the real engine, in a process of its own, so that the program's memory can be told from the rest.
// Gets its job from the environment and prints the result as one line of JSON.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { CustomResource } = require("@pulumi/pulumi");
const { LocalWorkspace, PulumiCommand } = require("@pulumi/pulumi/automation");

const job = JSON.parse(process.env.BENCH_JOB);

/** The arguments of the resource of a kind and name; `owner` is the service account of the same number. */
const ARGS = {
    Namespace: () => ({ regions: ["aws-us-east-1"], retentionDays: 30, apiKeyAuth: true }),
    User: (name) => ({ email: `${name}@example.com`, accountRole: "read" }),
    ServiceAccount: () => ({ accountRole: "read" }),
    ApiKey: (_name, owner) => ({ ownerId: owner.id, expiresIn: "90d" }),
};

/** A resource of `bench/floor`. */
class Waiting extends CustomResource {
    constructor(kind, handler, name, args) {
        super(`pulumi-nodejs:dynamic/temporalcloudbench:${kind}`, name, {
            ...args,
            name,
            waitMs: job.operationMs,
            __provider: `exports.handler = () => require("temporal-cloud-bench-floor").${handler};`,
        });
    }
}

const MAKE = {
    provider: (kind, name, owner) => {
        const cloud = require("pulumi-temporal-cloud");
        return new cloud[kind](name, ARGS[kind](name, owner));
    },
    /** As little as there can be; a key waits for its service account, as there. */
    floor: (kind, name, owner) => new Waiting("Floor", "floor", name, kind === "ApiKey" ? { owner: owner.id } : {}),
    /** With all the properties of the real one. */
    twin: (kind, name, owner) => {
        const { outputs } = require("./floor/index.js");
        const unset = Object.fromEntries(Object.keys(outputs[kind]).map((key) => [key, undefined]));
        const type = `pulumi-nodejs:dynamic/temporalcloudbench:${kind}`;
        const context = JSON.stringify({ urn: `urn:pulumi:bench::bench::${type}::${name}` });
        return new Waiting(kind, kind, name, { ...unset, ...ARGS[kind](name, owner), __context: context });
    },
};

function program() {
    for (let index = 0; index < job.size / job.kinds.length; index += 1) {
        const made = {};
        for (const kind of job.kinds) {
            made[kind] = MAKE[job.contestant](kind, `${kind.toLowerCase()}-${index}`, made.ServiceAccount);
        }
    }
}

const stack = await LocalWorkspace.createOrSelectStack(
    { projectName: "bench", stackName: "bench", program: async () => program() },
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
process.send({ wallMs, error, summary, program: { cpuMs: (user + system) / 1000, peakMb } });
process.disconnect();
