import { randomUUID } from "node:crypto";
import type { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { Timestamp } from "../../proto/generated/google/protobuf/timestamp";
import type { DeepPartial } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import type { Cloud } from "./cloud";
import { invalid } from "./errors";
import { type Hidden, isHidden } from "./hidden";
import type { Operation } from "./operations";

/** What the messages of all kinds of resource have in common. */
export interface Resource {
    spec: object | undefined;
    resourceVersion: string;
    asyncOperationId: string;
    state: ResourceState;
    createdTime?: Timestamp | undefined;
    lastModifiedTime?: Timestamp | undefined;
}

/** One kind of resource: how the rest of the emulator handles it without knowing it. */
export interface Kind<T extends Resource> {
    /** The name of its collection, also in the state file: `namespaces`. */
    name: string;
    /** What messages call one: `namespace`. */
    label: string;
    /** Its message. */
    type: {
        encode(message: T): BinaryWriter;
        decode(bytes: Uint8Array): T;
        fromPartial(partial: DeepPartial<T>): T;
    };
    /** Its id, empty where it has none yet. */
    idOf(resource: T): string;
    /** Values by which it is looked up, besides its id. */
    indexes?: Record<string, (resource: T) => string>;
    /** Deprecated fields of the spec that another one mirrors and whose names do not say so. */
    deprecatedFields?: string[];
    /** Fills in everything that the server adds to what a caller gives, the id included. Also for `add`. */
    complete(resource: T, cloud: Cloud): T;
    /** What reads show while an update is in flight, where that is not just what was there before. */
    whileUpdating?(current: T, next: T): T;
    /** Called when an operation on one has ended, before anyone sees the result. May change the entry. */
    finished?(entry: Entry<T>, operation: Operation, cloud: Cloud): void;
    /** Called for each that comes by no call: from the state file, or added or changed behind the back. */
    appeared?(entry: Entry<T>, cloud: Cloud): void;
}

/** One resource and what the server knows about it besides. Resources are never changed, only replaced. */
export interface Entry<T> {
    resource: T;
    /** Its place in lists: the order of creation. */
    seq: number;
    /** It comes with the account: the principal of the root key, the default project. */
    builtIn: boolean;
    /** Versions that the rename of a search attribute still accepts. */
    renameVersions: string[];
    /** Until when reads answer as if it were not there, and how. */
    hidden?: Hidden;
    /** What it was, as long as lists may show it still; undefined is that there was none. */
    earlier?: { resource: T | undefined; untilMs: number }[];
    /** While an operation is in flight: what the resource was, and, for an update, what it shall be. */
    pending?: { before: T; next?: T };
    removed: boolean;
}

/** One page of a list. */
export interface Page<T> {
    items: T[];
    nextPageToken: string;
}

/** The page size of a list that names none, and the largest there is. */
const pageSizes = { default: 100, max: 1000 };

/** All resources of one kind. */
export class Collection<T extends Resource> {
    private readonly entries = new Map<string, Entry<T>>();
    /** By `seq`. What was removed stays until it is half of it, so that removing is cheap and a page token never breaks. */
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

    /** The entry of an id, also where the resource is in state DELETED. */
    entry(id: string): Entry<T> | undefined {
        return this.entries.get(id);
    }

    /** The entry of an id, unless the resource is deleted. */
    live(id: string): Entry<T> | undefined {
        const entry = this.entries.get(id);
        return entry?.resource.state === ResourceState.RESOURCE_STATE_DELETED ? undefined : entry;
    }

    /** Everything, in the order of creation. */
    *all(): Generator<Entry<T>> {
        for (const entry of this.order) if (!entry.removed) yield entry;
    }

    /** What has this value in this index, deleted resources left out. */
    indexed(index: string, value: string): Entry<T>[] {
        return [...(this.indexes.get(index)?.get(value) ?? [])];
    }

    /** Adds a resource, in the place of a deleted one with its id. */
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

    /** Puts another resource in the place of an entry's. */
    replace(entry: Entry<T>, resource: T): void {
        this.index(entry, false);
        this.remember(entry, entry.resource);
        entry.resource = resource;
        this.index(entry, true);
        this.cloud.changed();
    }

    /** Puts the resource there under a new version, as of a time. */
    write(entry: Entry<T>, resource: T, nowTimestamp: Timestamp | undefined): void {
        const version = { resourceVersion: randomUUID() };
        const times = nowTimestamp && "lastModifiedTime" in resource ? { lastModifiedTime: nowTimestamp } : {};
        this.replace(entry, { ...resource, ...version, ...times });
    }

    /** Removes for good. */
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
     * @param filterText says what the filter is: a page token holds for the list that it came from only.
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

    /** Lists may lag behind. */
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

/** What lists show of it. */
function listed<T>(entry: Entry<T>, now: number): T | undefined {
    const shown = entry.earlier?.find(({ untilMs }) => untilMs > now);
    if (shown === undefined) delete entry.earlier;
    return shown ? shown.resource : entry.resource;
}

/** The size of the page to give, for the size asked for. */
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
        // Whatever it is, it is no token of ours.
    }
    throw invalid("page_token is not one that this list gave");
}

/** The index of the first entry after a place, by halving. */
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
