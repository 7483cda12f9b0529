// Loaded into the plugin process where it is profiled: the engine ends it by a signal, and Node writes a profile only
// where the process ends by itself.

for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => process.exit());
}
