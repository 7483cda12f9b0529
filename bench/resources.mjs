// The resources of each contestant.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { CustomResource } = require("@pulumi/pulumi");

/** The arguments of the resource of a kind and name; `owner` is the service account of the same number. */
const ARGS = {
    Namespace: () => ({ regions: ["aws-us-east-1"], retentionDays: 30, apiKeyAuth: true }),
    User: (name) => ({ email: `${name}@example.com`, accountRole: "read" }),
    ServiceAccount: () => ({ accountRole: "read" }),
    ApiKey: (_name, owner) => ({ ownerId: owner.id, expiresIn: "90d" }),
};

/** A resource of `bench/floor`. */
class Waiting extends CustomResource {
    constructor(kind, handler, name, waitMs, args) {
        super(`pulumi-nodejs:dynamic/temporalcloudbench:${kind}`, name, {
            ...args,
            name,
            waitMs,
            __provider: `exports.handler = () => require("temporal-cloud-bench-floor").${handler};`,
        });
    }
}

const MAKE = {
    provider: (kind, name, owner) => {
        const cloud = require("pulumi-temporal-cloud");
        return new cloud[kind](name, ARGS[kind](name, owner));
    },
    /** The minimum; an API key waits for its service account, as in the provider. */
    floor: (kind, name, owner, waitMs) =>
        new Waiting("Floor", "floor", name, waitMs, kind === "ApiKey" ? { owner: owner.id } : {}),
    /** With all the properties of the real one. */
    twin: (kind, name, owner, waitMs) => {
        const { outputs } = require("./floor/index.js");
        const unset = Object.fromEntries(Object.keys(outputs[kind]).map((key) => [key, undefined]));
        const type = `pulumi-nodejs:dynamic/temporalcloudbench:${kind}`;
        const context = JSON.stringify({ urn: `urn:pulumi:bench::bench::${type}::${name}` });
        return new Waiting(kind, kind, name, waitMs, { ...unset, ...ARGS[kind](name, owner), __context: context });
    },
};

/** How many of each kind: equally many, and at least `size` in total. */
export const ofEachKind = (size, kinds) => Math.ceil(size / kinds.length);

/** Registers the resources; those of floor and twins wait as long as an operation takes. */
export function register({ contestant, kinds, size, operationMs }) {
    for (let index = 0; index < ofEachKind(size, kinds); index += 1) {
        const made = {};
        for (const kind of kinds) {
            made[kind] = MAKE[contestant](kind, `${kind.toLowerCase()}-${index}`, made.ServiceAccount, operationMs);
        }
    }
}
