import type { DeepPartial } from "../../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import { ApiKey, ApiKeySpec, OwnerType } from "../../../proto/generated/temporal/api/cloud/identity/v1/message";
import { ResourceState } from "../../../proto/generated/temporal/api/cloud/resource/v1/message";
import type { Cloud, Created, Desired, Write } from "../../../provider/definition";
import { type Bag, UNKNOWN } from "../../../provider/fields";
import { Lifecycle } from "../../../provider/lifecycle/lifecycle";
import { overlay } from "../../../provider/overlay";
import { apiKeyDefinition as definition } from "../../../provider/resources/api-key";
import { withUnknown } from "./unknown";

const NOW = new Date("2027-01-01T00:00:30Z");
const lifecycle = new Lifecycle(definition);
const log = { status: () => {}, info: () => {}, warn: () => {} };
const context = (context: Bag = {}) => ({
    __context: JSON.stringify({ urn: "urn:pulumi:stack::project::type::key", ...context }),
});

type Args = Parameters<typeof definition.create>[1];

beforeEach(() => {
    jest.useFakeTimers({ now: NOW });
});
afterEach(() => {
    jest.useRealTimers();
});

function problems(args: Bag, { old = {}, adopt }: { old?: Bag; adopt?: string } = {}): string[] {
    // Of its own: one that has checked the resource in the state takes the next check for that of its replacement.
    const { failures } = new Lifecycle(definition).check(old, { ...args, ...context({ importId: adopt }) });
    return failures.map(({ property, reason }) => `${property}: ${reason}`);
}

/** A number that this version has no word for. */
const NEWER: number = 9;
const seconds = (time: string) => BigInt(Date.parse(time) / 1000);

function live(spec: DeepPartial<ApiKeySpec> = {}): ApiKey {
    return withUnknown(
        ApiKey.fromPartial({
            id: "k1",
            resourceVersion: "v1",
            state: ResourceState.RESOURCE_STATE_ACTIVE,
            createdTime: { seconds: seconds("2027-01-01T00:00:00Z") },
            spec: {
                ownerId: "s1",
                ownerType: OwnerType.OWNER_TYPE_SERVICE_ACCOUNT,
                ownerTypeDeprecated: "service-account",
                displayName: "key",
                expiryTime: { seconds: seconds("2027-06-01T00:00:00Z"), nanos: 5000 },
                ...spec,
            },
        }),
    );
}

function desired(key: ApiKey, args: Bag, removed: string[] = []): Desired<Args> {
    return {
        args: overlay(
            definition.fields,
            definition.fromLive(key).args as Bag,
            args,
            new Set(removed),
        ) as unknown as Args,
        changed: new Set(Object.keys(args)),
        managed: new Set(Object.keys(args)),
        writesMade: new Map(),
    };
}

async function sent(write: unknown): Promise<ApiKeySpec | undefined> {
    const requests: { spec: ApiKeySpec }[] = [];
    const updateApiKey = async (request: { spec: ApiKeySpec }) => {
        requests.push(request);
        return { asyncOperation: undefined };
    };
    await (write as Write).send({ updateApiKey } as unknown as Cloud, "op", {});
    expect(requests).toMatchObject([{ keyId: "k1", resourceVersion: "v1", asyncOperationId: "op" }]);
    return requests[0]?.spec;
}

async function create(
    args: Args,
    { now = NOW, token = "secret" }: { now?: Date; token?: string } = {},
): Promise<{ spec: ApiKeySpec | undefined; created: Created }> {
    let spec: ApiKeySpec | undefined;
    const createApiKey = async (request: { spec: ApiKeySpec }) => {
        spec = request.spec;
        return { keyId: "k1", token, asyncOperation: undefined };
    };
    const created = await definition.create({ createApiKey } as unknown as Cloud, args, {
        operationId: "op",
        now,
        signal: new AbortController().signal,
    });
    return { spec, created };
}

describe("what is allowed", () => {
    const valid = { ownerId: "s1", expiresIn: "90d" };

    test.each<[string, Bag]>([
        ["a duration", {}],
        ["the shortest", { expiresIn: "24h" }],
        ["the longest", { expiresIn: "731d" }],
        ["one of several units", { expiresIn: "1d12h", rotateBefore: "12h30m" }],
        ["rotation", { rotateBefore: "14d" }],
        ["a time", { expiresIn: undefined, expiryTime: "2027-06-01T02:00:00+02:00" }],
        ["the nearest time", { expiresIn: undefined, expiryTime: "2027-01-02T00:00:00Z" }],
        ["the farthest time", { expiresIn: undefined, expiryTime: "2029-01-01T00:00:00Z" }],
        ["what is not known yet", { ownerId: UNKNOWN, expiresIn: UNKNOWN, rotateBefore: UNKNOWN }],
        ["what may turn out not to be set", { expiresIn: undefined, expiryTime: UNKNOWN, rotateBefore: UNKNOWN }],
        ["either, as long as it is not known which", { expiryTime: UNKNOWN }],
        ["a time that is not known yet", { expiresIn: undefined, expiryTime: UNKNOWN }],
    ])("%s", (_, change) => {
        expect(problems({ ...valid, ...change })).toEqual([]);
    });

    test("the name is the logical name", () => {
        expect(lifecycle.check({}, { ...valid, ...context() }).inputs).toMatchObject({ displayName: "key" });
    });

    test.each<[string, Bag, string]>([
        [
            "no expiry",
            { expiresIn: undefined },
            "expiresIn: `expiresIn` or `expiryTime` is required: 24 hours to 2 years.",
        ],
        ["two", { expiryTime: "2027-06-01T00:00:00Z" }, "expiresIn: `expiresIn` cannot be combined with `expiryTime`."],
        ["too short", { expiresIn: "23h" }, 'expiresIn: `expiresIn` must be from 24h to 731d (2 years), but is "23h".'],
        [
            "too long",
            { expiresIn: "732d" },
            'expiresIn: `expiresIn` must be from 24h to 731d (2 years), but is "732d".',
        ],
        [
            "no duration",
            { expiresIn: "90 days" },
            'expiresIn: `expiresIn` must be a duration such as 90d, 36h or 1d12h, but is "90 days".',
        ],
        [
            "no time",
            { expiresIn: undefined, expiryTime: "2027-06-01" },
            'expiryTime: `expiryTime` must be a time such as 2027-06-01T02:00:00+02:00 (RFC 3339), but is "2027-06-01".',
        ],
        [
            "too early",
            { expiresIn: undefined, expiryTime: "2027-01-01T12:00:00Z" },
            'expiryTime: `expiryTime` must be 24 hours to 2 years from now, but is "2027-01-01T12:00:00Z".',
        ],
        [
            "too late",
            { expiresIn: undefined, expiryTime: "2029-02-01T00:00:00Z" },
            'expiryTime: `expiryTime` must be 24 hours to 2 years from now, but is "2029-02-01T00:00:00Z".',
        ],
        [
            "no duration to rotate before",
            { rotateBefore: "two weeks" },
            'rotateBefore: `rotateBefore` must be a duration such as 90d, 36h or 1d12h, but is "two weeks".',
        ],
        [
            "rotation at all times",
            { rotateBefore: "13w" },
            'rotateBefore: `rotateBefore` must be at least a minute shorter than `expiresIn` (90d), but is "13w": every `up` would replace the key.',
        ],
        [
            "rotation within the minute to which its time is rounded",
            { rotateBefore: "89d23h59m30s" },
            'rotateBefore: `rotateBefore` must be at least a minute shorter than `expiresIn` (90d), but is "89d23h59m30s": every `up` would replace the key.',
        ],
        [
            "rotation to the same time",
            { expiresIn: undefined, expiryTime: "2027-06-01T00:00:00Z", rotateBefore: "1d" },
            "rotateBefore: `rotateBefore` requires `expiresIn`: a key with a fixed `expiryTime` cannot be rotated.",
        ],
        [
            "the key of a user",
            { ownerType: "user" },
            'ownerType: `ownerType` cannot be "user": the API creates keys for service accounts only.',
        ],
        ["no owner", { ownerId: undefined }, "ownerId: `ownerId` is required."],
    ])("not %s", (_, change, problem) => {
        expect(problems({ ...valid, ...change })).toEqual([problem]);
    });

    test("what is there already may stay", () => {
        const expired = { ownerId: "s1", expiryTime: "2026-06-01T00:00:00Z" };
        expect(problems(expired)).toHaveLength(1);
        expect(problems(expired, { old: { ...expired, expiryTime: "2026-06-01T02:00:00+02:00" } })).toEqual([]);
        expect(problems(expired, { adopt: "k1" })).toEqual([]);
        const users = { ...valid, ownerType: "user" };
        expect(problems(users, { old: users })).toEqual([]);
        expect(problems(users, { adopt: "k1" })).toEqual([]);
        expect(problems({ ownerId: "s1" }, { adopt: "k1" })).toEqual([]);
        expect(problems({ ownerId: "s1" }, { old: { ownerId: "s1" } })).toEqual([]);
        expect(problems({ ownerId: "s1" }, { old: valid })).toHaveLength(1);
    });
});

describe("what a change does", () => {
    const old = (managed: string[], more: Bag = {}) => ({
        ...definition.fromLive(live()).args,
        ...more,
        __managed: ["ownerId", "displayName", ...managed].join(" "),
    });
    const diff = (before: Bag, args: Bag, now = NOW) =>
        lifecycle.diff({ log }, before, { ownerId: "s1", displayName: "key", ...args, ...context() }, now);
    const byTime = old(["expiryTime"]);
    const byDuration = old(["expiresIn", "rotateBefore"], { expiresIn: "90d", rotateBefore: "14d" });

    test("neither another offset nor another unit is one", () => {
        expect(diff(byTime, { expiryTime: "2027-06-01T02:00:00.000005+02:00" })).toMatchObject({ changes: false });
        expect(diff(byDuration, { expiresIn: "2160h", rotateBefore: "2w" })).toMatchObject({ changes: false });
    });

    test.each<[string, Bag, Bag]>([
        ["displayName", byTime, { expiryTime: "2027-06-01T00:00:00.000005Z", displayName: "other" }],
        ["description", byDuration, { expiresIn: "90d", rotateBefore: "14d", description: "d" }],
        ["disabled", byDuration, { expiresIn: "90d", rotateBefore: "14d", disabled: true }],
        ["rotateBefore", byDuration, { expiresIn: "90d", rotateBefore: "15d" }],
        ["a lifetime that is not known yet", byDuration, { expiresIn: UNKNOWN, rotateBefore: "14d" }],
    ])("%s changes in place", (_, before, args) => {
        expect(diff(before, args)).toMatchObject({ changes: true, replaces: [] });
    });

    test.each<[string, Bag, Bag, string[]]>([
        ["ownerId", byDuration, { expiresIn: "90d", rotateBefore: "14d", ownerId: "s2" }, ["ownerId"]],
        [
            "an owner that is yet to be created",
            byDuration,
            { expiresIn: "90d", rotateBefore: "14d", ownerId: UNKNOWN },
            ["ownerId"],
        ],
        ["ownerType", byDuration, { expiresIn: "90d", rotateBefore: "14d", ownerType: "user" }, ["ownerType"]],
        ["expiryTime", byTime, { expiryTime: "2027-06-02T00:00:00Z" }, ["expiryTime"]],
        ["expiresIn", byDuration, { expiresIn: "91d", rotateBefore: "14d" }, ["expiresIn"]],
        ["one kind of expiry for the other", byTime, { expiresIn: "90d" }, ["expiryTime", "expiresIn"]],
        ["expiresIn of a key that was taken over without it", old([]), { expiresIn: "90d" }, ["expiresIn"]],
    ])("%s replaces, the new key first", (_, before, args, replaces) => {
        expect(diff(before, args)).toEqual({ changes: true, replaces, deleteBeforeReplace: false });
    });

    test("a key is rotated from the time on, and not before", () => {
        const args = { expiresIn: "90d", rotateBefore: "14d" };
        expect(diff(byDuration, args, new Date("2027-05-17T23:59:59Z"))).toMatchObject({ changes: false });
        expect(diff(byDuration, args, new Date("2027-05-18T00:00:01Z"))).toEqual({
            changes: true,
            replaces: ["expiryTime"],
            deleteBeforeReplace: false,
        });
        const longAfter = new Date("2028-01-01T00:00:00Z");
        expect(diff(byDuration, args, longAfter)).toMatchObject({ replaces: ["expiryTime"] });
        expect(diff(byDuration, { expiresIn: "90d" }, longAfter)).toMatchObject({ changes: true, replaces: [] });
        expect(diff(byDuration, { ...args, rotateBefore: UNKNOWN }, longAfter)).toMatchObject({ replaces: [] });
        // What the program says now counts, not what it said before.
        expect(diff(byDuration, { ...args, rotateBefore: "30d" }, new Date("2027-05-03T00:00:00Z"))).toMatchObject({
            replaces: ["expiryTime"],
        });
        // Nothing is known of a key that was never seen.
        expect(diff({ ...byDuration, expiryTime: undefined }, args, longAfter)).toMatchObject({ replaces: [] });
    });

    test("why it is rotated is said, once", () => {
        const said: string[] = [];
        const told = { ...log, info: (_: string, text: string) => said.push(text) };
        const another = new Lifecycle(definition);
        const news = { ownerId: "s1", displayName: "key", expiresIn: "90d", rotateBefore: "14d", ...context() };
        for (const day of ["2027-05-17", "2027-05-19", "2027-05-20"]) {
            another.diff({ log: told, id: "k1" }, byDuration, news, new Date(day));
        }
        expect(said).toHaveLength(1);
        expect(said[0]).toMatch(
            /^ApiKey .*due to be replaced: it expires on 2027-06-01T.*, and `rotateBefore` is 14d\.$/,
        );
    });
});

describe("to and from the wire", () => {
    test("what programs see", () => {
        expect(definition.fromLive(live({ ownerType: NEWER, disabled: true }))).toEqual({
            args: {
                ownerId: "s1",
                ownerType: "9",
                displayName: "key",
                description: "",
                disabled: true,
                expiryTime: "2027-06-01T00:00:00.000005Z",
            },
            outputs: { state: "active", createdTime: "2027-01-01T00:00:00Z", lastModifiedTime: undefined },
        });
    });

    test("nothing is to be done where nothing differs", () => {
        expect(definition.next(live(), desired(live(), {}))).toBeUndefined();
        const same = { expiresIn: "90d", rotateBefore: "1d", ownerType: "service-account", description: "" };
        expect(definition.next(live(), desired(live(), same))).toBeUndefined();
        const empty = ApiKey.fromPartial({ spec: {} });
        expect(definition.next(empty, desired(empty, {}))).toBeUndefined();
    });

    test("an update keeps what it is not about, and leaves the deprecated mirror out", async () => {
        const key = live({ ownerType: NEWER });
        expect(await sent(definition.next(key, desired(key, { disabled: true })))).toEqual({
            ...key.spec,
            ownerTypeDeprecated: "",
            disabled: true,
        });
        const described = live({ description: "d" });
        expect(await sent(definition.next(described, desired(described, {}, ["description"])))).toMatchObject({
            description: "",
        });
    });
});

describe("a create", () => {
    const args: Args = { ownerId: "s1", displayName: "key", expiresIn: "90d" };
    const expiry = (spec: ApiKeySpec | undefined) =>
        new Date(Number(spec?.expiryTime?.seconds ?? 0) * 1000).toISOString();

    test("takes the time as it is", async () => {
        const expiryTime = "2027-06-01T02:00:00.5+02:00";
        const { spec } = await create({
            ownerId: "s1",
            displayName: "key",
            description: "d",
            disabled: true,
            expiryTime,
        });
        expect(spec).toEqual(
            ApiKeySpec.fromPartial({
                ownerId: "s1",
                ownerType: OwnerType.OWNER_TYPE_SERVICE_ACCOUNT,
                displayName: "key",
                description: "d",
                disabled: true,
                expiryTime: { seconds: seconds("2027-06-01T00:00:00Z"), nanos: 500_000_000 },
            }),
        );
    });

    test("reckons a duration from now, in whole minutes", async () => {
        expect(expiry((await create(args)).spec)).toBe("2027-04-01T00:00:00.000Z");
        // The shortest has to be long enough when it arrives, the longest not too long.
        expect(expiry((await create({ ...args, expiresIn: "24h" })).spec)).toBe("2027-01-02T00:02:00.000Z");
        expect(expiry((await create({ ...args, expiresIn: "730d" })).spec)).toBe("2028-12-31T00:00:00.000Z");
    });

    test("says the same again for the same moment, give or take seconds", async () => {
        const first = await create(args, { now: new Date("2026-12-31T12:00:02Z") });
        const again = await create(args, { now: new Date("2026-12-31T12:00:10Z") });
        expect(expiry(again.spec)).toBe("2027-03-31T12:00:00.000Z");
        expect(again.spec).toEqual(first.spec);
    });

    test("keeps the token, which is in this answer only", async () => {
        expect((await create(args)).created).toEqual({
            id: "k1",
            asyncOperation: undefined,
            carried: { token: "secret" },
        });
        expect((await create(args, { token: "" })).created).not.toHaveProperty("carried");
        expect(definition.createOnlyOutputs).toEqual(["token"]);
    });
});
