import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { repositoryRoot } from "../support/workdir";

const run = promisify(execFile);
const script = `
    import { appendFileSync } from "node:fs";
    import { exclusively } from "${path.join(repositoryRoot, "scripts", "lock.mjs")}";
    const [file, name] = process.argv.slice(1);
    await exclusively(file, () => {}, async () => {
        appendFileSync(file + ".log", name + " begins\\n");
        await new Promise((resolve) => setTimeout(resolve, 200));
        appendFileSync(file + ".log", name + " ends\\n");
    }).catch((error) => console.log(error.constructor.name, error.message));
`;
const lock = (file: string, name = "one") =>
    run(process.execPath, ["--input-type=module", "-e", script, file, name]).then(({ stdout }) => stdout);

let folder: string;
beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a folder that cannot be made is said", async () => {
    writeFileSync(path.join(folder, "file"), "");
    expect(await lock(path.join(folder, "file", "cache", "lock"))).toMatch(
        /^SetupError The folder .*cache cannot be made: ENOTDIR.* Its place comes from XDG_CACHE_HOME, HOME or TMPDIR\.\n$/,
    );
});

test("one at a time", async () => {
    const file = path.join(folder, "lock");
    await Promise.all(["a", "b", "c"].map((name) => lock(file, name)));
    const lines = readFileSync(`${file}.log`, "utf8").trim().split("\n");
    const names = lines.filter((line) => line.endsWith("begins")).map((line) => line.replace(" begins", ""));
    expect([...names].sort()).toEqual(["a", "b", "c"]);
    expect(lines).toEqual(names.flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test("what a killed process left does not hold", async () => {
    const file = path.join(folder, "lock");
    // No process has this number.
    writeFileSync(file, "4194305");
    await lock(file);
    expect(readFileSync(`${file}.log`, "utf8")).toBe("one begins\none ends\n");
    expect(existsSync(file)).toBe(false);
});
