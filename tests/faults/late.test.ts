// What is known too late: operations that are forgotten by the next run, and such that cannot be seen at first.

import { Status } from "nice-grpc-common";
import type { Emulator } from "../../emulator";
import type { Properties } from "../support/host";
import type { Kind } from "../support/inputs";
import { until } from "../support/until";
import { type MiniStack, samples, tokenWorks } from "./mini-stack";
import { dieCreating, EITHER_WAY, withStacks } from "./stacks";

const DAY_MS = 86_400_000;

test.each(EITHER_WAY)(
    "what was made is not taken over; the error says who made it, and how to go on%s",
    async (_, isFirst) => {
        await withStacks({ operationIdRetentionMs: 365 * DAY_MS }, async (emulator, newStack) => {
            const stack = newStack();
            const now = Date.now.bind(Date);
            // The emulator is in this process; the plugin, in its own, has the time of today.
            const clock = jest.spyOn(Date, "now").mockImplementation(() => now() - 1.1 * DAY_MS);
            await dieCreating(
                stack,
                samples.map((sample) => [sample, sample.kind, sample.args(emulator)]),
            );
            emulator.finishOperations();
            clock.mockRestore();
            await stack.next(isFirst);
            await Promise.all(
                samples.map(async ({ kind, unique, args, ids }) => {
                    const [id] = ids(emulator);
                    if (!unique) {
                        // Nothing but its operation would tell whose a key is.
                        await stack.up(kind, kind, args(emulator));
                        expect(ids(emulator)).toEqual([id, stack.id(kind)]);
                        return;
                    }
                    await expect(stack.up(kind, kind, args(emulator))).rejects.toThrow(
                        /already exists \(id .*an operation of this stack created it .*`import: /,
                    );
                    await stack.up(kind, kind, args(emulator), { importId: id });
                    expect(ids(emulator)).toEqual([stack.id(kind)]);
                }),
            );
        });
    },
    60_000,
);

const LEFT = "what was made two hours ago, and cannot be taken over, is left: it can be in use under another name%s";
test.each(EITHER_WAY)(
    LEFT,
    async (_, isFirst) => {
        await withStacks({}, async (emulator, newStack) => {
            const now = Date.now.bind(Date);
            const clock = jest.spyOn(Date, "now").mockImplementation(() => now() - 2 * 3_600_000);
            const [first, second] = [newStack(), newStack()];
            const kept = samples.filter(({ kind }) => kind === "ApiKey" || kind === "ServiceAccount");
            await Promise.all(kept.map(({ kind, args }) => first.up(kind, kind, args(emulator))));
            clock.mockRestore();
            await second.next(isFirst);
            await Promise.all(
                kept.map(async ({ kind, unique, replaced, ids }) => {
                    // As if it had got another logical name, of which this run is told nothing.
                    const again = second.up(kind, kind, replaced(emulator));
                    await (unique ? expect(again).rejects.toThrow("already exists") : again);
                    expect(ids(emulator)).toContain(first.id(kind));
                    await until("the warning", () =>
                        second.warnings.some((text) => text.startsWith(`${kind} ${first.id(kind)} is left alone`)),
                    );
                }),
            );
            expect(await tokenWorks(first, "ApiKey")).toBe(true);
            expect(await tokenWorks(second, "ApiKey")).toBe(true);
        });
    },
    60_000,
);

describe.each([Status.NOT_FOUND, Status.PERMISSION_DENIED])("operations that cannot be seen at first (%d)", (code) => {
    const hide = (emulator: Emulator, durationMs: number) =>
        emulator.faults.add({ kind: "hideOperation", method: /^(Create|Update|Delete)/, code, durationMs, times: 100 });

    test.concurrent(
        "are waited for, and each write is sent once",
        () =>
            withStacks({ operationDurationMs: 500 }, async (emulator, newStack) => {
                const stack = newStack();
                hide(emulator, 1_500);
                await Promise.all(
                    samples.map(async ({ kind, args, changed, ids, isChanged }) => {
                        expect(await stack.up(kind, kind, args(emulator))).toBe("create");
                        expect(await stack.up(kind, kind, changed(emulator))).toBe("update");
                        expect(ids(emulator)).toEqual([stack.id(kind)]);
                        expect(isChanged(emulator, stack.id(kind))).toBe(true);
                        await stack.destroy(kind);
                        expect(ids(emulator)).toEqual([]);
                    }),
                );
                for (const sample of samples) {
                    for (const method of [sample.create, sample.update, sample.delete]) {
                        expect([method, emulator.requests.count(method)]).toEqual([method, 1]);
                    }
                }
            }),
        60_000,
    );

    test.concurrent.each(EITHER_WAY)(
        "make nothing twice after a kill: the next run goes on with what they make%s",
        (_, isFirst) =>
            withStacks({}, async (emulator, newStack) => {
                const stack = newStack();
                hide(emulator, 20_000);
                await dieCreating(
                    stack,
                    samples.map((sample) => [sample, sample.kind, sample.args(emulator)]),
                );
                emulator.faults.clear();
                await stack.next(isFirst);
                hide(emulator, 1_500);
                const sent = new Map(samples.map(({ create }) => [create, emulator.requests.count(create)]));
                const refusals = isFirst ? 1 : 2;
                const made = new Map(samples.map(({ kind, ids }) => [kind, ids(emulator)]));
                const named = samples.filter(({ unique }) => unique);
                const methods = () => emulator.requests.all.map(({ method }) => method);
                const ending = until("the refusals, and the looks at what has the name", () =>
                    named.every(({ kind, create }) => {
                        const [, ...later] = methods().slice(methods().lastIndexOf(create));
                        const looked = later.some((method) => method.startsWith(`Get${kind}`));
                        return emulator.requests.count(create) === (sent.get(create) ?? 0) + refusals && looked;
                    }),
                ).then(() => emulator.finishOperations());
                await Promise.all(
                    samples.map(async ({ kind, unique, changed, ids, isChanged }) => {
                        // Changed meanwhile, so that the server does not just repeat its answer.
                        if (unique) {
                            expect(await stack.up(kind, kind, changed(emulator))).toBe("create");
                            expect(ids(emulator)).toEqual(made.get(kind));
                        } else {
                            await upAtLast(stack, kind, changed(emulator));
                            // The token of the first one went with the run that was killed.
                            expect(await tokenWorks(stack, kind)).toBe(true);
                        }
                        expect(ids(emulator)).toEqual([stack.id(kind)]);
                        expect(isChanged(emulator, stack.id(kind))).toBe(true);
                    }),
                );
                await ending;
            }),
        60_000,
    );
});

/** As many runs as it takes: until the operation can be seen, nothing tells whose a key is. */
async function upAtLast(stack: MiniStack, kind: Kind, args: Properties): Promise<void> {
    try {
        await stack.up(kind, kind, args);
    } catch (error) {
        expect((error as Error).message).toMatch(/could not be created: CreateApiKey: .*was used for another request/);
        await new Promise((resolve) => setTimeout(resolve, 500));
        await upAtLast(stack, kind, args);
    }
}
