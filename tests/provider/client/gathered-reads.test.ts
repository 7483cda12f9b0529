import type { CallOptions } from "../../../provider/client/client";
import { GivenUpError } from "../../../provider/client/errors";
import { GatheredReads } from "../../../provider/client/gathered-reads";
import type { Call, Turn } from "../../../provider/client/limiter";
import { Account, failure, type Item, ids, signal, tick } from "./account";

/** A limiter that gives turns when it is told to. */
class Turns {
    readonly requestsPerSecond = 40;
    isBusy = true;
    readonly calls: Call[] = [];
    private readonly waiting: ((turn: Turn) => void)[] = [];

    acquire(call: Call, ended?: AbortSignal): Promise<Turn> {
        this.calls.push(call);
        return new Promise((resolve, reject) => {
            this.waiting.push(resolve);
            ended?.addEventListener("abort", () => {
                this.waiting.splice(this.waiting.indexOf(resolve), 1);
                reject(ended.reason);
            });
        });
    }

    get waitingCount(): number {
        return this.waiting.length;
    }

    /** Gives the one who has waited longest a turn, and lets happen what follows from that. */
    async give(): Promise<void> {
        this.waiting.shift()?.({ at: 0, pace: 1 });
        await settled();
    }

    async giveAll(): Promise<void> {
        while (this.waiting.length > 0) {
            await this.give();
        }
    }
}

async function settled(): Promise<void> {
    for (let index = 0; index < 5; index += 1) {
        await tick();
    }
}

let turns: Turns;
let account: Account;
let reads: GatheredReads<Item>;
beforeEach(() => {
    turns = new Turns();
    account = new Account(ids(1000));
    reads = new GatheredReads(account, turns);
});
afterEach(() => {
    jest.restoreAllMocks();
});

/** Begins to read them. */
function read(wanted: readonly string[]): Promise<Item[]> {
    const all = Promise.all(wanted.map(async (id) => (await reads.read(id, { signal })).item));
    all.catch(() => {});
    return all;
}

/** So many times twenty, one after the other. */
async function readInRounds(count: number): Promise<void> {
    for (let round = 0; round < count; round += 1) {
        const all = read(ids(20));
        await turns.giveAll();
        expect(await all).toHaveLength(20);
    }
}

test("where nothing waits for its turn, each is a request", async () => {
    turns.isBusy = false;
    expect(await read(ids(50))).toHaveLength(50);
    expect(account).toMatchObject({ gets: ids(50), lists: 0 });
    expect(turns.calls).toEqual([]);
});

test("who has a turn reads for all who wait, as reads wait", async () => {
    const all = read(ids(50));
    expect(turns.calls).toHaveLength(50);
    expect(turns.calls[0]).toEqual({ method: "GetThing", priority: "read" });
    account.version = 2;
    await turns.give();
    expect(await all).toEqual(ids(50).map((id) => ({ id, version: 2 })));
    expect(account).toMatchObject({ gets: [], lists: 1 });
    expect(turns.waitingCount).toBe(0);
});

test("the page and the single read take the turn that was waited for", async () => {
    const get = jest.spyOn(account, "get");
    const list = jest.spyOn(account, "list");
    const few = read(ids(2));
    await turns.giveAll();
    await few;
    const many = read(ids(20));
    await turns.give();
    await many;
    const turn = { at: 0, pace: 1 };
    expect(get.mock.calls.map(([, options]) => options?.turn)).toEqual([turn, turn]);
    expect(list.mock.calls.map(([, options]) => options?.turn)).toEqual([turn]);
    // Its repetition does not wait behind the writes, the readers' turn being there.
    expect(list.mock.calls.map(([, options]) => options?.priority)).toEqual(["first"]);
});

test("a second page waits for a turn of its own", async () => {
    account.pageSize = 15;
    const list = jest.spyOn(account, "list");
    const all = read(ids(20));
    await turns.give();
    await all;
    expect(list.mock.calls.map(([, options]) => options?.turn)).toEqual([{ at: 0, pace: 1 }, undefined]);
});

test("each says whether it may come from a list", async () => {
    const alone = reads.read("thing-7", { signal });
    await turns.give();
    expect(await alone).toEqual({ item: { id: "thing-7", version: 1 }, isListed: false });
    const one = reads.read("thing-8", { signal });
    const others = read(ids(20));
    await turns.give();
    expect(await one).toEqual({ item: { id: "thing-8", version: 1 }, isListed: true });
    await others;
});

test("for fewer than ten, there is no page", async () => {
    const all = read(ids(9));
    await turns.giveAll();
    expect(await all).toHaveLength(9);
    expect(account).toMatchObject({ gets: ids(9), lists: 0 });
});

test("nothing is older than the call: who comes while a page is on its way waits for another", async () => {
    const first = read(ids(20));
    const given = turns.give();
    while (account.lists === 0) {
        await Promise.resolve();
    }
    account.version = 2;
    const second = read(ids(40).slice(20));
    expect((await first).every(({ version }) => version === 1)).toBe(true);
    await given;
    await turns.giveAll();
    expect((await second).every(({ version }) => version === 2)).toBe(true);
    expect(account.lists).toBe(2);
});

test("one page at a time: who has a turn meanwhile reads alone", async () => {
    let answer = (): void => {};
    const list = account.list.bind(account);
    account.list = async (pageToken) => {
        await new Promise<void>((resolve) => {
            answer = resolve;
        });
        return list(pageToken);
    };
    const first = read(ids(20));
    await turns.give();
    const second = read(ids(40).slice(20));
    await turns.give();
    expect(account.gets).toEqual(["thing-20"]);
    answer();
    await first;
    await settled();
    account.list = list;
    await turns.give();
    expect(await second).toHaveLength(20);
    expect(account).toMatchObject({ gets: ["thing-20"], lists: 2 });
});

test("what the page does not hold, or only as deleted, is asked for by itself", async () => {
    account.unlisted.add("thing-3");
    account.deleted.add("thing-4");
    account.unlisted.add("thing-4");
    account.remove("thing-5");
    const gone = reads.read("thing-5", { signal });
    gone.catch(() => {});
    const all = read(ids(30).filter((id) => id !== "thing-5"));
    await turns.give();
    expect(await all).toHaveLength(29);
    await expect(gone).rejects.toMatchObject({ failure: "notFound" });
    expect(account.gets.toSorted()).toEqual(["thing-3", "thing-4", "thing-5"]);
});

test.each(["denied", "unreachable", "other"] as const)("where the list fails (%s), all read alone", async (what) => {
    account.failList = failure(what);
    await readInRounds(10);
    expect(account.lists).toBe(1);
    expect(account.gets).toHaveLength(200);
});

test("a page that does not come is given up after 10 s, and none is asked for again", async () => {
    jest.useFakeTimers({ doNotFake: ["setImmediate"] });
    try {
        account.list = jest.fn(
            (_: string, options?: CallOptions) =>
                new Promise<never>((_resolve, reject) => {
                    options?.signal?.addEventListener("abort", () =>
                        reject(new GivenUpError("GetThings", undefined, true, {})),
                    );
                }),
        );
        const stuck = read(ids(20));
        await turns.give();
        await jest.advanceTimersByTimeAsync(9_000);
        expect(account.gets).toEqual([]);
        await jest.advanceTimersByTimeAsync(1_500);
        expect(await stuck).toHaveLength(20);
        const next = read(ids(20));
        await turns.giveAll();
        expect(await next).toHaveLength(20);
        expect(account.gets).toHaveLength(40);
        expect(account.list).toHaveBeenCalledTimes(1);
    } finally {
        jest.useRealTimers();
    }
});

test("in an account of 200,000, of which few are ours, there is little more than the single reads", async () => {
    account = new Account([...ids(200_000, "other-"), ...ids(20)]);
    reads = new GatheredReads(account, turns);
    await readInRounds(50);
    expect(account.gets).toHaveLength(1000);
    expect(account.lists).toBeLessThan(40);
});

/** Each page takes so long from now on. */
function pagesTake(pageMs: number): void {
    const list = account.list.bind(account);
    let ms = 0;
    jest.spyOn(performance, "now").mockImplementation(() => ms);
    account.list = (pageToken) => {
        ms += pageMs;
        return list(pageToken);
    };
}

test("pages that take longer than the turns they save are left alone for a while", async () => {
    // In the place of 20 requests at 40/s comes one that takes more than twice as long.
    pagesTake(1_100);
    await readInRounds(10);
    expect(account.lists).toBeLessThan(5);
    expect(account.gets.length).toBeGreaterThan(100);
});

test("after so many single reads, a page is tried again", async () => {
    pagesTake(1_100);
    await readInRounds(1);
    expect(account).toMatchObject({ gets: [], lists: 1 });
    // Fifty of them are read alone.
    await readInRounds(3);
    expect(account.lists).toBe(2);
    expect(account.gets.length).toBeGreaterThanOrEqual(50);
});

test("a page that was refused once is not one of these", async () => {
    pagesTake(900);
    const all = read(ids(12));
    await turns.give();
    await all;
    const next = read(ids(12));
    await turns.give();
    await next;
    expect(account).toMatchObject({ gets: [], lists: 2 });
});

test("who runs out of time leaves alone, and takes nobody along", async () => {
    const controller = new AbortController();
    const get = account.get.bind(account);
    account.get = async (id, options) => {
        if (options?.signal?.aborted) {
            throw new GivenUpError("GetThing", undefined, false, { cause: options.signal.reason });
        }
        return get(id, options);
    };
    const impatient = reads.read("thing-7", { signal: controller.signal });
    const others = read(ids(30).slice(8));
    controller.abort(new Error("the time is up"));
    await expect(impatient).rejects.toThrow(GivenUpError);
    expect(turns.waitingCount).toBe(22);
    await turns.give();
    expect(await others).toHaveLength(22);
    await expect(reads.read("thing-7", { signal: controller.signal })).rejects.toThrow(GivenUpError);
    expect(turns.waitingCount).toBe(0);
});

test("that the time of the one who has the turn is up does not end the page of the others, nor any later one", async () => {
    const list = account.list.bind(account);
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
        answer = resolve;
    });
    // As the client does: a signal ends what has not been answered.
    account.list = (pageToken, options) =>
        new Promise((resolve, reject) => {
            void answered.then(() => list(pageToken, options)).then(resolve, reject);
            options?.signal?.addEventListener("abort", () =>
                reject(new GivenUpError("GetThings", undefined, true, { cause: options.signal?.reason })),
            );
        });
    const hasty = new AbortController();
    const first = reads.read("thing-0", { signal: hasty.signal });
    const others = read(ids(50));
    await turns.give();
    hasty.abort(new Error("the time is up"));
    await expect(first).rejects.toThrow(GivenUpError);
    answer();
    expect(await others).toHaveLength(50);
    await readInRounds(3);
    expect(account).toMatchObject({ gets: [], lists: 4 });
});

test("a page is ended once nobody has the time to wait for it, and the next one is not held to blame", async () => {
    const list = account.list.bind(account);
    const signals: AbortSignal[] = [];
    account.list = (_, options) =>
        new Promise((_resolve, reject) => {
            const { signal: ends } = options as { signal: AbortSignal };
            signals.push(ends);
            ends.addEventListener("abort", () =>
                reject(new GivenUpError("GetThings", failure("unreachable"), true, { cause: ends.reason })),
            );
        });
    const controllers = ids(12).map(() => new AbortController());
    const all = controllers.map((controller, index) => reads.read(`thing-${index}`, { signal: controller.signal }));
    const refused = Promise.allSettled(all);
    await turns.give();
    expect(signals).toHaveLength(1);
    for (const controller of controllers) {
        expect(signals[0]?.aborted).toBe(false);
        controller.abort(new Error("the time is up"));
    }
    expect(signals[0]?.aborted).toBe(true);
    expect((await refused).map(({ status }) => status)).toEqual(ids(12).map(() => "rejected"));
    account.list = list;
    await readInRounds(4);
    expect(account.lists).toBeGreaterThan(0);
});
