// A lock across processes: two setups must not build the same thing in the same place at once.

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupError } from "./errors.mjs";

/** The process that creates the file writes its pid into it at once. */
const WRITTEN_WITHIN_MS = 10_000;
/** No setup takes this long: after a reboot, another process can have the pid. */
const LONGEST_MS = 60 * 60_000;

/** The locks that this process holds. */
const held = new Set();

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
            `Cannot create the folder ${folder}: ${error.message}. Its location comes from XDG_CACHE_HOME, HOME or TMPDIR.`,
        );
    }
    for (let waited = false; ; ) {
        try {
            writeFileSync(file, String(process.pid), { flag: "wx" });
            break;
        } catch (error) {
            if (error.code !== "EEXIST") {
                throw new SetupError(`Cannot write ${file}: ${error.message}`);
            }
        }
        if (isAbandoned(file)) {
            // One at a time, and after checking again: the slower of two would remove the faster one's new lock.
            await exclusively(`${file}.takeover`, say, async () => {
                if (isAbandoned(file)) {
                    rmSync(file, { force: true });
                }
            });
            continue;
        }
        if (!waited) {
            say(`Another setup is running (${file}): waiting for it ...`);
            waited = true;
        }
        await sleep(200);
    }
    held.add(file);
    const release = () => {
        rmSync(file, { force: true });
        held.delete(file);
    };
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
    let ageMs;
    try {
        pid = Number(readFileSync(file, "utf8"));
        ageMs = Date.now() - statSync(file).mtimeMs;
    } catch (error) {
        if (error.code !== "ENOENT") {
            throw new SetupError(`Cannot read ${file}: ${error.message}. If no setup is running, remove it.`);
        }
        // Released in the meantime.
        return false;
    }
    if (!Number.isInteger(pid) || pid <= 0) {
        // Just created, pid not yet written; or killed in between, or no disk space for the pid.
        return ageMs > WRITTEN_WITHIN_MS;
    }
    if (pid === process.pid) {
        // In a new container, pids start over.
        return !held.has(file);
    }
    if (ageMs > LONGEST_MS) {
        return true;
    }
    try {
        process.kill(pid, 0);
        return false;
    } catch (error) {
        return error.code === "ESRCH";
    }
}
