import type { CallOptions } from "./client";

/** One page of a list. */
export interface Page<T> {
    readonly items: readonly T[];
    /** Empty on the last page. */
    readonly nextPageToken: string;
}

/** A reader. The signal ends its waiting, and is accessed only if there is something to wait for. */
export interface Waiter {
    readonly signal: AbortSignal;
}

/** How to read resources of one kind: one, or a page of all. */
export interface Source<T> {
    readonly kind: string;
    /** The resource; fails with `notFound` if there is none. */
    get(id: string, options: CallOptions): Promise<T>;
    /** A page of at most PAGE_SIZE resources. */
    list(pageToken: string, options: CallOptions): Promise<Page<T>>;
    idOf(item: T): string;
    /** Whether it is deleted, although the server still shows it. Another may have its id by now. */
    isGone(item: T): boolean;
}
