import { Status } from "nice-grpc-common";
import type { FailedEnd, Settings } from "../../emulator";
import {
    CreateNamespaceRequest,
    type CreateNamespaceRequest as Request,
} from "../../proto/generated/temporal/api/cloud/cloudservice/v1/request_response";
import type { DeepPartial } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import { OwnerType } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import { AsyncOperation_State as State } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import { errorOf, namespaceSpec, use } from "./client";

const it = use();
const id = "orders.a1b2c";
const never = Number.POSITIVE_INFINITY;

const create = (request: DeepPartial<Request> = {}) => it.api.createNamespace({ spec: namespaceSpec(), ...request });
const get = async () => (await it.api.getNamespace({ namespace: id })).namespace;
const version = async () => (await get())?.resourceVersion ?? "";
const operation = async (asyncOperationId: string) =>
    (await it.api.getAsyncOperation({ asyncOperationId })).asyncOperation;
const update = (resourceVersion: string, retentionDays = 5, asyncOperationId = "") =>
    it.api.updateNamespace({
        namespace: id,
        resourceVersion,
        asyncOperationId,
        spec: namespaceSpec({ retentionDays }),
    });
const remove = (resourceVersion: string) => it.api.deleteNamespace({ namespace: id, resourceVersion });

afterEach(() => {
    jest.restoreAllMocks();
});

/** Has the emulator believe that so much time has passed. */
function pass(ms: number): void {
    const now = Date.now();
    jest.spyOn(Date, "now").mockReturnValue(now + ms);
}

test("an operation is pending, then in progress, then over, and its resource goes along", async () => {
    const { settings } = it.emulator;
    Object.assign(settings, { operationDurationMs: 60_000, checkDurationMs: 1_500 });
    const { asyncOperation: pending } = await create({ asyncOperationId: "one" });
    expect(pending).toMatchObject({
        id: "one",
        state: State.STATE_PENDING,
        operationType: "CreateNamespace",
        checkDuration: { seconds: 1n, nanos: 500_000_000 },
        failureReason: "",
        finishedTime: undefined,
    });
    expect(pending?.operationInput?.typeUrl).toBe(
        "type.googleapis.com/temporal.api.cloud.cloudservice.v1.CreateNamespaceRequest",
    );
    const input = CreateNamespaceRequest.decode(pending?.operationInput?.value ?? new Uint8Array());
    expect(input.spec?.name).toBe("orders");
    const activating = await get();
    expect(activating).toMatchObject({ state: ResourceState.RESOURCE_STATE_ACTIVATING, asyncOperationId: "one" });
    pass(30_000);
    expect((await operation("one"))?.state).toBe(State.STATE_IN_PROGRESS);
    pass(30_000);
    const over = await operation("one");
    expect(over?.state).toBe(State.STATE_FULFILLED);
    expect(over?.finishedTime?.seconds).toBe((over?.startedTime?.seconds ?? 0n) + 60n);
    const active = await get();
    expect(active).toMatchObject({ state: ResourceState.RESOURCE_STATE_ACTIVE, asyncOperationId: "" });
    expect(active?.resourceVersion).not.toBe(activating?.resourceVersion);

    await update(await version());
    expect(await get()).toMatchObject({ state: ResourceState.RESOURCE_STATE_UPDATING, spec: { retentionDays: 30 } });
    pass(60_000);
    expect(await get()).toMatchObject({ state: ResourceState.RESOURCE_STATE_ACTIVE, spec: { retentionDays: 5 } });
    await remove(await version());
    expect(await get()).toMatchObject({ state: ResourceState.RESOURCE_STATE_DELETING });
    pass(60_000);
    expect(await errorOf(get())).toMatch(/^NOT_FOUND/);
});

test("an operation can be over in the answer that starts it", async () => {
    it.emulator.settings.completeAtOnce = true;
    const { asyncOperation } = await create();
    expect(asyncOperation?.state).toBe(State.STATE_FULFILLED);
    expect(asyncOperation?.id).toMatch(/^[0-9a-f-]{36}$/);
});

test("an unknown operation is not found", async () => {
    expect(await errorOf(operation("x"))).toBe('NOT_FOUND: operation "x" not found');
});

describe("resource versions", () => {
    test.each([Status.FAILED_PRECONDITION, Status.ABORTED, Status.INVALID_ARGUMENT])(
        "a stale one, and a second write while one is in flight, is refused with code %s",
        async (code) => {
            it.emulator.settings.staleVersionCode = code;
            await create();
            const first = await version();
            await update(first);
            await get();
            expect(await errorOf(update(first))).toBe(
                `${Status[code]}: resource_version ${first} of namespace "${id}" is stale`,
            );
            expect(await errorOf(remove(first))).toContain("is stale");
            it.emulator.settings.operationDurationMs = never;
            await update(await version(), 6, "six");
            expect(await errorOf(update(await version(), 7))).toBe(
                `${Status[code]}: operation six is in flight on namespace "${id}"`,
            );
            it.emulator.finishOperations();
            await update(await version(), 7);
        },
    );

    test("one is required", async () => {
        await create();
        expect(await errorOf(update(""))).toBe("INVALID_ARGUMENT: resource_version is required");
    });
});

describe("operation ids", () => {
    test("the same id and request gives the first answer, whatever has happened since", async () => {
        const request = { asyncOperationId: "mine", tags: { a: "1", b: "2" } };
        const first = await create(request);
        const again = await create({ ...request, tags: { b: "2", a: "1" } });
        expect(again.namespace).toBe(first.namespace);
        expect(again.asyncOperation?.startedTime).toEqual(first.asyncOperation?.startedTime);
        await remove(await version());
        await create(request);
        expect(await errorOf(get())).toMatch(/^NOT_FOUND/);
        expect(it.emulator.namespaces.list()).toHaveLength(0);
    });

    test("an update and a deletion are replayed, too", async () => {
        await create();
        const first = await version();
        await update(first, 5, "u");
        await update(first, 5, "u");
        const request = { namespace: id, resourceVersion: await version(), asyncOperationId: "d" };
        await it.api.deleteNamespace(request);
        const { asyncOperation } = await it.api.deleteNamespace(request);
        expect(asyncOperation).toMatchObject({ id: "d", state: State.STATE_FULFILLED });
    });

    test("another request under a remembered id is refused, or not, as the setting says", async () => {
        await create({ asyncOperationId: "mine" });
        const other = () => create({ asyncOperationId: "mine", tags: { a: "1" } });
        expect(await errorOf(other())).toBe("INVALID_ARGUMENT: async_operation_id mine was used for another request");
        it.emulator.settings.reusedOperationId = "replay";
        expect((await other()).namespace).toBe(id);
        expect(await errorOf(update(await version(), 5, "mine"))).toContain("was used for another request");
    });

    test("what was refused is not remembered", async () => {
        expect(await errorOf(create({ asyncOperationId: "mine", tags: { A: "1" } }))).toMatch(/^INVALID_ARGUMENT/);
        await create({ asyncOperationId: "mine" });
    });

    test("they are forgotten after their time", async () => {
        it.emulator.settings.operationIdRetentionMs = 60_000;
        await create({ asyncOperationId: "mine" });
        await remove(await version());
        await operation("mine");
        pass(60_001);
        expect(await errorOf(operation("mine"))).toMatch(/^NOT_FOUND/);
        await create({ asyncOperationId: "mine" });
        expect(await get()).toBeDefined();
    });

    test.each([true, false])("a replayed CreateApiKey returns its token: %s", async (returns) => {
        const { emulator, api } = it;
        emulator.settings.replayedCreateReturnsToken = returns;
        const { id: ownerId } = emulator.serviceAccounts.add({ spec: { name: "worker", access: {} } });
        const expiryTime = { seconds: BigInt(Math.floor(Date.now() / 1000) + 90 * 24 * 3600), nanos: 0 };
        const ownerType = OwnerType.OWNER_TYPE_SERVICE_ACCOUNT;
        const request = { asyncOperationId: "key", spec: { ownerId, ownerType, displayName: "key", expiryTime } };
        const first = await api.createApiKey(request);
        expect(first.token).toMatch(/^tmprl_/);
        const again = await api.createApiKey(request);
        expect(again).toMatchObject({ keyId: first.keyId, token: returns ? first.token : "" });
        expect(emulator.apiKeys.list()).toHaveLength(1);
    });
});

describe("operations that end badly", () => {
    const ends: [FailedEnd, State][] = [
        ["FAILED", State.STATE_FAILED],
        ["REJECTED", State.STATE_REJECTED],
        ["CANCELLED", State.STATE_CANCELLED],
    ];

    test.each(ends)(
        "a create that ends %s leaves a resource that is not active, or nothing",
        async (state, expected) => {
            const { emulator } = it;
            emulator.faults.add({
                method: "CreateNamespace",
                kind: "operationEnds",
                state,
                reason: "no room",
                times: 2,
            });
            await create({ asyncOperationId: "one" });
            expect(await operation("one")).toMatchObject({ state: expected, failureReason: "no room" });
            expect(await get()).toMatchObject({
                state: ResourceState.RESOURCE_STATE_ACTIVATION_FAILED,
                asyncOperationId: "",
            });
            await remove(await version());
            emulator.settings.failedCreateLeavesResource = false;
            await create({ asyncOperationId: "two" });
            expect((await operation("two"))?.state).toBe(expected);
            expect(await errorOf(get())).toMatch(/^NOT_FOUND/);
            await create();
            expect(await get()).toMatchObject({ state: ResourceState.RESOURCE_STATE_ACTIVE });
        },
    );

    test.each(ends)("an update that ends %s changes nothing", async (state, expected) => {
        await create();
        it.emulator.faults.add({ method: /^Update/, kind: "operationEnds", state });
        await update(await version(), 5, "u");
        expect((await operation("u"))?.state).toBe(expected);
        const { RESOURCE_STATE_UPDATE_FAILED, RESOURCE_STATE_ACTIVE } = ResourceState;
        expect(await get()).toMatchObject({
            state: state === "FAILED" ? RESOURCE_STATE_UPDATE_FAILED : RESOURCE_STATE_ACTIVE,
            spec: { retentionDays: 30 },
        });
        await update(await version());
        expect(await get()).toMatchObject({ state: RESOURCE_STATE_ACTIVE, spec: { retentionDays: 5 } });
    });

    test("a deletion that fails deletes nothing", async () => {
        await create();
        it.emulator.faults.add({ method: "DeleteNamespace", kind: "operationEnds" });
        await remove(await version());
        expect(await get()).toMatchObject({ state: ResourceState.RESOURCE_STATE_DELETE_FAILED });
    });
});

test.each<[Partial<Settings>, string, string]>([
    [{}, 'FAILED_PRECONDITION: namespace "orders.a1b2c" has delete protection enabled', ""],
    [{ protectedDeleteCode: Status.INVALID_ARGUMENT }, "INVALID_ARGUMENT: namespace", ""],
    [{ protectedDeleteFrom: "operation" }, "OK", "has delete protection enabled"],
])("delete protection under %j", async (settings, error, reason) => {
    Object.assign(it.emulator.settings, settings);
    await create({ spec: namespaceSpec({ lifecycle: { enableDeleteProtection: true } }) });
    const resourceVersion = await version();
    const call = it.api.deleteNamespace({ namespace: id, resourceVersion, asyncOperationId: "d" });
    expect(await errorOf(call)).toContain(error);
    if (reason !== "") {
        const ended = await operation("d");
        expect(ended?.state).toBe(State.STATE_FAILED);
        expect(ended?.failureReason).toContain(reason);
    }
    expect(await get()).toBeDefined();
});

test("what was deleted can stay readable for a while, and its name is free", async () => {
    it.emulator.settings.deletedReadableMs = 60_000;
    await create();
    const first = await version();
    await remove(first);
    expect(await get()).toMatchObject({ state: ResourceState.RESOURCE_STATE_DELETED });
    expect((await it.api.getNamespaces({})).namespaces).toHaveLength(1);
    expect(await errorOf(update(first))).toMatch(/^NOT_FOUND/);
    await create();
    expect(await get()).toMatchObject({ state: ResourceState.RESOURCE_STATE_ACTIVE });
    await remove(await version());
    await get();
    pass(60_001);
    expect(await errorOf(get())).toMatch(/^NOT_FOUND/);
});

test("a change behind the back survives the update that is in flight", async () => {
    await create();
    it.emulator.settings.operationDurationMs = never;
    await update(await version());
    it.emulator.namespaces.change(id, ({ spec }) => {
        if (spec) spec.description = "changed";
    });
    it.emulator.finishOperations();
    expect((await get())?.spec).toMatchObject({ description: "changed", retentionDays: 5 });
});
