import { distance } from "fastest-levenshtein";

/** Pulumi's placeholder for a value that is unknown at preview. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Properties of a resource or of a nested object. */
export type Bag = { readonly [name: string]: unknown };

/**
 * Reports an invalid property: its path, and the rest of a sentence that begins with the property's name, such as
 * `must be an id.`
 */
export type Report = (property: string, reason: string) => void;

/** Options common to all fields. */
export interface FieldOptions {
    /** The program must set a value. */
    readonly required?: boolean;
    /** A change replaces the resource, because the API cannot update the field. */
    readonly replace?: boolean;
    /**
     * The id of another resource, which never has an earlier one's. As a new value it counts even while unknown: an id is
     * usually unknown because its resource is about to be created or replaced. Any other unknown value may turn out to be
     * the old one.
     */
    readonly isId?: boolean;
    /**
     * The API's default, to which a field removed from the program is reset: unless given, `""`, `false`, 0, `[]` or
     * `{}`. If it is undefined, the write leaves the field out.
     */
    readonly reset?: unknown;
    /** Used by this provider only: the server does not know it, so it never drifts. */
    readonly programOnly?: boolean;
    /** An existing resource with another value is not adopted: its preview, a create, would not show the change. */
    readonly adoptAsIs?: boolean;
    /** Why a value of the right type is invalid, in the words of a `Report`; undefined if it is valid. */
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
    /** The server's value, arranged so that beside the program's only what differs catches the eye. */
    beside?(live: unknown, value: unknown): unknown;
}

export type Fields = { readonly [name: string]: Field };

export interface Entry {
    readonly name: string;
    readonly field: Field;
}

const entries = new WeakMap<Fields, readonly Entry[]>();

/** The fields with their names, cached: fields never change, and they are traversed several times per resource. */
export function entriesOf(fields: Fields): readonly Entry[] {
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

/** What Pulumi makes of an output in a template literal, as a key, or in JSON: a text that says so. */
const OUTPUT_AS_TEXT = /Calling \[to(?:String|JSON)\] on an \[Output<T>\]/;

/** Refuses a text that has become of an output. */
export function refuseOutputText(text: unknown): string | undefined {
    return typeof text === "string" && OUTPUT_AS_TEXT.test(text)
        ? "contains an output where only a string can be: use `pulumi.interpolate`, `pulumi.jsonStringify` or `apply`."
        : undefined;
}

function scalar(type: string, matches: (value: unknown) => boolean, options: FieldOptions): Field {
    return {
        options,
        check: (value, at, report) => {
            const reason = matches(value)
                ? (refuseOutputText(value) ?? options.refuse?.(value as never))
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
    /** The error does not repeat the string: a free text, or a URL with a password, may be a secret. */
    isFree?: boolean;
}): (value: string) => string | undefined {
    return (value) =>
        value.length < (rule.min ?? 0) ||
        value.length > (rule.max ?? Number.POSITIVE_INFINITY) ||
        rule.pattern?.test(value) === false
            ? `must be ${rule.is}${rule.isFree ? "" : `, but is ${JSON.stringify(abbreviate(value))}`}.`
            : undefined;
}

/** Refuses strings that are empty or blank. */
export function notBlank(is: string): (value: string) => string | undefined {
    return shape({ pattern: /\S/, is });
}

/** The id of another resource. */
export function resourceId(options: TextOptions = {}): Field {
    return text({ refuse: notBlank("an id"), isId: true, ...options });
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

/** A list whose order is not significant, nor that an element is listed twice. */
export function set(item: Field, options: FieldOptions = {}): Field {
    const isIn = (elements: unknown[]) => (element: unknown) => elements.some((other) => item.equal(element, other));
    return {
        ...list(item, options),
        equal: (left, right) =>
            Array.isArray(left) && Array.isArray(right) && left.every(isIn(right)) && right.every(isIn(left)),
        beside: (live, value) => {
            if (!Array.isArray(live) || !Array.isArray(value)) {
                return live;
            }
            const isOfProgram = isIn(value);
            return [...value.filter(isIn(live)), ...live.filter((element) => !isOfProgram(element))];
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
                const outputText = refuseOutputText(name);
                if (outputText !== undefined) {
                    report(at, outputText);
                    continue;
                }
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
    if (options.refuse === undefined || hasUnknown(value)) {
        return;
    }
    // A secret that is undefined arrives as null.
    const set = isBag(value) ? Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null)) : value;
    const reason = options.refuse(set as never);
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

/** The known word that was probably meant, as a question to append. */
export function suggestion(word: string, known: readonly string[]): string {
    const [nearest] = known
        .map((candidate) => ({ candidate, far: distance(word.toLowerCase(), candidate.toLowerCase()) }))
        .filter(({ candidate, far }) => far <= Math.max(2, Math.floor(candidate.length / 3)))
        .sort((a, b) => a.far - b.far);
    return nearest ? ` Did you mean ${JSON.stringify(nearest.candidate)}?` : "";
}

/** The type of a value, for the user. */
export function typeName(value: unknown): string {
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
