import { distance } from "fastest-levenshtein";

/** Pulumi's placeholder for a value that is unknown at preview. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Properties of a resource or of a nested object. */
export type Bag = { readonly [name: string]: unknown };

/** Reports an invalid property: its path and the reason. */
export type Report = (property: string, reason: string) => void;

/** Options common to all fields. */
export interface FieldOptions {
    /** The program must set a value. */
    readonly required?: boolean;
    /** A change replaces the resource, because the API cannot update the field. */
    readonly replace?: boolean;
    /** The API's default, to which a field removed from the program is reset. */
    readonly reset?: unknown;
    /** Used by this provider only: the server does not know it, so it never drifts. */
    readonly programOnly?: boolean;
    /** Why a value of the right type is invalid; undefined if it is valid. */
    readonly refuse?: (value: never) => string | undefined;
}

/** One property: which values are valid, when two are equivalent, and what a change does. */
export interface Field {
    readonly options: FieldOptions;
    /** The properties of an object that are managed individually. */
    readonly members?: Fields;
    /** Whether the value is a map, whose entries can be ignored individually. */
    readonly isMap?: true;
    /** The properties of an object that is managed as a whole. */
    readonly parts?: Fields;
    /** Reports errors in the value, which is known and defined. */
    check(value: unknown, at: string, report: Report): void;
    /** Whether two values are equivalent to the API. */
    equal(left: unknown, right: unknown): boolean;
    /** Whether the server's value satisfies the program's. Without this method, the two must be equal. */
    satisfies?(live: unknown, value: unknown): boolean;
}

export type Fields = { readonly [name: string]: Field };

interface Entry {
    readonly name: string;
    readonly field: Field;
}

const entries = new WeakMap<Fields, readonly Entry[]>();

/** The fields with their names, cached: fields never change, and they are traversed several times per resource. */
function entriesOf(fields: Fields): readonly Entry[] {
    let listed = entries.get(fields);
    if (listed === undefined) {
        listed = Object.entries(fields).map(([name, field]) => ({ name, field }));
        entries.set(fields, listed);
    }
    return listed;
}

/** Whether a value is or contains the scalar. */
export function holds(value: unknown, scalar: string | undefined): boolean {
    if (value === null || typeof value !== "object") {
        return value === scalar;
    }
    for (const part of Object.values(value)) {
        if (holds(part, scalar)) {
            return true;
        }
    }
    return false;
}

/** Whether a value is or contains an unknown. */
export function hasUnknown(value: unknown): boolean {
    return holds(value, UNKNOWN);
}

export function isBag(value: unknown): value is Bag {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The own property of that name: inherited ones such as `constructor` do not count. */
export function own<T>(values: { readonly [name: string]: T }, name: string): T | undefined {
    return Object.hasOwn(values, name) ? values[name] : undefined;
}

function scalar(type: string, matches: (value: unknown) => boolean, options: FieldOptions): Field {
    return {
        options,
        check: (value, at, report) => {
            const reason = matches(value)
                ? options.refuse?.(value as never)
                : `must be ${type}, but is ${typeName(value)}.`;
            if (reason !== undefined) {
                report(at, reason);
            }
        },
        equal: (left, right) => left === right,
    };
}

export interface TextOptions extends FieldOptions {
    readonly refuse?: (value: string) => string | undefined;
    /** Maps equivalent spellings to the same value. */
    readonly normalise?: (value: string) => unknown;
}

export function text(options: TextOptions = {}): Field {
    const normalise = (value: unknown) => (typeof value === "string" ? (options.normalise?.(value) ?? value) : value);
    return {
        ...scalar("a string", (value) => typeof value === "string", { reset: "", ...options }),
        equal: (left, right) => normalise(left) === normalise(right),
    };
}

/** Refuses strings that do not have the required length, in characters, or do not match the pattern. */
export function shape(rule: {
    min?: number;
    max?: number;
    pattern?: RegExp;
    is: string;
}): (value: string) => string | undefined {
    return (value) =>
        value.length < (rule.min ?? 0) ||
        value.length > (rule.max ?? Number.POSITIVE_INFINITY) ||
        rule.pattern?.test(value) === false
            ? `must be ${rule.is}, but is ${JSON.stringify(abbreviate(value))}.`
            : undefined;
}

export function integer(options: FieldOptions & { readonly min: number; readonly max: number }): Field {
    return number({
        ...options,
        refuse: (value) =>
            Number.isInteger(value) && value >= options.min && value <= options.max
                ? undefined
                : `must be a whole number from ${options.min} to ${options.max}, but is ${value}.`,
    });
}

export function number(
    options: FieldOptions & { readonly refuse?: (value: number) => string | undefined } = {},
): Field {
    return scalar("a number", (value) => typeof value === "number" && Number.isFinite(value), { reset: 0, ...options });
}

export function flag(options: FieldOptions = {}): Field {
    return scalar("true or false", (value) => typeof value === "boolean", { reset: false, ...options });
}

/** A string that is one of the given words. */
export function choice(words: readonly string[], options: TextOptions = {}): Field {
    return text({
        ...options,
        refuse: (value) =>
            words.includes(value)
                ? options.refuse?.(value)
                : `must be one of ${words.map((word) => JSON.stringify(word)).join(", ")}, ` +
                  `but is ${JSON.stringify(abbreviate(value))}.${suggestion(value, words)}`,
    });
}

/** A list whose order is significant. */
export function list(item: Field, options: FieldOptions = {}): Field {
    return {
        options: { reset: [], ...options },
        check: (value, at, report) => {
            if (!Array.isArray(value)) {
                report(at, `must be a list, but is ${typeName(value)}.`);
                return;
            }
            value.forEach((element, index) => {
                checkValue(item, element, `${at}[${index}]`, report);
            });
            refuseKnown(options, value, at, report);
        },
        equal: (left, right) =>
            Array.isArray(left) &&
            Array.isArray(right) &&
            left.length === right.length &&
            left.every((element, index) => item.equal(element, right[index])),
    };
}

/** A list whose order is not significant. */
export function set(item: Field, options: FieldOptions = {}): Field {
    return {
        ...list(item, options),
        equal: (left, right) => {
            if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) {
                return false;
            }
            const rest = [...right];
            return left.every((element) => {
                const index = rest.findIndex((other) => item.equal(element, other));
                if (index >= 0) {
                    rest.splice(index, 1);
                }
                return index >= 0;
            });
        },
    };
}

/** A map from strings to values. */
export function map(
    item: Field,
    options: FieldOptions & { readonly key?: (name: string) => string | undefined } = {},
): Field {
    return {
        options: { reset: {}, ...options },
        isMap: true,
        check: (value, at, report) => {
            if (!isBag(value)) {
                report(at, `must be an object, but is ${typeName(value)}.`);
                return;
            }
            for (const [name, element] of Object.entries(value)) {
                const reason = name === "__proto__" ? "is not allowed as a key." : options.key?.(name);
                if (reason !== undefined) {
                    report(`${at}[${JSON.stringify(name)}]`, reason);
                }
                checkValue(item, element, `${at}[${JSON.stringify(name)}]`, report);
            }
            refuseKnown(options, value, at, report);
        },
        equal: (left, right) => {
            if (!isBag(left) || !isBag(right)) {
                return false;
            }
            const names = Object.keys(left);
            return (
                names.length === Object.keys(right).length &&
                names.every((name) => Object.hasOwn(right, name) && item.equal(left[name], right[name]))
            );
        },
    };
}

/** An object whose properties are managed individually: one that the program does not set keeps the server's value. */
export function object(members: Fields, options: FieldOptions = {}): Field {
    return {
        options,
        members,
        check: (value, at, report) => {
            if (!isBag(value)) {
                report(at, `must be an object, but is ${typeName(value)}.`);
                return;
            }
            checkFields(members, value, at, report);
            refuseKnown(options, value, at, report);
        },
        equal: (left, right) =>
            entriesOf(members).every(({ name, field }) => same(field, memberOf(left, name), memberOf(right, name))),
    };
}

/** An object whose properties only make sense together, like an element of a set: managed as a whole. */
export function whole(parts: Fields, options: FieldOptions = {}): Field {
    const { members: _, ...field } = object(parts, options);
    return { ...field, parts };
}

function memberOf(value: unknown, name: string): unknown {
    return isBag(value) ? value[name] : undefined;
}

function refuseKnown(options: FieldOptions, value: unknown, at: string, report: Report): void {
    const reason = hasUnknown(value) ? undefined : options.refuse?.(value as never);
    if (reason !== undefined) {
        report(at, reason);
    }
}

function checkValue(field: Field, value: unknown, at: string, report: Report): void {
    if (value === UNKNOWN) {
        return;
    }
    if (value === undefined || value === null) {
        report(at, "must have a value.");
        return;
    }
    field.check(value, at, report);
}

/** Reports missing, unknown and invalid properties. */
export function checkFields(fields: Fields, values: Bag, at: string, report: Report): void {
    const path = (name: string) => (at === "" ? name : `${at}.${name}`);
    for (const name of Object.keys(values)) {
        if (!Object.hasOwn(fields, name)) {
            report(path(name), `is not a known property.${suggestion(name, Object.keys(fields))}`);
        }
    }
    for (const { name, field } of entriesOf(fields)) {
        const value = Object.hasOwn(values, name) ? values[name] : undefined;
        if (value !== undefined && value !== null) {
            checkValue(field, value, path(name), report);
        } else if (field.options.required) {
            report(path(name), "is required.");
        }
    }
}

/** Whether two values of a field are equivalent; an unset one is equivalent to the API's default. */
export function same(field: Field, left: unknown, right: unknown): boolean {
    const reset = field.members ? {} : field.options.reset;
    const a = left ?? reset;
    const b = right ?? reset;
    return a === b || (a !== undefined && b !== undefined && field.equal(a, b));
}

/** Whether the server's value satisfies the program's. */
function satisfied(field: Field, live: unknown, value: unknown): boolean {
    return same(field, live, value) || (live !== undefined && field.satisfies?.(live, value) === true);
}

/** The path of a field: `at` is empty at the top level, else the parent's path with a trailing dot. */
function pathOf(at: string, name: string): string {
    return at === "" ? name : at + name;
}

/** The paths of the fields that the program sets, such as `retentionDays` and `mtlsAuth.acceptedClientCa`. */
export function managedPaths(fields: Fields, values: Bag, at = ""): string[] {
    const paths: string[] = [];
    for (const { name, field } of entriesOf(fields)) {
        const value = values[name];
        if (value === undefined || value === null) {
            continue;
        }
        const path = pathOf(at, name);
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
        const path = pathOf(at, name);
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
type IsLeft = (path: string, part: string) => boolean;

/**
 * Takes the ignored parts of values from other values: entries of maps, and properties of an object that is managed as
 * a whole, if its remaining properties are the same on both sides.
 *
 * @param entries which ignored entries of a map to take: all, or only those that are missing in the values
 */
export function withLeft(
    fields: Fields,
    other: Bag,
    values: Bag,
    isLeft: IsLeft,
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
        const path = pathOf(at, name);
        if (field.members) {
            result[name] = withLeft(field.members, there, value, isLeft, entries, `${path}.`);
        } else if (field.isMap) {
            const ours = Object.entries(value).filter(([entry]) => entries === "missing" || !isLeft(path, entry));
            const theirs = Object.entries(there).filter(([entry]) => isLeft(path, entry));
            result[name] = Object.fromEntries([...theirs, ...ours]);
        } else if (field.parts && entries === "all") {
            const left = Object.keys(field.parts).filter((part) => isLeft(path, part));
            const isSame = entriesOf(field.parts).every(
                (part) => left.includes(part.name) || same(part.field, there[part.name], value[part.name]),
            );
            if (left.length > 0 && isSame) {
                result[name] = { ...value, ...Object.fromEntries(left.map((part) => [part, there[part]])) };
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
        const path = pathOf(at, name);
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

/** The server's values, in the program's spelling where the two are equivalent. */
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
            if (Object.keys(members).length > 0 || live[name] !== undefined) {
                result[name] = members;
            }
        } else if (field.options.programOnly || satisfied(field, live[name], value)) {
            result[name] = value;
        }
    }
    return result;
}

/** A changed field. */
export interface Change {
    /** The name of the top-level property. */
    readonly name: string;
    readonly path: string;
    /** Whether the change requires replacement. An unknown value does not. */
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
        const path = pathOf(at, name);
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
            found.push({ name: top ?? name, path, replace: mayReplace && difference === "another value" });
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
    // A field that the program neither sets nor has set may have any value.
    if ((value !== undefined || wasManaged) && !same(field, old, value)) {
        return "another value";
    }
    return (value !== undefined) === wasManaged ? "none" : "another manager";
}

/** The known word that was probably meant, as a question to append. */
export function suggestion(word: string, known: readonly string[]): string {
    const [nearest] = known
        .map((candidate) => ({ candidate, far: distance(word.toLowerCase(), candidate.toLowerCase()) }))
        .filter(({ candidate, far }) => far <= Math.max(2, Math.floor(candidate.length / 3)))
        .sort((a, b) => a.far - b.far);
    return nearest ? ` Did you mean ${JSON.stringify(nearest.candidate)}?` : "";
}

function typeName(value: unknown): string {
    if (Array.isArray(value)) {
        return "a list";
    }
    switch (typeof value) {
        case "string":
            return "a string";
        case "number":
            return "a number";
        case "boolean":
            return String(value);
        default:
            return "an object";
    }
}

function abbreviate(value: string): string {
    return value.length > 80 ? `${value.slice(0, 77)}...` : value;
}
