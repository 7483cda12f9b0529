// The emulator in a separate process, driven by messages, so that its cost is not counted as the provider's.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { Emulator } = require("../dist/emulator/index.js");

/** The changes made to every tenth resource of each kind outside the provider. */
const DRIFT = {
    namespaces: ({ spec }) => {
        spec.retentionDays += 1;
    },
    users: ({ spec }) => {
        // From `read` to `developer`.
        spec.access.accountAccess.role = 3;
    },
    serviceAccounts: ({ spec }) => {
        spec.description = "changed elsewhere";
    },
    apiKeys: ({ spec }) => {
        spec.description = "changed elsewhere";
    },
};
const DRIFTING = 10;

const emulator = await Emulator.start();
let before = process.cpuUsage();

const commands = {
    /** Changes settings. */
    settings: (settings) => {
        Object.assign(emulator.settings, settings);
    },
    reset: () => {
        emulator.requests.reset();
        before = process.cpuUsage();
    },
    report: () => {
        const { user, system } = process.cpuUsage(before);
        const { refused } = emulator.requests;
        return { byMethod: emulator.requests.byMethod(), refused, cpuMs: (user + system) / 1000 };
    },
    drift: () => {
        let changed = 0;
        for (const [kind, change] of Object.entries(DRIFT)) {
            const resources = emulator[kind].list();
            for (const [index, resource] of resources.entries()) {
                if (index % DRIFTING === 0) {
                    emulator[kind].change(resource.id || resource.namespace, change);
                    changed += 1;
                }
            }
        }
        return changed;
    },
    /** The number of resources, to check that `destroy` left none. */
    count: () =>
        Object.keys(DRIFT)
            .map((kind) => emulator[kind].list().length)
            .reduce((sum, length) => sum + length, 0),
};

process.on("message", ({ id, command, argument }) => {
    process.send({ id, result: commands[command](argument) });
});
process.on("disconnect", () => process.exit());
process.send({ address: emulator.address, apiKey: emulator.rootKey });
