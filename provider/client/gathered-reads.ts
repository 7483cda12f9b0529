import type { Call, Limiter, Turn } from "./limiter";
import { ListedReads } from "./listed-reads";
import type { Source, Waiter } from "./source";

/** Minimum number of queued reads for a page: for fewer, it would cost the server more than it saves. */
const FEWEST_READERS = 10;
/** Single reads after each page that did not pay: the next ones are unlikely to. */
const SINGLE_READS_PER_PAGE = 50;
/** Pages pay if they take at most this many times as long as the requests they replace would queue, */
const LONGEST_PAGES = 2;
/** or at most this long, which a single refusal costs. */
const SHORT_PAGES_MS = 1_000;
/** Timeout of a page: after that, a single read is faster. */
const PAGE_TIMEOUT_MS = 10_000;

/** A read that waits for a turn. */
interface Reader<T> {
    readonly id: string;
    readonly waiter: Waiter;
    readonly waiting: AbortController;
    /** The result, if the turn of another read serves this one. */
    answer?: Promise<ReadNow<T>>;
}

export interface ReadNow<T> {
    readonly item: T;
    /** Whether it may come from a list, which may lag behind a single read. */
    readonly isListed: boolean;
}

/**
 * Reads of one kind, with data no older than the call. If nothing is queued, each read is one request. Otherwise each
 * waits for a turn, and the first to get one serves all queued reads, if there are many: a list page replaces as many
 * requests.
 */
export class GatheredReads<T> {
    private readonly call: Call;
    private readonly readers = new Set<Reader<T>>();
    /** Single reads to make before a page is requested. */
    private singleReads = 0;

    constructor(
        private readonly source: Source<T>,
        private readonly limiter: Pick<Limiter, "acquire" | "isBusy" | "requestsPerSecond">,
    ) {
        this.call = { method: `Get${source.kind}`, priority: "read" };
    }

    async read(id: string, waiter: Waiter): Promise<ReadNow<T>> {
        const { signal } = waiter;
        if (!this.limiter.isBusy || signal.aborted) {
            return { item: await this.source.get(id, { signal }), isListed: false };
        }
        const reader: Reader<T> = { id, waiter, waiting: new AbortController() };
        const turn = await this.turn(reader);
        if (turn !== undefined && reader.answer === undefined && this.isTimeForPages()) {
            this.gather([reader, ...this.readers], turn);
        }
        if (reader.answer !== undefined) {
            return reader.answer;
        }
        this.singleReads -= 1;
        return { item: await this.source.get(id, { signal, turn }), isListed: false };
    }

    /** The read's turn; undefined if another read's came first, or the time is up. */
    private async turn(reader: Reader<T>): Promise<Turn | undefined> {
        const { waiting, waiter } = reader;
        const giveUp = () => waiting.abort();
        waiter.signal.addEventListener("abort", giveUp, { once: true });
        this.readers.add(reader);
        try {
            return await this.limiter.acquire(this.call, waiting.signal);
        } catch {
            return undefined;
        } finally {
            this.readers.delete(reader);
            waiter.signal.removeEventListener("abort", giveUp);
        }
    }

    private isTimeForPages(): boolean {
        // The read that has its turn is no longer among them.
        return this.singleReads <= 0 && this.readers.size + 1 >= FEWEST_READERS;
    }

    private gather(readers: readonly Reader<T>[], turn: Turn): void {
        const list = new ListedReads(this.source, {
            singleReadsFirst: 0,
            turn,
            // The reads it serves have waited already: if it is refused, its retry goes first.
            priority: "first",
            pageTimeoutMs: PAGE_TIMEOUT_MS,
        });
        for (const reader of readers) {
            reader.answer = list.read(reader.id, reader.waiter).then((item) => ({ item, isListed: true }));
            reader.waiting.abort();
        }
        // One page at a time, since it can be large. Reads that arrive meanwhile wait for their own turns; so do all
        // from then on if it fails.
        this.singleReads = Number.POSITIVE_INFINITY;
        void Promise.allSettled(readers.map(({ answer }) => answer)).then(() => {
            if (list.failures === 0) {
                this.singleReads = this.isWorthIt(list) ? 0 : SINGLE_READS_PER_PAGE * list.pages;
            }
        });
    }

    /** Whether the pages replaced more requests than they took, and did not take much longer. */
    private isWorthIt({ pages, pageMs, served }: ListedReads<T>): boolean {
        const readsMs = (served / this.limiter.requestsPerSecond) * 1000;
        return served > pages && pages * pageMs <= Math.max(SHORT_PAGES_MS, LONGEST_PAGES * readsMs);
    }
}
