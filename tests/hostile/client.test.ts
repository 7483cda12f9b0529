// Reads in pages, and the check of the account, against servers that lead them astray.

import { once } from "node:events";
import { Emulator } from "../../emulator";
import {
    GetNamespaceResponse,
    GetNamespacesResponse,
} from "../../proto/generated/temporal/api/cloud/cloudservice/v1/request_response";
import { Client } from "../../provider/client/client";
import type { Source } from "../../provider/client/source";
import { until } from "../support/until";
import { encoding, meaning, transport } from "./hostilities";
import { bagOf, kinds, sessionOf } from "./kinds";
import { frame, HostileServer, type Hostility } from "./server";

let emulator: Emulator;
let server: HostileServer;
let client: Client;

beforeEach(async () => {
    jest.spyOn(console, "error").mockImplementation(() => {});
    emulator = await Emulator.start();
    server = await HostileServer.start(emulator);
    client = clientOf(undefined);
});
afterEach(async () => {
    client.close();
    server.stop();
    await emulator.stop();
});

function clientOf(allowedAccountId: string | undefined): Client {
    return Client.for({
        apiKey: emulator.rootKey,
        endpoint: server.address,
        plaintext: true,
        allowedAccountId,
        requestsPerSecond: undefined,
        operationSalt: "",
    });
}

interface Named {
    readonly namespace: string;
}

/** The namespaces, as the lifecycle reads them. */
function source(): Source<Named> {
    const { cloud } = client;
    return {
        kind: "Namespace",
        get: async (id, options) =>
            (await cloud.getNamespace({ namespace: id }, options)).namespace ?? { namespace: "" },
        list: async (pageToken, options) => {
            const { namespaces, nextPageToken } = await cloud.getNamespaces({ pageSize: 1000, pageToken }, options);
            return { items: namespaces, nextPageToken };
        },
        idOf: ({ namespace }) => namespace,
        isGone: () => false,
    };
}

/** Reads that many namespaces side by side. */
function readAll(number: number, timeoutMs: number): Promise<string[]> {
    const ids = Array.from({ length: number }, (_, index) => `n-${index}.a1b2c`);
    for (const id of ids) {
        emulator.namespaces.add({ namespace: id, spec: { name: id.split(".")[0] ?? "" } });
    }
    return Promise.all(
        ids.map(
            async (id) => (await client.reads.read(source(), id, { signal: AbortSignal.timeout(timeoutMs) })).namespace,
        ),
    );
}

function answering(method: string, hostility: Hostility): void {
    server.hostility = (called) => (called === method ? hostility : undefined);
}

function page(count: number, nextPageToken: string, textBytes = 0): Uint8Array {
    const text = "x".repeat(textBytes);
    return GetNamespacesResponse.encode(
        GetNamespacesResponse.fromPartial({
            namespaces: Array.from({ length: count }, (_, index) => ({
                namespace: `stranger-${index}.a1b2c`,
                spec: { description: text },
            })),
            nextPageToken,
        }),
    ).finish();
}

const NUMBER = 40;

describe("a list of which", () => {
    test.each<[string, Hostility]>([
        ["every page names itself as the next", (call) => call.answer(page(0, "again"))],
        ["every page names a new one", (call) => call.answer(page(0, `page-${call.earlier}`))],
        [
            "every page is full of strangers and names a new one",
            (call) => call.answer(page(1_000, `page-${call.earlier}`)),
        ],
        ["the first page has 100,000 items", (call) => call.answer(page(100_000, ""))],
        ["the page has 60 MB", (call) => call.answer(page(1_000, "", 60_000))],
        ["the page has 130 MB", (call) => call.answer(page(1_000, "", 130_000))],
        [
            "the page never ends",
            async ({ stream }) => {
                stream.respond({ ":status": 200, "content-type": "application/grpc" });
                stream.write(frame(new Uint8Array(), 0xffff_ffff));
                const block = Buffer.alloc(1024 * 1024);
                while (!stream.destroyed) {
                    if (!stream.write(block)) {
                        await Promise.race([once(stream, "drain"), once(stream, "close")]);
                    }
                }
            },
        ],
        ["nothing can be read", encoding["answers with garbage"] as Hostility],
        ["the answer is empty", (call) => call.answer(new Uint8Array())],
        ["the items have no ids", meaning["gives a resource without its id"] as Hostility],
        ["the items are others", meaning["gives another resource"] as Hostility],
    ])("%s: all are read, in few requests more than one each", async (_, hostility) => {
        answering("GetNamespaces", hostility);
        const read = await readAll(NUMBER, 20_000);
        expect(read).toEqual(Array.from({ length: NUMBER }, (_item, index) => `n-${index}.a1b2c`));
        expect(server.calls.length).toBeLessThan(2 * NUMBER);
    });

    test("a page may take as long as all who wait for it have, a single read half a minute", async () => {
        await readAll(NUMBER, 20_000);
        // What is left of it when the request comes.
        const isWithin = (method: string, leastMs: number, mostMs: number) => {
            const allowedMs = server.allowedMs.get(method);
            expect(allowedMs).toBeGreaterThanOrEqual(leastMs);
            expect(allowedMs).toBeLessThanOrEqual(mostMs);
        };
        isWithin("GetNamespace", 25_000, 30_000);
        isWithin("GetNamespaces", 70_000, 75_000);
    });

    test("no page ever comes: the error says what was waited for, in time", async () => {
        answering("GetNamespaces", transport["never answers"] as Hostility);
        const startedAt = Date.now();
        await expect(readAll(NUMBER, 1_500)).rejects.toThrow("GetNamespaces had not been answered.");
        expect(Date.now() - startedAt).toBeLessThan(3_000);
    });

    test("the first reader gives up: the others get the page when it comes", async () => {
        let release = () => {};
        const released = new Promise<void>((resolve) => {
            release = resolve;
        });
        answering("GetNamespaces", async (call) => {
            const bytes = await call.genuine();
            await released;
            call.answer(bytes);
        });
        const impatient = new AbortController();
        for (const index of Array.from({ length: 8 }, (_, number) => number)) {
            emulator.namespaces.add({ namespace: `r-${index}.a1b2c`, spec: { name: `r-${index}` } });
        }
        const reading = (index: number, signal: AbortSignal) =>
            client.reads.read(source(), `r-${index}.a1b2c`, { signal });
        const patience = AbortSignal.timeout(20_000);
        await Promise.all([0, 1, 2].map((index) => reading(index, patience)));
        const first = reading(3, impatient.signal);
        const others = [4, 5, 6, 7].map((index) => reading(index, patience));
        await until("the page", () => server.calls.includes("GetNamespaces"));
        impatient.abort();
        await expect(first).rejects.toThrow("GetNamespaces had not been answered.");
        release();
        expect((await Promise.all(others)).map(({ namespace }) => namespace)).toEqual(
            [4, 5, 6, 7].map((index) => `r-${index}.a1b2c`),
        );
        expect(server.calls).toEqual(["GetNamespace", "GetNamespace", "GetNamespace", "GetNamespaces"]);
    });
});

test("a call that waits for its turn ends with its caller's time, and leaves the turn to others", async () => {
    const slow = Client.for({
        apiKey: emulator.rootKey,
        endpoint: server.address,
        plaintext: true,
        allowedAccountId: undefined,
        requestsPerSecond: 2,
        operationSalt: "",
    });
    const startedAt = Date.now();
    const calls = Array.from({ length: 12 }, (_, index) =>
        slow.cloud.getRegions({}, { signal: AbortSignal.timeout(index < 10 ? 700 : 20_000) }).then(
            () => "answered",
            (error: Error) => error.name,
        ),
    );
    const outcomes = await Promise.all(calls);
    slow.close();
    expect(outcomes.slice(10)).toEqual(["answered", "answered"]);
    expect(new Set(outcomes)).toEqual(new Set(["answered", "GivenUpError"]));
    // The ten that gave up took no turn from the two that did not.
    expect(Date.now() - startedAt).toBeLessThan(4_000);
});

test("a method that is refused for minutes, as where a quota is used up, is given up, and the server's reason shown", async () => {
    answering("CreateServiceAccount", (call) => call.fail(8, "10 service accounts are allowed"));
    const create = client.cloud.createServiceAccount({ spec: undefined, asyncOperationId: "op-1" });
    const failure = expect(create).rejects.toThrow(
        /RESOURCE_EXHAUSTED: 10 service accounts are allowed\. .*https:\/\/docs\.temporal\.io\/cloud\/limits/,
    );
    await until("a repetition", () => server.calls.length > 1);
    // Of an hour, the test takes a second.
    const now = performance.now.bind(performance);
    jest.spyOn(performance, "now").mockImplementation(() => now() + 3_600_000);
    await failure;
    jest.restoreAllMocks();
    const calls = server.calls.length;
    expect(calls).toBeLessThan(5);
});

test("a method that is refused and unavailable in turn is given up, too", async () => {
    answering("CreateServiceAccount", (call) => call.fail(call.earlier % 2 === 0 ? 8 : 14, "not now"));
    const create = client.cloud.createServiceAccount({ spec: undefined, asyncOperationId: "op-1" });
    const failure = expect(create).rejects.toThrow("not now");
    await until("a repetition", () => server.calls.length > 1);
    const now = performance.now.bind(performance);
    let hours = 0;
    // Each look at the clock is two minutes later: no attempt fails for five minutes in the same way as the one before.
    jest.spyOn(performance, "now").mockImplementation(() => {
        hours += 1 / 30;
        return now() + hours * 3_600_000;
    });
    await failure;
    jest.restoreAllMocks();
});

test("that a method was refused an hour ago, and never asked for since, does not count against the next call", async () => {
    answering("CreateServiceAccount", (call) =>
        call.earlier < 2 ? call.fail(8, "slower") : call.fail(3, "it was asked again"),
    );
    const impatient = new AbortController();
    const create = (signal?: AbortSignal) =>
        client.cloud.createServiceAccount({ spec: undefined, asyncOperationId: "op-1" }, signal ? { signal } : {});
    const first = expect(create(impatient.signal)).rejects.toThrow();
    await until("the first call", () => server.calls.length === 1);
    impatient.abort();
    await first;
    const now = performance.now.bind(performance);
    jest.spyOn(performance, "now").mockImplementation(() => now() + 3_600_000);
    await expect(create()).rejects.toThrow("it was asked again");
    jest.restoreAllMocks();
});

describe("where only one account is allowed, nothing is done when the server's answer to whose it is", () => {
    test.each<[string, Hostility, RegExp]>([
        ["names another", (call) => call.answer(accountAnswer("other")), /allows only "a1b2c". Nothing was changed/],
        ["names none", (call) => call.answer(accountAnswer("")), /allows only "a1b2c". Nothing was changed/],
        ["is empty", (call) => call.answer(new Uint8Array()), /allows only "a1b2c". Nothing was changed/],
        ["is garbage", encoding["answers with garbage"] as Hostility, /GetAccount: INTERNAL/],
        ["is a refusal", (call) => call.fail(7, "no"), /GetAccount: PERMISSION_DENIED: no/],
        ["never comes", () => {}, /GetAccount had not been answered/],
    ])("%s", async (_, hostility, message) => {
        answering("GetAccount", hostility);
        const guarded = clientOf("a1b2c");
        const session = sessionOf(guarded);
        const startedAt = Date.now();
        const errors = await Promise.all(
            kinds.flatMap((kind) => {
                const lifecycle = kind.lifecycle();
                const bag = (change = {}) => bagOf(kind, "guarded", "owner", "1s", change);
                return [
                    () => lifecycle.create(session, bag()),
                    () => lifecycle.update(session, "guarded", bag(), bag(kind.change)),
                    () => lifecycle.delete(session, "guarded", bag()),
                ].map(async (method) => {
                    const error = await method().then(
                        () => new Error("it was done"),
                        (failure: Error) => failure,
                    );
                    return error.message;
                });
            }),
        );
        guarded.close();
        expect(errors.filter((error) => !message.test(error))).toEqual([]);
        expect(new Set(server.calls)).toEqual(new Set(["GetAccount"]));
        expect(Date.now() - startedAt).toBeLessThan(4_000);
    });
});

/** `GetAccountResponse { account { id } }` */
function accountAnswer(id: string): Uint8Array {
    // Field 1 of either message is of the same type: a message, whose field 1 is a text.
    return GetNamespaceResponse.encode(GetNamespaceResponse.fromPartial({ namespace: { namespace: id } })).finish();
}

test("a turn that has been waited for is good for one attempt", async () => {
    answering("GetRegions", (call) => (call.earlier < 1 ? call.fail(8, "slower") : call.answer(new Uint8Array())));
    const turn = await client.limiter.acquire({ method: "GetRegions", priority: "read" });
    const acquire = jest.spyOn(client.limiter, "acquire");
    await client.cloud.getRegions({}, { turn });
    expect(server.calls).toEqual(["GetRegions", "GetRegions"]);
    expect(acquire).toHaveBeenCalledTimes(1);
});

test("that the account could not be asked for once is not held against whoever asks next", async () => {
    answering("GetAccount", (call) =>
        call.earlier < 1 ? call.fail(13, "no luck") : call.answer(accountAnswer("a1b2c")),
    );
    await expect(client.account.id()).rejects.toThrow("INTERNAL: no luck");
    await expect(client.account.id()).resolves.toBe("a1b2c");
    expect(server.calls).toEqual(["GetAccount", "GetAccount"]);
});

test("a server that has answered before is waited for, as long as a restart may take", async () => {
    await client.cloud.getRegions({});
    answering("GetRegions", (call) => call.fail(14, "restarting"));
    const outcome = client.cloud.getRegions({}).then(
        () => "answered",
        (error: Error) => error.message,
    );
    await until("a repetition", () => server.calls.length > 2);
    // Of a minute, the test takes a second.
    const now = performance.now.bind(performance);
    jest.spyOn(performance, "now").mockImplementation(() => now() + 60_000);
    const calls = server.calls.length;
    await Promise.race([outcome, until("another repetition", () => server.calls.length > calls + 1)]);
    server.hostility = () => undefined;
    expect(await outcome).toBe("answered");
    jest.restoreAllMocks();
});

test("a call that waits for its next attempt ends with its caller's time", async () => {
    answering("GetRegions", (call) => call.fail(14, "away"));
    jest.spyOn(Math, "random").mockReturnValue(1);
    const impatient = new AbortController();
    const call = client.cloud.getRegions({}, { signal: impatient.signal }).catch((error: Error) => error.name);
    await until("the fifth attempt", () => server.calls.length === 5);
    await new Promise((resolve) => setTimeout(resolve, 100));
    // The next would come 4 s after it.
    const startedAt = Date.now();
    impatient.abort();
    expect(await call).toBe("GivenUpError");
    expect(Date.now() - startedAt).toBeLessThan(2_000);
    jest.restoreAllMocks();
});

test("a write is repeated only under an operation id, by which the server knows it again", async () => {
    answering("CreateServiceAccount", (call) => (call.earlier < 2 ? call.fail(14, "away") : call.fail(3, "no")));
    await expect(client.cloud.createServiceAccount({ spec: undefined })).rejects.toThrow("UNAVAILABLE: away");
    expect(server.calls).toHaveLength(1);
    await expect(client.cloud.createServiceAccount({ asyncOperationId: "op-1" })).rejects.toThrow("no");
    expect(server.calls).toHaveLength(3);
});
