// Every kind, each with the least that it takes to make one and to change it.

import type { Emulator } from "../../emulator";
import type { Client } from "../../provider/client/client";
import type { Definition, LiveResource } from "../../provider/definition";
import type { Bag } from "../../provider/fields";
import { Lifecycle } from "../../provider/lifecycle/lifecycle";
import { Session } from "../../provider/lifecycle/run";
import { apiKeyDefinition } from "../../provider/resources/api-key";
import { namespaceDefinition } from "../../provider/resources/namespace";
import { serviceAccountDefinition } from "../../provider/resources/service-account";
import { userDefinition } from "../../provider/resources/user";
import type { Properties } from "../support/host";
import { inputsOf } from "../support/inputs";

/** A lifecycle, whatever the kind. */
export type AnyLifecycle = Pick<Lifecycle<object, LiveResource>, "check" | "create" | "read" | "update" | "delete">;

export interface Kind {
    readonly kind: string;
    lifecycle(): AnyLifecycle;
    args(name: string, ownerId: string): Bag;
    readonly change: Bag;
    /** The ids of all that there are of this name. */
    ids(emulator: Emulator, name: string): string[];
    /** Whether the change has been made. */
    isChanged(emulator: Emulator, id: string): boolean;
}

function lifecycle<Args extends object, Resource extends LiveResource>(
    definition: Definition<Args, Resource>,
): AnyLifecycle {
    return new Lifecycle(definition);
}

const change = { description: "hostile, and more" };

export const kinds: readonly Kind[] = [
    {
        kind: "Namespace",
        lifecycle: () => lifecycle(namespaceDefinition),
        args: () => ({ regions: ["aws-us-east-1"], retentionDays: 7, apiKeyAuth: true, description: "hostile" }),
        change,
        ids: ({ namespaces }, name) =>
            namespaces.list().flatMap(({ spec, namespace }) => (spec?.name === name ? [namespace] : [])),
        isChanged: ({ namespaces }, id) => namespaces.get(id)?.spec?.description === change.description,
    },
    {
        kind: "User",
        lifecycle: () => lifecycle(userDefinition),
        args: (name) => ({ email: `${name}@example.com`, accountRole: "read" }),
        change: { accountRole: "developer" },
        ids: ({ users }, name) =>
            users.list().flatMap(({ spec, id }) => (spec?.email === `${name}@example.com` ? [id] : [])),
        isChanged: ({ users }, id) => users.get(id)?.spec?.access?.accountAccess?.role === 3,
    },
    {
        kind: "ServiceAccount",
        lifecycle: () => lifecycle(serviceAccountDefinition),
        args: () => ({ accountRole: "read", description: "hostile" }),
        change,
        ids: ({ serviceAccounts }, name) =>
            serviceAccounts.list().flatMap(({ spec, id }) => (spec?.name === name ? [id] : [])),
        isChanged: ({ serviceAccounts }, id) => serviceAccounts.get(id)?.spec?.description === change.description,
    },
    {
        kind: "ApiKey",
        lifecycle: () => lifecycle(apiKeyDefinition),
        args: (_, ownerId) => ({ ownerId, expiresIn: "90d", description: "hostile" }),
        change,
        ids: ({ apiKeys }, name) => apiKeys.list().flatMap(({ spec, id }) => (spec?.displayName === name ? [id] : [])),
        isChanged: ({ apiKeys }, id) => apiKeys.get(id)?.spec?.description === change.description,
    },
];

/** What the engine would hand over: the visible inputs, and those that the base class adds. */
export function bagOf(kind: Kind, name: string, ownerId: string, timeout: string, change: Bag = {}): Bag {
    const timeouts = { create: timeout, update: timeout, delete: timeout, read: timeout };
    return inputsOf(kind.kind, name, { ...kind.args(name, ownerId), ...change } as Properties, { timeouts });
}

/** A session of which nobody sees the log. */
export function sessionOf(client: Client): Session {
    return new Session(client, { status: () => {}, info: () => {}, warn: () => {} }, "", "");
}

export type Method = "create" | "read" | "update" | "delete";

/** The RPCs that a method uses. */
export function rpcsOf(kind: string, method: Method): string[] {
    switch (method) {
        case "create":
            return [`Create${kind}`, "GetAsyncOperation", `Get${kind}`];
        case "read":
            return [`Get${kind}`];
        case "update":
            return [`Get${kind}`, `Update${kind}`, "GetAsyncOperation"];
        case "delete":
            return [`Get${kind}`, `Delete${kind}`, "GetAsyncOperation"];
    }
}
