import type { Call, Limiter, Turn } from "./limiter";
import { ListedReads } from "./listed-reads";
import type { Source, Waiter } from "./source";

/** For fewer who wait, a page would cost the server more than it saves. */
const FEWEST_READERS = 10;
/** So many reads go one by one for each page that was not worth it: others hardly will be. */
const SINGLE_READS_PER_PAGE = 50;
/** Pages may take so many times as long as the requests whose place they take would wait for their turns, */
const LONGEST_PAGES = 2;
/** or so long: what is refused once takes no less. */
const SHORT_PAGES_MS = 1_000;
/** A page that takes longer is given up: whoever reads alone is sooner there. */
const PAGE_TIMEOUT_MS = 10_000;

/** Who waits for a turn. */
interface Reader<T> {
    readonly id: string;
    readonly waiter: Waiter;
    readonly waiting: AbortController;
    /** What somebody else's turn brings. */
    answer?: Promise<ReadNow<T>>;
}

export interface ReadNow<T> {
    readonly item: T;
    /** Whether it may come from a list, which may show later than a single read what has changed. */
    readonly isListed: boolean;
}

/**
 * Reads of one kind of which nothing is older than the call. Where nothing has to wait, each is a request. Else each waits
 * for its turn, and whoever has it first reads for all who wait, if they are many: a page of the list takes the place of as
 * many requests.
 */
export class GatheredReads<T> {
    private readonly call: Call;
    private readonly readers = new Set<Reader<T>>();
    /** So many reads go one by one before a page is asked for. */
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

    /** Undefined where somebody else's came first, or the time is up. */
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
        // Of those who wait, one has its turn.
        return this.singleReads <= 0 && this.readers.size + 1 >= FEWEST_READERS;
    }

    private gather(readers: readonly Reader<T>[], turn: Turn): void {
        const list = new ListedReads(this.source, {
            singleReadsFirst: 0,
            turn,
            // Those it reads for have waited already: should it be refused, nothing goes before it again.
            priority: "first",
            pageTimeoutMs: PAGE_TIMEOUT_MS,
        });
        for (const reader of readers) {
            reader.answer = list.read(reader.id, reader.waiter).then((item) => ({ item, isListed: true }));
            reader.waiting.abort();
        }
        // One page at a time: it can be large. Who comes meanwhile waits for another, or reads alone; as all do from then on
        // where it does not come.
        this.singleReads = Number.POSITIVE_INFINITY;
        void Promise.allSettled(readers.map(({ answer }) => answer)).then(() => {
            if (list.failures === 0) {
                this.singleReads = this.isWorthIt(list) ? 0 : SINGLE_READS_PER_PAGE * list.pages;
            }
        });
    }

    /** Whether pages have taken the place of more requests than they were, and not much longer. */
    private isWorthIt({ pages, pageMs, served }: ListedReads<T>): boolean {
        const readsMs = (served / this.limiter.requestsPerSecond) * 1000;
        return served > pages && pages * pageMs <= Math.max(SHORT_PAGES_MS, LONGEST_PAGES * readsMs);
    }
}
