import type { Bag } from "../fields";

/**
 * Hidden output: the paths that the program set when the resource was last written, separated by spaces. A string, because
 * a list costs more in every message between engine and plugin.
 */
export const MANAGED_KEY = "__managed";
/** Hidden output: the next `up` replaces the resource, because it never came to be (true) or is gone (`GONE`). */
export const REPLACE_KEY = "__replace";
/** An update found the resource gone. By now another one can have its name. */
export const GONE = "gone";
/** Hidden output: the create has not finished. That the resource is not found can mean that it is not visible yet. */
export const UNSEEN_KEY = "__unseen";
/** Hidden output: the id of the account that the resource is in. */
export const ACCOUNT_KEY = "__account";
/** Hidden output: marks the entry of the state that created or adopted the resource, where others may still name its id. */
export const CLAIM_KEY = "__claim";

/** Hidden outputs that last until the resource is next seen. */
export const PASSING_KEYS = [REPLACE_KEY, UNSEEN_KEY];

/** Whether it is what `.get()` reads by: the host's own, and nothing that an earlier read or a program has said. */
export function isFirstRead(old: Bag): boolean {
    return Object.keys(old).every((name) => isHidden(name) && name !== MANAGED_KEY);
}

/** Whether the state is of a resource that was created by an earlier run and has not been seen yet. */
export function isUnseen(old: Bag | undefined): boolean {
    return old?.[UNSEEN_KEY] === true;
}

/** The properties that people see. Null means not set. */
export function visible(bag: Bag): Bag {
    const seen: Record<string, unknown> = {};
    for (const name of Object.keys(bag)) {
        if (!isHidden(name) && bag[name] !== null) {
            seen[name] = bag[name];
        }
    }
    return seen;
}

/** The properties that this provider and the host keep for themselves. */
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

/** Most resources of a stack share a few such strings. */
const managedSets = new Map<string, ReadonlySet<string>>();

/** The paths that the program managed, according to the state; undefined if no program has described the resource. */
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
