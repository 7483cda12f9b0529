// Every method of every kind against every hostility, on each RPC that it uses: it ends within its time, with an error
// that says what happened or with success; success is the truth; and after an error, the next `up` gets there without
// losing or doubling anything.

import { appendFileSync } from "node:fs";
import { inspect } from "node:util";
import { Emulator } from "../../emulator";
import { Client } from "../../provider/client/client";
import type { Bag } from "../../provider/fields";
import { HalfFinishedError, LifecycleError, type Session } from "../../provider/lifecycle/run";
import { hostilities, meaning } from "./hostilities";
import { type AnyLifecycle, bagOf, type Kind, kinds, type Method, rpcsOf, sessionOf } from "./kinds";
import { HostileServer, type Hostility } from "./server";

const TIMEOUT_MS = 1_500;
const AT_ONCE = 40;
/** A last look after an update that was cut off may take as long again. */
const PATIENCE_MS = 60_000;
/** A cell that has taken longer beside others has to show that it does not by itself. */
const END_MS = 2 * TIMEOUT_MS + 1_500;

let emulator: Emulator;
let cells = 0;

beforeAll(async () => {
    // gRPC complains there of servers that misbehave.
    jest.spyOn(console, "error").mockImplementation(() => {});
    emulator = await Emulator.start({ settings: { checkDurationMs: 100, replayedCreateReturnsToken: false } });
});
afterAll(() => emulator.stop());

type MakeBag = (timeoutMs: number, change?: Bag) => Bag;

interface Cell {
    readonly kind: Kind;
    readonly method: Method;
    readonly rpc: string;
}

const all: readonly Cell[] = kinds.flatMap((kind) =>
    (["create", "read", "update", "delete"] as const).flatMap((method) =>
        rpcsOf(kind.kind, method).map((rpc) => ({ kind, method, rpc })),
    ),
);

/**
 * With `TEMPORAL_CLOUD_TEST_HOSTILE=all`, all kinds. Else what goes wrong below the meaning of messages is tried on one
 * kind after the other, and the rest on the two that have the least in common.
 */
function cellsOf(title: string): readonly Cell[] {
    if (process.env.TEMPORAL_CLOUD_TEST_HOSTILE === "all") {
        return all;
    }
    const inTurn = kinds[Object.keys(hostilities).indexOf(title) % kinds.length];
    return title in meaning
        ? all.filter(({ kind }) => kind.kind === "Namespace" || kind.kind === "ApiKey")
        : all.filter(({ kind }) => kind === inTurn);
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

let running = 0;
const queue: (() => void)[] = [];

/** Runs cells side by side, but not all at once; one that takes the place of all runs alone. */
async function inTurn<T>(work: () => Promise<T>, places = 1): Promise<T> {
    while (running + places > AT_ONCE) {
        await new Promise<void>((resolve) => queue.push(resolve));
    }
    running += places;
    try {
        return await work();
    } finally {
        running -= places;
        for (const wake of queue.splice(0)) {
            wake();
        }
    }
}

async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
    try {
        return { value: await work() };
    } catch (error) {
        return { error };
    }
}

interface Ended {
    readonly said: string;
    readonly tookMs: number;
    /** What is wrong with how it ended; nothing, if all is well. */
    readonly wrong: readonly string[];
}

/** One cell, and what a cell alone takes if this one took long. */
async function inTime(cell: Cell, hostility: Hostility): Promise<Ended> {
    const first = await inTurn(() => run(cell, hostility));
    if (first.tookMs <= END_MS) {
        return first;
    }
    const { said, tookMs, wrong } = await inTurn(() => run(cell, hostility), AT_ONCE);
    const late = tookMs > END_MS ? [`took ${first.tookMs} ms, and ${tookMs} ms alone`] : [];
    return { said, tookMs, wrong: [...first.wrong, ...wrong, ...late] };
}

async function run({ kind, method, rpc }: Cell, hostility: Hostility): Promise<Ended> {
    const server = await HostileServer.start(emulator);
    const client = Client.for({
        apiKey: emulator.rootKey,
        endpoint: server.address,
        plaintext: true,
        allowedAccountId: undefined,
        requestsPerSecond: undefined,
        operationSalt: "",
    });
    const session = sessionOf(client);
    const name = `cell-${cells++}`;
    // An owner has twenty keys at most.
    const ownerId = emulator.serviceAccounts.add({ spec: { name: `owner of ${name}` } }).id;
    const lifecycle = kind.lifecycle();
    const bag = (timeoutMs: number, change?: Bag) =>
        lifecycle.check({}, bagOf(kind, name, ownerId, `${timeoutMs}ms`, change)).inputs as Bag;
    const wrong: string[] = [];
    try {
        const before = method === "create" ? undefined : await prepare(lifecycle, session, bag);
        server.hostility = (called) => (called === rpc ? hostility : undefined);
        const started = Date.now();
        const outcome = await outcomeOf(async () => {
            switch (method) {
                case "create":
                    return lifecycle.create(session, bag(TIMEOUT_MS));
                case "read":
                    return lifecycle.read(session, before?.id ?? "", before?.outs ?? {});
                case "update":
                    return lifecycle.update(
                        session,
                        before?.id ?? "",
                        before?.outs ?? {},
                        bag(TIMEOUT_MS, kind.change),
                    );
                case "delete":
                    return lifecycle.delete(session, before?.id ?? "", before?.outs ?? {});
            }
        });
        const tookMs = Date.now() - started;
        server.hostility = () => undefined;
        wrong.push(...judge(kind, name, method, before?.id, outcome));
        wrong.push(...(await recover(kind, lifecycle, session, name, method, bag, before, outcome)));
        const said = "error" in outcome ? (outcome.error as Error).message : JSON.stringify(outcome.value);
        return { said, tookMs, wrong };
    } finally {
        client.close();
        server.stop();
    }
}

/** A resource whose later methods have little time, as `customTimeouts` says. */
async function prepare(lifecycle: AnyLifecycle, session: Session, bag: MakeBag): Promise<{ id: string; outs: Bag }> {
    const { id, outs } = await lifecycle.create(session, bag(PATIENCE_MS));
    return { id, outs: { ...outs, __context: bag(TIMEOUT_MS).__context } };
}

function judge(kind: Kind, name: string, method: Method, id: string | undefined, outcome: Outcome): string[] {
    const ids = kind.ids(emulator, name);
    if ("value" in outcome) {
        const { value } = outcome;
        if (value !== undefined && !isJson(value)) {
            return [`no JSON: ${inspect(value)}`];
        }
        switch (method) {
            case "create":
                return ids.includes((value as { id: string }).id)
                    ? []
                    : [`created ${inspect(value)}, which is not there`];
            case "read":
                return value === undefined ? ["read as gone, and is there"] : [];
            case "update":
                return kind.isChanged(emulator, id ?? "") ? [] : ["updated, and is not"];
            case "delete":
                return ids.length === 0 ? [] : ["deleted, and is there"];
        }
    }
    const { error } = outcome;
    if (!(error instanceof LifecycleError || error instanceof HalfFinishedError)) {
        return [`threw ${inspect(error)}`];
    }
    const wrong: string[] = [];
    if (!error.message.startsWith(`${kind.kind} "${name}"`)) {
        wrong.push(`does not say what it is about: ${error.message}`);
    }
    if (/undefined|\[object|TypeError|is not a function|Cannot read/.test(error.message)) {
        wrong.push(`stumbled: ${error.message}`);
    }
    if (error.message.length > 3_000) {
        wrong.push(`says too much: ${error.message.length} characters`);
    }
    if (inspect(error, { depth: 20 }).includes(emulator.rootKey)) {
        wrong.push("shows the key");
    }
    if (
        error instanceof HalfFinishedError &&
        (!isJson(error.properties) || error.properties.__provider === undefined)
    ) {
        wrong.push(`cannot be kept: ${inspect(error.properties)}`);
    }
    return wrong;
}

/** What the next `up` makes of it, on a server that has come to its senses. */
async function recover(
    kind: Kind,
    lifecycle: AnyLifecycle,
    session: Session,
    name: string,
    method: Method,
    bag: MakeBag,
    before: { id: string; outs: Bag } | undefined,
    outcome: Outcome,
): Promise<string[]> {
    if (method === "delete") {
        const id = before?.id ?? "";
        const outs = { ...before?.outs, __context: bag(PATIENCE_MS).__context };
        const again = "error" in outcome ? await outcomeOf(() => lifecycle.delete(session, id, outs)) : {};
        const left = kind.ids(emulator, name);
        return "error" in again || left.length > 0 ? [`is not deleted by the next up: ${inspect(again)} ${left}`] : [];
    }
    const half = "error" in outcome && outcome.error instanceof HalfFinishedError ? outcome.error : undefined;
    const created =
        method === "create" && "value" in outcome ? (outcome.value as { id: string; outs: Bag }) : undefined;
    const state = half ? { id: half.id, outs: half.properties } : (created ?? before);
    const outs = { ...state?.outs, __context: bag(PATIENCE_MS).__context };
    const again = await outcomeOf(async () => {
        if (state === undefined || (half && state.outs.__replace === true)) {
            if (state) {
                await lifecycle.delete(session, state.id, outs);
            }
            return (await lifecycle.create(session, bag(PATIENCE_MS))).id;
        }
        await lifecycle.update(session, state.id, outs, bag(PATIENCE_MS, kind.change));
        return state.id;
    });
    const ids = kind.ids(emulator, name);
    if ("error" in again) {
        return [`the next up fails: ${(again.error as Error).message}`];
    }
    return ids.length === 1 && ids[0] === again.value ? [] : [`the next up has ${inspect(again.value)} of ${ids}`];
}

function isJson(value: unknown): boolean {
    try {
        expect(JSON.parse(JSON.stringify(value))).toEqual(value);
        return true;
    } catch {
        return false;
    }
}

test.concurrent.each(Object.entries(hostilities))(
    "a server that %s",
    async (title, hostility) => {
        const results = await Promise.all(
            cellsOf(title).map(async (cell) => ({ cell, ...(await inTime(cell, hostility)) })),
        );
        const lines = results.map(
            ({ cell: { kind, method, rpc }, said, wrong }) =>
                `${kind.kind} ${method}, ${rpc}: ${wrong.length > 0 ? `${wrong.join("; ")}; it` : "it"} said: ${said}`,
        );
        if (process.env.HOSTILE_LOG) {
            appendFileSync(process.env.HOSTILE_LOG, `\n# A server that ${title}\n${lines.join("\n")}\n`);
        }
        expect(lines.filter((_, index) => results[index]?.wrong.length !== 0)).toEqual([]);
    },
    180_000,
);
