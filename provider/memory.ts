import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** After how many calls of the host the first clearing up is due; whoever has only a few resources is done before. */
const FIRST_AFTER_CALLS = 200;

let calls = 0;

/**
 * Keeps this process small; to be told of every call. Where a machine has much memory, V8 lets a heap grow to several times of
 * what lives in it before it clears up, and what thousands of calls leave behind is garbage: 300 MB instead of 190. Young
 * objects get no more room than loading the modules has taken, which is as much as V8 ever gives them on Node.js 20, and a
 * half to a quarter of that on later ones; from the first clearing up on, the next is due when the heap has grown by 15
 * percent of what lives in it, which takes no more time that could be measured than by 50. And no object counts as old from
 * the start: once a hundred requests have waited for one page, V8 would take what requests are made of for long-lived, and
 * never look back.
 */
export function keepSmall(): void {
    calls += 1;
    if (calls === 1) {
        setFlagsFromString("--semi-space-growth-factor=1");
        setFlagsFromString("--no-allocation-site-pretenuring");
    }
    if (calls !== FIRST_AFTER_CALLS) {
        return;
    }
    setFlagsFromString("--heap-growing-percent=15");
    setFlagsFromString("--expose-gc");
    const clearUp: unknown = runInNewContext("globalThis.gc");
    setFlagsFromString("--no-expose-gc");
    if (typeof clearUp === "function") {
        clearUp();
    }
}
