// What the engine hands to the plugin for a resource, where a test speaks to the plugin without the engine.

import type { Properties } from "./host";

const HANDLERS = {
    Namespace: "namespace",
    User: "user",
    ServiceAccount: "serviceAccount",
    ApiKey: "apiKey",
} as const;
export type Kind = keyof typeof HANDLERS;

export const providerText = (kind: Kind) =>
    `exports.handler = () => require("pulumi-temporal-cloud/plugin").${HANDLERS[kind]};`;

export const urnOf = (kind: Kind, name: string) =>
    `urn:pulumi:stack::project::pulumi-nodejs:dynamic/temporalcloud:${kind}::${name}`;

/** The arguments, and what the resource's class adds to them; `context` is what the host keeps back. */
export function inputsOf(kind: Kind, name: string, args: Properties, context: object = {}): Properties {
    return {
        ...args,
        __provider: providerText(kind),
        __context: JSON.stringify({ urn: urnOf(kind, name), ...context }),
    };
}
