// What the engine hands to the plugin for a resource, where a test speaks to the plugin without the engine.

import type { Properties } from "./host";

/** The kinds of which these tests speak by name. */
export type Kind = "Namespace" | "User" | "ServiceAccount" | "ApiKey";

export const providerText = (kind: string) =>
    `exports.handler = () => require("pulumi-temporal-cloud/plugin").${kind.charAt(0).toLowerCase()}${kind.slice(1)};`;

export const urnOf = (kind: string, name: string) =>
    `urn:pulumi:stack::project::pulumi-nodejs:dynamic/temporalcloud:${kind}::${name}`;

/** The arguments, and what the resource's class adds to them; `context` is what the host keeps back. */
export function inputsOf(kind: string, name: string, args: Properties, context: object = {}): Properties {
    return {
        ...args,
        __provider: providerText(kind),
        __context: JSON.stringify({ urn: urnOf(kind, name), ...context }),
    };
}
