// A run that was killed, and the next one more than a day later.

import { samples } from "./mini";
import { dieCreating, withStacks } from "./with";

const DAY_MS = 86_400_000;

test("what was made is not taken over; the error says who made it, and how to go on", async () => {
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
                    /exists already \(id .*an operation of this stack made it .*`import: /,
                );
                await stack.up(kind, kind, args(emulator), { importId: id });
                expect(ids(emulator)).toEqual([stack.id(kind)]);
            }),
        );
    });
}, 60_000);
