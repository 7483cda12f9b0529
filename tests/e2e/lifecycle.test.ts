// The life of every kind of resource, through the real engine: from create to delete, with what other people do to it
// meanwhile. One stack holds a resource for each field and goes through one operation after the other, so the tests of a
// kind build on one another.

import type * as pulumi from "@pulumi/pulumi";
import { Namespace } from "pulumi-temporal-cloud";
import { defaultSettings, Emulator } from "../../emulator";
import { definitions } from "../provider/definitions";
import { type Bag, type Json, type Result, TestStack } from "../support/engine";
import { kinds } from "./kinds";
import type { Cases, Field } from "./kinds/kind";

jest.setTimeout(180_000);

type Phase = "from" | "to" | "unset";

test("every kind is among them", () => {
    expect(kinds.map(({ kind }) => kind)).toEqual(expect.arrayContaining(definitions.map(({ kind }) => kind)));
});

describe.each(kinds)("$kind", (kind) => {
    const fields = definitions.find((known) => known.kind === kind.kind)?.definition.fields ?? {};
    let emulator: Emulator;
    let stack: TestStack;
    let cases: Cases;
    const existing: Record<string, string> = {};

    beforeAll(async () => {
        emulator = await Emulator.start({ settings: { checkDurationMs: 100 } });
        cases = kind.cases(emulator);
        stack = await TestStack.create({ emulator, program: async () => {} });
    });
    afterAll(async () => {
        stack?.remove();
        await emulator?.stop();
    });

    const id = (name: string): string => {
        const { id: found } = stack.resource(name);
        if (found === undefined) {
            throw new Error(`${name} has no id`);
        }
        return found;
    };

    const seen = (): Record<string, unknown> =>
        Object.fromEntries(cases.fields.map((field) => [field.label, field.see(id(field.name))]));
    const values = (of: (field: Field) => unknown): Record<string, unknown> =>
        Object.fromEntries(cases.fields.map((field) => [field.label, of(field)]));
    const ops = (result: Result): Record<string, string> =>
        Object.fromEntries(cases.fields.map(({ label, name }) => [label, result.ops(name).join()]));
    const unset = (field: Field): unknown => (field.required ? field.values.to : field.values.unset);
    const atOptional = (name: string, phase: "to"): object => ({
        ...cases.base(name),
        [cases.optional.property]: cases.optional.values[phase],
    });

    const program =
        (phase: Phase, more: () => void = () => {}) =>
        async (): Promise<void> => {
            for (const { name, args, required } of cases.fields) {
                cases.make(name, phase === "unset" && required ? args.to : args[phase]);
            }
            for (const { name, args } of cases.replacements) {
                cases.make(name, phase === "from" ? args.from : args.to);
            }
            cases.make("plain", cases.base("plain"));
            cases.make("imported", atOptional("imported", "to"), { import: existing.imported ?? "" });
            if (kind.hasNaturalKey) {
                cases.make("adopted", { ...atOptional("adopted", "to"), adopt: true });
            }
            more();
        };

    test("is created; what exists is taken over by `import`, or by `adopt: true`", async () => {
        existing.imported = cases.addExisting("imported");
        if (kind.hasNaturalKey) {
            existing.adopted = cases.addExisting("adopted");
        }

        const created = await stack.up({ program: program("from") });

        expect(ops(created)).toEqual(values(() => "create"));
        expect(seen()).toEqual(values(({ values }) => values.from));
        expect(stack.resource("plain").outputs).toMatchObject(cases.outputs("plain"));
        expect(emulator.requests.count(`Create${kind.kind}`)).toBe(cases.fields.length + cases.replacements.length + 1);
        for (const [name, existingId] of Object.entries(existing)) {
            expect(id(name)).toBe(existingId);
            expect(cases.optional.see(existingId)).toEqual(cases.optional.values.to);
            expect(created.messages(name)).toEqual([
                `Adopted ${kind.kind} ${existingId} and changed \`${cases.optional.property}\`.`,
            ]);
        }
    });

    test("is not even asked about while the program stays the same", async () => {
        emulator.requests.reset();

        const unchanged = await stack.up({ program: program("from") });

        expect(unchanged.steps.filter(({ op }) => op !== "same")).toEqual([]);
        expect(emulator.requests.byMethod()).toEqual({});
    });

    test("with inputs that are not known yet is updated at preview, and replaced only for an id", async () => {
        const preview = await stack.preview({
            program: async () => {
                const producer = new Namespace("producer", { regions: ["aws-us-east-1"], apiKeyAuth: true });
                const unknown = (value: unknown): pulumi.Output<unknown> => producer.id.apply(() => value);
                const unknownProperty = (property: string, args: { from: object; to: object }): object => ({
                    ...args.from,
                    ...Object.fromEntries(Object.keys(args.to).map((key) => [key, propertyOf(args.to, key)])),
                    [property]: unknown(propertyOf(args.to, property)),
                });
                for (const { name, args, property } of [...cases.fields, ...cases.replacements]) {
                    cases.make(name, unknownProperty(property, args));
                }
                cases.make("plain", cases.base("plain"));
                const { property, values } = cases.optional;
                cases.make("newcomer", { ...cases.base("newcomer"), [property]: unknown(values.to) });
            },
        });

        expect(ops(preview)).toEqual(values(() => "update"));
        const replacing = ["create-replacement", "replace", "delete-replaced"];
        expect(cases.replacements.map(({ name }) => preview.ops(name))).toEqual(
            // A resource that is yet to be created is another one.
            cases.replacements.map(({ property }) => (fields[property]?.options.isId ? replacing : ["update"])),
        );
        expect(preview.ops("newcomer")).toEqual(["create"]);
        expect(emulator.requests.byMethod()).toEqual({});
    });

    test("is updated in place, and replaced only where there is no other way", async () => {
        const before = new Map(stack.resources().map(({ urn, id: old = "" }) => [urn, old]));

        const updated = await stack.up({ program: program("to") });

        expect(ops(updated)).toEqual(values(() => "update"));
        expect(seen()).toEqual(values(({ values }) => values.to));
        for (const { name } of cases.fields) {
            expect(before.get(stack.resource(name).urn)).toBe(id(name));
        }
        for (const { name, property, first } of cases.replacements) {
            expect({ name, ops: updated.ops(name) }).toEqual({
                name,
                ops:
                    first === "new"
                        ? ["create-replacement", "replace", "delete-replaced"]
                        : ["delete-replaced", "replace", "create-replacement"],
            });
            const [step] = updated.steps.filter((step) => step.name === name && step.op === "create-replacement");
            expect(step?.replaceKeys).toContain(property);
            expect(cases.live(before.get(stack.resource(name).urn) ?? "")).toBeUndefined();
            expect(cases.live(id(name))).toBeDefined();
        }
    });

    test("that somebody else has changed shows, at preview, what has changed from what to what", async () => {
        for (const { name, drift } of cases.fields) {
            drift(id(name));
        }
        for (const { name, drift } of cases.replacements) {
            drift?.apply(id(name));
        }

        const preview = await stack.preview({ program: program("to"), refresh: true });

        expect(ops(preview)).toEqual(values(() => "refresh,update"));
        const differences = cases.fields.map(({ label, name, property }) => {
            const step = stepOf(preview, name, "update");
            return [
                label,
                memberOf(step?.old?.inputs, label),
                memberOf(step?.new?.inputs, label),
                displays(preview, name, property),
            ];
        });
        expect(differences).toEqual(cases.fields.map(({ label, values: { drift, to } }) => [label, drift, to, true]));
        for (const { name, property, drift } of cases.replacements) {
            if (drift) {
                expect(preview.ops(name)).toEqual(["refresh", "create-replacement", "replace", "delete-replaced"]);
                expect(stepOf(preview, name, "replace")?.old?.inputs[property]).toEqual(drift.value);
            }
        }
    });

    test("that somebody else has changed is repaired by `up --refresh`", async () => {
        const before = new Map(stack.resources().map(({ urn, id: old = "" }) => [urn, old]));

        const repaired = await stack.up({ program: program("to"), refresh: true });

        expect(ops(repaired)).toEqual(values(() => "refresh,update"));
        expect(seen()).toEqual(values(({ values }) => values.to));
        for (const { name, drift } of cases.replacements) {
            const { urn } = stack.resource(name);
            expect([name, before.get(urn) === id(name)]).toEqual([name, drift === undefined]);
        }
    });

    test("goes back to the default where a field is no longer set; can be read by `.get`", async () => {
        const foreign = cases.addExisting("foreign");

        const updated = await stack.up({ program: program("unset", () => cases.get("read", foreign)) });

        const changed = cases.fields.filter(({ required }) => !required);
        expect(changed.map(({ name }) => updated.ops(name))).toEqual(changed.map(() => ["update"]));
        expect(seen()).toEqual(values(unset));
        expect(updated.ops("read")).toEqual(["read"]);
        expect(stack.resource("read").outputs).toMatchObject(cases.outputs("foreign"));
    });

    test("that is gone leaves the state by `refresh`", async () => {
        cases.remove(id("plain"));

        const refreshed = await stack.refresh();

        expect(refreshed.ops("plain")).toEqual(["delete"]);
        expect(stack.resources().some(({ urn }) => urn.endsWith("::plain"))).toBe(false);
    });

    test("that is gone is made again; fields that the program does not set are left alone", async () => {
        const unmanaged = cases.fields.filter(({ canBeUnmanaged }) => canBeUnmanaged);
        for (const { name, drift } of unmanaged) {
            drift(id(name));
        }
        // Its creation is long ago: right after one, not to be found can also mean not to be found yet.
        emulator.settings.operationIdRetentionMs = 4_000;
        const others = cases.replacements.slice(0, 1);
        for (const { name } of others) {
            cases.remove(id(name));
        }

        const result = await stack.up({ program: program("unset"), refresh: true });

        expect(result.ops("plain")).toEqual(["create"]);
        expect(others.map(({ name }) => result.ops(name))).toEqual(others.map(() => ["refresh", "create"]));
        expect(cases.live(id("plain"))).toBeDefined();
        expect(unmanaged.map(({ label, name }) => [label, result.ops(name)])).toEqual(
            unmanaged.map(({ label }) => [label, ["refresh"]]),
        );
        expect(unmanaged.map(({ label, name, see }) => [label, see(id(name))])).toEqual(
            unmanaged.map(({ label, values: { drift } }) => [label, drift]),
        );
        emulator.settings.operationIdRetentionMs = defaultSettings.operationIdRetentionMs;
    });

    test("is not taken over where that would replace it", async () => {
        const [replacement] = cases.replacements;
        if (replacement === undefined) {
            return;
        }
        const different = cases.addExisting("different");
        const before = cases.live(different);
        const args = { ...cases.base("different"), ...replacement.args.to };

        const refused = await stack.up({
            program: program("unset", () => cases.make("different", args, { import: different })),
            expectFailure: true,
        });

        expect(refused.messages("different").join()).toMatch(
            /it exists but differs .* only a replacement could change. Nothing was changed\./,
        );
        expect(cases.live(different)).toEqual(before);
        expect(stack.resources().some(({ urn }) => urn.endsWith("::different"))).toBe(false);
    });

    if (kind.refusesDuplicates) {
        test("is not taken over unasked", async () => {
            const taken = cases.addExisting("taken");
            const before = cases.live(taken);

            const refused = await stack.up({
                program: program("unset", () => cases.make("taken", cases.base("taken"))),
                expectFailure: true,
            });

            expect(refused.messages("taken").join()).toContain(
                `already exists (id ${taken}), and no recent operation of this resource created it. Nothing was changed.`,
            );
            expect(cases.live(taken)).toEqual(before);
            expect(stack.resources().some(({ urn }) => urn.endsWith("::taken"))).toBe(false);
        });
    }

    test("is deleted, also where it is gone already", async () => {
        const ours = stack.resources().map(({ id: own = "" }) => own);
        cases.remove(id("plain"));

        await stack.destroy();

        expect(stack.allResources()).toEqual([]);
        expect(cases.ids().filter((left) => ours.includes(left))).toEqual([]);
    });
});

function propertyOf(bag: object, key: string): unknown {
    return (bag as Record<string, unknown>)[key];
}

function stepOf(result: Result, name: string, op: string) {
    return result.steps.find((step) => step.name === name && step.op === op);
}

/** The value at `property` or `property.member`. */
function memberOf(bag: Bag | undefined, path: string): Json | undefined {
    return path.split(".").reduce<Json | undefined>((value, key) => (value as Bag | undefined)?.[key], bag);
}

/** Whether the display of a resource's update, with `--diff`, marks the property as changed. */
function displays({ stdout }: Result, name: string, property: string): boolean {
    const [block] = stdout
        .split(/\n(?= {4,8}[-+~ ]{1,3}pulumi)/)
        .filter((text) => text.includes(`::${name}]`) && text.includes(": (update)"));
    return new RegExp(`^ +[-+~] +${property} *: `, "m").test(block ?? "");
}
