import type { CallOptions } from "./client";

/** One page of a list. */
export interface Page<T> {
    readonly items: readonly T[];
    /** Empty on the last page. */
    readonly nextPageToken: string;
}

/** Who reads: the signal ends its waiting. Not asked for where nothing has to be waited for. */
export interface Waiter {
    readonly signal: AbortSignal;
}

/** How resources of one kind are read: one, or a page of all. */
export interface Source<T> {
    readonly kind: string;
    /** The resource; fails with `notFound` where there is none. */
    get(id: string, options: CallOptions): Promise<T>;
    /** A page of at most PAGE_SIZE resources. */
    list(pageToken: string, options: CallOptions): Promise<Page<T>>;
    idOf(item: T): string;
    /** Whether what is still shown is no more than a memory. Another may have its id by now. */
    isGone(item: T): boolean;
}
