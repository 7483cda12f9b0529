import { distance } from "fastest-levenshtein";

/** What Pulumi's dynamic host puts in the place of a value that is not known yet, at preview. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The properties of a resource, or of a part of it. */
export type Bag = { readonly [name: string]: unknown };

/** Takes what is wrong with a property: its path and what is allowed. */
export type Report = (property: string, reason: string) => void;

/** What all fields have in common. */
export interface FieldOptions {
    /** The program has to give a value. */
    readonly required?: boolean;
    /** A change replaces the resource, because the API cannot make it. */
    readonly replace?: boolean;
    /** What the API has where nothing was ever set; a field that the program no longer sets goes back to it. */
    readonly reset?: unknown;
    /** Means something to this provider only: the server does not know it, so that it never drifts. */
    readonly programOnly?: boolean;
    /** What is wrong with a value that has the right type, or undefined. */
    readonly refuse?: (value: never) => string | undefined;
}

/** One property: what is allowed, when two values mean the same, and what a change of it does. */
export interface Field {
    readonly options: FieldOptions;
    /** The properties of an object whose parts are managed one by one. */
    readonly members?: Fields;
    /** Whether its value is a map, any entry of which can be left to others. */
    readonly isMap?: true;
    /** The properties of an object whose parts are managed as one. */
    readonly parts?: Fields;
    /** Reports what is wrong with the value, which is known and not undefined. */
    check(value: unknown, at: string, report: Report): void;
    /** Whether two values mean the same to the API. */
    equal(left: unknown, right: unknown): boolean;
    /** Whether the server's value leaves nothing to be done for the program's; without it, they have to be equal. */
    satisfies?(live: unknown, value: unknown): boolean;
}

export type Fields = { readonly [name: string]: Field };

interface Entry {
    readonly name: string;
    readonly field: Field;
}

const entries = new WeakMap<Fields, readonly Entry[]>();

/** The fields by name. They never change, and every resource is gone through several times: listed once. */
function entriesOf(fields: Fields): readonly Entry[] {
    let listed = entries.get(fields);
    if (listed === undefined) {
        listed = Object.entries(fields).map(([name, field]) => ({ name, field }));
        entries.set(fields, listed);
    }
    return listed;
}

/** Whether a value, or a part of it, is that scalar. */
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

/** Whether a value, or a part of it, is not known yet. */
export function hasUnknown(value: unknown): boolean {
    return holds(value, UNKNOWN);
}

export function isBag(value: unknown): value is Bag {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value of that name, which can be one that every object has, such as `constructor`. */
export function own<T>(values: { readonly [name: string]: T }, name: string): T | undefined {
    return Object.hasOwn(values, name) ? values[name] : undefined;
}

function scalar(type: string, matches: (value: unknown) => boolean, options: FieldOptions): Field {
    return {
        options,
        check: (value, at, report) => {
            const reason = matches(value)
                ? options.refuse?.(value as never)
                : `has to be ${type}, and is ${typeName(value)}.`;
            if (reason !== undefined) {
                report(at, reason);
            }
        },
        equal: (left, right) => left === right,
    };
}

export interface TextOptions extends FieldOptions {
    readonly refuse?: (value: string) => string | undefined;
    /** Brings two spellings of the same value together. */
    readonly normalise?: (value: string) => unknown;
}

export function text(options: TextOptions = {}): Field {
    const normalise = (value: unknown) => (typeof value === "string" ? (options.normalise?.(value) ?? value) : value);
    return {
        ...scalar("a string", (value) => typeof value === "string", { reset: "", ...options }),
        equal: (left, right) => normalise(left) === normalise(right),
    };
}

/** A refusal of texts that do not have the length, counted in characters, or do not match. */
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
            ? `has to be ${rule.is}, and is ${JSON.stringify(abbreviate(value))}.`
            : undefined;
}

export function integer(options: FieldOptions & { readonly min: number; readonly max: number }): Field {
    return number({
        ...options,
        refuse: (value) =>
            Number.isInteger(value) && value >= options.min && value <= options.max
                ? undefined
                : `has to be a whole number from ${options.min} to ${options.max}, and is ${value}.`,
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

/** One of a few words. */
export function choice(words: readonly string[], options: TextOptions = {}): Field {
    return text({
        ...options,
        refuse: (value) =>
            words.includes(value)
                ? options.refuse?.(value)
                : `has to be one of ${words.map((word) => JSON.stringify(word)).join(", ")}, and is ${JSON.stringify(abbreviate(value))}.${suggestion(value, words)}`,
    });
}

/** Values in an order that means something. */
export function list(item: Field, options: FieldOptions = {}): Field {
    return {
        options: { reset: [], ...options },
        check: (value, at, report) => {
            if (!Array.isArray(value)) {
                report(at, `has to be a list, and is ${typeName(value)}.`);
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

/** Values in any order. */
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

/** Values by name. */
export function map(
    item: Field,
    options: FieldOptions & { readonly key?: (name: string) => string | undefined } = {},
): Field {
    return {
        options: { reset: {}, ...options },
        isMap: true,
        check: (value, at, report) => {
            if (!isBag(value)) {
                report(at, `has to be an object, and is ${typeName(value)}.`);
                return;
            }
            for (const [name, element] of Object.entries(value)) {
                const reason = name === "__proto__" ? "is not allowed as a name." : options.key?.(name);
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

/** Named parts. Each is managed by itself: one that the program does not set stays as the server has it. */
export function object(members: Fields, options: FieldOptions = {}): Field {
    return {
        options,
        members,
        check: (value, at, report) => {
            if (!isBag(value)) {
                report(at, `has to be an object, and is ${typeName(value)}.`);
                return;
            }
            checkFields(members, value, at, report);
            refuseKnown(options, value, at, report);
        },
        equal: (left, right) =>
            entriesOf(members).every(({ name, field }) => same(field, memberOf(left, name), memberOf(right, name))),
    };
}

/** Named parts that only make sense together, like the elements of a set: managed as one. */
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
        report(at, "has no value.");
        return;
    }
    field.check(value, at, report);
}

/** Reports whatever is wrong with the properties: missing, misspelt, of the wrong type, or not allowed. */
export function checkFields(fields: Fields, values: Bag, at: string, report: Report): void {
    const path = (name: string) => (at === "" ? name : `${at}.${name}`);
    for (const name of Object.keys(values)) {
        if (!Object.hasOwn(fields, name)) {
            report(path(name), `is not a property that can be set.${suggestion(name, Object.keys(fields))}`);
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

/** Whether two values of a field mean the same; one that is not set means what the API resets it to. */
export function same(field: Field, left: unknown, right: unknown): boolean {
    const reset = field.members ? {} : field.options.reset;
    const a = left ?? reset;
    const b = right ?? reset;
    return a === b || (a !== undefined && b !== undefined && field.equal(a, b));
}

/** Whether the server's value leaves nothing to be done for the program's. */
function satisfied(field: Field, live: unknown, value: unknown): boolean {
    return same(field, live, value) || (live !== undefined && field.satisfies?.(live, value) === true);
}

/** The path of a field below another one's path, which ends in a dot, or at the top. */
function pathOf(at: string, name: string): string {
    return at === "" ? name : at + name;
}

/** The paths of the fields that the program sets, for example `retentionDays`, `mtlsAuth.acceptedClientCa`. */
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

/** The values at those paths, and nothing else. */
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

/** Whether a part of a value is left to others: an entry of a map, or a property of what is managed as one. */
type IsLeft = (path: string, part: string) => boolean;

/**
 * The values, with what is left to others as it is in the other values: entries of maps, and parts of what is managed as one
 * where its other parts are the same there.
 *
 * @param entries which entries of a map to take: all that are left to others, or only those that it does not have itself
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
 * Lays values of the program over those of the server. What the program does not set stays; what it no longer sets
 * (`removed`) goes back to the API's default; what means the same keeps the server's spelling.
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
            // What the server does not show of something that is off can have a value all the same, to come back with it.
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

/** The server's values in the program's spelling, where they mean the same. */
export function respell(fields: Fields, live: Bag, values: Bag): Bag {
    // Not spread: V8 describes a spread copy anew for each property that is added to it.
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

/** A field that differs. */
export interface Change {
    /** The name of the property, at the top level. */
    readonly name: string;
    readonly path: string;
    /** Whether it can only be had by a replacement. An unknown value is no reason for one. */
    readonly replace: boolean;
}

/** The fields of which the program's value differs from the old one, or that it sets anew or no longer sets. */
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

/** How the program's value differs from the old one; who manages it is a difference, too. */
function differenceOf(
    field: Field,
    old: unknown,
    value: unknown,
    wasManaged: boolean,
): "none" | "another manager" | "not known yet" | "another value" {
    if (hasUnknown(value)) {
        return "not known yet";
    }
    // What was never set and is not set now can be whatever it is.
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
