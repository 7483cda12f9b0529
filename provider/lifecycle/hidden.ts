import { READ_LAG_MS } from "../client/errors";
import type { Bag } from "../fields";

/**
 * Hidden output: the paths that the program set when the resource was last written, separated by spaces. A string,
 * because a list costs more in every message between engine and plugin.
 */
export const MANAGED_KEY = "__managed";
/** Hidden output: the next `up` replaces the resource, because it never became active (true) or is gone (`GONE`). */
export const REPLACE_KEY = "__replace";
/** An update found the resource gone. Another one may have its name by now. */
export const GONE = "gone";
/**
 * Hidden output: the create has not finished (true), or has failed, and what it has left may not be visible until that
 * time (RFC 3339).
 */
export const UNSEEN_KEY = "__unseen";
/**
 * Hidden output: the operation that creates the resource, until it has been read. If the id is the name, only that tells
 * whether what is there is this resource.
 */
export const CREATE_KEY = "__create";
/** Hidden output: the id of the account that the resource is in. */
export const ACCOUNT_KEY = "__account";
/**
 * Hidden output: identifies the state entry that created or adopted the resource, since others may still name its id.
 */
export const CLAIM_KEY = "__claim";

/** Hidden outputs that last until the next read of the resource. */
export const PASSING_KEYS = [REPLACE_KEY, UNSEEN_KEY, CREATE_KEY];

/**
 * Whether these are the properties that `.get()` reads with: only the host's own, none from an earlier read or a
 * program.
 */
export function isFirstRead(old: Bag): boolean {
    return Object.keys(old).every((name) => isHidden(name) && name !== MANAGED_KEY);
}

/** Whether the state is that of a resource that an earlier run created and that has not been visible yet. */
export function isUnseen(old: Bag | undefined): boolean {
    return old?.[UNSEEN_KEY] === true;
}

/** Until when, by `performance.now()`, a resource of the state that is not found may not be visible yet; 0: it is gone. */
export function lagUntil(old: Bag | undefined): number {
    const note = old?.[UNSEEN_KEY];
    const lagMs = note === true ? READ_LAG_MS : typeof note === "string" ? Date.parse(note) - Date.now() : 0;
    return lagMs > 0 ? performance.now() + Math.min(lagMs, READ_LAG_MS) : 0;
}

/** The mark of a create that has just failed: what it has left may not be visible yet. */
export function unseenSince(now: Date): Bag {
    return { [UNSEEN_KEY]: new Date(now.getTime() + READ_LAG_MS).toISOString() };
}

/** The properties that users see. Null means not set. */
export function visible(bag: Bag): Bag {
    const seen: Record<string, unknown> = {};
    for (const name of Object.keys(bag)) {
        if (!isHidden(name) && bag[name] !== null) {
            seen[name] = bag[name];
        }
    }
    return seen;
}

/** The properties that this provider and the host keep to themselves. */
export function hidden(bag: Bag, ...without: string[]): Bag {
    const kept: Record<string, unknown> = {};
    for (const name of Object.keys(bag)) {
        if (isHidden(name) && !without.includes(name)) {
            kept[name] = bag[name];
        }
    }
    return kept;
}

function isHidden(name: string): boolean {
    return name.startsWith("__");
}

/** The sets by their text: most resources of a stack share a few. */
const managedSets = new Map<string, ReadonlySet<string>>();

/** The paths that the program managed, according to the state; undefined if no program has declared the resource. */
export function managedOf(old: Bag): ReadonlySet<string> | undefined {
    const text = old[MANAGED_KEY];
    if (typeof text !== "string") {
        return undefined;
    }
    let managed = managedSets.get(text);
    if (managed === undefined) {
        managed = new Set(text.split(" ").filter(Boolean));
        managedSets.set(text, managed);
    }
    return managed;
}
