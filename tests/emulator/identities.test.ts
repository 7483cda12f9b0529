import { Status } from "nice-grpc-common";
import type { DeepPartial } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import {
    type Access,
    AccountAccess_Role as AccountRole,
    type ApiKeySpec,
    OwnerType,
    NamespaceAccess_Permission as Permission,
    ProjectAccess_ProjectRole as ProjectRole,
    type ServiceAccountSpec,
    type UserSpec,
} from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import { connect, errorOf, namespaceSpec, use } from "./client";

const it = use();
const { ROLE_ADMIN, ROLE_DEVELOPER, ROLE_METRICS_READ, ROLE_OWNER, ROLE_READ } = AccountRole;
const write = { permission: Permission.PERMISSION_WRITE };
const namespace = "orders.a1b2c";
const hourMs = 60 * 60 * 1000;

const account = (role: AccountRole, rest: DeepPartial<Access> = {}) => ({ accountAccess: { role }, ...rest });
const inMs = (ms: number) => ({ seconds: BigInt(Math.floor((Date.now() + ms) / 1000)), nanos: 0 });

beforeEach(() => {
    it.emulator.namespaces.add({ spec: namespaceSpec() });
});

describe("users", () => {
    const spec = (access: DeepPartial<Access>, email = "ann@example.com"): DeepPartial<UserSpec> => ({ email, access });
    const get = async (userId: string) => (await it.api.getUser({ userId })).user;

    test("a user from its creation to its deletion", async () => {
        const { api } = it;
        const { userId } = await api.createUser({
            spec: spec(account(ROLE_DEVELOPER, { namespaceAccesses: { [namespace]: write } })),
        });
        expect(userId).toMatch(/^[0-9a-f]{32}$/);
        const user = await get(userId);
        expect(user).toMatchObject({
            state: ResourceState.RESOURCE_STATE_ACTIVE,
            spec: {
                access: {
                    accountAccess: { role: ROLE_DEVELOPER, roleDeprecated: "developer" },
                    namespaceAccesses: { [namespace]: { ...write, permissionDeprecated: "write" } },
                },
            },
        });
        expect(user?.invitation?.expiredTime).toBeDefined();
        const update = (resourceVersion: string) =>
            api.updateUser({ userId, resourceVersion, spec: spec(account(ROLE_READ)) });
        await update(user?.resourceVersion ?? "");
        expect(await errorOf(update(user?.resourceVersion ?? ""))).toMatch(/^FAILED_PRECONDITION: .* is stale$/);
        const changed = await get(userId);
        expect(changed?.spec?.access?.namespaceAccesses).toEqual({});
        await api.deleteUser({ userId, resourceVersion: changed?.resourceVersion ?? "" });
        expect(await errorOf(api.getUser({ userId }))).toMatch(/^NOT_FOUND: user/);
    });

    test.each<[string, DeepPartial<UserSpec>, string]>([
        ["no email address", spec(account(ROLE_READ), "ann"), "is not an email address"],
        ["no access", { email: "ann@example.com" }, "spec.access is required"],
        ["the owner role", spec(account(ROLE_OWNER)), "the owner role cannot be granted"],
        ["the metricsread role", spec(account(ROLE_METRICS_READ)), "metricsread"],
        [
            "namespaces for an admin",
            spec(account(ROLE_ADMIN, { namespaceAccesses: { [namespace]: write } })),
            "namespace_accesses are not allowed",
        ],
        [
            "an unknown namespace",
            spec(account(ROLE_READ, { namespaceAccesses: { "x.a1b2c": write } })),
            'namespace "x.a1b2c" does not exist',
        ],
        [
            "no permission",
            spec(account(ROLE_READ, { namespaceAccesses: { [namespace]: {} } })),
            "namespace permission 0 is unknown",
        ],
        [
            "an unknown project",
            spec(account(ROLE_READ, { projectAccesses: { x: { role: ProjectRole.PROJECT_ROLE_READ } } })),
            'project "x" does not exist',
        ],
        [
            "roles that disagree",
            spec({ accountAccess: { role: ROLE_READ, roleDeprecated: "admin" } }),
            "role and role_deprecated disagree",
        ],
        ["an unknown role", spec({ accountAccess: { roleDeprecated: "king" } }), 'role "king" is unknown'],
    ])("create refuses %s", async (_, wrong, message) => {
        const error = await errorOf(it.api.createUser({ spec: wrong }));
        expect(error).toMatch(/^INVALID_ARGUMENT/);
        expect(error).toContain(message);
    });

    test("email addresses are unique, found whatever their case, and do not change", async () => {
        const { api } = it;
        const { userId } = await api.createUser({ spec: spec(account(ROLE_READ)) });
        const again = api.createUser({ spec: spec(account(ROLE_READ), "Ann@example.com") });
        expect(await errorOf(again)).toMatch(/^ALREADY_EXISTS/);
        expect((await api.getUsers({ email: "ANN@example.com" })).users).toMatchObject([{ id: userId }]);
        const { resourceVersion = "" } = (await get(userId)) ?? {};
        const renamed = api.updateUser({ userId, resourceVersion, spec: spec(account(ROLE_READ), "bob@example.com") });
        expect(await errorOf(renamed)).toContain("the email of a user cannot be changed");
    });

    test("an owner stays one, but cannot be deleted", async () => {
        const { api, emulator } = it;
        const { id: userId, resourceVersion } = emulator.users.add({ spec: spec(account(ROLE_OWNER)) });
        const removal = api.deleteUser({ userId, resourceVersion });
        expect(await errorOf(removal)).toBe("FAILED_PRECONDITION: an owner of the account cannot be deleted");
        const same = api.updateUser({ userId, resourceVersion, spec: spec(account(ROLE_OWNER)) });
        expect(await errorOf(same)).toContain("nothing to change");
    });

    test("access is granted and taken away one namespace and one project at a time", async () => {
        const { api, emulator } = it;
        const { userId } = await api.createUser({ spec: spec(account(ROLE_DEVELOPER)) });
        const version = async () => (await get(userId))?.resourceVersion ?? "";
        await api.setUserNamespaceAccess({ userId, namespace, access: write, resourceVersion: await version() });
        expect((await api.getUsers({ namespace })).users).toHaveLength(1);
        expect((await api.getUserNamespaceAssignments({ namespace })).users).toMatchObject([
            { id: userId, email: "ann@example.com", namespaceAccess: write },
        ]);
        const again = api.setUserNamespaceAccess({
            userId,
            namespace,
            access: write,
            resourceVersion: await version(),
        });
        expect(await errorOf(again)).toContain("nothing to change");
        await api.setUserNamespaceAccess({ userId, namespace, resourceVersion: await version() });
        expect((await api.getUsers({ namespace })).users).toHaveLength(0);
        const { id: projectId } = emulator.projects.add({ spec: { displayName: "shop" } });
        const access = { role: ProjectRole.PROJECT_ROLE_WRITE };
        await api.setUserProjectAccess({ userId, projectId, access, resourceVersion: await version() });
        expect((await api.getUserProjectAssignments({ projectId })).users).toMatchObject([{ projectAccess: access }]);
        const nowhere = api.setUserProjectAccess({ userId, projectId: "x", access, resourceVersion: await version() });
        expect(await errorOf(nowhere)).toBe('NOT_FOUND: project "x" not found');
    });
});

describe("service accounts", () => {
    const spec = (rest: DeepPartial<ServiceAccountSpec>): DeepPartial<ServiceAccountSpec> => ({
        name: "worker",
        ...rest,
    });
    const scoped = { namespaceScopedAccess: { namespace, access: write } };

    test("names are unique, unless a setting says otherwise", async () => {
        const { api, emulator } = it;
        await api.createServiceAccount({ spec: spec({ access: account(ROLE_METRICS_READ) }) });
        await expect(api.createServiceAccount({ spec: spec(scoped) })).rejects.toMatchObject({
            code: Status.ALREADY_EXISTS,
            details: 'service account "worker" already exists',
        });
        emulator.settings.serviceAccountNamesUnique = false;
        await api.createServiceAccount({ spec: spec(scoped) });
        await api.getRegions({});
        expect(emulator.serviceAccounts.list()).toMatchObject([
            { spec: { name: "worker" } },
            { spec: { name: "worker" } },
        ]);
    });

    test.each<[string, DeepPartial<ServiceAccountSpec>, string]>([
        ["no name", { ...scoped, name: "" }, "name is required"],
        [
            "no access",
            {},
            "exactly one of access, namespace_scoped_access and project_scoped_access is required, not 0",
        ],
        ["two scopes", { ...scoped, access: account(ROLE_READ) }, "exactly one"],
        ["a scope without access", { namespaceScopedAccess: { namespace } }, "namespace permission 0"],
        ["an unknown namespace", { namespaceScopedAccess: { namespace: "x", access: write } }, "does not exist"],
        [
            "an unknown project",
            { projectScopedAccess: { projectId: "x", access: { role: ProjectRole.PROJECT_ROLE_READ } } },
            "does not exist",
        ],
        ["the owner role", { access: account(ROLE_OWNER) }, "the owner role cannot be granted"],
    ])("create refuses %s", async (_, wrong, message) => {
        const error = await errorOf(it.api.createServiceAccount({ spec: spec(wrong) }));
        expect(error).toMatch(/^INVALID_ARGUMENT/);
        expect(error).toContain(message);
    });

    test("the scope stays, what it may do there changes", async () => {
        const { api } = it;
        const { serviceAccountId } = await api.createServiceAccount({ spec: spec(scoped) });
        const version = async () =>
            (await api.getServiceAccount({ serviceAccountId })).serviceAccount?.resourceVersion ?? "";
        const update = async (rest: DeepPartial<ServiceAccountSpec>) =>
            api.updateServiceAccount({ serviceAccountId, resourceVersion: await version(), spec: spec(rest) });
        const read = { permission: Permission.PERMISSION_READ };
        await update({ namespaceScopedAccess: { namespace, access: read } });
        expect(await errorOf(update({ access: account(ROLE_READ) }))).toContain(
            "the scope of a service account cannot",
        );
        const elsewhere = update({ namespaceScopedAccess: { namespace: "x.a1b2c", access: read } });
        expect(await errorOf(elsewhere)).toContain("the scope of a service account cannot");
        // An empty message says nothing, and so does not make a second scope.
        await update({ namespaceScopedAccess: { namespace, access: read }, access: {}, description: "x" });
    });

    test("those of a project are listed by it", async () => {
        const { api, emulator } = it;
        const { id: projectId } = emulator.projects.add({ spec: { displayName: "shop" } });
        const projectScopedAccess = { projectId, access: { role: ProjectRole.PROJECT_ROLE_READ } };
        const { serviceAccountId } = await api.createServiceAccount({ spec: spec({ projectScopedAccess }) });
        await api.createServiceAccount({ spec: { ...spec(scoped), name: "other" } });
        const { serviceAccounts } = await api.getProjectScopedServiceAccounts({ projectId });
        expect(serviceAccounts).toMatchObject([{ id: serviceAccountId }]);
    });
});

describe("API keys", () => {
    let ownerId = "";
    beforeEach(() => {
        ownerId = it.emulator.serviceAccounts.add({ spec: { name: "worker", access: account(ROLE_ADMIN) } }).id;
    });
    const spec = (rest: DeepPartial<ApiKeySpec> = {}): DeepPartial<ApiKeySpec> => ({
        ownerId,
        ownerType: OwnerType.OWNER_TYPE_SERVICE_ACCOUNT,
        displayName: "key",
        expiryTime: inMs(90 * 24 * hourMs),
        ...rest,
    });
    const get = async (keyId: string) => (await it.api.getApiKey({ keyId })).apiKey;
    const works = async (token: string): Promise<string> => {
        const client = connect(it.emulator, token);
        try {
            return await errorOf(client.api.getRegions({}));
        } finally {
            client.close();
        }
    };

    test("a key opens the door until it is disabled, deleted or expired", async () => {
        const { api, emulator } = it;
        const { keyId, token } = await api.createApiKey({ spec: spec() });
        expect(await works(token)).toBe("OK");
        const client = connect(emulator, token);
        const { principal, principalApiKey } = await client.api.getCurrentIdentity({});
        expect(principal).toMatchObject({ $case: "serviceAccount", value: { id: ownerId } });
        expect(principalApiKey).toMatchObject({ id: keyId, spec: { ownerTypeDeprecated: "service-account" } });
        client.close();

        const { resourceVersion = "" } = (await get(keyId)) ?? {};
        await api.updateApiKey({
            keyId,
            resourceVersion,
            spec: spec({ expiryTime: (await get(keyId))?.spec?.expiryTime, disabled: true }),
        });
        await api.getRegions({});
        expect(await works(token)).toBe("UNAUTHENTICATED: the key is not valid");

        emulator.apiKeys.change(keyId, (key) => {
            if (key.spec) key.spec.disabled = false;
        });
        expect(await works(token)).toBe("OK");
        emulator.apiKeys.change(keyId, (key) => {
            if (key.spec) key.spec.expiryTime = inMs(-1);
        });
        expect(await works(token)).toMatch(/^UNAUTHENTICATED/);
        expect((await get(keyId))?.state).toBe(ResourceState.RESOURCE_STATE_EXPIRED);

        const other = await api.createApiKey({ spec: spec() });
        await api.deleteApiKey({
            keyId: other.keyId,
            resourceVersion: (await get(other.keyId))?.resourceVersion ?? "",
        });
        await api.getRegions({});
        expect(await works(other.token)).toMatch(/^UNAUTHENTICATED/);
    });

    test.each<[string, () => DeepPartial<ApiKeySpec>, string]>([
        ["no name", () => ({ displayName: "" }), "INVALID_ARGUMENT: display_name is required"],
        ["no expiry", () => ({ expiryTime: undefined }), "INVALID_ARGUMENT: expiry_time is required"],
        ["an early expiry", () => ({ expiryTime: inMs(23 * hourMs) }), "INVALID_ARGUMENT: expiry_time must be between"],
        ["a late expiry", () => ({ expiryTime: inMs(732 * 24 * hourMs) }), "INVALID_ARGUMENT: expiry_time must be"],
        ["an unknown owner", () => ({ ownerId: "x" }), 'NOT_FOUND: owner "x" not found'],
        [
            "a user",
            () => ({ ownerType: OwnerType.OWNER_TYPE_USER }),
            "INVALID_ARGUMENT: owner_type must be service account",
        ],
        ["owner types that disagree", () => ({ ownerTypeDeprecated: "user" }), "INVALID_ARGUMENT: owner_type and"],
    ])("create refuses %s", async (_, wrong, message) => {
        expect(await errorOf(it.api.createApiKey({ spec: spec(wrong()) }))).toContain(message);
    });

    test("an owner has at most 20 that are not expired", async () => {
        const { api, emulator } = it;
        for (let count = 0; count < 20; count++) await api.createApiKey({ spec: spec() });
        expect(await errorOf(api.createApiKey({ spec: spec() }))).toMatch(/^FAILED_PRECONDITION: .*has 20 API keys/);
        const [first] = emulator.apiKeys.list();
        emulator.apiKeys.change(first?.id ?? "", (key) => {
            if (key.spec) key.spec.expiryTime = inMs(-1);
        });
        await api.createApiKey({ spec: spec() });
        expect((await api.getApiKeys({ ownerId })).apiKeys).toHaveLength(21);
        expect((await api.getApiKeys({ ownerId: "x" })).apiKeys).toHaveLength(0);
    });

    test("the owner stays; the expiry changes, unless the setting says otherwise", async () => {
        const { api, emulator } = it;
        const { keyId } = await api.createApiKey({ spec: spec() });
        const update = async (rest: DeepPartial<ApiKeySpec>) => {
            const key = await get(keyId);
            return api.updateApiKey({
                keyId,
                resourceVersion: key?.resourceVersion ?? "",
                spec: { ...key?.spec, ...rest },
            });
        };
        const other = emulator.serviceAccounts.add({ spec: { name: "other", access: account(ROLE_READ) } });
        expect(await errorOf(update({ ownerId: other.id }))).toContain("the owner of an API key cannot be changed");
        await update({ expiryTime: inMs(48 * hourMs) });
        emulator.settings.apiKeyExpiryImmutable = true;
        expect(await errorOf(update({ expiryTime: inMs(72 * hourMs) }))).toContain("expiry_time of an API key cannot");
        await update({ description: "hello" });
    });

    test("keys go with their owner", async () => {
        const { api, emulator } = it;
        const { token } = await api.createApiKey({ spec: spec() });
        const { serviceAccount } = await api.getServiceAccount({ serviceAccountId: ownerId });
        const { resourceVersion = "" } = serviceAccount ?? {};
        await api.deleteServiceAccount({ serviceAccountId: ownerId, resourceVersion });
        expect(emulator.apiKeys.list()).toHaveLength(0);
        expect(await works(token)).toMatch(/^UNAUTHENTICATED/);
    });

    test("a principal may do what its role says", async () => {
        const { api, emulator } = it;
        const { token } = await api.createApiKey({ spec: spec() });
        const client = connect(emulator, token);
        const create = (name: string) => errorOf(client.api.createNamespace({ spec: namespaceSpec({ name }) }));
        const invite = () =>
            errorOf(client.api.createUser({ spec: { email: "x@example.com", access: account(ROLE_READ) } }));
        const become = (role: AccountRole) =>
            emulator.serviceAccounts.change(ownerId, ({ spec: owner }) => {
                if (owner?.access?.accountAccess) owner.access.accountAccess.role = role;
            });
        expect([await create("a1"), await invite()]).toEqual(["OK", "OK"]);
        become(ROLE_DEVELOPER);
        expect(await create("a2")).toBe("OK");
        expect(await invite()).toMatch(/^PERMISSION_DENIED: .* may not call CreateUser$/);
        become(ROLE_READ);
        expect(await create("a3")).toMatch(/^PERMISSION_DENIED/);
        client.close();
    });
});

test("the owner of the root key is a service account or a user, and may be kept from listing", async () => {
    const { api, emulator } = it;
    const serviceAccount = await api.getCurrentIdentity({});
    expect(serviceAccount.principal).toMatchObject({
        $case: "serviceAccount",
        value: { spec: { access: { accountAccess: { role: ROLE_ADMIN } } } },
    });
    expect(serviceAccount.principalApiKey).toBeUndefined();
    emulator.settings.rootPrincipal = "user";
    expect((await api.getCurrentIdentity({})).principal).toMatchObject({ $case: "user", value: { spec: {} } });
    emulator.settings.rootMayList = false;
    const lists = [api.getNamespaces({}), api.getUsers({}), api.getServiceAccounts({}), api.getApiKeys({})];
    for (const list of lists) expect(await errorOf(list)).toMatch(/^PERMISSION_DENIED: user .* may not list$/);
    await api.getNamespace({ namespace });
    await api.getRegions({});
    expect(emulator.users.list()).toHaveLength(0);
    expect(emulator.serviceAccounts.list()).toHaveLength(0);
});

test("the account and its regions", async () => {
    const { account: found } = await it.api.getAccount({});
    expect(found?.id).toBe("a1b2c");
    const { regions } = await it.api.getRegions({});
    expect(regions).toContainEqual(
        expect.objectContaining({ id: "aws-us-east-1", cloudProvider: 1, cloudProviderRegion: "us-east-1" }),
    );
    expect((await it.api.getRegion({ region: "azure-eastus" })).region).toMatchObject({
        cloudProviderRegion: "eastus",
    });
    expect(await errorOf(it.api.getRegion({ region: "x" }))).toBe('NOT_FOUND: region "x" not found');
});
