import {
    AccountAccess_Role as Role,
    User,
    UserSpec,
} from "../../../proto/generated/temporal/api/cloud/identity/v1/message";
import { ResourceState } from "../../../proto/generated/temporal/api/cloud/resource/v1/message";
import type { Cloud, Desired, Write } from "../../../provider/definition";
import { type Bag, UNKNOWN } from "../../../provider/fields";
import { Lifecycle } from "../../../provider/lifecycle/lifecycle";
import { overlay } from "../../../provider/overlay";
import { findByNaturalKey } from "../../../provider/pages";
import { userDefinition as definition } from "../../../provider/resources/user";
import { newerField, withUnknown } from "./unknown";

const NOW = new Date("2027-01-01T00:00:00Z");
const lifecycle = new Lifecycle(definition);
const log = { status: () => {}, info: () => {}, warn: () => {} };
const context = (context: Bag = {}) => ({
    __context: JSON.stringify({ urn: "urn:pulumi:stack::project::type::ann", ...context }),
});

type Args = Parameters<typeof definition.create>[1];

function problems(args: Bag, { old = {}, adopt = false }: { old?: Bag; adopt?: boolean } = {}): string[] {
    // Of its own: one that has checked the resource in the state takes the next check for that of its replacement.
    const { failures } = new Lifecycle(definition).check(old, { ...args, ...context({ adopt }) });
    return failures.map(({ property, reason }) => `${property}: ${reason}`);
}

/** A number that this version has no word for. */
const NEWER: number = 77;

/** A user with everything, things that this version does not know among it. */
function ann(): User {
    return withUnknown(
        User.fromPartial({
            id: "u1",
            resourceVersion: "v1",
            state: ResourceState.RESOURCE_STATE_ACTIVE,
            createdTime: { seconds: 1_800_000_000n },
            invitation: { createdTime: { seconds: 1_800_000_000n }, expiredTime: { seconds: 1_800_086_400n } },
            spec: {
                email: "Ann@example.com",
                access: {
                    accountAccess: {
                        role: Role.ROLE_READ,
                        roleDeprecated: "read",
                        customRoles: ["r2", "r1"],
                    },
                    customRolesDeprecated: ["r2", "r1"],
                    namespaceAccesses: {
                        "orders.a1b2c": { permission: 2, permissionDeprecated: "write" },
                        "billing.a1b2c": { permission: NEWER },
                    },
                    projectAccesses: { p1: { role: 3 }, p2: { role: NEWER } },
                },
            },
        }),
    );
}

function desired(user: User, args: Bag, removed: string[] = []): Desired<Args> {
    return {
        args: overlay(
            definition.fields,
            definition.fromLive(user).args as Bag,
            args,
            new Set(removed),
        ) as unknown as Args,
        changed: new Set(Object.keys(args)),
        managed: new Set(Object.keys(args)),
        writesMade: new Map(),
    };
}

async function sent(write: unknown): Promise<{ userId: string; spec: UserSpec; resourceVersion: string }> {
    const requests: unknown[] = [];
    const answer = async (request: unknown) => {
        requests.push(request);
        return { asyncOperation: undefined };
    };
    await (write as Write).send({ updateUser: answer } as unknown as Cloud, "op", {});
    return requests[0] as { userId: string; spec: UserSpec; resourceVersion: string };
}

async function created(args: Bag): Promise<UserSpec | undefined> {
    let spec: UserSpec | undefined;
    const createUser = async (request: { spec: UserSpec }) => {
        spec = request.spec;
        return { userId: "u1", asyncOperation: undefined };
    };
    const options = { operationId: "op", now: NOW, signal: AbortSignal.timeout(1000) };
    await definition.create({ createUser } as unknown as Cloud, args as unknown as Args, options);
    return spec;
}

describe("what is allowed", () => {
    const valid = { email: "ann@example.com", accountRole: "read" };

    test("a role, and accesses", () => {
        expect(problems(valid)).toEqual([]);
        expect(
            problems({ ...valid, namespaceAccesses: { "orders.a1b2c": "write" }, projectAccesses: { p: "list" } }),
        ).toEqual([]);
        expect(problems({ email: "ann@example.com", customRoles: ["r1"] })).toEqual([]);
        expect(problems({ ...valid, accountRole: "admin", namespaceAccesses: {} })).toEqual([]);
    });

    test("values that are not known yet are not judged", () => {
        expect(problems({ email: UNKNOWN, accountRole: UNKNOWN, namespaceAccesses: UNKNOWN })).toEqual([]);
        expect(problems({ email: UNKNOWN, customRoles: UNKNOWN })).toEqual([]);
        expect(problems({ ...valid, accountRole: "admin", namespaceAccesses: UNKNOWN })).toEqual([]);
    });

    test.each([["ann"], ["ann@"], ["@example.com"], ["ann smith@example.com"], ["ann@example"], [""]])(
        "%j is no address",
        (email) => {
            expect(problems({ ...valid, email })).toEqual([
                `email: \`email\` must be an email address, but is ${JSON.stringify(email)}.`,
            ]);
        },
    );

    test("what a refresh has brought stays where it is to be ignored, also without a word for it", () => {
        const newer = { ...valid, accountRole: String(NEWER) };
        const ignoring = (old: Bag) =>
            new Lifecycle(definition).check(old, { ...newer, ...context({ ignoreChanges: ["accountRole"] }) }).failures;
        expect(ignoring(newer)).toEqual([]);
        expect(ignoring(valid)).toHaveLength(1);
        expect(problems(newer, { old: newer })).toHaveLength(1);
    });

    test("so do entries of what is to be ignored", () => {
        const newer = { ...valid, namespaceAccesses: { "shop.a1b2c": String(NEWER) } };
        const ignored = { ...newer, ...context({ ignoreChanges: ["namespaceAccesses"] }) };
        expect(new Lifecycle(definition).check(newer, ignored).failures).toEqual([]);
        expect(problems(newer, { old: newer })).toHaveLength(1);
    });

    test("an address is required, and so is a role", () => {
        expect(problems({ accountRole: "read" })).toEqual(["email: `email` is required."]);
        const reason = 'accountRole: `accountRole` or `customRoles` is required, for example `accountRole: "read"`.';
        expect(problems({ email: valid.email })).toEqual([reason]);
        expect(problems({ email: valid.email, customRoles: [], namespaceAccesses: { n: "read" } })).toEqual([reason]);
        // It would silently take the role away.
        expect(problems({ email: valid.email }, { old: valid })).toEqual([reason]);
    });

    test("no role is needed of somebody who is there already", () => {
        expect(problems({ email: valid.email }, { adopt: true })).toEqual([]);
        expect(problems({ email: valid.email }, { old: { email: valid.email } })).toEqual([]);
        expect(problems({ email: valid.email }, { old: valid, adopt: true })).toHaveLength(1);
    });

    test("a role is needed of who replaces somebody that was taken over", () => {
        const replacing = new Lifecycle(definition);
        const check = (old: Bag, email: string) =>
            replacing.check(old, { email, ...context({ adopt: true }) }).failures.map(({ property }) => property);
        // As the engine does: once with what is in the state, and once more without it, for the replacement.
        expect(check({ email: valid.email, ...context({ adopt: true }) }, "bob@example.com")).toEqual([]);
        expect(check({}, "bob@example.com")).toEqual(["accountRole"]);
    });

    test("an owner can be kept and taken over, but not made", () => {
        const owner = { ...valid, accountRole: "owner" };
        expect(problems(owner)).toEqual([
            'accountRole: `accountRole` cannot be "owner": the API can neither grant nor revoke the owner role. ' +
                "Ask Temporal Support to assign it. To manage an existing owner, use the option `import`.",
        ]);
        expect(problems(owner, { old: valid })).toHaveLength(1);
        expect(problems(owner, { old: owner })).toEqual([]);
        expect(problems(owner, { adopt: true })).toEqual([]);
    });

    test("who may do everything has no accesses to single namespaces", () => {
        expect(problems({ ...valid, accountRole: "admin", namespaceAccesses: { [UNKNOWN]: UNKNOWN } })).toEqual([
            "namespaceAccesses: `namespaceAccesses` is not allowed with the account role admin, which has access to all namespaces.",
        ]);
        expect(problems({ ...valid, accountRole: "owner", namespaceAccesses: { n: "read" } }, { adopt: true })).toEqual(
            [
                "namespaceAccesses: `namespaceAccesses` is not allowed with the account role owner, which has access to all namespaces.",
            ],
        );
    });

    test("words", () => {
        expect(problems({ ...valid, accountRole: "metricsread" })).toEqual([
            'accountRole: `accountRole` cannot be "metricsread", which is for service accounts only.',
        ]);
        expect(problems({ ...valid, accountRole: "develper" })[0]).toContain('Did you mean "developer"?');
        expect(problems({ ...valid, namespaceAccesses: { n: "own" } })[0]).toMatch(/^namespaceAccesses\["n"\]: /);
        expect(problems({ ...valid, customRoles: [""] })[0]).toMatch(/^customRoles\[0\]: .* must be an id/);
        expect(problems({ ...valid, namespaceAccess: {} })[0]).toContain('Did you mean "namespaceAccesses"?');
    });

    test("the project role developer cannot be granted, but stay", () => {
        const args = { ...valid, projectAccesses: { p1: "developer" } };
        expect(problems(args)).toEqual([
            'projectAccesses["p1"]: `projectAccesses["p1"]` cannot be "developer": that role comes with the account role ' +
                "developer and cannot be granted.",
        ]);
        expect(problems(args, { old: args })).toEqual([]);
    });
});

describe("what a change does", () => {
    const old = {
        ...definition.fromLive(ann()).args,
        __managed: "email accountRole customRoles namespaceAccesses",
    };
    const args = {
        email: "ann@EXAMPLE.com",
        accountRole: "read",
        customRoles: ["r1", "r2"],
        namespaceAccesses: { "billing.a1b2c": "77", "orders.a1b2c": "write" },
    };
    const diff = (change: Bag) => lifecycle.diff({ log }, old, { ...args, ...change, ...context() }, NOW);

    test("neither capital letters nor an order are one", () => {
        expect(diff({})).toMatchObject({ changes: false, replaces: [] });
    });

    test.each([
        ["accountRole", "developer"],
        ["customRoles", ["r1"]],
        ["namespaceAccesses", { "orders.a1b2c": "read" }],
        ["projectAccesses", { p1: "admin" }],
    ])("%s changes in place", (name, value) => {
        expect(diff({ [name]: value })).toMatchObject({ changes: true, replaces: [] });
        expect(diff({ [name]: UNKNOWN })).toMatchObject({ changes: true, replaces: [] });
    });

    test("another time to delete is one, so that the delete knows of it; another to create or update is none", () => {
        const diff = (timeouts: Bag) =>
            lifecycle.diff({ log }, { ...old, ...context() }, { ...args, ...context({ timeouts }) }, NOW);
        expect(diff({ create: "1h", update: "3h", delete: "30m" })).toMatchObject({ changes: false });
        expect(diff({ delete: "2h" })).toMatchObject({ changes: true, replaces: [] });
    });

    test("another address is another user, who comes first", () => {
        expect(diff({ email: "bob@example.com" })).toEqual({
            changes: true,
            replaces: ["email"],
            deleteBeforeReplace: false,
        });
        expect(diff({ email: UNKNOWN })).toMatchObject({ changes: true, replaces: [] });
        // The same address again is only free once the old user has gone.
        expect(lifecycle.diff({ log }, { ...old, __replace: true }, { ...args, ...context() }, NOW)).toMatchObject({
            replaces: ["id"],
            deleteBeforeReplace: true,
        });
    });
});

describe("to and from the wire", () => {
    test("what programs see", () => {
        expect(definition.fromLive(ann())).toEqual({
            args: {
                email: "Ann@example.com",
                accountRole: "read",
                customRoles: ["r2", "r1"],
                namespaceAccesses: { "orders.a1b2c": "write", "billing.a1b2c": "77" },
                projectAccesses: { p1: "read", p2: "77" },
            },
            outputs: {
                state: "active",
                invitation: { createdTime: "2027-01-15T08:00:00Z", expiredTime: "2027-01-16T08:00:00Z" },
                createdTime: "2027-01-15T08:00:00Z",
                lastModifiedTime: undefined,
            },
        });
        expect(definition.fromLive(User.fromPartial({ spec: { email: "b@c.de" } })).args).toEqual({
            email: "b@c.de",
            customRoles: [],
            namespaceAccesses: {},
            projectAccesses: {},
        });
    });

    test("nothing is to be done where nothing differs, also with what this version does not know", () => {
        expect(definition.next(ann(), desired(ann(), {}))).toBeUndefined();
        const same = { email: "ann@example.com", customRoles: ["r1", "r2"], projectAccesses: { p2: "77", p1: "read" } };
        expect(definition.next(ann(), desired(ann(), same))).toBeUndefined();
        const empty = User.fromPartial({ spec: { email: "b@c.de" } });
        expect(definition.next(empty, desired(empty, { namespaceAccesses: {} }))).toBeUndefined();
    });

    test("an update keeps everything that it is not about, and leaves the deprecated mirrors out", async () => {
        const write = definition.next(
            ann(),
            desired(ann(), { namespaceAccesses: { "orders.a1b2c": "read", x: "admin" } }),
        );
        const expected = ann().spec ?? UserSpec.fromPartial({});
        const { access } = expected;
        if (!access?.accountAccess) {
            throw new Error("no access");
        }
        access.accountAccess.roleDeprecated = "";
        access.customRolesDeprecated = [];
        access.namespaceAccesses = {
            "orders.a1b2c": { permission: 3, permissionDeprecated: "", _unknownFields: newerField },
            x: { permission: 1, permissionDeprecated: "", _unknownFields: {} },
        };
        const { userId, spec, resourceVersion } = await sent(write);
        expect({ userId, resourceVersion }).toEqual({ userId: "u1", resourceVersion: "v1" });
        expect(spec).toEqual(expected);
    });

    test("what the program no longer sets goes back to the default", async () => {
        const { spec } = await sent(
            definition.next(ann(), desired(ann(), {}, ["accountRole", "namespaceAccesses", "projectAccesses"])),
        );
        expect(spec.access).toMatchObject({
            accountAccess: { role: 0, customRoles: ["r2", "r1"], _unknownFields: newerField },
            namespaceAccesses: {},
            projectAccesses: {},
        });
    });

    test("a role that does not go with what the program does not manage is refused before it is sent", async () => {
        await expect(sent(definition.next(ann(), desired(ann(), { accountRole: "owner" })))).rejects.toThrow(
            '`accountRole` cannot be set to "owner": the API can neither grant nor revoke the owner role.',
        );
        await expect(sent(definition.next(ann(), desired(ann(), { accountRole: "admin" })))).rejects.toThrow(
            '`accountRole` cannot be set to "admin" while there are namespace permissions (orders.a1b2c, ' +
                "billing.a1b2c). Revoke them with `namespaceAccesses: {}`.",
        );
        expect(definition.next(ann(), desired(ann(), { accountRole: "admin", namespaceAccesses: {} }))).toBeDefined();
        const admin = { ...ann(), spec: UserSpec.fromPartial({ access: { accountAccess: { role: 2 } } }) };
        const namespaceAccesses = { "orders.a1b2c": "write" as const };
        await expect(sent(definition.next(admin, desired(admin, { namespaceAccesses })))).rejects.toThrow(
            '`namespaceAccesses` cannot be set: its account role is "admin", which has access to all namespaces.',
        );
        const demoted = await sent(definition.next(admin, desired(admin, { accountRole: "read", namespaceAccesses })));
        expect(demoted.spec.access?.namespaceAccesses).toMatchObject({ "orders.a1b2c": { permission: 2 } });
    });

    test("a create", async () => {
        expect(
            await created({ email: "ann@example.com", accountRole: "developer", projectAccesses: { p: "list" } }),
        ).toEqual(
            UserSpec.fromPartial({
                email: "ann@example.com",
                access: { accountAccess: { role: Role.ROLE_DEVELOPER }, projectAccesses: { p: { role: 4 } } },
            }),
        );
        expect(await created({ email: "ann@example.com" })).toEqual(
            UserSpec.fromPartial({ email: "ann@example.com", access: {} }),
        );
        await expect(created({ email: "ann@example.com", accountRole: "owner" })).rejects.toThrow(
            /cannot be set to "owner"/,
        );
    });
});

test("a user is found by the address, however it is spelt, on whichever page it is", async () => {
    const getUsers = async ({ email, pageToken }: { email: string; pageToken: string }) => {
        const others = [User.fromPartial({ spec: { email: "ann@example.com.au" } })];
        const found = email === "ann@example.com" ? [ann()] : [];
        return pageToken === "" ? { users: others, nextPageToken: "2" } : { users: found, nextPageToken: "" };
    };
    const find = (email: string) => findByNaturalKey(definition, { getUsers } as unknown as Cloud, { key: email }, {});
    const key = definition.naturalKey?.of({ email: "ANN@example.com" }) ?? "";
    expect(await find(key)).toMatchObject({ id: "u1" });
    expect(await find("bob@example.com")).toBeUndefined();
});

test("an owner is not deleted", () => {
    expect(definition.refuseDelete?.({ accountRole: "owner" })).toContain("an account owner cannot be deleted");
    expect(definition.refuseDelete?.({ accountRole: "admin" })).toBeUndefined();
});
