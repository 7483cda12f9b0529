import { type Bag, checkFields, hasUnknown, same, UNKNOWN } from "../../provider/fields";
import { fields } from "./sample-fields";

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

    test("an output in a template literal, or as a key, is found", () => {
        const output = "Calling [toString] on an [Output<T>] is not supported.\n\nTo get the value of an Output<T> ...";
        const json = output.replace("toString", "toJSON");
        const reason =
            "contains an output where only a string can be: use `pulumi.interpolate`, `pulumi.jsonStringify` or `apply`.";
        expect(failures({ name: `${output}-worker`, steps: [json], tags: { [output]: "x" } })).toEqual([
            `name ${reason}`,
            `steps[0] ${reason}`,
            `tags ${reason}`,
        ]);
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
    ["owners", ["a", "a"], ["a"], true],
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
