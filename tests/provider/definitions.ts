// Every definition that there is, and live resources made at random for it: what a test says of all of them, it says of
// those that are added later too.

import { readdirSync } from "node:fs";
import path from "node:path";
import { ApiKey, ServiceAccount, User } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import { Namespace } from "../../proto/generated/temporal/api/cloud/namespace/v1/message";
import type { Definition, LiveResource } from "../../provider/definition";
import type { Bag } from "../../provider/fields";

export type AnyDefinition = Definition<Bag, AnyResource>;

/** A resource of any kind: they all have a spec, under one name or another. */
export type AnyResource = LiveResource & { readonly spec?: object | undefined };

export interface DefinitionCase {
    readonly kind: string;
    readonly definition: AnyDefinition;
    /** The message of a live resource, and its name in proto/. */
    readonly message: { decode(bytes: Uint8Array): AnyResource };
    readonly messageName: string;
    /** Arguments with which one can be made. */
    readonly valid: Bag;
    /** A change that every update accepts, whatever else the resource has. */
    readonly edit: Bag;
    /** The fields of the spec that the edit changes. */
    readonly edited: readonly string[];
    /** The properties that an update of the spec does not change: they have requests of their own. */
    readonly byOtherRequests?: readonly string[];
}

type Case = Omit<DefinitionCase, "kind" | "definition">;

/** What has to be known of each kind beside its definition. */
const CASES: { readonly [kind: string]: Case } = {
    Namespace: {
        message: Namespace,
        messageName: "temporal.api.cloud.namespace.v1.Namespace",
        valid: { name: "orders", regions: ["aws-us-east-1"], apiKeyAuth: true },
        edit: { description: "edited" },
        edited: ["description"],
        byOtherRequests: ["regions", "capacity", "tags", "projectId"],
    },
    User: {
        message: User,
        messageName: "temporal.api.cloud.identity.v1.User",
        valid: { email: "ann@example.com", accountRole: "read" },
        edit: { customRoles: ["edited"] },
        edited: ["access.accountAccess.customRoles"],
    },
    ServiceAccount: {
        message: ServiceAccount,
        messageName: "temporal.api.cloud.identity.v1.ServiceAccount",
        valid: { name: "worker", accountRole: "read" },
        edit: { description: "edited" },
        edited: ["description"],
    },
    ApiKey: {
        message: ApiKey,
        messageName: "temporal.api.cloud.identity.v1.ApiKey",
        valid: { ownerId: "owner", displayName: "key", expiresIn: "90d" },
        edit: { description: "edited" },
        edited: ["description"],
    },
};

const resources = path.join(__dirname, "../../provider/resources");

/** Every definition that a file of provider/resources exports. */
export const definitions: readonly DefinitionCase[] = readdirSync(resources)
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => {
        const exported = require(path.join(resources, file)) as Record<string, unknown>;
        return Object.entries(exported).filter(([name]) => name.endsWith("Definition"));
    })
    .map(([, definition]) => {
        const { kind } = definition as AnyDefinition;
        const known = CASES[kind];
        if (!known) {
            throw new Error(`tests/provider/definitions.ts has no case for the kind ${kind}`);
        }
        return { kind, definition: definition as AnyDefinition, ...known };
    });
