// The floor: a dynamic resource that does nothing but wait as long as an operation takes. What it costs is what Pulumi's
// engine, its dynamic host and its SDK cost.

const { setTimeout: sleep } = require("node:timers/promises");

const wait = ({ waitMs }) => (waitMs > 0 ? sleep(waitMs) : Promise.resolve());

exports.floor = {
    check: async (_old, inputs) => ({ inputs }),
    diff: async () => ({ changes: false }),
    create: async (inputs) => {
        await wait(inputs);
        return { id: inputs.name, outs: inputs };
    },
    read: async (id, props) => ({ id, props, inputs: props }),
    update: async (_id, _old, inputs) => ({ outs: inputs }),
    delete: async (_id, props) => {
        await wait(props);
    },
};
