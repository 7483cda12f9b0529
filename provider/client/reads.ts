import type { ReadNow } from "./gathered-reads";
import { GatheredReads } from "./gathered-reads";
import type { Limiter } from "./limiter";
import { ListedReads } from "./listed-reads";
import type { Source, Waiter } from "./source";

/** Reads that share their requests. */
export class Reads {
    private readonly listed = new Map<string, ListedReads<unknown>>();
    private readonly gathered = new Map<string, GatheredReads<unknown>>();

    constructor(private readonly limiter: Limiter) {}

    /**
     * The resource, no older than this object or the last write to its kind; fails with `notFound` if there is none.
     */
    read<T>(source: Source<T>, id: string, waiter: Waiter): Promise<T> {
        const reads = (this.listed.get(source.kind) as ListedReads<T> | undefined) ?? new ListedReads(source);
        this.listed.set(source.kind, reads as ListedReads<unknown>);
        return reads.read(id, waiter);
    }

    /** The resource, no older than the call; fails with `notFound` if there is none. */
    readNow<T>(source: Source<T>, id: string, waiter: Waiter): Promise<ReadNow<T>> {
        const known = this.gathered.get(source.kind) as GatheredReads<T> | undefined;
        const reads = known ?? new GatheredReads(source, this.limiter);
        this.gathered.set(source.kind, reads as GatheredReads<unknown>);
        return reads.read(id, waiter);
    }

    /** Makes a write to resources of that kind. The write itself calls `changed` once the server has accepted it. */
    async changing<T>(kind: string, write: () => Promise<T>): Promise<T> {
        this.changed(kind);
        try {
            return await write();
        } finally {
            this.changed(kind);
        }
    }

    /** Discards what has been read of that kind: a list in flight may show it before or after a write. */
    changed(kind: string): void {
        this.listed.delete(kind);
    }
}
