// For `node --require`: the clock by which the plugin waits runs thirty times as fast, so that its 90 s are 3.

const FACTOR = 30;
const now = performance.now.bind(performance);
performance.now = () => now() * FACTOR;
