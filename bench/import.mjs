// What importing the package costs a Pulumi program beyond @pulumi/pulumi, and whether it loads gRPC or the plugin.

import { execFileSync } from "node:child_process";
import { root } from "../scripts/setup.mjs";

const RUNS = 15;

const SCRIPT = `
    const before = performance.now();
    require("@pulumi/pulumi");
    const between = performance.now();
    const had = new Set(Object.keys(require.cache));
    require("pulumi-temporal-cloud");
    const after = performance.now();
    const added = Object.keys(require.cache).filter((file) => !had.has(file));
    console.log(JSON.stringify({ pulumiMs: between - before, packageMs: after - between, added }));
`;

/** Files that only the plugin process may load. */
const FORBIDDEN = /nice-grpc|grpc-js|provider[\\/]client[\\/]|provider[\\/]plugin|proto[\\/]generated/;

/** Medians over fresh processes. */
export async function measureImport() {
    const runs = Array.from({ length: RUNS + 1 }, () =>
        JSON.parse(execFileSync(process.execPath, ["-e", SCRIPT], { cwd: root, encoding: "utf8" })),
    ).slice(1); // The first run warms the file system cache.
    const { added } = runs[0];
    return {
        runs: RUNS,
        pulumiMs: median(runs.map(({ pulumiMs }) => pulumiMs)),
        packageMs: median(runs.map(({ packageMs }) => packageMs)),
        modules: added.length,
        forbidden: added.filter((file) => FORBIDDEN.test(file)).map((file) => file.slice(root.length + 1)),
    };
}

export function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
