/** @type {import("jest").Config} */
module.exports = {
    testEnvironment: "node",
    roots: ["<rootDir>/tests"],
    globalSetup: "<rootDir>/tests/support/global-setup.mjs",
    testMatch: ["**/*.test.ts"],
    testSequencer: "<rootDir>/tests/support/sequencer.cjs",
    // Many start processes, and minutes of fake time take seconds of a busy machine.
    testTimeout: 60_000,
    transform: {
        "^.+\\.ts$": [
            "@swc/jest",
            {
                jsc: { target: "es2022", parser: { syntax: "typescript" } },
                module: { type: "commonjs" },
                sourceMaps: "inline",
            },
        ],
    },
    moduleNameMapper: { "^pulumi-temporal-cloud$": "<rootDir>/provider/index.ts" },
};
