// Node.js documents changing V8 flags after start as unsupported in general: it "may result in unpredictable behavior,
// including crashes and data loss". https://nodejs.org/api/v8.html#v8setflagsfromstringflags
// This file only uses flags that are tested on the Node.js versions that the tests run on.

import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Calls of the host after which the first collection is due; a process with only a few resources ends sooner. */
const FIRST_AFTER_CALLS = 200;

/**
 * Size of the young generation, in bytes, from which it grows no more. It grows by doubling, so that it ends at 8 MiB.
 * If it is smaller, too much is still in use when it is full, and is promoted to the old generation.
 */
const ENOUGH_FOR_YOUNG = 6 * 2 ** 20;

let calls = 0;
let youngMayGrow = true;

/**
 * Tunes V8 for a process that answers thousands of calls within seconds, so that it stays small and its CPU time goes
 * into them. To be called on every call.
 *
 * - If a machine has much memory, V8 lets a heap grow to several times the live data before it collects, and thousands
 *   of calls leave garbage: 300 MB instead of 190. From the first collection on, the next is due when the heap has
 *   grown by 60 percent of the live data. Each takes CPU time, and with 15 percent there would be three times as many:
 *   memory is worth more to the old generation than to the young one, which gets what is left.
 * - No object is allocated as old (pretenuring): once a hundred requests have waited for one page, V8 would take what
 *   requests are made of for long-lived, and never reconsider.
 * - Functions are compiled with less inlining, which would take a tenth of the CPU time of a `refresh` on Node.js 20,
 *   in the background, for code that does not run for long enough to pay for it.
 */
export function tuneV8(): void {
    calls += 1;
    if (calls === 1) {
        setFlagsFromString("--no-allocation-site-pretenuring");
        setFlagsFromString("--max-inlined-bytecode-size-cumulative=200");
    }
    if (calls === FIRST_AFTER_CALLS) {
        setFlagsFromString("--heap-growing-percent=60");
        clearUp();
        setFlagsFromString("--semi-space-growth-factor=2");
        youngMayGrow = true;
    }
    if (youngMayGrow && youngBytes() >= ENOUGH_FOR_YOUNG) {
        youngMayGrow = false;
        setFlagsFromString("--semi-space-growth-factor=1");
    }
}

/** Collects the whole heap, and shrinks the young generation, which loading the modules has enlarged. */
function clearUp(): void {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("globalThis.gc") as NodeJS.GCFunction | undefined;
    setFlagsFromString("--no-expose-gc");
    const before = youngBytes();
    gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
    if (youngBytes() >= before) {
        // Node.js 20 does not know that flavor, and collects only the young generation.
        gc?.();
    }
}

function youngBytes(): number {
    return getHeapSpaceStatistics().find((space) => space.space_name === "new_space")?.space_size ?? ENOUGH_FOR_YOUNG;
}
