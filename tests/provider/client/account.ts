import { setMaxListeners } from "node:events";
import { Status } from "nice-grpc-common";
import type { CallOptions } from "../../../provider/client/client";
import { type Failure, RpcError } from "../../../provider/client/errors";
import type { Page, Source } from "../../../provider/client/source";

export interface Item {
    readonly id: string;
    readonly version: number;
    readonly gone?: boolean;
}

export const signal: AbortSignal = new AbortController().signal;
// Every read of the provider has a signal of its own.
setMaxListeners(0, signal);

export const failure = (what: Failure) => new RpcError("GetThings", Status.UNKNOWN, "", what, undefined, undefined);

/** A server with so many items, of which it counts the requests. */
export class Account implements Source<Item> {
    kind = "Thing";
    gets: string[] = [];
    lists = 0;
    version = 1;
    /** What Get knows and List leaves out. */
    unlisted = new Set<string>();
    /** What List shows as deleted. */
    deleted = new Set<string>();
    /** Whether it shows that after what is there. */
    deletedLast = false;
    failList: Error | undefined;
    pageSize = 1000;
    private readonly ids: string[];

    constructor(ids: readonly string[]) {
        this.ids = [...ids];
    }

    get requests(): number {
        return this.gets.length + this.lists;
    }

    remove(id: string): void {
        this.ids.splice(this.ids.indexOf(id), 1);
    }

    async get(id: string, _options?: CallOptions): Promise<Item> {
        this.gets.push(id);
        const { version } = this;
        await tick();
        if (!this.ids.includes(id)) {
            throw failure("notFound");
        }
        return { id, version };
    }

    async list(pageToken: string, _options?: CallOptions): Promise<Page<Item>> {
        this.lists += 1;
        const { version } = this;
        await tick();
        if (this.failList) {
            throw this.failList;
        }
        const from = Number(pageToken || 0);
        const to = from + this.pageSize;
        const ids = this.ids.slice(from, to);
        const present = ids.filter((id) => !this.unlisted.has(id)).map((id) => ({ id, version }));
        const memories = [...this.deleted].map((id) => ({ id, version: 0, gone: true }));
        return {
            items: this.deletedLast ? [...present, ...memories] : [...memories, ...present],
            nextPageToken: to < this.ids.length ? String(to) : "",
        };
    }

    idOf({ id }: Item): string {
        return id;
    }

    isGone({ gone = false }: Item): boolean {
        return gone;
    }
}

export const tick = () => new Promise<void>((resolve) => setImmediate(resolve));
export const ids = (count: number, prefix = "thing-") =>
    Array.from({ length: count }, (_, index) => `${prefix}${index}`);
