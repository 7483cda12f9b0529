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
    /** The value that lists are ordered by; the id unless given. */
    orderOf?(resource: T): string;
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
    /** Its position in lists. */
    place: string;
    /** It comes with the account: the principal of the root key, the default project. */
    builtIn: boolean;
    /** Versions that the rename of a search attribute still accepts. */
    renameVersions: string[];
    /** Until when reads fail as if it did not exist, and how. */
    hidden?: Hidden;
    /** Earlier states that lists and reads may still show; undefined means that it did not exist. */
    earlier?: { resource: T | undefined; listsUntilMs: number; readsUntilMs: number }[];
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
    /** By `place`; undefined after an insertion or removal. */
    private sorted: Entry<T>[] | undefined;
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
    all(): IterableIterator<Entry<T>> {
        return this.entries.values();
    }

    /** The entries with this value in this index, except deleted ones. */
    indexed(index: string, value: string): Entry<T>[] {
        return [...(this.indexes.get(index)?.get(value) ?? [])];
    }

    /** Adds a resource, replacing a deleted one with the same id. */
    insert(resource: T, builtIn = false): Entry<T> {
        const id = this.kind.idOf(resource);
        const before = this.entries.get(id);
        this.remove(id);
        const place = this.kind.orderOf?.(resource) ?? id;
        const entry: Entry<T> = { resource, place, builtIn, renameVersions: [], removed: false };
        this.entries.set(id, entry);
        this.sorted = undefined;
        // Lists may still show what had the id before.
        if (before?.earlier) entry.earlier = before.earlier;
        this.remember(entry, before?.resource);
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
        this.sorted = undefined;
        this.cloud.changed();
    }

    /**
     * A page, in the order that the API documents: by id, namespaces by name. What is created between two pages can therefore
     * be on one that has been read already.
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
        this.sorted ??= [...this.entries.values()].sort(byPlace);
        const entries = candidates?.sort(byPlace) ?? this.sorted;
        const items: T[] = [];
        let last = after;
        for (let index = firstAfter(entries, after); index < entries.length; index++) {
            const entry = entries[index];
            if (entry === undefined || isHidden(entry.hidden, now)) continue;
            const resource = listed(entry, now);
            if (resource === undefined || !filter(resource)) continue;
            if (items.length === size) return { items, nextPageToken: encodePageToken(scope, last) };
            items.push(resource);
            last = entry.place;
        }
        return { items, nextPageToken: "" };
    }

    /** Keeps the earlier state for lists and reads that lag behind. */
    private remember(entry: Entry<T>, resource: T | undefined): void {
        const { listLagMs, readLagMs } = this.cloud.settings;
        if (listLagMs > 0 || readLagMs > 0) {
            const now = this.cloud.now();
            const until = { listsUntilMs: now + listLagMs, readsUntilMs: now + readLagMs };
            const past = entry.earlier?.filter((it) => Math.max(it.listsUntilMs, it.readsUntilMs) > now) ?? [];
            entry.earlier = [...past, { resource, ...until }];
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
    const shown = entry.earlier?.find(({ listsUntilMs }) => listsUntilMs > now);
    return shown ? shown.resource : entry.resource;
}

/** What a single read shows of an entry. */
export function shown<T>(entry: Entry<T>, now: number): T {
    const earlier = entry.earlier?.find(({ resource, readsUntilMs }) => resource !== undefined && readsUntilMs > now);
    return earlier?.resource ?? entry.resource;
}

/** The page size to use for the requested one. */
export function pageSize(asked: number): number {
    if (asked < 0 || asked > pageSizes.max)
        throw invalid(`page_size must be between 0 and ${pageSizes.max}, not ${asked}`);
    return asked === 0 ? pageSizes.default : asked;
}

function byPlace(left: Entry<unknown>, right: Entry<unknown>): number {
    return left.place < right.place ? -1 : Number(left.place > right.place);
}

function encodePageToken(scope: string, last: string): string {
    return Buffer.from(JSON.stringify([scope, last])).toString("base64url");
}

function decodePageToken(token: string, scope: string): string {
    if (token === "") return "";
    try {
        const content: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
        if (Array.isArray(content) && content[0] === scope && typeof content[1] === "string") return content[1];
    } catch {
        // Not a token of ours.
    }
    throw invalid("page_token is not one that this list gave");
}

/** The index of the first entry after a position, by binary search. */
function firstAfter(entries: Entry<unknown>[], place: string): number {
    let low = 0;
    let high = entries.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if ((entries[middle]?.place ?? "") <= place) low = middle + 1;
        else high = middle;
    }
    return low;
}
