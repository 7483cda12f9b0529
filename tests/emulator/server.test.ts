import { createChannel, createClient } from "nice-grpc";
import { Status } from "nice-grpc-common";
import { HealthDefinition } from "nice-grpc-server-health";
import { Emulator, type Fault } from "../../emulator";
import { CloudServiceDefinition } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import { API_VERSION } from "../../proto/generated/version";
import { connect, errorOf, headers, namespaceSpec, use } from "./client";

const it = use();
const id = "orders.a1b2c";
const create = (name = "orders", asyncOperationId = "") =>
    it.api.createNamespace({ spec: namespaceSpec({ name }), asyncOperationId });
const get = (namespace = id) => it.api.getNamespace({ namespace });

afterEach(() => {
    jest.restoreAllMocks();
});

describe("headers", () => {
    test.each<[string, string | undefined, string | undefined, string]>([
        ["no key", undefined, API_VERSION, "UNAUTHENTICATED: no bearer key"],
        ["a wrong key", "wrong", API_VERSION, "UNAUTHENTICATED: the key is not valid"],
        ["no version", "root", undefined, "INVALID_ARGUMENT: the header temporal-cloud-api-version is required"],
        [
            "a malformed version",
            "root",
            "0.25",
            "INVALID_ARGUMENT: the header temporal-cloud-api-version must look like",
        ],
        ["both", "root", API_VERSION, "OK"],
    ])("%s", async (_, key, version, expected) => {
        const channel = createChannel(it.emulator.address);
        const api = createClient(CloudServiceDefinition, channel);
        const metadata = headers(key === "root" ? it.emulator.rootKey : key, version);
        expect(await errorOf(api.getRegions({}, { metadata }))).toContain(expected);
        channel.close();
    });

    test("the root key can be given", async () => {
        const emulator = await Emulator.start({ rootKey: "mine", account: "zz9zz" });
        const client = connect(emulator, "mine");
        expect((await client.api.getAccount({})).account?.id).toBe("zz9zz");
        client.close();
        await emulator.stop();
    });
});

test("what it does not know it says", async () => {
    expect(await errorOf(it.api.getUsage({}))).toBe("UNIMPLEMENTED: the emulator does not implement GetUsage yet");
});

test("the health service answers without a key", async () => {
    const channel = createChannel(it.emulator.address);
    expect((await createClient(HealthDefinition, channel).check({ service: "" })).status).toBe(1);
    channel.close();
});

test("it binds loopback, and stopping it frees its port and cuts its connections", async () => {
    const emulator = await Emulator.start();
    expect(emulator.address).toBe(`127.0.0.1:${emulator.port}`);
    const client = connect(emulator);
    await client.api.getRegions({});
    await emulator.stop();
    await emulator.stop();
    const next = await Emulator.start({ port: emulator.port });
    expect(next.port).toBe(emulator.port);
    await next.stop();
    client.close();
});

describe("lists", () => {
    beforeEach(() => {
        for (let number = 0; number < 250; number++) {
            // Not in the order of their names.
            const name = `n${String((number * 97) % 250).padStart(3, "0")}`;
            it.emulator.namespaces.add({ spec: namespaceSpec({ name }) });
        }
    });

    test("come in pages, in the order of the names, each thing once", async () => {
        const sizes: number[] = [];
        const names: string[] = [];
        let pageToken = "";
        do {
            const page = await it.api.getNamespaces({ pageToken });
            sizes.push(page.namespaces.length);
            names.push(...page.namespaces.map(({ namespace }) => namespace));
            pageToken = page.nextPageToken;
        } while (pageToken !== "");
        expect(sizes).toEqual([100, 100, 50]);
        expect(names).toEqual([...Array(250).keys()].map((number) => `n${String(number).padStart(3, "0")}.a1b2c`));
    });

    test("go on where they were when something is removed meanwhile", async () => {
        const first = await it.api.getNamespaces({ pageSize: 125 });
        for (const { namespace } of first.namespaces) it.emulator.namespaces.remove(namespace);
        it.emulator.namespaces.remove("n125.a1b2c");
        const second = await it.api.getNamespaces({ pageSize: 1000, pageToken: first.nextPageToken });
        expect(second.namespaces).toHaveLength(124);
        expect(second.namespaces[0]?.namespace).toBe("n126.a1b2c");
        expect(second.nextPageToken).toBe("");
    });

    test.each<[object, string]>([
        [{ pageSize: 1001 }, "page_size must be between 0 and 1000, not 1001"],
        [{ pageSize: -1 }, "page_size must be between 0 and 1000, not -1"],
        [{ pageToken: "hello" }, "page_token is not one that this list gave"],
    ])("refuse %j", async (request, message) => {
        expect(await errorOf(it.api.getNamespaces(request))).toBe(`INVALID_ARGUMENT: ${message}`);
    });

    test("refuse the token of another list", async () => {
        const { nextPageToken: pageToken } = await it.api.getNamespaces({});
        expect(await errorOf(it.api.getUsers({ pageToken }))).toContain("page_token");
        expect(await errorOf(it.api.getNamespaces({ pageToken, projectId: "x" }))).toContain("page_token");
    });

    test("are filtered by name", async () => {
        const named = await it.api.getNamespaces({ name: "n007" });
        expect(named.namespaces.map(({ namespace }) => namespace)).toEqual(["n007.a1b2c"]);
        expect((await it.api.getNamespaces({ name: "n" })).namespaces).toEqual([]);
    });

    test("of a thousand namespaces with large specs fit into one answer", async () => {
        for (let number = 250; number < 1000; number++) {
            const spec = namespaceSpec({
                name: `n${number}`,
                mtlsAuth: { acceptedClientCa: Buffer.alloc(10_000, "a") },
            });
            it.emulator.namespaces.add({ spec });
        }
        expect((await it.api.getNamespaces({ pageSize: 1000 })).namespaces).toHaveLength(1000);
    });
});

test("the way there and back takes its time, for a refusal too", async () => {
    it.emulator.settings.latencyMs = 60;
    // One in all, however long the test takes.
    it.emulator.settings.requestsPerSecond = 0.001;
    for (const expected of ["OK", "RESOURCE_EXHAUSTED: rate limit exceeded"]) {
        const startedAt = performance.now();
        expect(await errorOf(it.api.getRegions({}))).toBe(expected);
        // A timer may go off a millisecond early, and there are two.
        expect(performance.now() - startedAt).toBeGreaterThanOrEqual(58);
        const arrivedAt = it.emulator.requests.all.at(-1)?.at ?? 0;
        expect(Date.now() - arrivedAt).toBeGreaterThanOrEqual(28);
    }
});

describe("rate limit", () => {
    const requests = async (count: number, call = () => it.api.getRegions({}) as Promise<unknown>) => {
        const answers = [];
        for (let number = 0; number < count; number++) answers.push(await errorOf(call()));
        return answers.filter((answer) => answer === "OK").length;
    };

    test("of a principal: a burst of one second's worth, then as time passes", async () => {
        const now = Date.now();
        const clock = jest.spyOn(Date, "now").mockReturnValue(now);
        it.emulator.settings.requestsPerSecond = 5;
        expect(await requests(8)).toBe(5);
        expect(await errorOf(it.api.getRegions({}))).toBe("RESOURCE_EXHAUSTED: rate limit exceeded");
        expect(it.emulator.requests.refused).toBe(4);
        clock.mockReturnValue(now + 400);
        expect(await requests(5)).toBe(2);
        clock.mockReturnValue(now + 60_000);
        expect(await requests(8)).toBe(5);
        it.emulator.settings.requestsPerSecond = 0;
        expect(await requests(20)).toBe(20);
    });

    test("of the account: for all its principals together", async () => {
        jest.spyOn(Date, "now").mockReturnValue(Date.now());
        it.emulator.settings.accountRequestsPerSecond = 4;
        expect(await requests(3)).toBe(3);
        it.emulator.settings.rootPrincipal = "user";
        expect(await requests(3)).toBe(1);
    });
});

test("the log says what was asked", async () => {
    const { emulator, api } = it;
    await create("orders", "one");
    await errorOf(get("x.a1b2c"));
    await get();
    const { principal } = await api.getCurrentIdentity({});
    expect(emulator.requests.count()).toBe(4);
    expect(emulator.requests.count("GetNamespace")).toBe(2);
    expect(emulator.requests.byMethod()).toEqual({ CreateNamespace: 1, GetCurrentIdentity: 1, GetNamespace: 2 });
    expect(emulator.requests.all[0]).toEqual({
        method: "CreateNamespace",
        at: expect.any(Number),
        code: Status.OK,
        principal: principal?.value.id,
        apiVersion: API_VERSION,
        operationId: "one",
        resourceId: id,
    });
    expect(emulator.requests.all[1]).toMatchObject({ code: Status.NOT_FOUND, resourceId: "x.a1b2c" });
    emulator.requests.reset();
    expect(emulator.requests.all).toEqual([]);
    expect(emulator.requests.count()).toBe(0);
});

describe("faults", () => {
    const add = (fault: Fault) => it.emulator.faults.add(fault);

    test("of an RPC that there is not are refused", () => {
        expect(() => add({ method: "CreateNamespaces", kind: "failBefore" })).toThrow(
            "No RPC matches CreateNamespaces.",
        );
        expect(() => add({ method: /^create/, kind: "failBefore" })).toThrow("No RPC matches /^create/.");
        expect(() => it.emulator.faults.random({ seed: 1, method: "Get" })).toThrow("No RPC matches Get.");
        expect(it.emulator.faults.pending).toBe(0);
    });

    test("fail before: nothing is processed", async () => {
        add({ method: "CreateNamespace", kind: "failBefore", times: 2, after: 1, details: "not now" });
        expect(await errorOf(create("first"))).toBe("OK");
        expect(await errorOf(create())).toBe("UNAVAILABLE: not now");
        expect(await errorOf(create())).toBe("UNAVAILABLE: not now");
        expect(it.emulator.namespaces.list()).toHaveLength(1);
        expect(it.emulator.faults.pending).toBe(0);
        expect(await errorOf(create())).toBe("OK");
    });

    test("lose the answer: all is processed", async () => {
        add({ method: /^Create/, kind: "loseAnswer", code: Status.INTERNAL });
        expect(await errorOf(create("orders", "one"))).toMatch(/^INTERNAL/);
        expect(it.emulator.namespaces.list()).toHaveLength(1);
        expect((await create("orders", "one")).namespace).toBe(id);
        expect(it.emulator.requests.all[0]).toMatchObject({ code: Status.INTERNAL, resourceId: id });
    });

    test("cut the connection", async () => {
        add({ method: "CreateNamespace", kind: "loseAnswer", cut: true });
        expect(await errorOf(create())).toMatch(/^UNAVAILABLE: (?!this fault)/);
        expect(it.emulator.namespaces.list()).toHaveLength(1);
        await get();
    });

    test("only for one resource, by its id or, before it has one, its name", async () => {
        add({ method: /./, kind: "failBefore", resourceId: "payments" });
        add({ method: "GetNamespace", kind: "failBefore", resourceId: /^payments\./ });
        await create();
        expect(await errorOf(create("payments", "operation"))).toMatch(/^UNAVAILABLE/);
        expect(it.emulator.requests.all.at(-1)).toMatchObject({ operationId: "operation" });
        expect(it.emulator.requests.all.at(-1)?.resourceId).toBeUndefined();
        await create("payments", "operation");
        await get();
        expect(await errorOf(get("payments.a1b2c"))).toMatch(/^UNAVAILABLE/);
    });

    test("let somebody else be faster", async () => {
        await create();
        const { namespace } = await get();
        const { resourceVersion = "" } = namespace ?? {};
        const run = () =>
            it.emulator.namespaces.change(id, (changed) => {
                changed.tags = { team: "b" };
            });
        add({ method: "UpdateNamespace", kind: "run", run });
        const spec = namespaceSpec({ retentionDays: 5 });
        const update = it.api.updateNamespace({ namespace: id, resourceVersion, spec });
        expect(await errorOf(update)).toMatch(/is stale$/);
        expect((await get()).namespace?.tags).toEqual({ team: "b" });
    });

    test("hide what was created", async () => {
        const now = Date.now();
        const clock = jest.spyOn(Date, "now").mockReturnValue(now);
        add({ method: "CreateNamespace", kind: "hideCreated", durationMs: 5_000 });
        add({ method: "CreateNamespace", kind: "hideCreated", durationMs: 5_000, code: Status.NOT_FOUND });
        await create();
        await create("payments");
        expect(await errorOf(get())).toBe(`PERMISSION_DENIED: namespace "${id}" is not visible yet`);
        expect(await errorOf(get("payments.a1b2c"))).toMatch(/^NOT_FOUND/);
        expect((await it.api.getNamespaces({})).namespaces).toHaveLength(0);
        clock.mockReturnValue(now + 5_001);
        expect((await get()).namespace?.namespace).toBe(id);
        expect((await it.api.getNamespaces({})).namespaces).toHaveLength(2);
    });

    test("hide an operation", async () => {
        const now = Date.now();
        const clock = jest.spyOn(Date, "now").mockReturnValue(now);
        add({ method: "CreateNamespace", kind: "hideOperation", durationMs: 5_000, code: Status.NOT_FOUND });
        const { asyncOperation } = await it.api.createNamespace({ spec: namespaceSpec() });
        const { id: asyncOperationId = "" } = asyncOperation ?? {};
        const look = () => it.api.getAsyncOperation({ asyncOperationId });
        expect(await errorOf(look())).toBe(`NOT_FOUND: operation "${asyncOperationId}" is not visible yet`);
        expect((await get()).namespace?.namespace).toBe(id);
        clock.mockReturnValue(now + 5_001);
        expect((await look()).asyncOperation?.id).toBe(asyncOperationId);
    });

    test("hang until the caller gives up, slow down until the answer comes", async () => {
        add({ method: "GetRegions", kind: "hang" });
        const abort = new AbortController();
        const hanging = it.api.getRegions({}, { signal: abort.signal });
        const settled = jest.fn();
        hanging.then(settled, settled);
        add({ method: "GetAccount", kind: "slow", durationMs: 30 });
        await it.api.getAccount({});
        expect(settled).not.toHaveBeenCalled();
        abort.abort();
        await expect(hanging).rejects.toThrow();
    });

    test("a hanging call does not keep it from stopping", async () => {
        add({ method: "GetRegions", kind: "hang" });
        const hanging = errorOf(it.api.getRegions({}));
        await get().catch(() => {});
        await it.emulator.stop();
        expect(await hanging).toMatch(/^(UNAVAILABLE|CANCELLED|INTERNAL)/);
    });

    test.each<[Fault["shape"], (answer: unknown) => void]>([
        ["empty", (answer) => expect(answer).toMatchObject({ namespaces: [], nextPageToken: "" })],
        ["wrongTypes", (answer) => expect(answer).toMatchObject({ namespaces: [] })],
        ["endlessPages", (answer) => expect(answer).toMatchObject({ namespaces: [{}], nextPageToken: "endless" })],
        ["endlessEmptyPages", (answer) => expect(answer).toMatchObject({ namespaces: [], nextPageToken: "endless" })],
        ["huge", (answer) => expect(answer).toMatchObject({ namespaces: [{}] })],
    ])("malformed: %s", async (shape, check) => {
        await create();
        add({ method: "GetNamespaces", kind: "malformed", shape: shape ?? "empty", sizeBytes: 1_000_000, times: 2 });
        check(await it.api.getNamespaces({}));
        if (shape?.startsWith("endless")) check(await it.api.getNamespaces({ pageToken: "endless" }));
    });

    test("malformed: garbage", async () => {
        add({ method: "GetNamespaces", kind: "malformed" });
        expect(await errorOf(it.api.getNamespaces({}))).not.toBe("OK");
    });

    test("at random, the same for the same seed", async () => {
        const run = async () => {
            it.emulator.faults.random({ seed: 7, failBefore: 0.3, loseAnswer: 0.2 });
            const answers = [];
            for (let number = 0; number < 60; number++) answers.push(await errorOf(it.api.getRegions({})));
            return answers;
        };
        const first = await run();
        expect(first).toEqual(await run());
        expect(first).toContain("UNAVAILABLE: random fault (seed 7)");
        const failed = first.filter((answer) => answer !== "OK").length;
        expect(failed).toBeGreaterThan(10);
        expect(failed).toBeLessThan(45);
        it.emulator.faults.clear();
        expect(await errorOf(it.api.getRegions({}))).toBe("OK");
    });
});
