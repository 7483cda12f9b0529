// The cost of processes, read from /proc. Linux only; elsewhere nothing is measured.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const LOOK_MS = 50;
/** Every how many samples to search for new processes. */
const SEARCH_EVERY = 4;

/** The kernel's clock ticks per second. */
const TICKS = (() => {
    try {
        return Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
    } catch {
        return 100;
    }
})();

/**
 * @typedef {object} Cost
 * @property {number} cpuMs CPU time, user and system
 * @property {number} peakMb peak resident memory
 */

/**
 * Samples the descendants of a process, by role, until `stop`. The last 50 ms of each can be missed.
 *
 * @param {number} pid
 * @param {(commandLine: string[]) => string | undefined} roleOf
 */
export function watch(pid, roleOf) {
    /** @type {Map<number, { role: string | undefined, cost: Cost | undefined }>} */
    const known = new Map();
    let looks = 0;
    const look = () => {
        if (looks % SEARCH_EVERY === 0) {
            for (const child of descendants(pid)) {
                // A shell may have replaced itself by another program (exec).
                const role = known.get(child)?.role ?? roleOf(read(`/proc/${child}/cmdline`).split("\0"));
                known.set(child, { role, cost: known.get(child)?.cost });
            }
        }
        looks += 1;
        for (const [child, entry] of known) {
            if (entry.role) {
                entry.cost = costOf(child) ?? entry.cost;
            }
        }
    };
    const timer = setInterval(look, LOOK_MS);
    return {
        /** @returns {Record<string, Cost>} per role: total CPU time, and the peak memory of one process */
        stop() {
            clearInterval(timer);
            const costs = {};
            for (const { role, cost } of known.values()) {
                if (role && cost) {
                    const sum = costs[role] ?? { cpuMs: 0, peakMb: 0 };
                    costs[role] = { cpuMs: sum.cpuMs + cost.cpuMs, peakMb: Math.max(sum.peakMb, cost.peakMb) };
                }
            }
            return costs;
        },
    };
}

/** @returns {Cost | undefined} undefined if the process no longer exists */
export function costOf(pid) {
    const peakKb = /^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
    if (peakKb === undefined) {
        return undefined;
    }
    const stat = read(`/proc/${pid}/stat`);
    // The third field follows the name, which may contain anything; user and system time are the 14th and 15th.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const cpuTicks = Number(fields[11]) + Number(fields[12]);
    return { cpuMs: (cpuTicks / TICKS) * 1000, peakMb: Number(peakKb) / 1024 };
}

function descendants(pid) {
    return threadsOf(pid)
        .flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number))
        .flatMap((child) => [child, ...descendants(child)]);
}

// A Go program starts its children from any of its threads.
function threadsOf(pid) {
    try {
        return readdirSync(`/proc/${pid}/task`);
    } catch {
        return [];
    }
}

function read(file) {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return "";
    }
}
