import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { until } from "../support/until";
import { repositoryRoot } from "../support/workdir";

const script = `
    import { appendFileSync, writeFileSync } from "node:fs";
    import { exclusively } from "${path.join(repositoryRoot, "scripts", "lock.mjs")}";
    const [file, before, ...names] = process.argv.slice(1);
    if (before === "own number") {
        writeFileSync(file, String(process.pid));
    }
    const say = (line) => appendFileSync(file + ".said", line + "\\n");
    const turns = names.map((name) =>
        exclusively(file, say, async () => {
            appendFileSync(file + ".log", name + " begins\\n");
            await new Promise((resolve) => setTimeout(resolve, 200));
            appendFileSync(file + ".log", name + " ends\\n");
        }),
    );
    await Promise.all(turns).catch((error) => console.log(error.constructor.name, error.message));
`;
const run = promisify(execFile);

/** A process that takes the lock once for each name. */
const lock = (file: string, names = ["one"], before: "" | "own number" = "") =>
    run(process.execPath, ["--input-type=module", "-e", script, file, before, ...names]).then(({ stdout }) => stdout);

/** A number that no process has. */
const NOBODY = "4194305";

let folder: string;
beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a folder that cannot be made is said", async () => {
    writeFileSync(path.join(folder, "file"), "");
    expect(await lock(path.join(folder, "file", "cache", "lock"))).toMatch(
        /^SetupError Cannot create the folder .*cache: ENOTDIR.* Its location comes from XDG_CACHE_HOME, HOME or TMPDIR\.\n$/,
    );
});

test("a lock that cannot be read is said, and not waited for", async () => {
    const file = path.join(folder, "lock");
    mkdirSync(file);
    expect(await lock(file)).toMatch(/^SetupError Cannot read .*lock: EISDIR.* If no setup is running, remove it\.\n$/);
});

/** The turns that were taken, none of which began before the last had ended. */
function turns(file: string): string[] {
    const lines = readFileSync(`${file}.log`, "utf8").trim().split("\n");
    const names = lines.filter((line) => line.endsWith("begins")).map((line) => line.replace(" begins", ""));
    expect(lines).toEqual(names.flatMap((name) => [`${name} begins`, `${name} ends`]));
    return names;
}

test.each([
    ["processes", [["a"], ["b"], ["c"]]],
    ["turns of one process", [["a", "b", "c"]]],
])("one at a time: %s", async (_, processes) => {
    const file = path.join(folder, "lock");
    await Promise.all(processes.map((names) => lock(file, names)));
    expect(turns(file).sort()).toEqual(["a", "b", "c"]);
});

describe("what a killed process left does not hold:", () => {
    let file: string;
    beforeEach(() => {
        file = path.join(folder, "lock");
    });
    afterEach(() => {
        expect(turns(file)).toEqual(["one"]);
        expect(existsSync(file)).toBe(false);
        expect(existsSync(`${file}.takeover`)).toBe(false);
    });

    test("its number is that of no process", async () => {
        writeFileSync(file, NOBODY);
        await lock(file);
    });

    test("its number is that of the process which comes upon it", async () => {
        await lock(file, ["one"], "own number");
    });

    test("its number is that of another process by now", async () => {
        writeFileSync(file, String(process.pid));
        const longAgo = Date.now() / 1000 - 2 * 3600;
        utimesSync(file, longAgo, longAgo);
        await lock(file);
    });

    test("it had no time to write its number", async () => {
        writeFileSync(file, "");
        const taken = lock(file);
        await until("it waits", () => existsSync(`${file}.said`));
        expect(existsSync(`${file}.log`)).toBe(false);
        const aWhileAgo = Date.now() / 1000 - 11;
        utimesSync(file, aWhileAgo, aWhileAgo);
        await taken;
    });

    test("of two that come upon it, the slower lets the quicker one's be", async () => {
        writeFileSync(file, NOBODY);
        writeFileSync(`${file}.takeover`, String(process.pid));
        const slower = lock(file);
        await until("it waits", () => existsSync(`${file}.said`));
        writeFileSync(file, String(process.pid));
        rmSync(`${file}.takeover`);
        await until("it waits for the quicker one's", () => said(file).length === 2);
        expect(existsSync(`${file}.log`)).toBe(false);
        rmSync(file);
        await slower;
        expect(said(file)).toEqual([
            `Another setup is running (${file}.takeover): waiting for it ...`,
            `Another setup is running (${file}): waiting for it ...`,
        ]);
    });
});

const said = (file: string) => readFileSync(`${file}.said`, "utf8").trim().split("\n");
