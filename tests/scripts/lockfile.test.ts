import { readFileSync } from "node:fs";
import path from "node:path";

interface Entry {
    optionalDependencies?: Record<string, string>;
}

const lockFile = path.join(__dirname, "..", "..", "package-lock.json");

// npm leaves out what the registry of the day does not have, and then `npm ci` refuses the file, on every platform.
test("the lock file lists the packages of every platform", () => {
    const { packages } = JSON.parse(readFileSync(lockFile, "utf8")) as { packages: Record<string, Entry> };
    const missing = Object.entries(packages).flatMap(([dependent, { optionalDependencies = {} }]) =>
        Object.keys(optionalDependencies).filter((name) => !isFound(name, dependent, packages)),
    );
    expect(missing).toEqual([]);
});

test("the lock file names no registry", () => {
    expect(readFileSync(lockFile, "utf8")).not.toContain('"resolved": "http');
});

/** As Node looks packages up: beside the dependent, then further up. */
function isFound(name: string, dependent: string, packages: Record<string, Entry>): boolean {
    for (let folder = dependent; ; ) {
        if (`${folder === "" ? "" : `${folder}/`}node_modules/${name}` in packages) {
            return true;
        }
        if (folder === "") {
            return false;
        }
        folder = folder.slice(0, Math.max(0, folder.lastIndexOf("node_modules/") - 1));
    }
}
