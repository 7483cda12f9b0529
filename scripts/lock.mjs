// One process at a time, across processes: two set-ups must not build the same thing into the same place at once.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupError } from "./errors.mjs";

/**
 * Runs `body` while no other process holds `file`.
 * @template T
 * @param {string} file
 * @param {(line: string) => void} say
 * @param {() => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function exclusively(file, say, body) {
    const folder = path.dirname(file);
    try {
        mkdirSync(folder, { recursive: true });
    } catch (error) {
        throw new SetupError(
            `The folder ${folder} cannot be made: ${error.message}. Its place comes from XDG_CACHE_HOME, HOME or TMPDIR.`,
        );
    }
    for (let waited = false; ; ) {
        try {
            writeFileSync(file, String(process.pid), { flag: "wx" });
            break;
        } catch (error) {
            if (error.code !== "EEXIST") {
                throw new SetupError(`${file} cannot be written: ${error.message}`);
            }
        }
        if (isAbandoned(file)) {
            rmSync(file, { force: true });
            continue;
        }
        if (!waited) {
            say(`Another set-up is at work (${file}): waiting for it ...`);
            waited = true;
        }
        await sleep(200);
    }
    const release = () => rmSync(file, { force: true });
    process.once("exit", release);
    try {
        return await body();
    } finally {
        process.off("exit", release);
        release();
    }
}

// A process that was killed does not clean up after itself.
function isAbandoned(file) {
    let pid;
    try {
        pid = Number(readFileSync(file, "utf8"));
    } catch {
        return false;
    }
    if (!Number.isInteger(pid) || pid <= 0) {
        // Just made, its number not yet written.
        return false;
    }
    try {
        process.kill(pid, 0);
        return false;
    } catch (error) {
        return error.code === "ESRCH";
    }
}
