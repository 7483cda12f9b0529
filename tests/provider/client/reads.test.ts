import { type Failure, GivenUpError, RpcError } from "../../../provider/client/errors";
import { Limiter } from "../../../provider/client/limiter";
import { Reads } from "../../../provider/client/reads";
import type { Page, Source } from "../../../provider/client/source";
import { Account, failure, type Item, ids, signal, tick } from "./account";

/** Reads all of them, so many at a time, as the engine's refresh does. */
async function readAll(reads: Reads, source: Source<Item>, wanted: readonly string[], atOnce = 16): Promise<Item[]> {
    const left = [...wanted];
    const items: Item[] = [];
    await Promise.all(
        Array.from({ length: atOnce }, async () => {
            for (let id = left.shift(); id !== undefined; id = left.shift()) {
                items.push(await reads.read(source, id, { signal }));
            }
        }),
    );
    return items;
}

describe("how many requests", () => {
    test("a refresh of 4,000 resources, 1,000 of each of four kinds, makes half of 40: a preview comes first", async () => {
        const reads = new Reads(new Limiter());
        // Of some there are a few that are not ours, and with them a second page.
        const accounts = ["a", "b", "c", "d"].map((kind) => Object.assign(new Account(ids(1003)), { kind }));
        const read = await Promise.all(accounts.map((account) => readAll(reads, account, ids(1000))));
        expect(read.flat()).toHaveLength(4000);
        expect(accounts.reduce((sum, { requests }) => sum + requests, 0)).toBeLessThanOrEqual(40 / 2);
    });

    test.each([1, 16, 1000])("1,000 of 3,000 resources with %i at a time: no more than 10", async (atOnce) => {
        const account = new Account(ids(3000));
        const wanted = ids(3000).filter((_, index) => index % 3 === 0);
        expect(await readAll(new Reads(new Limiter()), account, wanted, atOnce)).toHaveLength(1000);
        expect(account.requests).toBeLessThanOrEqual(10);
    });

    test("a small stack reads one by one", async () => {
        const account = new Account(ids(3));
        await readAll(new Reads(new Limiter()), account, ids(3));
        expect(account).toMatchObject({ gets: ids(3), lists: 0 });
    });

    test.each([5, 20, 100])("a stack of %i in an account of 200,000 does not page through it", async (count) => {
        // Ours are the last, so that no page that is tried pays.
        const account = new Account([...ids(200_000, "other-"), ...ids(count)]);
        await readAll(new Reads(new Limiter()), account, ids(count));
        expect(account.gets.length).toBe(count);
        expect(account.lists).toBeLessThanOrEqual(2 + count / 10);
    });

    test.each([50, 150, 1000])("a stack of %i on the first page, one of it gone, does neither", async (count) => {
        const account = new Account([...ids(count - 1), ...ids(200_000, "other-")]);
        const reads = new Reads(new Limiter());
        const present = await readAll(reads, account, ids(count - 1));
        await expect(reads.read(account, `thing-${count - 1}`, { signal })).rejects.toThrow(RpcError);
        expect(present).toHaveLength(count - 1);
        expect(account.lists).toBeLessThanOrEqual(4);
        expect(account.gets.length).toBeLessThanOrEqual(6);
    });

    test("1,000 resources that are spread over an account of 100,000 cost little more than its pages", async () => {
        const all = ids(100_000);
        const account = new Account(all);
        const wanted = all.filter((_, index) => index % 100 === 50);
        expect(await readAll(new Reads(new Limiter()), account, wanted)).toHaveLength(1000);
        expect(account.requests).toBeLessThan(130);
    });

    test("what a page has brought is given to whoever comes without a time to wait", async () => {
        const account = new Account(ids(100));
        const reads = new Reads(new Limiter());
        await readAll(reads, account, ids(5));
        const asked = jest.fn(() => signal);
        const waiter = Object.defineProperty({ signal }, "signal", { get: asked });
        await expect(reads.read(account, "thing-77", waiter)).resolves.toMatchObject({ id: "thing-77" });
        expect(asked).not.toHaveBeenCalled();
        await expect(reads.read(account, "nowhere", waiter)).rejects.toMatchObject({ failure: "notFound" });
        expect(asked).toHaveBeenCalled();
    });

    test("the same resource, asked for many times at once, is found for all", async () => {
        const account = new Account(ids(100));
        const reads = new Reads(new Limiter());
        await readAll(reads, account, ids(5));
        const { requests } = account;
        const same = await Promise.all(ids(50, "x").map(() => reads.read(account, "thing-77", { signal })));
        expect(new Set(same.map(({ id }) => id))).toEqual(new Set(["thing-77"]));
        expect(account.requests - requests).toBeLessThanOrEqual(1);
    });
});

describe("what is not in the list", () => {
    test("is confirmed by Get before it counts as gone", async () => {
        const account = new Account(ids(50));
        account.unlisted.add("thing-30");
        account.remove("thing-40");
        const reads = new Reads(new Limiter());
        await readAll(reads, account, ids(10));
        account.gets = [];
        await expect(reads.read(account, "thing-30", { signal })).resolves.toMatchObject({ id: "thing-30" });
        await expect(reads.read(account, "thing-40", { signal })).rejects.toMatchObject({ failure: "notFound" });
        expect(account.gets).toEqual(["thing-30", "thing-40"]);
        await expect(reads.read(account, "thing-30", { signal })).resolves.toMatchObject({ id: "thing-30" });
    });

    test.each([false, true])("is confirmed by Get where the list has it as deleted (last: %s)", async (deletedLast) => {
        const account = Object.assign(new Account(ids(50)), { deletedLast });
        // What was made anew under the same id, and what was not.
        account.deleted = new Set(["thing-20", "thing-30", "thing-40"]);
        account.unlisted.add("thing-30");
        account.remove("thing-40");
        const reads = new Reads(new Limiter());
        await readAll(reads, account, ids(10));
        account.gets = [];
        await expect(reads.read(account, "thing-20", { signal })).resolves.toMatchObject({ version: 1 });
        expect(account.gets).toEqual([]);
        await expect(reads.read(account, "thing-30", { signal })).resolves.toMatchObject({ version: 1 });
        await expect(reads.read(account, "thing-40", { signal })).rejects.toMatchObject({ failure: "notFound" });
        expect(account.gets).toEqual(["thing-30", "thing-40"]);
    });

    test.each<[Failure, number]>([
        ["denied", 1],
        ["invalid", 1],
        ["notFound", 1],
        ["unauthenticated", 1],
        ["unreachable", 2],
        ["other", 2],
    ])("because listing fails (%s), is read one by one, after %i attempts", async (what, attempts) => {
        const account = new Account(ids(50));
        account.failList = failure(what);
        const reads = new Reads(new Limiter());
        expect(await readAll(reads, account, ids(50))).toHaveLength(50);
        expect(account.gets.toSorted()).toEqual(ids(50).toSorted());
        expect(account.lists).toBe(attempts);
    });

    test.each([1, 2])("because page %i failed once, is on the next attempt", async (page) => {
        const account = new Account(ids(3000));
        const list = account.list.bind(account);
        account.list = async (pageToken) => {
            if (account.lists + 1 === page) {
                account.list = list;
                throw failure("other");
            }
            return list(pageToken);
        };
        expect(await readAll(new Reads(new Limiter()), account, ids(3000))).toHaveLength(3000);
        expect(account.lists).toBe(3);
        // Those that waited for that page, and the first.
        expect(account.gets.length).toBeLessThanOrEqual(3 + 16);
    });

    test("because pages failed twice, but not in a row, is on the next attempt", async () => {
        const account = new Account(ids(3000));
        const list = account.list.bind(account);
        let attempts = 0;
        account.list = async (pageToken) => {
            attempts += 1;
            if (attempts === 1 || attempts === 3) {
                throw failure("other");
            }
            return list(pageToken);
        };
        expect(await readAll(new Reads(new Limiter()), account, ids(3000))).toHaveLength(3000);
        expect(account.lists).toBe(3);
        // Those that waited for either page, and the first.
        expect(account.gets.length).toBeLessThanOrEqual(3 + 2 * 16);
    });

    test("because the call for the list was given up, is read by itself by whoever has not given up", async () => {
        const account = new Account(ids(50));
        const reads = new Reads(new Limiter());
        await readAll(reads, account, ids(3));
        account.failList = new DOMException("gave up", "AbortError");
        const [first, second] = ["thing-8", "thing-9"].map((id) => reads.read(account, id, { signal }));
        await expect(first).resolves.toMatchObject({ id: "thing-8" });
        await expect(second).resolves.toMatchObject({ id: "thing-9" });
    });
});

describe("a page that does not come", () => {
    beforeEach(() => {
        jest.useFakeTimers({ doNotFake: ["setImmediate"] });
    });
    afterEach(() => {
        jest.useRealTimers();
    });

    /** Waits until it is aborted, as a call does whose every attempt fails. */
    const never = (_: string, { signal }: { signal?: AbortSignal } = {}) =>
        new Promise<never>((_resolve, reject) => {
            signal?.addEventListener("abort", () =>
                reject(new GivenUpError("GetThings", undefined, true, { cause: signal.reason })),
            );
        });

    async function begun(account: Account): Promise<Reads> {
        const reads = new Reads(new Limiter());
        await readAll(reads, account, ids(3));
        account.gets = [];
        return reads;
    }

    /** Second by second: between pages, there is work that no timer stands for. */
    async function pass(seconds: number): Promise<void> {
        for (let second = 0; second < seconds; second += 1) {
            await jest.advanceTimersByTimeAsync(1000);
            await tick();
        }
    }

    test("is given up after 75 s, and whoever waits for it asks alone", async () => {
        const account = new Account(ids(50));
        const reads = await begun(account);
        account.list = never;
        const read = reads.read(account, "thing-9", { signal });
        await jest.advanceTimersByTimeAsync(74_000);
        expect(account.gets).toEqual([]);
        await jest.advanceTimersByTimeAsync(2_000);
        await expect(read).resolves.toMatchObject({ id: "thing-9" });
        expect(jest.getTimerCount()).toBe(0);
    });

    test("since the server was away for so long, is asked for once more", async () => {
        const account = new Account(ids(50));
        const reads = await begun(account);
        const list = account.list.bind(account);
        account.list = never;
        const read = reads.read(account, "thing-9", { signal });
        await jest.advanceTimersByTimeAsync(80_000);
        await read;
        account.list = list;
        expect(await readAll(reads, account, ids(50))).toHaveLength(50);
        expect(account.lists).toBe(1);
        // Some do not wait for the last page that is had on trust.
        expect(account.gets.length).toBeLessThan(10);
    });

    test("twice in a row, is not asked for again", async () => {
        const account = new Account(ids(50));
        const reads = await begun(account);
        account.list = jest.fn(never);
        for (const id of ["thing-9", "thing-10", "thing-11"]) {
            const read = reads.read(account, id, { signal });
            await jest.advanceTimersByTimeAsync(80_000);
            await expect(read).resolves.toMatchObject({ id });
        }
        expect(account.list).toHaveBeenCalledTimes(2);
    });

    test("is not begun when whoever waits has waited for 75 s; the next who comes goes on from there", async () => {
        const account = new Account(ids(20_000));
        const reads = await begun(account);
        const list = account.list.bind(account);
        account.list = async (pageToken) => {
            await new Promise((resolve) => setTimeout(resolve, 20_000));
            return list(pageToken);
        };
        // On every page there is one of ours, so that each is worth the next.
        const present = Promise.all(ids(20).map((_, page) => reads.read(account, `thing-${page * 1000}`, { signal })));
        const last = reads.read(account, "thing-19999", { signal });
        await pass(81);
        await expect(last).resolves.toMatchObject({ id: "thing-19999" });
        await expect(present).resolves.toHaveLength(20);
        expect(account.lists).toBe(4);
        expect(account.gets).toHaveLength(20 - 4 + 1);
        const next = reads.read(account, "thing-4007", { signal });
        await pass(21);
        await expect(next).resolves.toMatchObject({ id: "thing-4007" });
        expect(account.gets).not.toContain("thing-4007");
    });
});

describe("pages that do not end", () => {
    test.each<[string, number, (page: number) => Page<Item>]>([
        ["the same token", 2, () => ({ items: [], nextPageToken: "again" })],
        ["two tokens in turn", 2 + 300 / 10, (page) => ({ items: [], nextPageToken: `token-${page % 2}` })],
        ["ever new tokens", 2 + 300 / 10, (page) => ({ items: [], nextPageToken: `token-${page}` })],
        [
            "ever the same items",
            2 + 300 / 10,
            (page) => ({ items: ids(100).map((id) => ({ id, version: 1 })), nextPageToken: `token-${page}` }),
        ],
    ])("%s: every read ends, in %i pages at most", async (_, most, page) => {
        const account = new Account(ids(300));
        let pages = 0;
        account.list = async () => {
            await tick();
            pages += 1;
            return page(pages);
        };
        expect(await readAll(new Reads(new Limiter()), account, ids(300))).toHaveLength(300);
        expect(pages).toBeLessThanOrEqual(most);
    });
});

describe("never older than the last write", () => {
    const write = async () => {};

    test("after it, everything is read anew", async () => {
        const account = new Account(ids(50));
        const reads = new Reads(new Limiter());
        await readAll(reads, account, ids(20));
        account.version = 2;
        await expect(reads.read(account, "thing-7", { signal })).resolves.toMatchObject({ version: 1 });
        await reads.changing("Other", write);
        await expect(reads.read(account, "thing-7", { signal })).resolves.toMatchObject({ version: 1 });
        await reads.changing("Thing", write);
        const anew = await readAll(reads, account, ids(50));
        expect(anew.filter(({ version }) => version !== 2)).toEqual([]);
    });

    test("nor is what was read while it went on read again afterwards, also where it failed", async () => {
        const account = new Account(ids(50));
        const reads = new Reads(new Limiter());
        const writing = reads.changing("Thing", async () => {
            await readAll(reads, account, ids(20));
            account.version = 2;
            throw new Error("the answer was lost");
        });
        await expect(writing).rejects.toThrow("the answer was lost");
        const anew = await readAll(reads, account, ids(50));
        expect(anew.filter(({ version }) => version !== 2)).toEqual([]);
    });

    test("nor is what was read while it waited for its turn read again once it is accepted", async () => {
        const account = new Account(ids(50));
        const reads = new Reads(new Limiter());
        await reads.changing("Thing", async () => {
            await readAll(reads, account, ids(20));
            account.version = 2;
            reads.changed("Thing");
            const anew = await readAll(reads, account, ids(50));
            expect(anew.filter(({ version }) => version !== 2)).toEqual([]);
        });
        expect.assertions(1);
    });

    test("a page that was on its way when it came serves none of those who ask later", async () => {
        const account = new Account(ids(50));
        const reads = new Reads(new Limiter());
        await readAll(reads, account, ids(3));
        const before = reads.read(account, "thing-8", { signal });
        account.version = 2;
        void reads.changing("Thing", write);
        const after = await readAll(reads, account, ids(20));
        expect((await before).version).toBe(1);
        expect(after.filter(({ version }) => version !== 2)).toEqual([]);
        expect((await reads.read(account, "thing-8", { signal })).version).toBe(2);
    });
});

test("whoever waits for a page ends with the own time, not with that of whoever asked for the page", async () => {
    const account = new Account(ids(1500));
    const reads = new Reads(new Limiter());
    await readAll(reads, account, ids(3));
    const list = account.list.bind(account);
    const stuck = new Promise<Page<Item>>(() => {});
    account.list = (pageToken) => (pageToken === "" ? list(pageToken) : stuck);
    const controller = new AbortController();
    const asker = reads.read(account, "thing-5", { signal });
    const other = reads.read(account, "thing-1400", { signal: controller.signal });
    expect(await asker).toEqual({ id: "thing-5", version: 1 });
    controller.abort(new Error("the time is up"));
    await expect(other).rejects.toThrow("GetThings had not been answered.");
});

test("kinds do not disturb one another", async () => {
    const reads = new Reads(new Limiter());
    const things = new Account(ids(10));
    const others = Object.assign(new Account(ids(10)), { kind: "Other", version: 7 });
    await readAll(reads, things, ids(10));
    expect((await readAll(reads, others, ids(10))).every(({ version }) => version === 7)).toBe(true);
});
