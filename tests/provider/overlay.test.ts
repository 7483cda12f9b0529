import { type Bag, type Fields, map, number, object, text, UNKNOWN, whole } from "../../provider/fields";
import { changes, managedPaths, overlay, pick, respell, withIgnored, withRequired } from "../../provider/overlay";
import { fields } from "./sample-fields";

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
    const isIgnored = (path: string, part: string) => path.endsWith("map") && part !== "ours";

    test("is as it is there, entries of maps, and nothing else", () => {
        const there = { map: { ours: "1", theirs: "2", more: "3" }, part: { map: { a: "4" }, text: "5" }, text: "6" };
        const values = { map: { ours: "x", theirs: "x", gone: "x" }, part: { map: { a: "x", ours: "x" }, text: "x" } };
        expect(withIgnored(nested, there, values, isIgnored)).toEqual({
            map: { ours: "x", theirs: "2", more: "3" },
            part: { map: { ours: "x", a: "4" }, text: "x" },
        });
        expect(withIgnored(nested, there, values, isIgnored, "missing")).toEqual({
            map: { ours: "x", theirs: "x", gone: "x", more: "3" },
            part: { map: { ours: "x", a: "x" }, text: "x" },
        });
        expect(withIgnored(nested, {}, { map: UNKNOWN, text: "x" }, isIgnored)).toEqual({ map: UNKNOWN, text: "x" });
    });

    test.each<[string, Bag | undefined, number]>([
        ["where the rest is the same", { mode: "a", value: 8 }, 8],
        ["not where it differs", { mode: "b", value: 8 }, 4],
        ["not where there is nothing", undefined, 4],
    ])("may be a part of what is managed as one, %s", (_, there, value) => {
        const left = (path: string, part: string) => path === "whole" && part === "value";
        const values = { whole: { mode: "a", value: 4 } };
        expect(withIgnored(nested, { whole: there }, values, left)).toEqual({ whole: { mode: "a", value } });
        expect(withIgnored(nested, { whole: there }, values, () => false)).toEqual(values);
        // Until a create is finished, all that the program says counts.
        expect(withIgnored(nested, { whole: there }, values, left, "missing")).toEqual(values);
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
    expect(respell(fields, {}, { owners: ["a"], days: 1 })).toStrictEqual({});
});

test("respell does not make up an object of defaults where a required member is missing", () => {
    const values = { auth: { certificate: "x", strict: false }, place: { region: "" } };
    expect(respell(fields, {}, values)).toStrictEqual({ place: { region: "" } });
    expect(respell(fields, { auth: { certificate: "y" } }, values)).toMatchObject({
        auth: { certificate: "y", strict: false },
    });
});

test("what is written has the ignored members of an object that is not there and cannot be without them", () => {
    const values = { auth: { certificate: "x", strict: true }, place: { region: "r" }, days: 7 };
    const written = { auth: { strict: true }, days: 7 };
    expect(withRequired(fields, { days: 7 }, written, values)).toEqual({ auth: values.auth, days: 7 });
    expect(withRequired(fields, { auth: { certificate: "y" } }, written, values)).toBe(written);
    expect(withRequired(fields, {}, { days: 7 }, values)).toEqual({ days: 7 });
});

test.each([
    ["one more there", ["c", "a", "b"], ["x", "a", "b", "c"], ["c", "a", "b", "x"]],
    ["one less there", ["c", "a", "b"], ["b", "c"], ["c", "b"]],
    ["one exchanged", ["c", "a", "b"], ["a", "x", "c"], ["c", "a", "x"]],
])("respell keeps the program's order of a set: %s", (_, owners, there, expected) => {
    expect(respell(fields, { owners: there }, { owners })).toEqual({ owners: expected });
});

describe("changes", () => {
    const old = { name: "abc", days: 7, auth: { certificate: "x" }, place: { region: "r" }, project: "p" };
    const managed = ["name", "days", "auth.certificate", "place.region", "note"];
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
        ["no longer set, and not there any more", { ...all, note: undefined }, []],
        ["no longer set, of what cannot change", { ...all, name: undefined }, ["name: replace"]],
        ["unknown", { ...all, days: UNKNOWN }, ["days"]],
        ["unknown is no reason to replace", { ...all, name: UNKNOWN }, ["name"]],
        ["but an id that is unknown is another", { ...all, owner: UNKNOWN }, ["owner: replace"]],
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
