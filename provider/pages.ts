import type { CallOptions } from "./client/client";
import type { Page } from "./client/source";
import type { Cloud, Definition, LiveResource } from "./definition";
import { isGone } from "./wire";

/** The maximum number of consecutive pages without a new item: a filter may leave some pages empty. */
const MOST_FRUITLESS_PAGES = 20;

/** The server's list does not end. */
export class EndlessListError extends Error {
    override readonly name = "EndlessListError";

    constructor() {
        super("the server's list does not end: it returns page after page without new items. Try again later.");
    }
}

/** Several items of a list match where only one should. */
export class AmbiguousError extends Error {
    override readonly name = "AmbiguousError";

    constructor(readonly ids: readonly string[]) {
        super(`several have this name (ids ${ids.join(", ")}). Use the option \`import\`.`);
    }
}

/**
 * Yields the new items of each page of a list.
 *
 * @throws {EndlessListError} when the list does not end
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
        const fresh = items.filter((item) => {
            const known = ids.size;
            return ids.add(idOf(item)).size > known;
        });
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

/**
 * The resource of that natural key, unless it is deleted; undefined if there is none.
 *
 * @param spelling of the key, for the server's filter, which may distinguish what is equivalent
 * @throws {AmbiguousError} when several have it
 */
export async function findByNaturalKey<Args extends object, Resource extends LiveResource>(
    { naturalKey, list, idOf }: Definition<Args, Resource>,
    cloud: Cloud,
    { key, spelling = key }: { readonly key: string; readonly spelling?: string },
    options: CallOptions,
): Promise<Resource | undefined> {
    const page = (pageToken: string) =>
        naturalKey?.list?.(cloud, spelling, pageToken, options) ?? list(cloud, pageToken, options);
    const found: Resource[] = [];
    // Whichever page it is on: a filter may leave the first ones empty.
    for await (const resources of eachPage(page, idOf)) {
        found.push(...resources.filter((resource) => naturalKey?.ofLive(resource) === key && !isGone(resource)));
    }
    if (found.length > 1) {
        throw new AmbiguousError(found.map(idOf));
    }
    return found[0];
}
