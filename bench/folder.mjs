// Temporary folders, removed at exit, however the process ends.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../scripts/setup.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));

const folders = new Set();

process.on("exit", () => {
    for (const folder of folders) {
        removeFolder(folder);
    }
});

export function makeFolder() {
    const folder = mkdtempSync(path.join(os.tmpdir(), "temporal-cloud-bench-"));
    folders.add(folder);
    return folder;
}

/** A project folder whose plugin process can load this package and the floor's. */
export function makeProjectFolder() {
    const folder = makeFolder();
    writeFileSync(path.join(folder, "package.json"), '{ "name": "bench", "private": true }\n');
    for (const [name, target] of [
        ["@pulumi/pulumi", path.join(root, "node_modules", "@pulumi", "pulumi")],
        ["pulumi-temporal-cloud", root],
        ["temporal-cloud-bench-floor", path.join(here, "floor")],
    ]) {
        const link = path.join(folder, "node_modules", name);
        mkdirSync(path.dirname(link), { recursive: true });
        symlinkSync(target, link, "junction");
    }
    return folder;
}

export function removeFolder(folder) {
    folders.delete(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
