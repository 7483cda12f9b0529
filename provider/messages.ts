import type * as timestamp from "../proto/generated/google/protobuf/timestamp";
import type * as identity from "../proto/generated/temporal/api/cloud/identity/v1/message";
import type * as namespace from "../proto/generated/temporal/api/cloud/namespace/v1/message";
import type * as region from "../proto/generated/temporal/api/cloud/region/v1/message";
import type * as resource from "../proto/generated/temporal/api/cloud/resource/v1/message";

/**
 * The messages of the Cloud Ops API, each package loaded on first use. Every program imports the resources, but only the
 * plugin and the lookups use the messages: a program should not wait for what it does not need.
 */
export const messages = lazy({
    timestamp: () => require("../proto/generated/google/protobuf/timestamp") as typeof timestamp,
    identity: () => require("../proto/generated/temporal/api/cloud/identity/v1/message") as typeof identity,
    namespace: () => require("../proto/generated/temporal/api/cloud/namespace/v1/message") as typeof namespace,
    region: () => require("../proto/generated/temporal/api/cloud/region/v1/message") as typeof region,
    resource: () => require("../proto/generated/temporal/api/cloud/resource/v1/message") as typeof resource,
});

/** The modules, each loaded only once: Node's `require` looks for package.json files before it finds a loaded one. */
function lazy<Loaders extends { readonly [name: string]: () => unknown }>(
    loaders: Loaders,
): { readonly [Name in keyof Loaders]: ReturnType<Loaders[Name]> } {
    const modules = {};
    for (const [name, load] of Object.entries(loaders)) {
        Object.defineProperty(modules, name, {
            configurable: true,
            get() {
                const value = load();
                Object.defineProperty(modules, name, { value });
                return value;
            },
        });
    }
    return modules as { readonly [Name in keyof Loaders]: ReturnType<Loaders[Name]> };
}
