// Loaded into the plugin process: on SIGUSR2 it collects the garbage and says what is left.
process.on("SIGUSR2", () => {
    // Finalizers run between the collections, and free more.
    global.gc();
    setImmediate(() => {
        global.gc();
        const resources = {};
        for (const kind of process.getActiveResourcesInfo()) {
            resources[kind] = (resources[kind] ?? 0) + 1;
        }
        const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
        const { heapUsed, rss } = process.memoryUsage();
        process.stderr.write(`probe ${JSON.stringify({ heapUsed, rss, resources, listeners })}\n`);
    });
});
