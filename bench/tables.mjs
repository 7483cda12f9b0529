// The tables, in Markdown.

import { median } from "./import.mjs";

/** The commands that run the program; the others only read the state. */
const WITH_PROGRAM = ["up", "up again", "drift"];

/** @param {string[][]} rows the first is the headings; numeric columns are right-aligned */
function table(rows) {
    const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
    const isNumber = rows[0].map((_, column) => rows.slice(1).every((row) => /^[-\d.]*$/.test(row[column])));
    const line = (cells) => `| ${cells.join(" | ")} |`;
    const lines = rows.map((row) =>
        line(
            row.map((cell, column) => (isNumber[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))),
        ),
    );
    const rule = widths.map((width, column) => (isNumber[column] ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
    return `${[lines[0], line(rule), ...lines.slice(1)].join("\n")}\n`;
}

export function importTable({ runs, pulumiMs, packageMs, modules, forbidden }) {
    return `${table([
        ["import", "ms", "modules"],
        ["@pulumi/pulumi", pulumiMs.toFixed(0), ""],
        ["pulumi-temporal-cloud, after it", packageMs.toFixed(1), String(modules)],
    ])}\nMedians of ${runs} processes. ${
        forbidden.length === 0
            ? "Loads no gRPC and no generated code."
            : `LOADS WHAT ONLY THE PLUGIN NEEDS:\n${forbidden.join("\n")}`
    }\n`;
}

/** Groups the runs of one contestant in one scenario. */
function collect(figures) {
    const groups = Map.groupBy
        ? Map.groupBy(figures, keyOf)
        : figures.reduce(
              (map, figure) => map.set(keyOf(figure), [...(map.get(keyOf(figure)) ?? []), figure]),
              new Map(),
          );
    return new Map(
        [...groups].map(([key, runs]) => [
            key,
            {
                ...medianRun(runs),
                wallMs: median(runs.map(({ wallMs }) => wallMs)),
                plugin: medians(runs.map(({ plugin }) => plugin)),
                program: medians(runs.map(({ program }) => program)),
                error: runs.find(({ error }) => error)?.error,
            },
        ]),
    );
}

/** Requests are those of one run: per-method medians would not add up. */
const medianRun = (runs) => [...runs].sort((a, b) => a.wallMs - b.wallMs)[(runs.length - 1) >> 1];

/** The median of each figure over the runs that have it. */
function medians(costs) {
    const known = costs.filter((cost) => cost !== undefined);
    const [first] = known;
    return (
        first && Object.fromEntries(Object.keys(first).map((name) => [name, median(known.map((cost) => cost[name]))]))
    );
}

const keyOf = ({ size, operationMs, limit, operation, contestant }) =>
    [size, operationMs, limit, operation, contestant].join("/");

export function mainTable(figures) {
    const all = collect(figures);
    const of = (figure, contestant, limit = figure.limit) => {
        const other = all.get(keyOf({ ...figure, contestant, limit }));
        // A failed run is no basis for comparison.
        return other?.error && contestant !== "terraform" ? undefined : other;
    };
    const withTwins = figures.some(({ contestant }) => contestant === "twin");
    const withTerraform = figures.some(({ contestant }) => contestant === "terraform");
    const rows = [
        [
            "resources",
            "operation",
            "limit",
            "command",
            "wall s",
            "floor s",
            "ratio",
            ...(withTwins ? ["twins s", "ratio"] : []),
            "requests",
            "refused",
            "plugin MB",
            "program MB",
            "plugin CPU ms",
            "floor CPU ms",
            "beyond, ms/resource",
            "emulator CPU ms",
            ...(withTwins ? ["twins CPU ms", "beyond twins"] : []),
            ...(withTerraform
                ? ["wall s with the program's start", "Terraform s", "its requests", "refused", "Terraform/Pulumi"]
                : []),
            "by method",
        ],
    ];
    for (const figure of all.values()) {
        if (figure.contestant !== "provider") {
            continue;
        }
        const floor = of(figure, "floor") ?? of(figure, "floor", 0);
        const twin = of(figure, "twin") ?? of(figure, "twin", 0);
        const terraform = of(figure, "terraform");
        const { made, operationMs, limit, operation, wallMs, plugin, program, requests, error } = figure;
        const beyond = (other) => plugin && other?.plugin && (plugin.cpuMs - other.plugin.cpuMs) / made;
        // Terraform's time includes the start of its process.
        const wholeMs = wallMs + (WITH_PROGRAM.includes(operation) ? (program?.startMs ?? 0) : 0);
        rows.push([
            String(made),
            `${operationMs / 1000} s`,
            limit ? `${limit}/s` : "none",
            error ? `${operation} FAILED` : operation,
            seconds(wallMs),
            seconds(floor?.wallMs),
            ratio(wallMs, floor?.wallMs),
            ...(withTwins ? [seconds(twin?.wallMs), ratio(wallMs, twin?.wallMs)] : []),
            String(total(requests)),
            String(requests.refused),
            plugin ? plugin.peakMb.toFixed(0) : "",
            program ? program.peakMb.toFixed(0) : "",
            plugin?.cpuMs.toFixed(0) ?? "",
            floor?.plugin?.cpuMs.toFixed(0) ?? "",
            beyond(floor)?.toFixed(2) ?? "",
            requests.cpuMs.toFixed(0),
            ...(withTwins ? [twin?.plugin?.cpuMs.toFixed(0) ?? "", beyond(twin)?.toFixed(2) ?? ""] : []),
            ...(withTerraform
                ? [
                      seconds(wholeMs),
                      terraform?.error ? "FAILED" : seconds(terraform?.wallMs),
                      terraform ? String(total(terraform.requests)) : "",
                      terraform ? String(terraform.requests.refused) : "",
                      terraform?.error ? "" : ratio(terraform?.wallMs, wholeMs),
                  ]
                : []),
            Object.entries(requests.byMethod)
                .map(([method, count]) => `${method} ${count}`)
                .join(", "),
        ]);
    }
    return table(rows);
}

/** What the columns of the main table mean. */
export const LEGEND = `floor: as many dynamic resources that only wait as long. twins: the same with all the properties of the real ones.
plugin, program: CPU and peak memory of the plugin and of the program with Pulumi's SDK. beyond: the plugin's CPU above that of the floor.
emulator: takes its CPU from the same machine, unlike Temporal Cloud.
up again: an up without changes. read: a refresh in which the engine sends no Diff.
drift: preview --refresh after every tenth resource was changed elsewhere. docs/performance.md explains more.
`;

/** How each figure grows with the number of resources. */
export function growthTable(figures) {
    const all = new Map([...collect(figures)].filter(([, { error }]) => !error));
    const sizes = [...new Set([...all.values()].map(({ size }) => size))].sort((a, b) => a - b);
    const made = [...new Set([...all.values()].map(({ made }) => made))].sort((a, b) => a - b);
    const headings = ["ms each", "plugin CPU ms each", "requests each", "refused", "plugin MB", "program MB"];
    const rows = [["operation", "limit", "command", "who", ...headings]];
    // One of each, regardless of size.
    const ofAnySize = new Map([...all.values()].map((figure) => [keyOf({ ...figure, size: "" }), figure]));
    for (const figure of ofAnySize.values()) {
        const ofSizes = sizes.map((size) => all.get(keyOf({ ...figure, size })));
        const grow = (figureOf) => ofSizes.map((at) => (at && figureOf(at)) ?? "-").join(", ");
        rows.push([
            `${figure.operationMs / 1000} s`,
            figure.limit ? `${figure.limit}/s` : "none",
            figure.operation,
            figure.contestant,
            grow(({ wallMs, made }) => (wallMs / made).toFixed(1)),
            grow(({ plugin, made }) => plugin && (plugin.cpuMs / made).toFixed(2)),
            grow(({ requests, made }) => (total(requests) / made).toFixed(2)),
            grow(({ requests }) => requests.refused),
            grow(({ plugin }) => plugin?.peakMb.toFixed(0)),
            grow(({ program }) => program?.peakMb.toFixed(0)),
        ]);
    }
    return `Growth: for each resource, at ${made.join(", ")} resources:\n\n${table(rows)}`;
}

const total = ({ byMethod }) => Object.values(byMethod).reduce((sum, count) => sum + count, 0);
const seconds = (ms) => (ms === undefined ? "" : (ms / 1000).toFixed(1));
const ratio = (ms, baseMs) => (ms === undefined || !baseMs ? "" : (ms / baseMs).toFixed(2));
