// What is not known about Temporal Cloud: one short life of each kind under each answer that it could give.

import { Emulator } from "../../emulator";
import { until } from "../support/until";
import { answers, named } from "./answers";
import { MiniStack, type Sample, samples, tokenWorks } from "./mini-stack";
import { dieCreating } from "./stacks";

jest.setTimeout(120_000);

test.concurrent.each(answers.map((settings) => [named(settings), settings] as const))(
    "the four kinds live under %s",
    async (_, settings) => {
        const emulator = await Emulator.start({ settings: { checkDurationMs: 100, ...settings } });
        const stack = new MiniStack(emulator);
        try {
            await lives(stack);
        } finally {
            await stack.end();
            await emulator.stop();
        }
    },
);

async function lives(stack: MiniStack): Promise<void> {
    const { emulator } = stack;
    const all = (step: (sample: Sample) => Promise<void>) => Promise.all(samples.map(step));

    // A run that dies when its creates have been accepted, and the one that goes on.
    await dieCreating(
        stack,
        samples.map((sample) => [sample, sample.kind, sample.args(emulator)]),
    );
    const looks = emulator.requests.count("GetAsyncOperation");
    await Promise.all([
        until("its looks", () => emulator.requests.count("GetAsyncOperation") >= looks + samples.length).then(() =>
            emulator.finishOperations(),
        ),
        all(async ({ kind, args, ids }) => {
            expect(await stack.up(kind, kind, args(emulator))).toBe("create");
            expect(ids(emulator)).toEqual([stack.id(kind)]);
        }),
    ]);
    await all((sample) => life(stack, sample));
    await protectedDelete(stack);
}

/** What is left of a life, from the first run that ended well. */
async function life(stack: MiniStack, sample: Sample): Promise<void> {
    const { kind } = sample;
    const { emulator } = stack;
    const args = sample.args(emulator);

    expect(await stack.up(kind, kind, args)).toBe("same");
    expect(await stack.refresh(kind)).toEqual([]);

    // Somebody else is faster, between the look and the write.
    const id = stack.id(kind);
    let faster = 0;
    const touch = () => {
        faster += 1;
        sample.touch(emulator, stack.id(kind));
    };
    emulator.faults.add({ kind: "run", method: sample.update, run: touch });
    expect(await stack.up(kind, kind, sample.changed(emulator))).toBe("update");
    expect(stack.id(kind)).toBe(id);
    expect(sample.isChanged(emulator, id)).toBe(true);
    expect(faster).toBe(1);

    expect(await stack.up(kind, kind, sample.replaced(emulator))).toBe("replace");
    expect(sample.ids(emulator)).toEqual([stack.id(kind)]);
    expect(stack.id(kind)).not.toBe(id);
    if (kind === "ApiKey") {
        expect(await tokenWorks(stack, kind)).toBe(true);
    }

    if (sample.unique && (kind !== "ServiceAccount" || emulator.settings.serviceAccountNamesUnique)) {
        const refusal = stack.up(kind, "another", sample.replaced(emulator));
        await expect(refusal).rejects.toThrow(/could not be created: .*(already exists|ALREADY_EXISTS|taken)/s);
        expect(sample.ids(emulator)).toEqual([stack.id(kind)]);
        expect(stack.state.has("another")).toBe(false);
    }

    // And back again, under a name that was there before.
    await stack.destroy(kind);
    expect(sample.ids(emulator)).toEqual([]);
    expect(await stack.up(kind, kind, args)).toBe("create");
    expect(sample.ids(emulator)).toEqual([stack.id(kind)]);
    expect(stack.id(kind) === id).toBe(kind === "Namespace");
    emulator.faults.add({ kind: "run", method: sample.delete, run: touch });
    await stack.destroy(kind);
    expect(sample.ids(emulator)).toEqual([]);
    expect(faster).toBe(2);
}

async function protectedDelete(stack: MiniStack): Promise<void> {
    const args = { name: "safe", regions: ["aws-us-east-1"], apiKeyAuth: true };
    await stack.up("Namespace", "safe", { ...args, deleteProtection: true });
    const id = stack.id("safe");
    const refused = stack.destroy("safe");
    await expect(refused).rejects.toThrow(/could not be deleted.*It is protected: set `deleteProtection: false`/s);
    expect(stack.emulator.namespaces.get(id)?.spec?.lifecycle?.enableDeleteProtection).toBe(true);
    expect(await stack.up("Namespace", "safe", { ...args, deleteProtection: false })).toBe("update");
    await stack.destroy("safe");
    expect(stack.emulator.namespaces.get(id)).toBeUndefined();
}
