// The benchmark, in its smallest form: it measures, and refuses what it cannot do.

import { execFile } from "node:child_process";
import path from "node:path";
import { repositoryRoot, requireBuild } from "../support/workdir";

jest.setTimeout(120_000);

beforeAll(() => {
    // It would build by itself, beneath the tests that are using the build.
    requireBuild();
});

interface Ended {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
}

function runBench(...args: string[]): Promise<Ended> {
    return new Promise((resolve) => {
        const bench = execFile(
            process.execPath,
            [path.join(repositoryRoot, "bench", "bench.mjs"), ...args],
            (_error, stdout, stderr) => resolve({ code: bench.exitCode, stdout, stderr }),
        );
    });
}

/** The cells of the rows of a table in Markdown, by its headings. */
function rowsOf(text: string, firstHeading: string): Record<string, string>[] {
    const lines = text.split("\n");
    const from = lines.findIndex((line) => line.startsWith(`| ${firstHeading} `));
    const rest = lines.slice(from);
    const length = rest.findIndex((line) => !line.startsWith("|"));
    const [headings = [], , ...rows] = rest.slice(0, length).map((line) =>
        line
            .slice(1, -1)
            .split("|")
            .map((cell) => cell.trim()),
    );
    return rows.map((cells) => Object.fromEntries(cells.map((cell, column) => [headings[column] ?? "", cell])));
}

test("the plugin alone, 8 resources: a row for each command, beside the floor, and how it grows", async () => {
    const options = ["--no-import", "--operation-ms", "0", "--limits", "none", "--only", "refresh,read"];
    // One at a time: how many creates begin before the first is answered, which then ask first, is no matter of luck.
    const { code, stdout } = await runBench("--no-engine", "--sizes", "8", "--parallel", "1", ...options);
    expect(code).toBe(0);
    const rows = rowsOf(stdout, "resources");
    expect(rows.map(({ command, requests, refused }) => ({ command, requests, refused }))).toEqual([
        // Of each of 8: the create, a look, a Get; once whether an earlier run has begun it, and whose account it is.
        { command: "up", requests: "26", refused: "0" },
        { command: "refresh", requests: "8", refused: "0" },
        { command: "read", requests: "8", refused: "0" },
        { command: "destroy", requests: "24", refused: "0" },
    ]);
    for (const row of rows) {
        expect(Number(row["floor CPU ms"])).toBeGreaterThan(0);
        expect(row["by method"]).toContain("Namespace 2");
    }
    const growth = rowsOf(stdout, "operation");
    expect(growth.map(({ command, who }) => `${command} ${who}`)).toEqual([
        "up provider",
        "up floor",
        "refresh provider",
        "refresh floor",
        "read provider",
        "read floor",
        "destroy provider",
        "destroy floor",
    ]);
    expect(growth[2]?.["requests each"]).toBe("1.00");
});

test.each([
    [["--sizes", "many"], "It must be a number"],
    [["--sizes", "0"], "1 or more"],
    [["--kinds", "ApiKey"], "ApiKey needs ServiceAccount before it"],
    [["--only", "refesh"], 'Unknown value "refesh"'],
    [["--terraform", process.execPath], "--terraform and --terraform-provider require each other"],
    [["--terraform", "nowhere", "--terraform-provider", process.execPath], "File not found"],
])("%j is refused, before anything is measured", async (args, message) => {
    const { code, stdout, stderr } = await runBench(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(message);
});
