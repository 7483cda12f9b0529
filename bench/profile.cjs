// Preloaded into the plugin process to profile it: the engine stops the process with a signal, and NODE_OPTIONS does not
// accept --cpu-prof, so the profile is recorded and written here.

const { mkdirSync, writeFileSync } = require("node:fs");
const { Session } = require("node:inspector");
const path = require("node:path");

if (process.argv[1]?.includes("dynamic-provider")) {
    const session = new Session();
    session.connect();
    session.post("Profiler.enable");
    session.post("Profiler.setSamplingInterval", { interval: 500 });
    session.post("Profiler.start");
    process.on("exit", () => {
        session.post("Profiler.stop", (_error, { profile }) => {
            mkdirSync(process.env.BENCH_CPU_PROF, { recursive: true });
            writeFileSync(path.join(process.env.BENCH_CPU_PROF, "plugin.cpuprofile"), JSON.stringify(profile));
        });
    });
    for (const signal of ["SIGINT", "SIGTERM"]) {
        process.on(signal, () => process.exit());
    }
}
