// One process at a time, across processes: two set-ups must not build the same thing into the same place at once.

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupError } from "./errors.mjs";

/** Whoever has made the file writes a number into it at once. */
const WRITTEN_WITHIN_MS = 10_000;
/** No set-up takes so long: after a restart of the machine, another process can have the number. */
const LONGEST_MS = 60 * 60_000;

/** What this process holds. */
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
            // One at a time, and after looking again: the slower of two would remove what the quicker has made since.
            await exclusively(`${file}.takeover`, say, async () => {
                if (isAbandoned(file)) {
                    rmSync(file, { force: true });
                }
            });
            continue;
        }
        if (!waited) {
            say(`Another set-up is at work (${file}): waiting for it ...`);
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
            throw new SetupError(`${file} cannot be read: ${error.message}. If no set-up is at work, remove it.`);
        }
        // Released in between.
        return false;
    }
    if (!Number.isInteger(pid) || pid <= 0) {
        // Just made, its number not yet written; or killed in between, or no room on the disk for a number.
        return ageMs > WRITTEN_WITHIN_MS;
    }
    if (pid === process.pid) {
        // In a new container the numbers begin anew.
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
