import type { DeepPartial } from "../../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import type { UserSpec } from "../../../proto/generated/temporal/api/cloud/identity/v1/message";
import {
    AccountAccess_Role as AccountRole,
    NamespaceAccess_Permission as Permission,
} from "../../../proto/generated/temporal/api/cloud/identity/v1/message";
import { getUser, getUserOutput, getUsers, getUsersOutput } from "../../../provider/functions/users";
import { settled, unknown, useEmulator } from "./support";

const emulator = useEmulator();

function spec(email: string, namespaces: string[] = []): DeepPartial<UserSpec> {
    return {
        email,
        access: {
            accountAccess: { role: AccountRole.ROLE_READ },
            namespaceAccesses: Object.fromEntries(
                namespaces.map((id) => [id, { permission: Permission.PERMISSION_WRITE }]),
            ),
        },
    };
}

test("a user is found by id and by email address, in whatever letters, in the shape of the resource", async () => {
    const { users } = emulator();
    users.add({ spec: spec("joanne@example.com") });
    const { id } = users.add({ spec: spec("Anne@Example.com", ["orders.a1b2c"]) });
    const found = await getUser({ id });
    expect(found).toMatchObject({
        id,
        email: "Anne@Example.com",
        accountRole: "read",
        customRoles: [],
        namespaceAccesses: { "orders.a1b2c": "write" },
        projectAccesses: {},
        state: "active",
        invitation: { createdTime: expect.any(String), expiredTime: expect.any(String) },
    });
    await expect(getUser({ email: "anne@example.com" })).resolves.toEqual(found);
    await expect(settled(getUserOutput({ email: Promise.resolve("anne@example.com") }).id)).resolves.toEqual({
        known: true,
        value: id,
    });
});

test("no such user", async () => {
    await expect(getUser({ email: "nobody@example.com" })).rejects.toMatchObject({
        failure: "notFound",
        message: 'getUser: there is no user with the email "nobody@example.com".',
    });
    await expect(getUser({ id: "u-1" })).rejects.toMatchObject({
        failure: "notFound",
        message: expect.stringMatching(/^getUser: there is no user with the id "u-1"\. \(GetUser: NOT_FOUND: /),
    });
    await expect(getUser({} as never)).rejects.toMatchObject({ failure: "invalid" });
});

test("lists, filtered by the server", async () => {
    const { users, requests } = emulator();
    for (let index = 0; index < 1100; index += 1) {
        users.add({ spec: spec(`u${index}@example.com`, index < 2 ? ["orders.a1b2c"] : []) });
    }
    // The owner, who came with the account, is one more.
    expect((await getUsers()).users).toHaveLength(1101);
    expect(requests.byMethod()).toEqual({ GetUsers: 2 });
    const emails = (await getUsers({ namespaceId: "orders.a1b2c" })).users.map(({ email }) => email);
    expect(emails.sort()).toEqual(["u0@example.com", "u1@example.com"]);
    await expect(settled(getUsersOutput({ email: "u7@example.com" }).users)).resolves.toMatchObject({
        value: [{ email: "u7@example.com" }],
    });
    await expect(settled(getUsersOutput({ namespaceId: unknown() }))).resolves.toEqual({ known: false });
});

test.each([
    [{ mail: "ann@example.com" }, '`mail` is not a known argument. Did you mean "email"?'],
    [{ email: 5 }, "`email` must be a string, but is a number."],
    [{ email: "" }, "`email` must not be empty. Leave it out for no filter."],
    [{ namespaceId: null }, "`namespaceId` must not be empty. Leave it out for no filter."],
])("the filter %j is refused: it would list everybody", async (filter, says) => {
    await expect(getUsers(filter as never)).rejects.toThrow(`getUsers: ${says}`);
    expect(emulator().requests.count("GetUsers")).toBe(0);
});
