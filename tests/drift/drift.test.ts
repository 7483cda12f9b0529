// Drift as a person reads it: what the Pulumi CLI prints, pinned.

import { isDeepStrictEqual } from "node:util";
import { Emulator } from "../../emulator";
import { type Fields, isBag } from "../../provider/fields";
import { definitions } from "../provider/definitions";
import { pulumiIn } from "../support/cli";
import { type Result, TestStack } from "../support/engine";
import {
    driftBeyondUpdates,
    driftEverywhere,
    live,
    prepare,
    program,
    takeAway,
    takeRegion,
    unsetParts,
} from "./resources";

jest.setTimeout(180_000);

let emulator: Emulator;
let stack: TestStack;
/** How many resources the program has. */
let count = 0;

beforeAll(async () => {
    emulator = await Emulator.start({ settings: { checkDurationMs: 100 } });
    prepare(emulator);
    stack = await TestStack.create({
        emulator,
        program: async () => {
            count = program(emulator).length;
        },
    });
    await stack.up();
});
afterAll(async () => {
    stack.remove();
    await emulator.stop();
});

/** As a pipeline that looks for drift runs it. */
function refreshPreview(): Promise<{ code: number | null; text: string }> {
    const options = ["--preview-only", "--expect-no-changes", "--diff", "--parallel", "1", "--non-interactive"];
    return pulumiIn(stack, ["refresh", ...options, "--color", "never", "--stack", "stack"]);
}

/**
 * Without what differs from run to run: ids, times, the line at which a warning comes in (they are put at the end) and
 * the order of the resources, which is that in which an earlier command came to an end with each. And without the number
 * of resources that have not drifted, which is another with each new kind.
 */
function pinned(text: string): string {
    const lines = text.split("\n");
    const isWarning = (line: string) => line.startsWith("warning: ");
    return [...lines.filter((line) => !isWarning(line)), ...lines.filter(isWarning)]
        .join("\n")
        .replace(/(?:^ {4}[~+-].pulumi-nodejs:.*\n(?:\s*\n| {5}.*\n)*)+/gm, inOrder)
        .replace(/\b[0-9a-f]{32}\b/g, "<id>")
        .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
        .replace(/^( +)\d+ unchanged$/gm, "$1<count> unchanged")
        .replace(/^( *Duration:).*$/gm, "$1 <time>")
        .replace(/[ \t]+$/gm, "")
        .trim();
}

/** Resources that are printed one after the other, in the order of their URNs. */
function inOrder(resources: string): string {
    const urnOf = (resource: string) => resource.match(/\[urn=(.*)\]/)?.[1] ?? "";
    return resources
        .split(/^(?= {4}[~+-].pulumi-nodejs:)/m)
        .sort((a, b) => urnOf(a).localeCompare(urnOf(b), "en"))
        .join("");
}

async function expectNoDrift(): Promise<void> {
    const { code, text } = await refreshPreview();
    expect({ code, text: text.match(/^ *[~+-] .*$/gm) ?? [] }).toEqual({ code: 0, text: [] });
}

describe("what is no drift shows nothing:", () => {
    test.each<[string, () => void]>([
        [
            "a change of what the program does not manage",
            () => {
                live(emulator).serviceAccount("worker", (spec) => {
                    spec.description = "Somebody else's";
                });
                live(emulator).serviceAccount("auditor", (spec) => {
                    spec.description = "Somebody else's";
                });
            },
        ],
        [
            "a new version and time of last modification",
            () => {
                live(emulator).namespace(() => {});
                live(emulator).user(() => {});
                live(emulator).key(() => {});
            },
        ],
        [
            "another order, and other white space",
            () => {
                const it = live(emulator);
                it.namespace((spec, namespace) => {
                    spec.connectivityRuleIds.reverse();
                    spec.encryptionValidation?.metadataValues.reverse();
                    spec.mtlsAuth?.certificateFilters.reverse();
                    spec.searchAttributes = reversed(spec.searchAttributes);
                    namespace.tags = reversed(namespace.tags);
                    if (spec.mtlsAuth) {
                        const pem = Buffer.from(spec.mtlsAuth.acceptedClientCa).toString("utf8");
                        spec.mtlsAuth.acceptedClientCa = Buffer.from(`\r\n  ${pem.replaceAll("\n", "\r\n")}\r\n\r\n`);
                    }
                });
                it.user((spec) => {
                    spec.email = "Ann@Example.com";
                    spec.access?.accountAccess?.customRoles.reverse();
                    if (spec.access) {
                        spec.access.namespaceAccesses = reversed(spec.access.namespaceAccesses);
                    }
                });
            },
        ],
    ])("%s", async (_, change) => {
        change();
        await expectNoDrift();
    });

    test.each([
        ["absent", false],
        ["as empty messages", true],
    ])("parts that are not set, %s", async (_, areEmptyMessages) => {
        unsetParts(emulator, areEmptyMessages);
        await expectNoDrift();
        // Nor in what the program does not manage, which a preview of a refresh does not show.
        const { steps } = await stack.preview({ refresh: true });
        const { old, new: now } = steps.find(({ op, name }) => op === "refresh" && name === "plain") ?? {};
        const names = Object.keys({ ...old?.outputs, ...now?.outputs });
        const differing = names.filter((name) => !isDeepStrictEqual(old?.outputs[name], now?.outputs[name]));
        expect(differing).toEqual(["lastModifiedTime"]);
    });

    test("nor has `preview --refresh` anything to do", async () => {
        expect((await stack.preview({ refresh: true })).changes).toEqual({ same: count + 1 });
    });
});

describe("drift of every field, by name, with the old value and the new,", () => {
    beforeAll(() => driftEverywhere(emulator));

    test("in `refresh --preview-only --expect-no-changes`, which fails", async () => {
        const { code, text } = await refreshPreview();
        expect(code).not.toBe(0);
        expect(pinned(text)).toMatchSnapshot();
    });

    test("in `preview --refresh --diff`", async () => {
        const preview = await stack.preview({ refresh: true, parallel: 1 });
        expect(pinned(preview.stdout)).toMatchSnapshot();
        note(preview);
    });

    test("and in `up --refresh --diff`, which puts it right", async () => {
        const { stdout, changes } = await stack.up({ refresh: true, diff: true, parallel: 1 });
        // The stack and the plain namespace are as they were.
        expect(changes).toEqual({ same: 2, update: count - 1 });
        expect(pinned(stdout)).toMatchSnapshot();
        expect((await refreshPreview()).code).toBe(0);
    });

    test("and `up --refresh` names it, and puts it right", async () => {
        driftEverywhere(emulator);
        const { stdout, changes } = await stack.up({ refresh: true, parallel: 1 });
        // The stack and the plain namespace are as they were.
        expect(changes).toEqual({ same: 2, update: count - 1 });
        const lines = stdout.match(/^.* (?:refresh|updated) \(.*$/gm) ?? [];
        const rows = lines.map((line) => line.replace(/ \([\d.]+m?s\)/, "").replace(/\];.*$/, "]"));
        expect([...new Set(rows)].sort().join("\n")).toMatchSnapshot();
        expect((await refreshPreview()).code).toBe(0);
    });
});

describe.each<[string, (emulator: Emulator) => void]>([
    ["parts that are gone, and another region", takeAway],
    ["a region that is gone", takeRegion],
    ["what only a replacement puts right", driftBeyondUpdates],
])("%s:", (_, change) => {
    test("`refresh --preview-only`, `preview --refresh` and `up --refresh` show it, the last puts it right", async () => {
        change(emulator);
        const { code, text } = await refreshPreview();
        expect(code).not.toBe(0);
        expect(pinned(text)).toMatchSnapshot();
        const preview = await stack.preview({ refresh: true, parallel: 1 });
        expect(pinned(preview.stdout)).toMatchSnapshot();
        note(preview);
        const { stdout } = await stack.up({ refresh: true, diff: true, parallel: 1 });
        expect(pinned(stdout)).toMatchSnapshot();
        expect(await refreshPreview()).toMatchObject({ code: 0 });
    });
});

/** Of each kind, the paths of the fields that have drifted so far, in what is pinned of each of the three commands. */
const drifted = new Map<string, Set<string>>();

function note({ steps }: Result): void {
    for (const { op, type, old, new: now } of steps) {
        const kind = type.slice(type.lastIndexOf(":") + 1);
        const fields = FIELDS[kind];
        if (op === "refresh" && fields && old && now) {
            const paths = drifted.get(kind) ?? new Set();
            for (const path of pathsOf(fields)) {
                if (!isDeepStrictEqual(at(old.outputs, path), at(now.outputs, path))) {
                    paths.add(path);
                }
            }
            drifted.set(kind, paths);
        }
    }
}

const FIELDS: Readonly<Record<string, Fields>> = Object.fromEntries(
    definitions.map(({ kind, definition }) => [kind, definition.fields]),
);

/** The paths of all fields, but those of which the server knows nothing. */
function pathsOf(fields: Fields, above = ""): string[] {
    return Object.entries(fields)
        .filter(([, { options }]) => !options.programOnly)
        .flatMap(([name, { members, parts = members }]) =>
            parts ? pathsOf(parts, `${above}${name}.`) : [`${above}${name}`],
        );
}

function at(bag: unknown, path: string): unknown {
    return path.split(".").reduce<unknown>((value, name) => (isBag(value) ? value[name] : undefined), bag);
}

test("there is no field of which the drift is not pinned above: tests/drift/resources.ts sets each", () => {
    const missing = Object.entries(FIELDS).flatMap(([kind, fields]) =>
        pathsOf(fields)
            .filter((path) => !drifted.get(kind)?.has(path))
            .map((path) => `${kind} ${path}`),
    );
    // The name is part of the id: a namespace of another name is another one.
    expect(missing).toEqual(["Namespace name"]);
});

test("nothing that this provider keeps to itself is shown", async () => {
    live(emulator).namespace((spec) => {
        spec.description = "Somebody else's";
    });
    const { text } = await refreshPreview();
    const { stdout } = await stack.up({ refresh: true });
    expect(`${text}${stdout}`).toContain("description");
    expect(`${text}${stdout}`).not.toMatch(/__|managed|urn:pulumi:stack::project::pulumi-nodejs[^\]]*"/);
});

function reversed<T>(map: { [name: string]: T }): { [name: string]: T } {
    return Object.fromEntries(Object.entries(map).reverse());
}
