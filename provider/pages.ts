import type { Page } from "./client/source";

/** Pages without anything new that are borne with, one after the other: a filter may leave some empty. */
const MOST_FRUITLESS_PAGES = 20;

/** A list that the server never ends. */
export class EndlessListError extends Error {
    override readonly name = "EndlessListError";

    constructor() {
        super("the server's list has no end: it names page after page, and nothing new is on them. Try again later.");
    }
}

/**
 * What is new on each page of a list, until the last.
 *
 * @throws {EndlessListError} when the pages do not come to an end
 */
export async function* eachPage<Item>(
    page: (pageToken: string) => Promise<Page<Item>>,
    idOf: (item: Item) => string,
): AsyncGenerator<readonly Item[], void, undefined> {
    const ids = new Set<string>();
    const tokens = new Set<string>();
    let fruitless = 0;
    for (let pageToken = ""; ; ) {
        const { items, nextPageToken } = await page(pageToken);
        const fresh = items.filter((item) => !ids.has(idOf(item)));
        for (const item of fresh) {
            ids.add(idOf(item));
        }
        yield fresh;
        if (nextPageToken === "") {
            return;
        }
        fruitless = fresh.length > 0 ? 0 : fruitless + 1;
        if (tokens.has(nextPageToken) || fruitless > MOST_FRUITLESS_PAGES) {
            throw new EndlessListError();
        }
        tokens.add(nextPageToken);
        pageToken = nextPageToken;
    }
}
