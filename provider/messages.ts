import type * as timestamp from "../proto/generated/google/protobuf/timestamp";
import type * as identity from "../proto/generated/temporal/api/cloud/identity/v1/message";
import type * as namespace from "../proto/generated/temporal/api/cloud/namespace/v1/message";
import type * as region from "../proto/generated/temporal/api/cloud/region/v1/message";
import type * as resource from "../proto/generated/temporal/api/cloud/resource/v1/message";

interface Messages {
    readonly timestamp: typeof timestamp;
    readonly identity: typeof identity;
    readonly namespace: typeof namespace;
    readonly region: typeof region;
    readonly resource: typeof resource;
}

/** A cache: Node's `require` looks for package.json files each time before it finds a module already loaded. */
const loaded: { -readonly [Name in keyof Messages]?: Messages[Name] } = {};

/**
 * The messages of the Cloud Ops API, each loaded on first use. Every program imports the resources, but only the plugin
 * and the lookups use the messages: a program should not wait for what it does not need.
 */
export const messages: Messages = {
    get timestamp() {
        loaded.timestamp ??= require("../proto/generated/google/protobuf/timestamp") as typeof timestamp;
        return loaded.timestamp;
    },
    get identity() {
        loaded.identity ??= require("../proto/generated/temporal/api/cloud/identity/v1/message") as typeof identity;
        return loaded.identity;
    },
    get namespace() {
        loaded.namespace ??= require("../proto/generated/temporal/api/cloud/namespace/v1/message") as typeof namespace;
        return loaded.namespace;
    },
    get region() {
        loaded.region ??= require("../proto/generated/temporal/api/cloud/region/v1/message") as typeof region;
        return loaded.region;
    },
    get resource() {
        loaded.resource ??= require("../proto/generated/temporal/api/cloud/resource/v1/message") as typeof resource;
        return loaded.resource;
    },
};
