import fc from "fast-check";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import { parseDurationSeconds } from "../../provider/durations";
import {
    durationSeconds,
    fromTimestamp,
    normaliseTime,
    overlayMessage,
    stateWord,
    toTimestamp,
    words,
} from "../../provider/wire";

/** Seconds since the epoch of a time of the same second in UTC. */
const seconds = (utc: string) => BigInt(Date.parse(utc) / 1000);

describe("times", () => {
    test.each<[string, string, number]>([
        ["2027-06-01T00:00:00Z", "2027-06-01T00:00:00Z", 0],
        ["2027-06-01T02:00:00+02:00", "2027-06-01T00:00:00Z", 0],
        ["2027-05-31T17:30:00-06:30", "2027-06-01T00:00:00Z", 0],
        ["2027-06-01T00:00:00-00:00", "2027-06-01T00:00:00Z", 0],
        ["2027-01-01T00:00:00+14:00", "2026-12-31T10:00:00Z", 0],
        ["2027-06-01t02:00:00z", "2027-06-01T02:00:00Z", 0],
        ["2027-06-01 02:00:00Z", "2027-06-01T02:00:00Z", 0],
        ["2028-02-29T23:59:59Z", "2028-02-29T23:59:59Z", 0],
        ["2028-02-29T23:30:00-01:00", "2028-03-01T00:30:00Z", 0],
        ["2000-02-29T12:00:00Z", "2000-02-29T12:00:00Z", 0],
        ["2027-06-01T00:00:00.5Z", "2027-06-01T00:00:00Z", 500_000_000],
        ["2027-06-01T02:00:00.000000001+02:00", "2027-06-01T00:00:00Z", 1],
        ["2027-06-01T00:00:00.123456789123Z", "2027-06-01T00:00:00Z", 123_456_789],
        ["1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59Z", 250_000_000],
        ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", 0],
        ["9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59Z", 999_999_999],
    ])("%s is %s and %i ns", (text, utc, nanos) => {
        expect(toTimestamp(text)).toEqual({ seconds: seconds(utc), nanos });
    });

    test.each([
        "",
        "2027-06-01",
        "2027-06-01T00:00:00",
        "2027-06-01T00:00Z",
        "2027-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2027-04-31T00:00:00Z",
        "2027-13-01T00:00:00Z",
        "2027-00-01T00:00:00Z",
        "2027-01-00T00:00:00Z",
        "2027-01-01T24:00:00Z",
        "2027-01-01T25:00:00Z",
        "2027-01-01T00:60:00Z",
        "2027-01-01T00:00:61Z",
        "2027-01-01T00:00:00+25:00",
        "2027-01-01T00:00:00+01:60",
        "2027-01-01T00:00:00+0100",
        "2027-01-01T00:00:00.Z",
        " 2027-01-01T00:00:00Z",
        "2027-01-01T00:00:00Z\n",
        "tomorrow",
    ])("%j is no time", (text) => {
        expect(toTimestamp(text)).toBeUndefined();
        expect(normaliseTime(text)).toBe(text);
    });

    test("go to the wire and back", () => {
        const time = fc.record({
            seconds: fc.bigInt({ min: seconds("0001-01-01T00:00:00Z"), max: seconds("9999-12-31T23:59:59Z") }),
            nanos: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
        });
        fc.assert(
            fc.property(time, (timestamp) => {
                const text = fromTimestamp(timestamp);
                expect(toTimestamp(text ?? "")).toEqual(timestamp);
            }),
        );
    });

    test("have as many decimals as they need", () => {
        expect(fromTimestamp({ seconds: 0n, nanos: 120_000_000 })).toBe("1970-01-01T00:00:00.12Z");
        expect(fromTimestamp({ seconds: -1n, nanos: 1 })).toBe("1969-12-31T23:59:59.000000001Z");
        expect(fromTimestamp({ seconds: 1_709_164_800n, nanos: 0 })).toBe("2024-02-29T00:00:00Z");
        expect(fromTimestamp(undefined)).toBeUndefined();
    });

    test("that no calendar has are none", () => {
        expect(fromTimestamp({ seconds: 2n ** 62n, nanos: 0 })).toBeUndefined();
        // Beyond the year 9999, which RFC 3339 cannot write.
        expect(fromTimestamp({ seconds: seconds("9999-12-31T23:59:59Z") + 1n, nanos: 0 })).toBeUndefined();
        // A server's nonsense must not look like a time either.
        expect(fromTimestamp({ seconds: 0n, nanos: -1 })).toBeUndefined();
        expect(fromTimestamp({ seconds: 0n, nanos: 1_000_000_000 })).toBeUndefined();
    });

    test("are one value in every spelling", () => {
        const spellings = [
            "2027-06-01T00:00:00Z",
            "2027-06-01T02:00:00+02:00",
            "2027-05-31T19:00:00.000-05:00",
            "2027-06-01t00:00:00.0z",
        ];
        expect(new Set(spellings.map(normaliseTime)).size).toBe(1);
        expect(normaliseTime("2027-06-01T00:00:00.1Z")).not.toBe(normaliseTime("2027-06-01T00:00:00.000000001Z"));
    });
});

test.each<[string, number | undefined]>([
    ["90d", 90 * 86_400],
    ["36h", 36 * 3600],
    ["1d12h", 36 * 3600],
    ["2w", 14 * 86_400],
    ["1h30m15s", 5415],
    ["0s", 0],
    ["", undefined],
    ["90", undefined],
    ["d", undefined],
    ["-1d", undefined],
    ["1.5d", undefined],
    ["90 d", undefined],
    ["90D", undefined],
    ["1y", undefined],
])("the duration %j has %s seconds", (text, expected) => {
    expect(parseDurationSeconds(text)).toBe(expected);
});

test("a duration of the wire in seconds", () => {
    expect(durationSeconds({ seconds: 1n, nanos: 500_000_000 })).toBe(1.5);
});

describe("words", () => {
    const colours = words({ Red: "red", Green: "green" }, () => ({ red: 1, green: 2 }));

    test("to numbers and back", () => {
        expect(colours.words).toEqual(["red", "green"]);
        expect(["red", "green", undefined].map((word) => colours.toWire(word))).toEqual([1, 2, 0]);
        expect([1, 2, 0].map((number) => colours.fromWire(number))).toEqual(["red", "green", undefined]);
    });

    test("a number of a newer version survives", () => {
        fc.assert(
            fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (number) => {
                expect(colours.toWire(colours.fromWire(number))).toBe(number);
            }),
        );
    });

    test("any other word is unspecified", () => {
        expect(["blue", "", "constructor", "NaN"].map((word) => colours.toWire(word))).toEqual([0, 0, 0, 0]);
    });
});

describe("overlayMessage", () => {
    const empty: { a: string; b: boolean; newer?: number } = { a: "", b: false };

    test.each([
        ["nothing over nothing", undefined, { a: "" }, undefined],
        ["a value over nothing", undefined, { a: "x" }, { a: "x", b: false }],
        ["nothing over what is empty but there", empty, { a: "" }, empty],
        ["a value, keeping the rest", { a: "x", b: true, newer: 1 }, { a: "y" }, { a: "y", b: true, newer: 1 }],
        ["zero values over what is there", { a: "x", b: true, newer: 1 }, { a: "", b: false }, { ...empty, newer: 1 }],
    ])("%s", (_, base, values, expected) => {
        expect(overlayMessage(base, empty, values)).toEqual(expected);
    });
});

test("states in words", () => {
    expect(stateWord(ResourceState.RESOURCE_STATE_ACTIVE)).toBe("active");
    expect(stateWord(ResourceState.RESOURCE_STATE_ACTIVATION_FAILED)).toBe("activation_failed");
    expect(stateWord(99 as ResourceState)).toBe("99");
});
