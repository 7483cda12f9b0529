// `npm test` kills five times, `npm run test:crash` fifty; TEMPORAL_CLOUD_TEST_SEED sets the first seed. What a seed did
// is printed, so that a failure can be had again.

import { life, RESOURCES, type Recovery } from "./crash";

const KILLS = Number(process.env.TEMPORAL_CLOUD_TEST_KILLS ?? 5);
const FIRST_SEED = Number(process.env.TEMPORAL_CLOUD_TEST_SEED ?? 1);
/** What one kill and its recovery may take on a busy machine. */
const KILL_TIMEOUT_MS = 90_000;

test(
    `up, update, replacement and destroy of ${RESOURCES} resources, killed ${KILLS} times, go on by themselves`,
    async () => {
        const recoveries: Recovery[] = [];
        let kills = 0;
        for (let seed = FIRST_SEED; kills < KILLS; seed += 1) {
            await life(seed, (recovery) => {
                recoveries.push(recovery);
                kills += recovery.kills.length;
                process.stdout.write(`${line(recovery)}\n`);
                return kills >= KILLS;
            });
        }
        const wrong = recoveries.flatMap(({ seed, act, wrong: all }) =>
            all.map((what) => `seed ${seed}, ${act}: ${what}`),
        );
        const runs = recoveries.reduce((sum, recovery) => sum + recovery.runs, 0);
        process.stdout.write(`${kills} kills, ${runs} runs after them, ${wrong.length} things wrong\n`);
        expect(wrong).toEqual([]);
        // If most acts were over before their moment came, that would say little: they take fewer requests than `crash.ts` says.
        const missed = recoveries.filter((recovery) => recovery.kills.length === 0);
        expect(missed.length).toBeLessThanOrEqual(Math.max(2, recoveries.length / 4));
    },
    60_000 + KILLS * KILL_TIMEOUT_MS,
);

function line({ seed, act, answers, kills, runs, wrong, seconds }: Recovery): string {
    const how = kills.map(
        ({ victim, requests, pending }) => `${victim} after ${requests} requests, ${pending} operations pending`,
    );
    const result = wrong.length === 0 ? "as declared" : `${wrong.length} things wrong`;
    return `seed ${seed} (${answers}), ${act}: ${how.join("; ") || "not killed"}; ${runs} runs: ${result} (${seconds.toFixed(0)} s)`;
}
