// A process that makes garbage like the plugin's: of each call, what lives until some hundred others have been made, and so
// is old when it dies. Says how large the heap was at most, whether a clearing up has been, and what is left switched on.

const { runInNewContext } = require("node:vm");

const CALLS = 4_000;
const { tuneV8 } = require("../../dist/provider/v8.js");

const lasting = Array.from({ length: 300_000 }, (_, index) => ({ index }));
const alive = [];
let marker = { garbage: true };
const weak = new WeakRef(marker);
marker = undefined;
let peakBytes = 0;
let clearedAfter;

function call(number) {
    tuneV8();
    alive.push(Array.from({ length: 700 }, (_, index) => ({ index, text: `${number}/${index}` })));
    if (alive.length > 100) {
        alive.shift();
    }
    peakBytes = Math.max(peakBytes, process.memoryUsage().heapTotal);
    if (clearedAfter === undefined && weak.deref() === undefined) {
        clearedAfter = number;
    }
    if (number < CALLS) {
        // A turn of its own each: a weak reference holds for as long as the turn in which it was asked.
        setImmediate(call, number + 1);
    } else {
        const gc = runInNewContext("typeof gc");
        console.log(JSON.stringify({ peakBytes, clearedAfter, gc, lasting: lasting.length }));
    }
}

call(1);
