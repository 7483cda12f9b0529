import { failed, GivenUpError } from "./errors";
import type { Priority, Turn } from "./limiter";
import type { Source, Waiter } from "./source";

/**
 * So many reads of a kind are made one by one: for a small stack, a list would cost more. With one more, the `pulumi refresh`
 * of 4,000 resources of four kinds would take more than 40 requests: on the command line it previews itself first, in a
 * plugin process of its own.
 */
const SINGLE_READS = 3;
/** So many pages are tried before any has paid for itself. */
const PAGES_ON_TRUST = 2;
/** And so many more reads one by one buy another page: in a huge account, most of what a page holds is not ours. */
const SINGLE_READS_PER_PAGE = 10;
/**
 * A page that takes longer, with its repetitions, is given up, and none is begun after so long, so that whoever waits
 * still has time to read alone. One attempt may take all of it: a page of 1,000 namespaces can have 32 MB.
 */
const PAGE_MS = 75_000;

/** The reason for which a page is ended that nobody has the time to wait for. It says nothing of the next one. */
const ABANDONED = "abandoned";

/** Takes the item; without one, whoever waits asks alone. */
type Waiting<T> = (item?: T) => void;

export interface ListedReadsOptions {
    /** So many are made one by one before a page is asked for. */
    readonly singleReadsFirst?: number;
    /** The turn of the first page, where it has been waited for. */
    readonly turn?: Turn;
    /** What goes before its pages when requests have to wait; "read" unless told. */
    readonly priority?: Priority;
    /** A page that takes longer, with its repetitions, is given up; 75 s unless told. */
    readonly pageTimeoutMs?: number;
}

/**
 * Reads of one kind. The first few go one by one; from then on pages of the whole list serve them, as long as the pages
 * hold what is asked for. What no page holds, or only as deleted, is asked for by itself before it counts as gone. Nothing
 * is older than this object.
 */
export class ListedReads<T> {
    /** So many reads have been served by pages. */
    served = 0;
    pages = 0;
    /** How long the first one took, with the waiting for its turn, unless that was given. */
    pageMs = 0;
    /** How many pages in a row did not come, although somebody was waiting for them. */
    failures = 0;
    /** Why the last page did not come, if it did not. */
    private failure: unknown;
    private readonly singleReadsFirst: number;
    private readonly pageTimeoutMs: number;
    private readonly priority: Priority | undefined;
    private turn: Turn | undefined;
    private singleReads = 0;
    /** The pages that held what was asked for. */
    private readonly paid = new Set<number>();
    private pageToken = "";
    private listed = false;
    private mayList = true;
    /** Ends the paging that is under way. */
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
        // From here on there is something to wait for.
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
                const waiting = [...this.waiting.values()].flat();
                if (waiting.length === 1) {
                    // Nobody else needs the page; and why it has not come is why this read has not.
                    this.paging?.abort(ABANDONED);
                    return;
                }
                this.waiting.set(id, this.waiting.get(id)?.filter((other) => other !== done) ?? []);
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

    /** Pages as long as somebody waits and it is worth it. Whoever is left asks alone. */
    private async page(): Promise<void> {
        const paging = new AbortController();
        this.paging = paging;
        const endsAt = performance.now() + this.pageTimeoutMs;
        try {
            while (this.hasWaiting && this.mayPage() && !paging.signal.aborted && performance.now() < endsAt) {
                await this.nextPage(paging);
                // Nothing may come between the last look at who waits and the end of the paging.
                await new Promise((resolve) => setImmediate(resolve));
            }
        } catch (error) {
            this.failure = error;
            if (paging.signal.reason !== ABANDONED) {
                // Whoever may not list may still read; and where reading fails too, that error is the one to show. What may
                // pass gets another chance.
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

    private get hasWaiting(): boolean {
        return [...this.waiting.values()].some(({ length }) => length > 0);
    }

    /** One page, which belongs to all who wait: the time of none of them ends it while others have theirs. */
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
            // A token that comes back unchanged would page for ever.
            this.listed = nextPageToken === "" || nextPageToken === this.pageToken;
            this.pageToken = nextPageToken;
        } finally {
            clearTimeout(timer);
        }
    }

    private add(item: T): void {
        const id = this.source.idOf(item);
        // What an earlier page held already does not make this one worth its request.
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
