// One request in ten fails before it is processed, and of one in ten the answer is lost: with the real engine.
// TEMPORAL_CLOUD_TEST_LOSS_SEEDS=1,2,3 sets other seeds.

import { Status } from "nice-grpc-common";
import { Emulator } from "../../emulator";
import { TestStack } from "../support/engine";
import { answers } from "./answers";
import { faultsOf, fleet, leftovers } from "./fleet";

const SEEDS = (process.env.TEMPORAL_CLOUD_TEST_LOSS_SEEDS ?? "1").split(",").map(Number);
const VERSION = { values: 0, names: 0 };
const CHANGED = { values: 1, names: 1 };

test.each(SEEDS)(
    "up, refresh, change and destroy, seed %i",
    async (seed) => {
        const answer = answers[(seed - 1) % answers.length];
        const emulator = await Emulator.start({
            settings: { operationDurationMs: 100, checkDurationMs: 100, ...answer },
        });
        const stack = await TestStack.create({ emulator, program: fleet(VERSION) });
        const disturbed = async (work: () => Promise<unknown>) => {
            const before = emulator.requests.all.length;
            emulator.faults.random({ seed, failBefore: 0.1, loseAnswer: 0.1, cut: 0.3 });
            await work();
            emulator.faults.clear();
            return emulator.requests.all.slice(before).filter(({ code }) => code === Status.UNAVAILABLE).length;
        };
        try {
            const lost = [
                await disturbed(() => stack.up()),
                await disturbed(() => stack.refresh()),
                await disturbed(() => stack.up({ program: fleet(CHANGED) })),
            ];
            expect(await faultsOf(stack, emulator, CHANGED)).toEqual([]);
            lost.push(await disturbed(() => stack.destroy()));
            expect(leftovers(stack, emulator)).toEqual([]);
            expect(Math.min(...lost)).toBeGreaterThan(0);
        } finally {
            stack.remove();
            await emulator.stop();
        }
    },
    180_000,
);
