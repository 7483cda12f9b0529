// What the tests of one resource after another share.

import { Emulator, type EmulatorOptions } from "../../emulator";
import type { Properties } from "../support/host";
import { until } from "../support/until";
import { MiniStack, type MiniStackOptions, type Sample, samples } from "./mini-stack";

/** The first create of a run asks before it creates, the others create at once: the end of a title, and whether it is the first. */
export const EITHER_WAY = [
    ["", true],
    [", not the first of its run", false],
] as const;

/** An emulator that is stopped, and stacks on it whose plugins are ended, when `body` is done. */
export async function withStacks<T>(
    settings: EmulatorOptions["settings"],
    body: (emulator: Emulator, stack: (options?: MiniStackOptions) => MiniStack) => Promise<T>,
): Promise<T> {
    const emulator = await Emulator.start({ settings: { checkDurationMs: 100, ...settings } });
    const stacks: MiniStack[] = [];
    try {
        return await body(emulator, (options) => {
            const stack = new MiniStack(emulator, options);
            stacks.push(stack);
            return stack;
        });
    } finally {
        await Promise.all(stacks.map((stack) => stack.end()));
        await emulator.stop();
    }
}

/**
 * Ends the operations in flight once those of the four kinds have been asked for, by default twice: whoever takes up what
 * an earlier run started asks once before it waits.
 */
export function finishOnceAwaited(emulator: Emulator, times = 2 * samples.length): void {
    const asked = () => emulator.requests.count("GetAsyncOperation");
    const before = asked();
    void until("a wait", () => asked() >= before + times).then(() => emulator.finishOperations());
}

/** Has the plugin process die when the server has accepted these creates, and knows nothing of their end yet. */
export async function dieCreating(
    stack: MiniStack,
    creates: readonly (readonly [sample: Sample, name: string, args: Properties])[],
): Promise<void> {
    const { requests, settings } = stack.emulator;
    const { completeAtOnce, operationDurationMs } = settings;
    Object.assign(settings, { completeAtOnce: false, operationDurationMs: 60_000 });
    const wanted = creates.map(([{ create }]) => ({ create, count: requests.count(create) + 1 }));
    await dieWhen(
        stack,
        () => Promise.all(creates.map(([{ kind }, name, args]) => stack.up(kind, name, args))),
        () => wanted.every(({ create, count }) => requests.count(create) >= count),
    );
    Object.assign(settings, { completeAtOnce, operationDurationMs });
}

/** Has the plugin process die in the middle of some work. */
export async function dieWhen(stack: MiniStack, work: () => Promise<unknown>, holds: () => boolean): Promise<void> {
    let ended: unknown;
    const dying = work().then(
        () => {
            ended = new Error("it ended before it was killed");
        },
        (error: unknown) => {
            ended = error ?? new Error("it failed");
        },
    );
    await until("the moment to die", () => ended !== undefined || holds());
    if (ended !== undefined) {
        throw ended;
    }
    await stack.kill();
    await dying;
}
