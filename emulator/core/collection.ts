import { randomUUID } from "node:crypto";
import type { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { Timestamp } from "../../proto/generated/google/protobuf/timestamp";
import type { DeepPartial } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import type { Cloud } from "./cloud";
import { invalid } from "./errors";
import { type Hidden, isHidden } from "./hidden";
import type { Operation } from "./operations";

/** The fields common to the messages of all kinds of resources. */
export interface Resource {
    spec: object | undefined;
    resourceVersion: string;
    asyncOperationId: string;
    state: ResourceState;
    createdTime?: Timestamp | undefined;
    lastModifiedTime?: Timestamp | undefined;
}

/** One kind of resource, as the rest of the emulator handles it generically. */
export interface Kind<T extends Resource> {
    /** The name of its collection, also in the state file: `namespaces`. */
    name: string;
    /** Its name in error messages: `namespace`. */
    label: string;
    /** Its message. */
    type: {
        encode(message: T): BinaryWriter;
        decode(bytes: Uint8Array): T;
        fromPartial(partial: DeepPartial<T>): T;
    };
    /** Its id, empty if it has none yet. */
    idOf(resource: T): string;
    /** Values to look it up by, besides its id. */
    indexes?: Record<string, (resource: T) => string>;
    /** Deprecated spec fields that mirror another one and whose names do not end in `Deprecated`. */
    deprecatedFields?: string[];
    /** Fills in everything that the server adds to a caller's input, including the id. Also for `add`. */
    complete(resource: T, cloud: Cloud): T;
    /** What reads show while an update is in flight, if not just the previous state. */
    whileUpdating?(current: T, next: T): T;
    /** Called when an operation on one has ended, before the result is visible. May change the entry. */
    finished?(entry: Entry<T>, operation: Operation, cloud: Cloud): void;
    /** Called for each that was not created by a call: from the state file, or added or changed by a test. */
    appeared?(entry: Entry<T>, cloud: Cloud): void;
}

/** A resource and its metadata. Resources are never modified, only replaced. */
export interface Entry<T> {
    resource: T;
    /** Its position in lists: the order of creation. */
    seq: number;
    /** It comes with the account: the principal of the root key, the default project. */
    builtIn: boolean;
    /** Versions that the rename of a search attribute still accepts. */
    renameVersions: string[];
    /** Until when reads fail as if it did not exist, and how. */
    hidden?: Hidden;
    /** Earlier states that lists may still show; undefined means that it did not exist. */
    earlier?: { resource: T | undefined; untilMs: number }[];
    /** While an operation is in flight: the previous state and, for an update, the next. */
    pending?: { before: T; next?: T };
    removed: boolean;
}

/** One page of a list. */
export interface Page<T> {
    items: T[];
    nextPageToken: string;
}

/** The default and maximum page size. */
const pageSizes = { default: 100, max: 1000 };

/** All resources of one kind. */
export class Collection<T extends Resource> {
    private readonly entries = new Map<string, Entry<T>>();
    /** By `seq`. Removed entries stay until they are half of it, so that removal is cheap and page tokens stay valid. */
    private order: Entry<T>[] = [];
    private removedInOrder = 0;
    private nextSeq = 1;
    private readonly indexes = new Map<string, Map<string, Set<Entry<T>>>>();

    constructor(
        readonly kind: Kind<T>,
        private readonly cloud: Cloud,
    ) {
        for (const name of Object.keys(kind.indexes ?? {})) this.indexes.set(name, new Map());
    }

    /** The entry of an id, even if the resource is in state DELETED. */
    entry(id: string): Entry<T> | undefined {
        return this.entries.get(id);
    }

    /** The entry of an id, unless the resource is deleted. */
    live(id: string): Entry<T> | undefined {
        const entry = this.entries.get(id);
        return entry?.resource.state === ResourceState.RESOURCE_STATE_DELETED ? undefined : entry;
    }

    /** All entries, in the order of creation. */
    *all(): Generator<Entry<T>> {
        for (const entry of this.order) if (!entry.removed) yield entry;
    }

    /** The entries with this value in this index, except deleted ones. */
    indexed(index: string, value: string): Entry<T>[] {
        return [...(this.indexes.get(index)?.get(value) ?? [])];
    }

    /** Adds a resource, replacing a deleted one with the same id. */
    insert(resource: T, builtIn = false, seq = this.nextSeq): Entry<T> {
        const id = this.kind.idOf(resource);
        this.remove(id);
        const entry: Entry<T> = { resource, seq, builtIn, renameVersions: [], removed: false };
        this.nextSeq = Math.max(this.nextSeq, seq + 1);
        this.entries.set(id, entry);
        this.order.push(entry);
        this.remember(entry, undefined);
        this.index(entry, true);
        this.cloud.changed();
        return entry;
    }

    /** Replaces an entry's resource. */
    replace(entry: Entry<T>, resource: T): void {
        this.index(entry, false);
        this.remember(entry, entry.resource);
        entry.resource = resource;
        this.index(entry, true);
        this.cloud.changed();
    }

    /** Replaces an entry's resource, with a new version and modification time. */
    write(entry: Entry<T>, resource: T, nowTimestamp: Timestamp | undefined): void {
        const version = { resourceVersion: randomUUID() };
        const times = nowTimestamp && "lastModifiedTime" in resource ? { lastModifiedTime: nowTimestamp } : {};
        this.replace(entry, { ...resource, ...version, ...times });
    }

    /** Removes permanently. */
    remove(id: string): void {
        const entry = this.entries.get(id);
        if (entry === undefined) return;
        this.index(entry, false);
        this.entries.delete(id);
        entry.removed = true;
        this.removedInOrder++;
        if (this.removedInOrder > 64 && this.removedInOrder * 2 > this.order.length) {
            this.order = this.order.filter((other) => !other.removed);
            this.removedInOrder = 0;
        }
        this.cloud.changed();
    }

    /**
     * A page in the order of creation.
     *
     * @param filterText identifies the filter: a page token is only valid for the list that it came from.
     */
    page(
        request: { pageSize: number; pageToken: string },
        now: number,
        filterText = "",
        filter: (resource: T) => boolean = () => true,
        candidates?: Entry<T>[],
    ): Page<T> {
        const size = pageSize(request.pageSize);
        const scope = `${this.kind.name}?${filterText}`;
        const after = decodePageToken(request.pageToken, scope);
        const entries = candidates?.sort((a, b) => a.seq - b.seq) ?? this.order;
        const items: T[] = [];
        let last = after;
        for (let index = firstAfter(entries, after); index < entries.length; index++) {
            const entry = entries[index];
            if (entry === undefined || entry.removed || isHidden(entry.hidden, now)) continue;
            const resource = listed(entry, now);
            if (resource === undefined || !filter(resource)) continue;
            if (items.length === size) return { items, nextPageToken: encodePageToken(scope, last) };
            items.push(resource);
            last = entry.seq;
        }
        return { items, nextPageToken: "" };
    }

    /** Keeps the earlier state for lists that lag behind. */
    private remember(entry: Entry<T>, resource: T | undefined): void {
        const { listLagMs } = this.cloud.settings;
        if (listLagMs > 0) {
            entry.earlier = [...(entry.earlier ?? []), { resource, untilMs: this.cloud.now() + listLagMs }];
        }
    }

    private index(entry: Entry<T>, present: boolean): void {
        const gone = entry.resource.state === ResourceState.RESOURCE_STATE_DELETED;
        for (const [name, indexedBy] of Object.entries(this.kind.indexes ?? {})) {
            const values = this.indexes.get(name);
            const value = indexedBy(entry.resource);
            if (values === undefined || value === "") continue;
            const entries = values.get(value) ?? new Set();
            if (present && !gone) values.set(value, entries.add(entry));
            else if (entries.delete(entry) && entries.size === 0) values.delete(value);
        }
    }
}

/** What lists show of an entry. */
function listed<T>(entry: Entry<T>, now: number): T | undefined {
    const shown = entry.earlier?.find(({ untilMs }) => untilMs > now);
    if (shown === undefined) delete entry.earlier;
    return shown ? shown.resource : entry.resource;
}

/** The page size to use for the requested one. */
export function pageSize(asked: number): number {
    if (asked < 0 || asked > pageSizes.max)
        throw invalid(`page_size must be between 0 and ${pageSizes.max}, not ${asked}`);
    return asked === 0 ? pageSizes.default : asked;
}

function encodePageToken(scope: string, seq: number): string {
    return Buffer.from(JSON.stringify([scope, seq])).toString("base64url");
}

function decodePageToken(token: string, scope: string): number {
    if (token === "") return 0;
    try {
        const content: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
        if (Array.isArray(content) && content[0] === scope && typeof content[1] === "number") return content[1];
    } catch {
        // Not a token of ours.
    }
    throw invalid("page_token is not one that this list gave");
}

/** The index of the first entry after a position, by binary search. */
function firstAfter(entries: Entry<unknown>[], seq: number): number {
    let low = 0;
    let high = entries.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if ((entries[middle]?.seq ?? 0) <= seq) low = middle + 1;
        else high = middle;
    }
    return low;
}
