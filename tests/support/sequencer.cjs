// The order of the test files. Where no run has left how long each takes, as on a clean clone, jest goes by size: what is short
// to read and long to run, such as a crash test, would come last, and one core be idle.

const { default: Sequencer } = require("@jest/test-sequencer");

const SLOW = /[\\/](?:e2e|drift|faults|limits|soak)[\\/]|[\\/](?:demo|engine)\.test\.ts$/;

module.exports = class extends Sequencer {
    async sort(tests) {
        const sorted = await super.sort(tests);
        return [...sorted.filter(({ path }) => SLOW.test(path)), ...sorted.filter(({ path }) => !SLOW.test(path))];
    }
};
