import type { DeepPartial } from "../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import { ResourceState } from "../proto/generated/temporal/api/cloud/resource/v1/message";
import type { Cloud } from "./core/cloud";
import type { Entry, Kind, Resource } from "./core/collection";
import { toTimestamp } from "./core/time";

/**
 * The resources of one kind, for tests to read and to change outside the provider. What comes with the account (the
 * default project, the owner of the root key) can be read by id, but is not listed.
 */
export class Resources<T extends Resource> {
    constructor(
        private readonly cloud: Cloud,
        private readonly kind: Kind<T>,
    ) {}

    /** All existing ones, in the order of creation. Do not modify: use `change`. */
    list(): T[] {
        this.cloud.settle();
        const found: T[] = [];
        for (const { resource, builtIn } of this.cloud.of(this.kind).all()) {
            if (!builtIn && resource.state !== ResourceState.RESOURCE_STATE_DELETED) found.push(resource);
        }
        return found;
    }

    /** The one with this id, unless it is deleted. Do not modify: use `change`. */
    get(id: string): T | undefined {
        this.cloud.settle();
        return this.cloud.of(this.kind).live(id)?.resource;
    }

    /**
     * Changes a resource at once, without validation, and gives it a new version. An operation in flight on it continues
     * and does not undo the change.
     *
     * Deprecated fields and derived ones (endpoints, replicas) are updated automatically.
     */
    change(id: string, change: (resource: T) => void): void {
        const entry = this.entry(id);
        const changed = (resource: T): T => {
            const copy = structuredClone(resource);
            change(copy);
            return this.kind.complete(withoutDeprecated(copy, this.kind.deprecatedFields ?? []), this.cloud);
        };
        if (entry.pending) {
            entry.pending.before = changed(entry.pending.before);
            if (entry.pending.next) entry.pending.next = changed(entry.pending.next);
        }
        entry.renameVersions = [];
        this.cloud.of(this.kind).write(entry, changed(entry.resource), toTimestamp(this.cloud.now()));
        this.kind.appeared?.(entry, this.cloud);
    }

    /** Removes a resource at once, without validation. */
    remove(id: string): void {
        this.entry(id);
        this.cloud.of(this.kind).remove(id);
        this.cloud.keyring.remove(id);
    }

    /** Adds a resource without validation; what is not given is filled in, including the id. */
    add(resource: DeepPartial<T>): T {
        const now = toTimestamp(this.cloud.now());
        const complete = this.kind.complete(this.kind.type.fromPartial(resource), this.cloud);
        const state = complete.state || ResourceState.RESOURCE_STATE_ACTIVE;
        const collection = this.cloud.of(this.kind);
        const entry = collection.insert({ ...complete, state });
        collection.write(entry, { ...entry.resource, createdTime: complete.createdTime ?? now }, now);
        this.kind.appeared?.(entry, this.cloud);
        return entry.resource;
    }

    private entry(id: string): Entry<T> {
        this.cloud.settle();
        const entry = this.cloud.of(this.kind).live(id);
        if (entry === undefined) throw new Error(`the emulator has no ${this.kind.label} ${JSON.stringify(id)}`);
        return entry;
    }
}

/** The resource with its deprecated fields empty, so that they are filled again from their successors. */
function withoutDeprecated<T extends Resource>(resource: T, fields: string[]): T {
    const clear = (value: object): void => {
        for (const [name, child] of Object.entries(value)) {
            if (name.endsWith("Deprecated") && typeof child === "string") Object.assign(value, { [name]: "" });
            else if (name.endsWith("Deprecated") && Array.isArray(child)) Object.assign(value, { [name]: [] });
            else if (typeof child === "object" && child !== null && !(child instanceof Uint8Array)) clear(child);
        }
    };
    const spec: object | undefined = resource.spec;
    if (spec) {
        clear(spec);
        const old = Object.entries(spec).filter(([name]) => fields.includes(name));
        Object.assign(spec, Object.fromEntries(old.map(([name, value]) => [name, Array.isArray(value) ? [] : {}])));
    }
    return resource;
}
