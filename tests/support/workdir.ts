// Temporary Pulumi project folders, in which the plugin host finds the packages that it loads.

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

export const repositoryRoot = path.resolve(__dirname, "..", "..");

/** npm package name -> the folder that stands for it. */
export type Packages = Readonly<Record<string, string>>;

/**
 * A temporary folder whose node_modules holds links to `@pulumi/pulumi` (the host itself is looked up from there) and
 * to `packages`, which are this repository's package unless a test brings others.
 */
export function makeWorkDir(packages?: Packages): string {
    if (packages === undefined) {
        requireBuild();
    }
    const links: Packages = {
        "@pulumi/pulumi": path.join(repositoryRoot, "node_modules", "@pulumi", "pulumi"),
        ...(packages ?? { "pulumi-temporal-cloud": repositoryRoot }),
    };
    const folder = mkdtempSync(path.join(os.tmpdir(), "temporal-cloud-test-"));
    writeFileSync(path.join(folder, "package.json"), '{ "name": "program", "private": true }\n');
    for (const [name, target] of Object.entries(links)) {
        const link = path.join(folder, "node_modules", name);
        mkdirSync(path.dirname(link), { recursive: true });
        // A junction needs no special right on Windows; elsewhere the type is ignored.
        symlinkSync(target, link, "junction");
    }
    return folder;
}

export function removeWorkDir(folder: string): void {
    // The plugin may still be writing its last lines when the engine has returned.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** This package as another release of it, in a temporary folder: the same build under another version. */
export function copyAsVersion(version: string): string {
    requireBuild();
    const copy = mkdtempSync(path.join(os.tmpdir(), "temporal-cloud-test-"));
    cpSync(path.join(repositoryRoot, "dist"), path.join(copy, "dist"), { recursive: true });
    symlinkSync(path.join(repositoryRoot, "node_modules"), path.join(copy, "node_modules"), "junction");
    const manifest = JSON.parse(readFileSync(path.join(repositoryRoot, "package.json"), "utf8")) as object;
    writeFileSync(path.join(copy, "package.json"), JSON.stringify({ ...manifest, version }));
    const file = path.join(copy, "dist", "proto", "generated", "version.js");
    const text = readFileSync(file, "utf8");
    const changed = text.replace(/(PACKAGE_VERSION = )"[^"]+"/, `$1"${version}"`);
    expect(changed).not.toBe(text);
    writeFileSync(file, changed);
    return copy;
}

// The plugin process loads dist/, not the sources: a test against an old build would be about other code than the one
// on the screen.
export function requireBuild(): void {
    const complaint = process.env.TEMPORAL_CLOUD_TEST_BUILD;
    if (complaint) {
        throw new Error(complaint);
    }
    if (!existsSync(path.join(repositoryRoot, "dist", "provider", "plugin.js"))) {
        throw new Error("dist/provider/plugin.js is missing: run `npm run build` first");
    }
}
