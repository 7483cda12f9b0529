import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { EmulatorOptions, Fault, RandomFaults, Settings } from "../emulator";
import { defaultSettings, settingChoices } from "../emulator/settings";
import { toCode, toFault, toRandomFaults } from "./faults";

/** Source of the root key: not the command line, which every process on the machine can read. */
const keyVariable = "TEMPORAL_CLOUD_EMULATOR_KEY";
const defaultPort = 7240;
const maxPort = 65_535;

interface Options {
    port: number;
    host: string;
    account?: string;
    state?: string;
    tls?: boolean;
    caFile?: string;
    operationDuration: number;
    checkDuration: number;
    requestsPerSecond: number;
    set: Partial<Settings>;
    fault: Fault[];
    randomFaults?: RandomFaults;
    json?: boolean;
    report?: boolean;
}

/** `temporal-cloud emulator`. */
export function emulatorCommand(): Command {
    const names = Object.keys(defaultSettings).join(", ");
    return new Command("emulator")
        .description("Run an emulator of the Temporal Cloud Ops API until interrupted")
        .option("--port <port>", "port to listen on; 0 picks a free one", toPort, defaultPort)
        .option("--host <address>", "address to bind", "127.0.0.1")
        .option("--account <id>", "account id (default: that of the state file, else a1b2c)", toText)
        .option("--state <file>", "persist the account in this file", toText)
        .option("--tls", "use TLS, with a self-signed certificate for localhost")
        .option("--ca-file <file>", "write the certificate to this file (default: a temporary file)")
        .option("--operation-duration <ms>", "duration of operations", toNumber, 0)
        .option("--check-duration <ms>", "check_duration of operations; 0 omits it", toNumber, 0)
        .option("--requests-per-second <n>", "rate limit per principal; 0 for none", toNumber, 0)
        .option("--set <name=value>", `any setting, repeatable: ${names}`, toSetting, {})
        .option(
            "--fault <json>",
            'inject a fault, repeatable, such as {"method":"CreateUser","kind":"failBefore"}',
            toFault,
            [],
        )
        .addOption(
            new Option(
                "--random-faults <json>",
                'inject faults at random, such as {"seed":1,"failBefore":0.1,"loseAnswer":0.1}',
            ).argParser(toRandomFaults),
        )
        .option("--json", "print address, account and API key as one line of JSON")
        .option("--report", "print the number of requests by method on exit, as JSON")
        .addHelpText("after", `\nThe root API key is read from ${keyVariable}; if unset, one is generated and printed.`)
        .action(run);
}

async function run(options: Options): Promise<void> {
    // Imported here so that other commands do not load gRPC.
    const { Emulator } = await import("../emulator/index.js");
    const { operationDuration, checkDuration, requestsPerSecond, account, state } = options;
    const start: EmulatorOptions = {
        port: options.port,
        host: options.host,
        tls: options.tls ?? false,
        settings: {
            operationDurationMs: operationDuration,
            checkDurationMs: checkDuration,
            requestsPerSecond,
            ...options.set,
        },
    };
    if (account !== undefined) start.account = account;
    if (state !== undefined) start.stateFile = state;
    const rootKey = process.env[keyVariable];
    if (rootKey && !/^[\x21-\x7e]+$/.test(rootKey))
        throw new Error(`${keyVariable} must not contain blanks or non-ASCII characters: no client could send it.`);
    if (rootKey) start.rootKey = rootKey;
    if (options.caFile !== undefined && !options.tls) throw new Error("--ca-file requires --tls.");
    // Listen for signals before announcing: whoever reads the announcement may stop it at once.
    const interruption = interrupted();
    const emulator = await Emulator.start(start);
    let ca: ReturnType<typeof writeCa> | undefined;
    try {
        for (const fault of options.fault) emulator.faults.add(fault);
        if (options.randomFaults) emulator.faults.random(options.randomFaults);
        ca = emulator.caCertificate === undefined ? undefined : writeCa(emulator.caCertificate, options.caFile);
        announce(
            { address: emulator.address, account: emulator.account, apiKey: emulator.rootKey, caFile: ca?.file },
            options,
        );
        await interruption;
    } finally {
        await emulator.stop();
        ca?.remove();
    }
    if (options.report)
        console.log(JSON.stringify({ refused: emulator.requests.refused, ...emulator.requests.byMethod() }));
}

function announce(
    emulator: { address: string; account: string; apiKey: string; caFile?: string | undefined },
    options: Options,
): void {
    if (options.json) {
        console.log(JSON.stringify(emulator));
        return;
    }
    console.log(
        `Temporal Cloud emulator for account ${emulator.account} on ${emulator.address}. To use it with the provider:`,
    );
    console.log(`  export TEMPORAL_CLOUD_ENDPOINT=${emulator.address}`);
    console.log(`  export TEMPORAL_CLOUD_API_KEY=${emulator.apiKey}`);
    if (emulator.caFile) console.log(`  export GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=${emulator.caFile}`);
    else console.log("  export TEMPORAL_CLOUD_ALLOW_INSECURE=true");
}

function writeCa(certificate: string, wanted: string | undefined): { file: string; remove: () => void } {
    if (wanted !== undefined) {
        try {
            writeFileSync(wanted, certificate);
        } catch (error) {
            throw new Error(`Cannot write the certificate to ${wanted} (--ca-file): ${(error as Error).message}`);
        }
        return { file: path.resolve(wanted), remove: () => {} };
    }
    const folder = mkdtempSync(path.join(tmpdir(), "temporal-cloud-emulator-"));
    const file = path.join(folder, "ca.pem");
    writeFileSync(file, certificate);
    return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function interrupted(): Promise<void> {
    return new Promise((resolve) => {
        for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
    });
}

function toNumber(text: string): number {
    const value = Number(text);
    if (text.trim() === "" || Number.isNaN(value) || value < 0)
        throw new InvalidArgumentError("It must be a number, 0 or more.");
    return value;
}

function toBoolean(text: string): boolean {
    if (text !== "true" && text !== "false") throw new InvalidArgumentError("It must be true or false.");
    return text === "true";
}

function toText(text: string): string {
    if (text.trim() === "") throw new InvalidArgumentError("It must not be empty.");
    return text;
}

function toWord(text: string): string {
    if (!/^[\w-]+$/.test(text))
        throw new InvalidArgumentError("It must be a list such as aws-us-east-1,aws-us-west-2.");
    return text;
}

function toPort(text: string): number {
    const value = toNumber(text);
    if (!Number.isInteger(value) || value > maxPort)
        throw new InvalidArgumentError(`It must be a port, 0 to ${maxPort}.`);
    return value;
}

function toChoice(text: string, choices: readonly string[]): string {
    if (!choices.includes(text)) throw new InvalidArgumentError(`It must be one of ${choices.join(", ")}.`);
    return text;
}

function toSetting(text: string, settings: Partial<Settings>): Partial<Settings> {
    const [name = "", ...rest] = text.split("=");
    const value = rest.join("=");
    const fallback = Object.entries(defaultSettings).find(([key]) => key === name)?.[1];
    if (fallback === undefined) throw new InvalidArgumentError(`Unknown setting ${name}.`);
    const parse = (): unknown => {
        if (name.endsWith("Code")) return toCode(value);
        if (typeof fallback === "number") return toNumber(value);
        if (typeof fallback === "boolean") return toBoolean(value);
        if (Array.isArray(fallback)) return value.split(",").map(toWord);
        return toChoice(value, settingChoices[name as keyof typeof settingChoices]);
    };
    return { ...settings, [name]: parse() };
}
