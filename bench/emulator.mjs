// The emulator in a process of its own, driven by messages: what it costs is not the provider's.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { Emulator } = require("../dist/emulator/index.js");

/** What somebody changes in every tenth resource of each kind, behind the provider's back. */
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

const commands = {
    /** From now on, this is how it behaves. */
    settings: (settings) => {
        Object.assign(emulator.settings, settings);
    },
    reset: () => emulator.requests.reset(),
    report: () => ({ byMethod: emulator.requests.byMethod(), refused: emulator.requests.refused }),
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
    /** How many resources there are, to see that what was to be destroyed is gone. */
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
