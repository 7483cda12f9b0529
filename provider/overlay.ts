import { isDeepStrictEqual } from "node:util";
import type { Names } from "./context";
import type { Bag, Field, Fields } from "./fields";
import { entriesOf, hasUnknown, isBag, own, same, UNKNOWN } from "./fields";

/** Whether the server's value satisfies the program's. */
function satisfied(field: Field, live: unknown, value: unknown): boolean {
    return same(field, live, value) || (live !== undefined && field.satisfies?.(live, value) === true);
}

/**
 * The paths of the fields that the program sets, such as `retentionDays` and `mtlsAuth.acceptedClientCa`.
 *
 * @param at empty at the top level, else the parent's path with a trailing dot, here and below
 */
export function managedPaths(fields: Fields, values: Bag, at = ""): string[] {
    const paths: string[] = [];
    for (const { name, field } of entriesOf(fields)) {
        const value = values[name];
        if (value === undefined || value === null) {
            continue;
        }
        const path = at + name;
        if (field.members && isBag(value)) {
            paths.push(...managedPaths(field.members, value, `${path}.`));
        } else {
            paths.push(path);
        }
    }
    return paths;
}

/** Only the values at those paths. */
export function pick(fields: Fields, values: Bag, paths: ReadonlySet<string>, at = ""): Bag {
    const picked: Record<string, unknown> = {};
    for (const { name, field } of entriesOf(fields)) {
        const value = values[name];
        if (value === undefined) {
            continue;
        }
        const path = at + name;
        if (field.members && isBag(value)) {
            const members = pick(field.members, value, paths, `${path}.`);
            if (Object.keys(members).length > 0) {
                picked[name] = members;
            }
        } else if (paths.has(path)) {
            picked[name] = value;
        }
    }
    return picked;
}

/** Whether part of a value is ignored: an entry of a map, or a property of an object that is managed as a whole. */
type IsIgnored = (path: string, part: string) => boolean;

/**
 * Takes the ignored parts of values from other values: entries of maps, and properties of an object that is managed as
 * a whole, if its remaining properties are the same on both sides.
 *
 * @param entries which ignored entries of a map to take: all, or only those that are missing in the values
 */
export function withIgnored(
    fields: Fields,
    other: Bag,
    values: Bag,
    isIgnored: IsIgnored,
    entries: "all" | "missing" = "all",
    at = "",
): Bag {
    const result: Record<string, unknown> = { ...values };
    for (const { name, field } of entriesOf(fields)) {
        const value = values[name];
        if (!isBag(value)) {
            continue;
        }
        const there = isBag(other[name]) ? other[name] : {};
        const path = at + name;
        if (field.members) {
            result[name] = withIgnored(field.members, there, value, isIgnored, entries, `${path}.`);
        } else if (field.isMap) {
            const ours = Object.entries(value).filter(([entry]) => entries === "missing" || !isIgnored(path, entry));
            const theirs = Object.entries(there).filter(([entry]) => isIgnored(path, entry));
            result[name] = Object.fromEntries([...theirs, ...ours]);
        } else if (field.parts && entries === "all") {
            const ignored = Object.keys(field.parts).filter((part) => isIgnored(path, part));
            const isSame = entriesOf(field.parts).every(
                (part) => ignored.includes(part.name) || same(part.field, there[part.name], value[part.name]),
            );
            if (ignored.length > 0 && isSame) {
                result[name] = { ...value, ...Object.fromEntries(ignored.map((part) => [part, there[part]])) };
            }
        }
    }
    return result;
}

/**
 * Overlays the program's values on the server's. Fields that the program does not set keep the server's value; fields
 * removed from the program (`removed`) are reset to the API's default; equivalent values keep the server's spelling.
 */
export function overlay(fields: Fields, live: Bag, values: Bag, removed: ReadonlySet<string>, at = ""): Bag {
    const result: Record<string, unknown> = { ...live };
    for (const { name, field } of entriesOf(fields)) {
        const value = values[name] ?? undefined;
        const path = at + name;
        if (field.members) {
            const before = isBag(live[name]) ? live[name] : {};
            const members = overlay(field.members, before, isBag(value) ? value : {}, removed, `${path}.`);
            if (Object.keys(members).length > 0 || live[name] !== undefined) {
                result[name] = members;
            }
        } else if (value !== undefined) {
            result[name] = satisfied(field, live[name], value) ? (live[name] ?? value) : value;
        } else if (removed.has(path)) {
            // The server may hide a field of a disabled feature, yet keep its value for when the feature is enabled
            // again.
            const isHidden = at !== "" && live[name] === undefined && Object.keys(values).length > 0;
            if (field.options.reset === undefined) {
                delete result[name];
            } else if (isHidden || !same(field, live[name], undefined)) {
                result[name] = field.options.reset;
            }
        }
    }
    return result;
}

/** The server's values, in the program's spelling where the two are equivalent, and in its order where they differ. */
export function respell(fields: Fields, live: Bag, values: Bag): Bag {
    // Not a spread: V8 would create a hidden class for each property added to a spread copy.
    const result: Record<string, unknown> = Object.assign({}, live);
    for (const [name, value] of Object.entries(values)) {
        const field = own(fields, name);
        if (field === undefined || value === undefined || value === null) {
            continue;
        }
        if (field.members && isBag(value)) {
            const members = respell(field.members, isBag(live[name]) ? live[name] : {}, value);
            // An object that the server does not have is like one with only defaults, if there can be one.
            const isThere =
                live[name] !== undefined || (Object.keys(members).length > 0 && isWhole(field.members, members));
            if (isThere) {
                result[name] = members;
            }
        } else if (field.options.programOnly || satisfied(field, live[name], value)) {
            result[name] = value;
        } else if (field.beside && live[name] !== undefined) {
            result[name] = field.beside(live[name], value);
        }
    }
    return result;
}

/** Whether an object has all required members. */
function isWhole(members: Fields, value: Bag): boolean {
    return entriesOf(members).every(({ name, field }) => !field.options.required || value[name] !== undefined);
}

/**
 * The values to write, with the ignored members of objects that the server does not have and that cannot be without
 * them: there is nothing that could be left alone.
 */
export function withRequired(fields: Fields, live: Bag, written: Bag, values: Bag): Bag {
    const missing = entriesOf(fields).filter(({ name, field: { members } }) => {
        const value = written[name];
        return members !== undefined && isBag(value) && live[name] === undefined && !isWhole(members, value);
    });
    return missing.length === 0
        ? written
        : { ...written, ...Object.fromEntries(missing.map(({ name }) => [name, values[name]])) };
}

/** A changed field. */
export interface Change {
    /** The name of the top-level property. */
    readonly name: string;
    readonly path: string;
    /** Whether the change requires replacement. An unknown value does not, unless it is an id. */
    readonly replace: boolean;
}

/** The fields whose value differs from the old one, or that were added to or removed from the program. */
export function changes(
    fields: Fields,
    old: Bag,
    values: Bag,
    oldManaged: ReadonlySet<string>,
    at = "",
    top?: string,
): Change[] {
    const found: Change[] = [];
    for (const { name, field } of entriesOf(fields)) {
        const path = at + name;
        const value = values[name] ?? undefined;
        const mayReplace = field.options.replace === true;
        if (field.members && value !== UNKNOWN) {
            const before = isBag(old[name]) ? old[name] : {};
            const after = isBag(value) ? value : {};
            for (const change of changes(field.members, before, after, oldManaged, `${path}.`, top ?? name)) {
                found.push(mayReplace ? { ...change, replace: !hasUnknown(value) } : change);
            }
            continue;
        }
        const difference = differenceOf(field, old[name], value, oldManaged.has(path));
        if (difference !== "none") {
            const isNewId = difference === "not known yet" && field.options.isId === true;
            const isAnother = difference === "another value" || isNewId;
            found.push({ name: top ?? name, path, replace: mayReplace && isAnother });
        }
    }
    return found;
}

/** How the program's value differs from the old one. Whether the program manages the field counts as a difference. */
function differenceOf(
    field: Field,
    old: unknown,
    value: unknown,
    wasManaged: boolean,
): "none" | "another manager" | "not known yet" | "another value" {
    if (hasUnknown(value)) {
        return "not known yet";
    }
    if (value === undefined && old === undefined) {
        // Nothing to reset: the server does not have it (a refresh has shown that, if the program has set it), and the
        // program does not ask for it.
        return "none";
    }
    // A field that the program neither sets nor has set may have any value.
    if ((value !== undefined || wasManaged) && !same(field, old, value)) {
        return "another value";
    }
    return (value !== undefined) === wasManaged ? "none" : "another manager";
}

/**
 * The program's values without those that have become invalid because the engine left out an ignored part, of which the
 * old inputs have none: they stay as they were.
 */
export function withoutBroken(fields: Fields, args: Bag, old: Bag, ignores: Names): Bag {
    const isBroken = ([name, value]: [string, unknown]) => {
        const field = own(fields, name);
        const parts = Object.keys(field?.members ?? field?.parts ?? {});
        if (!isBag(value) || ignores(name) || !parts.some((part) => !(part in value) && ignores(`${name}.${part}`))) {
            return false;
        }
        let isInvalid = false;
        field?.check(value, name, () => {
            isInvalid = true;
        });
        return isInvalid;
    };
    const broken = new Set(
        Object.entries(args)
            .filter(isBroken)
            .map(([name]) => name),
    );
    if (broken.size === 0) {
        return args;
    }
    const kept = Object.entries(args).filter(([name]) => !broken.has(name));
    const asTheyWere = Object.entries(old).filter(([name]) => broken.has(name));
    return Object.fromEntries([...kept, ...asTheyWere]);
}

/** Whether a resource option names a field that has changed, or an entry of it that has. */
export function isNamed(names: Names | undefined, path: string, old: Bag, args: Bag): boolean {
    if (names === undefined || names(path)) {
        return names !== undefined;
    }
    const [before, after] = [old, args].map((bag) => Object(valueAt(bag, path)) as Bag);
    return Object.keys({ ...before, ...after }).some(
        (entry) => names(path, entry) && !isDeepStrictEqual(before?.[entry], after?.[entry]),
    );
}

/** The value at a path such as `mtlsAuth.acceptedClientCa`, or at its segments. */
export function valueAt(bag: Bag, path: string | readonly string[]): unknown {
    const segments = typeof path === "string" ? path.split(".") : path;
    return segments.reduce<unknown>((value, name) => (isBag(value) ? own(value, name) : undefined), bag);
}
