import { failed, GivenUpError } from "./errors";
import type { Priority, Turn } from "./limiter";
import type { Source, Waiter } from "./source";

/**
 * Single reads before listing: for a small stack, a list would cost more. With one more, the `pulumi refresh` of 4,000
 * resources of four kinds would take more than 40 requests: on the command line it previews itself first, in a separate
 * plugin process.
 */
const SINGLE_READS = 3;
/** Pages to try before any has paid for itself. */
const PAGES_ON_TRUST = 2;
/** Further single reads that earn another page: in a huge account, most of a page belongs to other stacks. */
const SINGLE_READS_PER_PAGE = 10;
/**
 * Timeout of a page with its retries, and of the start of another, so that waiting reads still have time for a single
 * read. One attempt may use all of it: a page of 1,000 namespaces can have 32 MB.
 */
const PAGE_MS = 75_000;

/** Abort reason of a page that no read has the time to wait for. It says nothing about the next page. */
const ABANDONED = "abandoned";

/** Takes the item; called without one, the read makes its own request. */
type Waiting<T> = (item?: T) => void;

export interface ListedReadsOptions {
    /** Single reads before a page is requested. */
    readonly singleReadsFirst?: number;
    /** The turn of the first page, if the caller already has one. */
    readonly turn?: Turn;
    /** Priority of its pages while requests queue; "read" by default. */
    readonly priority?: Priority;
    /** Timeout of a page with its retries; 75 s by default. */
    readonly pageTimeoutMs?: number;
}

/**
 * Reads of one kind. The first few are single reads; after that, pages of the whole list serve them, as long as the
 * pages contain what is read. What no page contains, or only as deleted, is read individually before it counts as gone.
 * No data is older than this object.
 */
export class ListedReads<T> {
    /** Number of reads served by pages. */
    served = 0;
    pages = 0;
    /** Duration of the first page, including the wait for its turn unless that was given. */
    pageMs = 0;
    /** Number of consecutive pages that failed although reads were waiting for them. */
    failures = 0;
    /** Why the last page failed, if it did. */
    private failure: unknown;
    private readonly singleReadsFirst: number;
    private readonly pageTimeoutMs: number;
    private readonly priority: Priority | undefined;
    private turn: Turn | undefined;
    private singleReads = 0;
    /** The pages that contained something that was read. */
    private readonly paid = new Set<number>();
    private pageToken = "";
    private listed = false;
    private mayList = true;
    /** Aborts the paging in progress. */
    private paging: AbortController | undefined;
    private readonly items = new Map<string, { readonly item: T; readonly page: number }>();
    private readonly waiting = new Map<string, Waiting<T>[]>();

    constructor(
        private readonly source: Source<T>,
        { singleReadsFirst = SINGLE_READS, turn, priority, pageTimeoutMs = PAGE_MS }: ListedReadsOptions = {},
    ) {
        this.singleReadsFirst = singleReadsFirst;
        this.pageTimeoutMs = pageTimeoutMs;
        this.turn = turn;
        this.priority = priority;
    }

    async read(id: string, waiter: Waiter): Promise<T> {
        const listed = this.items.get(id);
        if (listed !== undefined) {
            this.paid.add(listed.page);
            this.served += 1;
            return listed.item;
        }
        // Accessed only now, since that starts the timeout.
        const { signal } = waiter;
        if (this.singleReads < this.singleReadsFirst || !this.mayPage()) {
            this.singleReads += 1;
            return this.source.get(id, { signal });
        }
        const listedItem = await new Promise<T | undefined>((resolve) => {
            const done = (item?: T) => {
                signal.removeEventListener("abort", giveUp);
                resolve(item);
            };
            const giveUp = () => {
                const others = this.waiting.get(id)?.filter((other) => other !== done) ?? [];
                if (others.length === 0 && this.waiting.size === 1) {
                    // No other read needs the page, and why it failed is why this read does.
                    this.paging?.abort(ABANDONED);
                    return;
                }
                if (others.length === 0) {
                    this.waiting.delete(id);
                } else {
                    this.waiting.set(id, others);
                }
                done();
            };
            signal.addEventListener("abort", giveUp, { once: true });
            this.waiting.set(id, [...(this.waiting.get(id) ?? []), done]);
            if (this.paging === undefined) {
                void this.page();
            }
        });
        if (listedItem !== undefined) {
            return listedItem;
        }
        if (signal.aborted) {
            throw this.failure instanceof GivenUpError
                ? this.failure
                : new GivenUpError(`Get${this.source.kind}s`, undefined, true, { cause: signal.reason });
        }
        this.singleReads += 1;
        return this.source.get(id, { signal });
    }

    private mayPage(): boolean {
        const earned = PAGES_ON_TRUST + this.paid.size + Math.floor(this.singleReads / SINGLE_READS_PER_PAGE);
        return this.mayList && !this.listed && this.pages < earned;
    }

    /** Requests pages while reads wait and pages pay. Reads that are left make their own requests. */
    private async page(): Promise<void> {
        const paging = new AbortController();
        this.paging = paging;
        const endsAt = performance.now() + this.pageTimeoutMs;
        try {
            while (this.waiting.size > 0 && this.mayPage() && !paging.signal.aborted && performance.now() < endsAt) {
                await this.nextPage(paging);
                // From the last check of who waits to the end of the paging, nothing may be awaited.
                await new Promise((resolve) => setImmediate(resolve));
            }
        } catch (error) {
            this.failure = error;
            if (paging.signal.reason !== ABANDONED) {
                // A key that may not list may still read; if reading fails too, that error is the one to show. What may
                // be temporary gets another chance.
                const mayPass = error instanceof GivenUpError || failed(error, "unreachable", "other");
                this.mayList = mayPass && this.failures === 0;
                this.failures += 1;
            }
        } finally {
            this.paging = undefined;
            const left = [...this.waiting.values()].flat();
            this.waiting.clear();
            for (const askAlone of left) {
                askAlone();
            }
        }
    }

    /**
     * Requests one page, which all waiting reads share: the timeout of one does not end it while others have time left.
     */
    private async nextPage(paging: AbortController): Promise<void> {
        this.pages += 1;
        const { turn } = this;
        this.turn = undefined;
        const startedAt = performance.now();
        const timer = setTimeout(() => paging.abort(), this.pageTimeoutMs);
        try {
            const { items, nextPageToken } = await this.source.list(this.pageToken, {
                signal: paging.signal,
                attemptMs: this.pageTimeoutMs,
                turn,
                priority: this.priority,
            });
            this.pageMs ||= performance.now() - startedAt;
            for (const item of items) {
                if (!this.source.isGone(item)) {
                    this.add(item);
                }
            }
            this.failure = undefined;
            this.failures = 0;
            // An unchanged token would page forever.
            this.listed = nextPageToken === "" || nextPageToken === this.pageToken;
            this.pageToken = nextPageToken;
        } finally {
            clearTimeout(timer);
        }
    }

    private add(item: T): void {
        const id = this.source.idOf(item);
        // What an earlier page already contained does not make this one pay.
        const page = this.items.get(id)?.page ?? this.pages;
        this.items.set(id, { item, page });
        const waiting = this.waiting.get(id);
        if (waiting) {
            this.paid.add(page);
            this.waiting.delete(id);
        }
        for (const found of waiting ?? []) {
            this.served += 1;
            found(item);
        }
    }
}
