// One operation of the real engine, in a process of its own, so that the program's memory can be told from the rest.
// Gets its job from the environment and prints the result as one line of JSON.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { CustomResource } = require("@pulumi/pulumi");
const { LocalWorkspace, PulumiCommand } = require("@pulumi/pulumi/automation");

const job = JSON.parse(process.env.BENCH_JOB);

class Floor extends CustomResource {
    constructor(name, args) {
        const provider = `exports.handler = () => require("temporal-cloud-bench-floor").floor;`;
        super("pulumi-nodejs:dynamic/temporalcloudbench:Floor", name, { ...args, name, __provider: provider });
    }
}

/** What each kind is made of, for the number `index`; `owner` is the service account of that number. */
const MAKE = {
    Namespace: (cloud, name) =>
        new cloud.Namespace(name, { regions: ["aws-us-east-1"], retentionDays: 30, apiKeyAuth: true }),
    User: (cloud, name) => new cloud.User(name, { email: `${name}@example.com`, accountRole: "read" }),
    ServiceAccount: (cloud, name) => new cloud.ServiceAccount(name, { accountRole: "read" }),
    ApiKey: (cloud, name, owner) => new cloud.ApiKey(name, { ownerId: owner.id, expiresIn: "90d" }),
};

function program() {
    const cloud = job.floor ? undefined : require("pulumi-temporal-cloud");
    for (let index = 0; index < job.size / job.kinds.length; index += 1) {
        const made = {};
        for (const kind of job.kinds) {
            const name = `${kind.toLowerCase()}-${index}`;
            made[kind] = job.floor
                ? // As much depends on other resources as there.
                  new Floor(name, { waitMs: job.operationMs, owner: kind === "ApiKey" && made.ServiceAccount?.id })
                : MAKE[kind](cloud, name, made.ServiceAccount);
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
