// What holds for every definition and every value.

import fc from "fast-check";
import { type Bag, hasUnknown, isBag, same, UNKNOWN } from "../../provider/fields";
import { Lifecycle } from "../../provider/lifecycle/lifecycle";
import { View } from "../../provider/lifecycle/view";
import { managedPaths, overlay, pick } from "../../provider/overlay";
import { json, UNKNOWN_FIELD, wireMessage } from "./arbitrary";
import { type AnyResource, type DefinitionCase, definitions } from "./definitions";

// The same values every time, so that a failure is nobody's bad luck; another seed finds others.
fc.configureGlobal({ seed: Number(process.env.TEMPORAL_CLOUD_TEST_SEED ?? 1), numRuns: 100 });

const NOW = new Date("2027-01-01T00:00:00Z");
const urn = "urn:pulumi:stack::project::pulumi-nodejs:dynamic/temporalcloud:Thing::thing";
const hidden = { __provider: "text", __context: JSON.stringify({ urn, organization: "acme" }) };
const log = { log: { status: () => {}, info: () => {}, warn: () => {} } };

test("there are definitions", () => {
    expect(definitions.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(["ApiKey", "Namespace", "ServiceAccount", "User"]),
    );
});

/** The same value in another place, as JSON would have brought it. */
const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** The names of all properties, at any depth. */
function namesOf(fields: DefinitionCase["definition"]["fields"]): string[] {
    return Object.entries(fields).flatMap(([name, { members }]) => [name, ...(members ? namesOf(members) : [])]);
}

/** Every field that the compiled messages do not know, with where it is. */
function unknownFields(value: unknown, at = ""): string[] {
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) {
        return [];
    }
    return Object.entries(value).flatMap(([name, part]) =>
        name === "_unknownFields"
            ? Object.entries(part as { [tag: string]: Uint8Array[] }).flatMap(([tag, parts]) =>
                  parts.map((bytes) => `${at}#${tag}=${Buffer.from(bytes).toString("hex")}`),
              )
            : unknownFields(part, `${at}.${name}`),
    );
}

/** A message without the deprecated fields that mirror others, and without the parts in which nothing is. */
function essence(value: unknown): unknown {
    if (Buffer.isBuffer(value) || value instanceof Uint8Array) {
        return value.length === 0 ? undefined : Buffer.from(value).toString("hex");
    }
    if (Array.isArray(value)) {
        const items = value.map((item) => essence(item) ?? null);
        return items.every((item) => item === null) ? undefined : items;
    }
    if (typeof value !== "object" || value === null) {
        return value === "" || value === 0 || value === false || value === 0n ? undefined : value;
    }
    const parts = Object.entries(value)
        .filter(([name]) => !MIRRORS.includes(name) && !name.endsWith("Deprecated"))
        .map(([name, part]) => [name, essence(part)] as const)
        .filter(([, part]) => part !== undefined);
    return parts.length === 0 ? undefined : Object.fromEntries(parts);
}

const MIRRORS = ["regions", "customSearchAttributes"];

function without(value: unknown, path: string): unknown {
    const [name = "", ...rest] = path.split(".");
    if (!isBag(value) || value[name] === undefined) {
        return value;
    }
    const { [name]: part, ...others } = value;
    const left = rest.length === 0 ? undefined : without(part, rest.join("."));
    return left === undefined || (isBag(left) && Object.keys(left).length === 0) ? others : { ...others, [name]: left };
}

describe.each(definitions)(
    "$kind",
    ({ definition, message, messageName, valid, edit, edited, byOtherRequests = [] }) => {
        const { fields } = definition;
        const lifecycle = new Lifecycle(definition);
        const view = new View(definition);
        const anything = json(namesOf(fields));
        const anyBag = fc
            .array(fc.tuple(fc.oneof(fc.constantFrom(...Object.keys(fields)), fc.string()), anything), { maxLength: 8 })
            .map((entries): Bag => Object.fromEntries(entries));
        const live: fc.Arbitrary<AnyResource> = wireMessage(messageName).map((bytes) => message.decode(bytes));
        const inputs = fc.oneof(
            anyBag,
            anyBag.map((bag) => ({ ...valid, ...bag })),
            // One property at a time gets further than all at once.
            fc
                .tuple(fc.constantFrom(...Object.keys(fields)), anything)
                .map(([name, value]): Bag => ({ ...valid, [name]: value })),
            live.map((resource): Bag => copy(definition.fromLive(resource).args)),
            fc.tuple(live, fc.subarray(Object.keys(fields), { maxLength: 3 })).map(([resource, names]): Bag => {
                const args = copy(definition.fromLive(resource).args);
                return {
                    ...valid,
                    ...Object.fromEntries(names.flatMap((name) => (name in args ? [[name, args[name]]] : []))),
                };
            }),
        );
        const check = (bag: Bag, old: Bag = {}) => lifecycle.check(old, { ...hidden, ...bag });

        test("any JSON gives check failures or a result", () => {
            fc.assert(
                fc.property(inputs, fc.oneof(fc.constant({}), inputs), (bag, old) => {
                    const result = check(bag, old);
                    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
                    for (const { property, reason } of result.failures) {
                        expect(reason.startsWith(`\`${property}\` `)).toBe(true);
                        expect(reason.length).toBeLessThan(1_000);
                    }
                    if (result.failures.length === 0) {
                        const diff = lifecycle.diff(log, { ...old, ...hidden, ...valid }, result.inputs, NOW);
                        expect(JSON.parse(JSON.stringify(diff))).toEqual(diff);
                    }
                }),
                { numRuns: 400 },
            );
        });

        test("what is valid stays valid with values that are not known yet, and only an id is a reason to replace", () => {
            expect(check(valid).failures).toEqual([]);
            const names = Object.keys(fields);
            fc.assert(
                fc.property(fc.subarray(names), (unknown) => {
                    const bag = { ...valid, ...Object.fromEntries(unknown.map((name) => [name, UNKNOWN])) };
                    const { failures, inputs: checked } = check(bag);
                    const others = failures.filter(({ property }) => !property.startsWith("apiKeyAuth"));
                    // Two properties that exclude one another do so before their values are known.
                    if (others.length > 0) {
                        expect(others.every(({ reason }) => /combined|not allowed/.test(reason))).toBe(true);
                        return;
                    }
                    const old = { ...hidden, ...valid, __managed: managedPaths(fields, valid).join(" ") };
                    const { changes, replaces } = lifecycle.diff(log, old, checked, NOW);
                    expect(changes).toBe(unknown.length > 0);
                    const ids = unknown.filter((name) => fields[name]?.options.isId && fields[name].options.replace);
                    expect(replaces.sort()).toEqual(ids.sort());
                }),
            );
        });

        test("checked inputs do not differ from the state that they make", () => {
            let compared = 0;
            fc.assert(
                fc.property(inputs, (bag) => {
                    const { inputs: checked, failures } = check(bag);
                    if (failures.length > 0 || hasUnknown(checked)) {
                        return;
                    }
                    compared += 1;
                    const old = { ...copy(checked), __managed: managedPaths(fields, checked).join(" ") };
                    expect(lifecycle.diff(log, old, checked, NOW)).toMatchObject({ changes: false, replaces: [] });
                }),
                { numRuns: 300 },
            );
            expect(compared).toBeGreaterThan(10);
        });

        test("what was read does not differ from itself", () => {
            fc.assert(
                fc.property(live, (resource) => {
                    const { props, inputs: read } = view.read(resource, { ...hidden }, {});
                    expect(JSON.parse(JSON.stringify({ props, read }))).toEqual({ props, read });
                    expect(lifecycle.diff(log, props, read, new Date(0)).changes).toBe(props.__replace === true);
                    const again = view.read(resource, view.outputs(resource, read, undefined), {});
                    expect(lifecycle.diff(log, again.props, again.inputs, new Date(0)).changes).toBe(
                        props.__replace === true,
                    );
                }),
            );
        });

        test("drift that a refresh has written to the state is no drift any more", () => {
            fc.assert(
                fc.property(live, live, (there, declared) => {
                    const values = copy(definition.fromLive(declared).args) as Bag;
                    const old = view.outputs(declared, { ...hidden, ...values }, undefined);
                    const { props, inputs: read } = view.read(there, old, {});
                    const again = view.read(there, props, {});
                    expect(again).toEqual({ props, inputs: read });
                    expect(lifecycle.diff(log, props, again.inputs, new Date(0)).changes).toBe(
                        props.__replace === true,
                    );
                }),
            );
        });

        test("overlay can be repeated, and keeps what it is not about", () => {
            fc.assert(
                fc.property(
                    live,
                    inputs,
                    fc.subarray(managedPaths(fields, everything(fields))),
                    (resource, bag, removed) => {
                        const there: Bag = { ...definition.fromLive(resource).args, ofANewerVersion: { kept: [1] } };
                        const { inputs: checked, failures } = check(bag);
                        if (failures.length > 0) {
                            return;
                        }
                        const once = overlay(fields, there, checked, new Set(removed));
                        expect(overlay(fields, once, checked, new Set(removed))).toEqual(once);
                        expect(once.ofANewerVersion).toBe(there.ofANewerVersion);
                        for (const name of Object.keys(fields)) {
                            const concerned =
                                checked[name] !== undefined || removed.some((path) => path.split(".")[0] === name);
                            expect(concerned || sameJson(once[name], there[name])).toBe(true);
                        }
                    },
                ),
            );
        });

        test("a message is the same after a way over the wire", () => {
            const { encode } = message as unknown as { encode(resource: AnyResource): { finish(): Uint8Array } };
            fc.assert(
                fc.property(live, (resource) => {
                    expect(message.decode(encode(resource).finish())).toEqual(resource);
                }),
            );
        });

        test("a resource that nobody changed has nothing to be done, managed or not", () => {
            fc.assert(
                fc.property(live, (resource) => {
                    const { args } = definition.fromLive(resource);
                    for (const task of [
                        view.task({}),
                        view.task(copy(args) as Bag, {}),
                        view.task(copy(args) as Bag),
                    ]) {
                        const next = definition.next(resource, view.desired(resource, task));
                        expect(next === undefined || !("send" in next)).toBe(true);
                    }
                }),
            );
        });

        test("what an update sends comes back, over the wire, as what the program says", async () => {
            const { encode } = message as unknown as { encode(resource: AnyResource): { finish(): Uint8Array } };
            const requests: { spec?: object }[] = [];
            const cloud = recording(requests);
            let compared = 0;
            await fc.assert(
                fc.asyncProperty(live, live, async (resource, wanted) => {
                    const args = copy(definition.fromLive(wanted).args) as Bag;
                    try {
                        const next = definition.next(resource, view.desired(resource, view.task(args)));
                        if (next !== undefined && "send" in next) {
                            await next.send(cloud, "operation", {});
                        }
                    } catch {
                        // Not everything can be made of everything, such as an owner.
                    }
                    const spec = requests.pop()?.spec;
                    if (spec === undefined) {
                        return;
                    }
                    compared += 1;
                    const there = message.decode(encode({ ...resource, spec }).finish());
                    // Of an object, only the parts that the program sets are its own.
                    const managed = new Set(managedPaths(fields, args));
                    const [seen, said] = [definition.fromLive(there).args as Bag, args].map((it) =>
                        pick(fields, it, managed),
                    );
                    const lost = Object.entries(fields)
                        .filter(([name]) => said?.[name] !== undefined && !byOtherRequests.includes(name))
                        .filter(([name, { satisfies }]) => !satisfies?.(seen?.[name], said?.[name]))
                        .filter(([name, field]) => !same(field, seen?.[name], said?.[name]))
                        .map(([name]) => ({ name, seen: seen?.[name], said: said?.[name] }));
                    expect(lost).toEqual([]);
                }),
                { numRuns: 300 },
            );
            expect(compared).toBeGreaterThan(50);
        });

        test("an update changes what it is about, and keeps everything else, at every depth", async () => {
            const requests: { spec?: object }[] = [];
            const cloud = recording(requests);
            const newer = `#${((UNKNOWN_FIELD + 1) << 3) | 2}=`;
            let withNewer = 0;
            await fc.assert(
                fc.asyncProperty(live, async (resource) => {
                    const task = view.task(edit);
                    const next = definition.next(resource, view.desired(resource, task));
                    if (resource.spec === undefined || next === undefined || !("send" in next)) {
                        return;
                    }
                    await next.send(cloud, "operation", {});
                    const sent = requests.pop();
                    const before = unknownFields(resource.spec);
                    expect(unknownFields(sent?.spec)).toEqual(expect.arrayContaining(before));
                    withNewer += before.some((field) => field.startsWith(newer)) ? 1 : 0;
                    const rest = (spec: unknown) => edited.reduce(without, essence(spec)) ?? {};
                    expect(rest(sent?.spec)).toEqual(rest(resource.spec));
                }),
                { numRuns: 300 },
            );
            expect(withNewer).toBeGreaterThan(10);
        });
    },
);

/** An API that notes what it is asked for. */
function recording(requests: { spec?: object }[]): never {
    return new Proxy({} as never, {
        get: () => async (request: { spec?: object }) => {
            requests.push(request);
            return { asyncOperation: undefined };
        },
    });
}

function everything(fields: DefinitionCase["definition"]["fields"]): Bag {
    return Object.fromEntries(
        Object.entries(fields).map(([name, { members }]) => [name, members ? everything(members) : "set"]),
    );
}

function sameJson(left: unknown, right: unknown): boolean {
    return JSON.stringify(left ?? {}) === JSON.stringify(right ?? {});
}
