import {
    type Bag,
    changes,
    checkFields,
    choice,
    type Fields,
    flag,
    hasUnknown,
    integer,
    list,
    managedPaths,
    map,
    number,
    object,
    overlay,
    pick,
    respell,
    same,
    set,
    shape,
    text,
    UNKNOWN,
    whole,
    withLeft,
} from "../../provider/fields";

const fields: Fields = {
    name: text({
        required: true,
        replace: true,
        refuse: shape({ min: 2, max: 5, pattern: /^[a-z]+$/, is: "2 to 5 small letters" }),
    }),
    days: integer({ min: 1, max: 90, reset: 30 }),
    ratio: number(),
    enabled: flag(),
    colour: choice(["red", "green"], { reset: "red" }),
    steps: list(text()),
    owners: set(text()),
    tags: map(text(), {
        key: shape({ max: 3, is: "at most 3 characters" }),
        refuse: (tags: Bag) => (Object.keys(tags).length > 2 ? "may have at most 2." : undefined),
    }),
    filters: set(whole({ left: text(), right: text() }, { refuse: () => undefined })),
    auth: object({
        certificate: text({ required: true, normalise: (value) => value.replace(/\s/g, "") }),
        strict: flag(),
        deeper: object({ word: text(), list: list(integer({ min: 0, max: 9 })) }),
    }),
    place: object({ region: text() }, { replace: true }),
    note: text({ programOnly: true }),
    project: text({ reset: undefined }),
    bag: { ...map(text()), satisfies: (live, value) => contains(live as Bag, value as Bag) },
};

const contains = (live: Bag, value: Bag) => Object.entries(value).every(([name, item]) => live[name] === item);

function failures(values: Bag): string[] {
    const found: string[] = [];
    checkFields(fields, values, "", (property, reason) => found.push(`${property} ${reason}`));
    return found;
}

describe("check", () => {
    test.each<[string, Bag, string[]]>([
        [
            "everything right",
            {
                days: 90,
                ratio: 0.5,
                enabled: false,
                colour: "green",
                steps: [],
                owners: ["a"],
                tags: { abc: "" },
                filters: [{ left: "a" }],
                auth: { certificate: "x", deeper: { list: [0, 9] } },
                place: {},
                note: "",
            },
            [],
        ],
        ["null, which is the same as not set", { days: null }, []],
        ["too small", { days: 0 }, ["days must be a whole number from 1 to 90, but is 0."]],
        ["a fraction", { days: 1.5 }, ["days must be a whole number from 1 to 90, but is 1.5."]],
        ["digits", { days: "30" }, ["days must be a number, but is a string."]],
        ["true for a string", { colour: true }, ["colour must be a string, but is true."]],
        ["an object for a flag", { enabled: {} }, ["enabled must be true or false, but is an object."]],
        ["no list", { steps: "a" }, ["steps must be a list, but is a string."]],
        ["a list for a map", { tags: [] }, ["tags must be an object, but is a list."]],
        ["a list for an object", { auth: [] }, ["auth must be an object, but is a list."]],
        [
            "items",
            { steps: ["a", 1, null] },
            ["steps[1] must be a string, but is a number.", "steps[2] must have a value."],
        ],
        ["values of a map", { tags: { a: 1 } }, ['tags["a"] must be a string, but is a number.']],
        ["the name in a map", { tags: { long: "" } }, ['tags["long"] must be at most 3 characters, but is "long".']],
        ["a map as a whole", { tags: { a: "", b: "", c: "" } }, ["tags may have at most 2."]],
        ["within", { auth: { certificate: "x", strict: 1 } }, ["auth.strict must be true or false, but is a number."]],
        ["missing within", { auth: {} }, ["auth.certificate is required."]],
        [
            "at depth",
            { auth: { certificate: "x", deeper: { list: [10], quantity: 1 } } },
            [
                "auth.deeper.quantity is not a known property.",
                "auth.deeper.list[0] must be a whole number from 0 to 9, but is 10.",
            ],
        ],
        [
            "a word",
            { colour: "greene" },
            ['colour must be one of "red", "green", but is "greene". Did you mean "green"?'],
        ],
        ["no near word", { colour: "purple" }, ['colour must be one of "red", "green", but is "purple".']],
        ["a nearest name", { day: 1 }, ['day is not a known property. Did you mean "days"?']],
        ["another case", { EnAbled: 1 }, ['EnAbled is not a known property. Did you mean "enabled"?']],
        ["nothing near", { somethingElse: 1 }, ["somethingElse is not a known property."]],
        [
            "a nearest name within",
            { auth: { certificat: "x", certificate: "x" } },
            ['auth.certificat is not a known property. Did you mean "certificate"?'],
        ],
        ["a name that every object has", { constructor: 1 }, ["constructor is not a known property."]],
    ])("%s", (_, values, expected) => {
        expect(failures({ name: "abc", ...values })).toEqual(expected);
    });

    test("what is required, and its form", () => {
        expect(failures({})).toEqual(["name is required."]);
        expect(failures({ name: null })).toEqual(["name is required."]);
        expect(failures({ name: "A" })).toEqual(['name must be 2 to 5 small letters, but is "A".']);
    });

    test("a long value is not repeated in full", () => {
        const [failure = ""] = failures({ name: "x".repeat(500) });
        expect(failure).toContain("...");
        expect(failure.length).toBeLessThan(150);
    });

    test("a property that came with the name __proto__ is refused", () => {
        expect(failures({ name: "abc", ...JSON.parse('{"tags":{"__proto__":"x"}}') })).toEqual([
            'tags["__proto__"] is not allowed as a key.',
        ]);
    });

    test.each<[string, Bag]>([
        ["the value", { days: UNKNOWN }],
        ["what is required", { name: UNKNOWN }],
        ["a list", { steps: UNKNOWN }],
        ["an item", { steps: ["a", UNKNOWN] }],
        ["a map", { tags: UNKNOWN }],
        ["the value of a name", { tags: { a: UNKNOWN } }],
        ["too many names, of which one value is unknown", { tags: { a: "", b: "", c: UNKNOWN } }],
        ["an object", { auth: UNKNOWN }],
        ["a required part", { auth: { certificate: UNKNOWN } }],
        ["at depth", { auth: { certificate: "x", deeper: { list: [UNKNOWN] } } }],
        ["an element", { filters: [UNKNOWN, { left: UNKNOWN }] }],
    ])("unknown: %s is not judged", (_, values) => {
        expect(failures({ name: "abc", ...values })).toEqual([]);
    });
});

test.each<[unknown, boolean]>([
    [UNKNOWN, true],
    [[[{ a: UNKNOWN }]], true],
    [{ a: [{ b: 1 }] }, false],
    [null, false],
    [undefined, false],
    [`x${UNKNOWN}`, false],
])("hasUnknown(%j) is %s", (value, expected) => {
    expect(hasUnknown(value)).toBe(expected);
});

test.each<[string, unknown, unknown, boolean]>([
    ["days", 30, undefined, true],
    ["days", 29, undefined, false],
    ["days", null, 30, true],
    ["name", "", undefined, true],
    ["enabled", false, undefined, true],
    ["steps", [], undefined, true],
    ["steps", ["a", "b"], ["b", "a"], false],
    ["owners", ["a", "b"], ["b", "a"], true],
    ["owners", ["a", "a"], ["a", "b"], false],
    ["owners", ["a", "b"], ["a", "a"], false],
    ["tags", { a: "1", b: "2" }, { b: "2", a: "1" }, true],
    ["tags", { a: "1" }, { b: "1" }, false],
    ["tags", { toString: "1" }, {}, false],
    [
        "filters",
        [{ left: "a" }, { right: "b" }],
        [
            { left: "", right: "b" },
            { left: "a", right: "" },
        ],
        true,
    ],
    ["auth", undefined, {}, true],
    ["auth", { certificate: "a b" }, { certificate: "ab" }, true],
    ["auth", { strict: true }, {}, false],
    ["project", undefined, "p", false],
    ["project", undefined, undefined, true],
])("%s: %j and %j mean the same: %s", (name, left, right, expected) => {
    const field = fields[name];
    if (!field) throw new Error(name);
    expect(same(field, left, right)).toBe(expected);
    expect(same(field, right, left)).toBe(expected);
});

test("managed are the fields that the program sets, part by part", () => {
    const values = {
        name: "abc",
        days: null,
        enabled: false,
        filters: [{ left: "a" }],
        auth: { certificate: "x", strict: null, deeper: { word: "" } },
        place: {},
        unknownToUs: 1,
    };
    expect(managedPaths(fields, values)).toEqual([
        "name",
        "enabled",
        "filters",
        "auth.certificate",
        "auth.deeper.word",
    ]);
    expect(managedPaths(fields, { auth: UNKNOWN })).toEqual(["auth"]);
});

test("pick takes the paths that are named, and no empty object", () => {
    const values = { name: "abc", days: 1, auth: { certificate: "x", strict: true, deeper: { word: "w" } }, more: 1 };
    expect(pick(fields, values, new Set(["days", "auth.strict"]))).toEqual({ days: 1, auth: { strict: true } });
    expect(pick(fields, values, new Set(["auth.deeper.list"]))).toEqual({});
    expect(pick(fields, values, new Set(managedPaths(fields, values)))).toEqual({
        name: "abc",
        days: 1,
        auth: values.auth,
    });
});

describe("what is left to others", () => {
    const nested: Fields = {
        map: map(text()),
        part: object({ map: map(text()), text: text() }),
        text: text(),
        whole: whole({ mode: text(), value: number() }),
    };
    const isLeft = (path: string, part: string) => path.endsWith("map") && part !== "ours";

    test("is as it is there, entries of maps, and nothing else", () => {
        const there = { map: { ours: "1", theirs: "2", more: "3" }, part: { map: { a: "4" }, text: "5" }, text: "6" };
        const values = { map: { ours: "x", theirs: "x", gone: "x" }, part: { map: { a: "x", ours: "x" }, text: "x" } };
        expect(withLeft(nested, there, values, isLeft)).toEqual({
            map: { ours: "x", theirs: "2", more: "3" },
            part: { map: { ours: "x", a: "4" }, text: "x" },
        });
        expect(withLeft(nested, there, values, isLeft, "missing")).toEqual({
            map: { ours: "x", theirs: "x", gone: "x", more: "3" },
            part: { map: { ours: "x", a: "x" }, text: "x" },
        });
        expect(withLeft(nested, {}, { map: UNKNOWN, text: "x" }, isLeft)).toEqual({ map: UNKNOWN, text: "x" });
    });

    test.each<[string, Bag | undefined, number]>([
        ["where the rest is the same", { mode: "a", value: 8 }, 8],
        ["not where it differs", { mode: "b", value: 8 }, 4],
        ["not where there is nothing", undefined, 4],
    ])("may be a part of what is managed as one, %s", (_, there, value) => {
        const left = (path: string, part: string) => path === "whole" && part === "value";
        const values = { whole: { mode: "a", value: 4 } };
        expect(withLeft(nested, { whole: there }, values, left)).toEqual({ whole: { mode: "a", value } });
        expect(withLeft(nested, { whole: there }, values, () => false)).toEqual(values);
        // Until a create is finished, all that the program says counts.
        expect(withLeft(nested, { whole: there }, values, left, "missing")).toEqual(values);
    });
});

describe("overlay", () => {
    const live = {
        name: "abc",
        days: 7,
        owners: ["b", "a"],
        auth: { certificate: "x y", strict: true, newer: 1 },
        bag: { a: "1", b: "2" },
        project: "p",
        newer: { kept: true },
    };

    test.each<[string, Bag, string[], Bag]>([
        ["nothing set: all stays", {}, [], {}],
        ["set: laid over", { days: 8, enabled: true }, [], { days: 8, enabled: true }],
        ["null is not set", { days: null }, [], {}],
        ["no longer set: the API's default", {}, ["days", "owners"], { days: 30, owners: [] }],
        ["no longer set, without a default: away", {}, ["project"], { project: undefined }],
        ["the same in another order keeps the server's", { owners: ["a", "b"] }, [], {}],
        ["the same in another spelling keeps the server's", { auth: { certificate: "xy" } }, [], {}],
        [
            "a part is laid over, the others stay",
            { auth: { strict: false } },
            [],
            { auth: { ...live.auth, strict: false } },
        ],
        [
            "a part no longer set",
            { auth: { certificate: "xy" } },
            ["auth.strict"],
            { auth: { ...live.auth, strict: false } },
        ],
        ["the last part no longer set", {}, ["auth.strict"], { auth: { ...live.auth, strict: false } }],
        ["the last part no longer set, of what is not there any more", {}, ["place.region"], {}],
        [
            "deeper than there is",
            { auth: { deeper: { word: "w" } } },
            [],
            { auth: { ...live.auth, deeper: { word: "w" } } },
        ],
        ["an object that there is not", { place: { region: "r" } }, [], { place: { region: "r" } }],
        ["satisfied by more", { bag: { a: "1" } }, [], {}],
        ["not satisfied", { bag: { a: "2" } }, [], { bag: { a: "2" } }],
    ])("%s", (_, values, removed, difference) => {
        const expected: Record<string, unknown> = { ...live, ...difference };
        for (const name of Object.keys(expected)) {
            if (expected[name] === undefined) delete expected[name];
        }
        const once = overlay(fields, live, values, new Set(removed));
        expect(once).toStrictEqual(expected);
        expect(overlay(fields, once, values, new Set(removed))).toStrictEqual(once);
    });
});

test("respell takes the program's spelling where it means the same, and shows what differs", () => {
    const live = { days: 7, owners: ["b", "a"], auth: { certificate: "x y", strict: true }, bag: { a: "1", b: "2" } };
    const values = {
        days: 8,
        owners: ["a", "b"],
        auth: { certificate: "xy", strict: false },
        bag: { a: "1" },
        note: "n",
        steps: [],
        place: {},
    };
    expect(respell(fields, live, values)).toEqual({
        days: 7,
        owners: ["a", "b"],
        auth: { certificate: "xy", strict: true },
        bag: { a: "1" },
        note: "n",
        steps: [],
    });
});

describe("changes", () => {
    const old = { name: "abc", days: 7, auth: { certificate: "x" }, place: { region: "r" }, project: "p" };
    const managed = ["name", "days", "auth.certificate", "place.region"];
    const all = { name: "abc", days: 7, auth: { certificate: "x" }, place: { region: "r" } };

    test.each<[string, Bag, string[]]>([
        ["none", all, []],
        ["another spelling", { ...all, auth: { certificate: " x" } }, []],
        ["a value", { ...all, days: 8 }, ["days"]],
        ["a value that cannot change", { ...all, name: "xyz" }, ["name: replace"]],
        ["a part", { ...all, auth: { certificate: "y" } }, ["auth.certificate"]],
        ["a part of what cannot change", { ...all, place: { region: "s" } }, ["place.region: replace"]],
        ["set anew", { ...all, enabled: true }, ["enabled"]],
        ["set anew to what it is", { ...all, project: "p" }, ["project"]],
        ["no longer set", { ...all, days: undefined }, ["days"]],
        ["no longer set: null", { ...all, days: null }, ["days"]],
        ["no longer set, object", { ...all, auth: undefined }, ["auth.certificate"]],
        ["no longer set, of what cannot change", { ...all, name: undefined }, ["name: replace"]],
        ["unknown", { ...all, days: UNKNOWN }, ["days"]],
        ["unknown is no reason to replace", { ...all, name: UNKNOWN }, ["name"]],
        ["unknown object", { ...all, auth: UNKNOWN }, ["auth"]],
        ["unknown object that cannot change", { ...all, place: UNKNOWN }, ["place"]],
        ["unknown part of what cannot change", { ...all, place: { region: UNKNOWN } }, ["place.region"]],
        ["unknown within a set", { ...all, owners: ["a", UNKNOWN] }, ["owners"]],
        ["unknown at depth", { ...all, auth: { certificate: "x", deeper: { list: [UNKNOWN] } } }, ["auth.deeper.list"]],
    ])("%s", (_, values, expected) => {
        const found = changes(fields, old, values, new Set(managed));
        expect(found.map(({ path, replace }) => (replace ? `${path}: replace` : path))).toEqual(expected);
        expect(found.map(({ name }) => name)).toEqual(expected.map((path) => path.replace(/[.:].*/, "")));
    });
});
