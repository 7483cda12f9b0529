import { contextOf, DEFAULT_TIMEOUTS } from "../../provider/context";
import { parseGoDurationMs } from "../../provider/durations";
import { UNKNOWN } from "../../provider/fields";

test.each<[string, number | undefined]>([
    ["5s", 5_000],
    ["1h30m", 5_400_000],
    ["1h30m5.5s", 5_405_500],
    [".5h", 1_800_000],
    ["1.h", 3_600_000],
    ["+30m", 1_800_000],
    [".", undefined],
    [".h", undefined],
    ["1.5h", 5_400_000],
    ["100ms", 100],
    ["1500us", 1.5],
    ["1500\u00b5s", 1.5],
    // Go takes the Greek letter as well as the sign.
    ["1500\u03bcs", 1.5],
    ["1000000ns", 1],
    ["30m0s", 1_800_000],
    ["0s", undefined],
    ["", undefined],
    ["5", undefined],
    ["5 s", undefined],
    ["-5s", undefined],
    ["5d", undefined],
    ["1m1", undefined],
])("the Go duration %j has %s ms", (text, expected) => {
    expect(parseGoDurationMs(text)).toBe(expected);
});

/** All that a context says. */
function parts(context: unknown) {
    const read = contextOf({ __context: context });
    const { urn, name, organization, importId, adopt, generation } = read;
    const timeoutsMs = {
        create: read.timeoutMs("create"),
        update: read.timeoutMs("update"),
        delete: read.timeoutMs("delete"),
        read: read.timeoutMs("read"),
    };
    return { urn, name, organization, importId, adopt, generation, timeoutsMs };
}

test("what is missing has defaults", () => {
    expect(parts(undefined)).toEqual({
        urn: "",
        name: "",
        organization: "organization",
        timeoutsMs: DEFAULT_TIMEOUTS,
        importId: undefined,
        adopt: false,
        generation: 0,
    });
});

test("what is there is read", () => {
    const context = {
        urn: "urn:pulumi:s::p::t::orders",
        organization: "acme",
        timeouts: { create: "5m", delete: "1h", read: "10s" },
        importId: "orders.a1b2c",
        adopt: true,
        generation: 2,
    };
    expect(parts(JSON.stringify(context))).toEqual({
        ...context,
        name: "orders",
        timeouts: undefined,
        timeoutsMs: { create: 300_000, update: DEFAULT_TIMEOUTS.update, delete: 3_600_000, read: 10_000 },
    });
});

test("a logical name may hold what parts a URN", () => {
    const urn = "urn:pulumi:s::p::pulumi-nodejs:dynamic/temporalcloud:Namespace::a::b";
    expect(contextOf({ __context: JSON.stringify({ urn }) }).name).toBe("a::b");
});

test.each<[named: string, path: string, covered: boolean, entry: string | undefined]>([
    ["*", "tags", true, undefined],
    ["tags", "tags", true, undefined],
    ["tags", "tagsOfOthers", false, undefined],
    ["codecServer", "codecServer.endpoint", true, undefined],
    ["codecServer.customErrorMessage", "codecServer.customErrorMessage.link", true, undefined],
    ["codecServer.customErrorMessage.link", "codecServer.customErrorMessage.link", true, undefined],
    ["codecServer.customErrorMessage.link", "codecServer.customErrorMessage.message", false, undefined],
    ["codecServer.endpoint", "codecServer", false, undefined],
    ['codecServer["endpoint"]', "codecServer.endpoint", true, undefined],
    ["tags.team", "tags", false, undefined],
    ["tags.team", "tags", true, "team"],
    ["tags.team", "tags", false, "teams"],
    ["tags", "tags", true, "team"],
    ["tags.*", "tags", true, "team"],
    ["tags[*]", "tags", true, "team"],
    ["tags.*", "tags", false, undefined],
    ['namespaceAccesses["shop.a1b2c"]', "namespaceAccesses", true, "shop.a1b2c"],
    ["namespaceAccesses.shop.a1b2c", "namespaceAccesses", false, "shop.a1b2c"],
    ['tags["a \\"quoted\\" one"]', "tags", true, 'a "quoted" one'],
    ["regions[0]", "regions", false, undefined],
])("the option that names %s, and the field %s: %s (entry %s)", (named, path, covered, entry) => {
    const context = contextOf({ __context: JSON.stringify({ ignoreChanges: [named], replaceOnChanges: [named] }) });
    expect(context.ignores?.(path, entry)).toBe(covered);
    expect(context.replacesOn?.(path, entry)).toBe(covered);
});

test.each([{}, { ignoreChanges: [] }, { ignoreChanges: "tags" }])("of %j, nothing is ignored", (parts) => {
    expect(contextOf({ __context: JSON.stringify(parts) }).ignores).toBeUndefined();
});

test.each<[string, unknown]>([
    ["an unknown context", UNKNOWN],
    ["no text", { urn: "urn" }],
    ["no JSON", "{"],
    ["no object", '[1, "2"]'],
    ["null", "null"],
    [
        "parts of other types",
        JSON.stringify({
            urn: 1,
            organization: {},
            importId: [],
            adopt: "yes",
            timeouts: { create: 5 },
            generation: "1",
        }),
    ],
])("%s counts as missing", (_, context) => {
    expect(parts(context)).toEqual(parts(undefined));
});
