// Kills a real `up` or `destroy` at a moment that a seed determines, and sees whether the next one puts all to rights.

import { Emulator } from "../../emulator";
import { EngineError, type OperationOptions, type Result, TestStack } from "../support/engine";
import { crash, descendants, isEngine, isPlugin } from "../support/processes";
import { answers, named } from "./answers";
import { EACH, faultsOf, fleet, leftovers, type Version } from "./fleet";
import { Random } from "./random";

/** What is being done when it is killed. */
export const ACTS = ["create", "update", "replace", "destroy"] as const;
export type Act = (typeof ACTS)[number];

/** One kill, and what came of it. */
export interface Kill {
    readonly seed: number;
    readonly act: Act;
    readonly victim: Victim;
    /** How many requests the account had seen of this act. */
    readonly requests: number;
    /** The operations that the state had as pending after the kill. */
    readonly pending: number;
}

/** One act, killed once or more often, and gone on with until it succeeded. */
export interface Recovery {
    readonly seed: number;
    readonly act: Act;
    /** What is not known of Temporal Cloud, as it was this time. */
    readonly answers: string;
    readonly kills: readonly Kill[];
    /** How often it was run after the last kill. */
    readonly runs: number;
    /** What was wrong in the end; nothing, if all was well. */
    readonly wrong: readonly string[];
    /** What the runs after a kill said. */
    readonly warnings: readonly string[];
    readonly seconds: number;
}

type Victim = "plugin" | "engine and plugin";

const OPERATION_MS = 300;
/** So many runs after a kill have to be enough. */
const MOST_RUNS = 3;
/** A kill after one that was itself the recovery from a kill. */
const KILL_AGAIN = 0.3;
/** About the requests of each act when nothing disturbs it, with the looks at its operations. */
const REQUESTS: Readonly<Record<Act, number>> = { create: 90, update: 130, replace: 155, destroy: 88 };
/** A moment that is not just after a request. */
const MOST_DELAY_MS = 120;

const VERSIONS: Readonly<Record<Exclude<Act, "destroy">, Version>> = {
    create: { values: 0, names: 0 },
    update: { values: 1, names: 0 },
    replace: { values: 1, names: 1 },
};

/**
 * Takes a stack of its own through all acts, each killed at least once unless it was quicker than its killer.
 *
 * @param report is told of every act, and says whether that is enough
 */
export async function life(seed: number, report: (recovery: Recovery) => boolean): Promise<void> {
    const random = new Random(seed);
    // The seeds go round the answers, the defaults first.
    const answer = answers[(seed - 1) % answers.length] ?? {};
    const emulator = await Emulator.start({
        settings: { operationDurationMs: OPERATION_MS, checkDurationMs: 100, ...answer },
    });
    let stack: TestStack | undefined;
    try {
        stack = await TestStack.create({ emulator, program: fleet(VERSIONS.create) });
        for (const act of ACTS) {
            const recovery = await recover(seed, act, random, stack, emulator);
            if (report({ ...recovery, answers: named(answer) })) {
                return;
            }
        }
    } finally {
        stack?.remove();
        await emulator.stop();
    }
}

async function recover(
    seed: number,
    act: Act,
    random: Random,
    stack: TestStack,
    emulator: Emulator,
): Promise<Omit<Recovery, "answers">> {
    const began = Date.now();
    const kills: Kill[] = [];
    const warnings: string[] = [];
    const wrong: string[] = [];
    const run = (options: OperationOptions = {}): Promise<Result> =>
        act === "destroy" ? stack.destroy(options) : stack.up({ ...options, program: fleet(VERSIONS[act]) });
    let finished = false;
    do {
        const kill = await killed(seed, act, random, emulator, run);
        if (kill === undefined) {
            finished = true;
            break;
        }
        // Unlocking is all that a hand may do.
        await stack.cancel();
        kills.push({ ...kill, pending: stack.pendingOperations().length });
    } while (random.next() < KILL_AGAIN);
    let runs = 0;
    while (!finished && runs < MOST_RUNS) {
        runs += 1;
        try {
            const result = await run();
            finished = true;
            warnings.push(...said(result));
        } catch (error) {
            if (!(error instanceof EngineError)) {
                throw error;
            }
            wrong.push(`run ${runs} after the kill failed: ${error.message}\n${said(error.result).join("\n")}`);
        }
    }
    wrong.push(...(act === "destroy" ? leftovers(stack, emulator) : await faultsOf(stack, emulator, VERSIONS[act])));
    return { seed, act, kills, runs, wrong, warnings, seconds: (Date.now() - began) / 1_000 };
}

/** Runs it and kills it; undefined where it ended before its moment came. */
async function killed(
    seed: number,
    act: Act,
    random: Random,
    emulator: Emulator,
    run: (options: OperationOptions) => Promise<Result>,
): Promise<Omit<Kill, "pending"> | undefined> {
    const victim: Victim = random.next() < 0.5 ? "plugin" : "engine and plugin";
    const after = random.between(1, REQUESTS[act]);
    const delayMs = random.between(0, MOST_DELAY_MS);
    const before = emulator.requests.count();
    let kill: Omit<Kill, "pending"> | undefined;
    let due: NodeJS.Timeout | undefined;
    const watch = setInterval(() => {
        if (emulator.requests.count() - before >= after) {
            clearInterval(watch);
            due = setTimeout(() => {
                const running = descendants();
                // The engine first: it must not have the time to save that its plugin has died.
                crash(victim === "plugin" ? [] : running.filter(isEngine));
                crash(running.filter(isPlugin));
                kill = { seed, act, victim, requests: emulator.requests.count() - before };
            }, delayMs);
        }
    }, 2);
    try {
        await run({});
        return undefined;
    } catch (error) {
        if (!(error instanceof EngineError) || kill === undefined) {
            throw error;
        }
        return kill;
    } finally {
        clearInterval(watch);
        clearTimeout(due);
    }
}

function said({ diagnostics }: Result): string[] {
    return diagnostics
        .filter(({ ephemeral, severity }) => !ephemeral && severity !== "info")
        .map(({ message }) => message);
}

/** How many resources each act is about. */
export const RESOURCES = EACH * 4;
