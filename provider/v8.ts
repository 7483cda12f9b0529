import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** After how many calls of the host the first clearing up is due; whoever has only a few resources is done before. */
const FIRST_AFTER_CALLS = 200;

/**
 * From here on the room for young objects, in bytes, grows no more. It grows by doubling, so that 8 MiB are what it comes to.
 * Smaller, too much is still in use when it is full, and is taken for old.
 */
const ENOUGH_FOR_YOUNG = 6 * 2 ** 20;

let calls = 0;
let youngMayGrow = true;

/**
 * Fits V8 to a process that answers thousands of calls within seconds, so that it stays small and its CPU time goes into
 * them; to be told of every call. Where a machine has much memory, V8 lets a heap grow to several times of what lives in it
 * before it clears up, and what thousands of calls leave behind is garbage: 300 MB instead of 190. So from the first
 * clearing up on, the next is due when the heap has grown by 60 percent of what lives in it. Each takes CPU time, and with
 * 15 percent there would be three times as many: room for old objects is worth more than room for young ones, which gets
 * what memory is left. No object counts as old from the start: once a hundred requests have waited for one page, V8 would
 * take what requests are made of for long-lived, and never look back. And functions are compiled with less of others inside
 * them: that is a tenth of the CPU time of a `refresh` on Node.js 20, spent in the background on code that does not run for
 * long enough to earn it.
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

/** Clears up the whole heap, and takes back the room for young objects that loading the modules has made. */
function clearUp(): void {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("globalThis.gc") as NodeJS.GCFunction | undefined;
    setFlagsFromString("--no-expose-gc");
    const before = youngBytes();
    gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
    if (youngBytes() >= before) {
        // Node.js 20 does not know that flavor, and clears up among the young only.
        gc?.();
    }
}

function youngBytes(): number {
    return getHeapSpaceStatistics().find((space) => space.space_name === "new_space")?.space_size ?? ENOUGH_FOR_YOUNG;
}
