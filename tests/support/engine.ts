// The real Pulumi engine on a stack of its own: a temporary folder holds project, state, and everything that the CLI
// keeps in a home directory. Programs are functions of the test; the plugin process loads this package's build.

import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import {
    type ConfigMap,
    type EngineEvent,
    LocalWorkspace,
    type OpMap,
    type OpType,
    type PropertyDiff,
    PulumiCommand,
    type PulumiFn,
    type Stack,
} from "@pulumi/pulumi/automation";
import * as settings from "@pulumi/pulumi/runtime/settings";
import { withProgramErrors } from "./program-errors";
import { makeWorkDir, type Packages, removeWorkDir } from "./workdir";

/** JSON as it stands in states and events. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Bag = { [key: string]: Json };

export interface StackOptions {
    /** What `up`, `preview` and the others run, unless they bring a program of their own. */
    program: PulumiFn;
    /** An `Emulator`: sets endpoint, API key and `allowInsecure`; `config` adds to them. */
    emulator?: { readonly address: string; readonly rootKey: string };
    config?: Readonly<Record<string, ConfigInput>>;
    /** Environment variables of the engine, which its plugins inherit. */
    env?: Readonly<Record<string, string>>;
    /** Links in node_modules, in place of this package. */
    packages?: Packages;
    /** Default "project". */
    projectName?: string;
    /** Default "stack". */
    stackName?: string;
}

export type ConfigInput = string | { readonly secret: string };

export interface OperationOptions {
    program?: PulumiFn;
    /** Default 16. */
    parallel?: number;
    /** Look at what is really there first. */
    refresh?: boolean;
    /** Print old and new values, as `--diff` does; a preview always does. */
    diff?: boolean;
    target?: string[];
    replace?: string[];
    /** After a failure, do what does not depend on what has failed. */
    continueOnError?: boolean;
    env?: Readonly<Record<string, string>>;
    /** Aborting it is Ctrl-C. */
    signal?: AbortSignal;
    onEvent?: (event: EngineEvent) => void;
    /** Return the result of a failed operation, and throw if it does not fail. */
    expectFailure?: boolean;
}

/** One thing that the engine did, or at preview would do, to a resource. */
export interface Step {
    op: OpType;
    urn: string;
    /** The logical name. */
    name: string;
    type: string;
    failed: boolean;
    /** Top-level properties that differ. */
    diffs: string[];
    /** By property path; what `--diff` displays. */
    detailedDiff: Record<string, PropertyDiff>;
    /** Properties that force the replacement. */
    replaceKeys: string[];
    old: StepState | undefined;
    new: StepState | undefined;
}

export interface StepState {
    id: string;
    inputs: Bag;
    outputs: Bag;
}

export interface Diagnostic {
    severity: "info" | "info#err" | "warning" | "error";
    message: string;
    /** Empty: about the whole stack. */
    urn: string;
    /** A live status, gone when the operation ends. */
    ephemeral: boolean;
}

export interface Result {
    succeeded: boolean;
    stdout: string;
    stderr: string;
    /** Number of resources by what happened to them, e.g. `{ create: 2, same: 1 }`. The stack itself counts too. */
    changes: OpMap;
    /** Every step but those of the stack and of providers, in the order in which they ended. */
    steps: Step[];
    /** All but those of severity "debug", which the SDK sends for every call of its own. */
    diagnostics: Diagnostic[];
    events: EngineEvent[];
    /** The ops of a resource, by its logical name, without "same"; e.g. `["create-replacement", "replace", ...]`. */
    ops(name: string): OpType[];
    /** The only step of a resource, by its logical name. */
    step(name: string): Step;
    /** What was said about a resource (logical name or URN), or without a name about the whole stack. */
    messages(nameOrUrn?: string): string[];
}

export interface StateResource {
    urn: string;
    type: string;
    id?: string;
    custom?: boolean;
    delete?: boolean;
    protect?: boolean;
    inputs?: Bag;
    outputs?: Bag;
    provider?: string;
    initErrors?: string[];
    dependencies?: string[];
    additionalSecretOutputs?: string[];
}

interface Checkpoint {
    resources?: StateResource[];
    pending_operations?: { type: string; resource: StateResource }[];
}

/** An operation failed although the test did not expect it, or the other way round. */
export class EngineError extends Error {
    override readonly name = "EngineError";

    constructor(
        message: string,
        readonly result: Result,
    ) {
        super(message);
    }
}

// gRPC shares connections by address among all clients of a process. A port that an engine has left can be given to the
// next one; its program would then be told that nobody is there, and the engine that there is nothing to register.
Object.assign((settings as unknown as { grpcClientOptions: object }).grpcClientOptions, {
    "grpc.use_local_subchannel_pool": 1,
});

const runFile = promisify(execFile);

const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

export class TestStack {
    private constructor(
        readonly workDir: string,
        private readonly options: StackOptions,
        private readonly automation: Stack,
    ) {}

    /** The caller ends it with `remove()`; `withStack` does so by itself. */
    static async create(options: StackOptions): Promise<TestStack> {
        const workDir = makeWorkDir(options.packages);
        try {
            const home = path.join(workDir, "home");
            const backend = path.join(workDir, "backend");
            mkdirSync(home);
            mkdirSync(backend);
            const { projectName = "project", stackName = "stack" } = options;
            const config = Object.entries({ ...emulatorConfig(options), ...options.config });
            const automation = await LocalWorkspace.createStack(
                { projectName, stackName, program: options.program },
                {
                    workDir,
                    pulumiHome: home,
                    pulumiCommand: await pulumiCommand(),
                    // `main` stays unset: the plugin host then runs in workDir, where node_modules is.
                    // Beside each file the backend would keep another with its metadata, and a kill can leave that one
                    // empty, after which the engine cannot read the state.
                    projectSettings: {
                        name: projectName,
                        runtime: "nodejs",
                        backend: { url: `file://${backend}?metadata=skip` },
                    },
                    // Written to the file, since the CLI would take most of a second; only it can encrypt.
                    stackSettings: { [stackName]: { config: Object.fromEntries(config.filter(isPlain)) } },
                    secretsProvider: "passphrase",
                    envVars: environment(options),
                },
            );
            // After every operation Automation API asks the CLI for these too, which takes as long again.
            automation.outputs = async () => ({});
            automation.info = async () => undefined;
            const stack = new TestStack(workDir, options, automation);
            await stack.setConfig(Object.fromEntries(config.filter((entry) => !isPlain(entry))));
            return stack;
        } catch (error) {
            removeWorkDir(workDir);
            throw error;
        }
    }

    up(options: OperationOptions = {}): Promise<Result> {
        return this.run("up", options, async (common) => {
            const { diff = false, continueOnError = false } = options;
            const how = { ...common, diff, continueOnError };
            await this.automation.up({ ...how, ...programOf(options), ...scopeOf(options) });
        });
    }

    preview(options: OperationOptions = {}): Promise<Result> {
        return this.run("preview", options, async (common) => {
            await this.automation.preview({ ...common, diff: true, ...programOf(options), ...scopeOf(options) });
        });
    }

    refresh(options: Omit<OperationOptions, "refresh" | "replace" | "program"> = {}): Promise<Result> {
        return this.run("refresh", options, async (common) => {
            await this.automation.refresh({ ...common, ...(options.target ? { target: options.target } : {}) });
        });
    }

    destroy(options: Omit<OperationOptions, "replace" | "program"> = {}): Promise<Result> {
        return this.run("destroy", options, async (common) => {
            await this.automation.destroy({ ...common, ...scopeOf(options) });
        });
    }

    /** Everything in state but the stack and providers, secrets encrypted. */
    resources(): StateResource[] {
        return this.allResources().filter(({ type }) => !isPlumbing(type));
    }

    /** The state of one resource, by its logical name. */
    resource(name: string): StateResource {
        const found = this.resources().filter((resource) => nameOf(resource.urn) === name);
        const [resource] = found;
        if (resource === undefined || found.length > 1) {
            throw new Error(`${found.length} resources named ${name} in state`);
        }
        return resource;
    }

    allResources(): StateResource[] {
        return this.checkpoint().resources ?? [];
    }

    /** What an engine that was killed had begun: `creating urn:pulumi:...`. */
    pendingOperations(): string[] {
        const pending = this.checkpoint().pending_operations ?? [];
        return pending.map(({ type, resource }) => `${type} ${resource.urn}`);
    }

    /** Read from the backend's own file: `pulumi stack export` would take a third of a second. */
    private checkpoint(): Checkpoint {
        const { projectName = "project", stackName = "stack" } = this.options;
        const file = path.join(this.workDir, "backend", ".pulumi", "stacks", projectName, `${stackName}.json`);
        const state = JSON.parse(readFileSync(file, "utf8")) as { checkpoint: { latest?: Checkpoint } };
        return state.checkpoint.latest ?? {};
    }

    /** The stack's outputs, secrets in the clear. */
    async outputs(): Promise<Record<string, Json>> {
        // Automation API asks the CLI twice, to learn which are secrets.
        const { stackName = "stack" } = this.options;
        const command = ["stack", "output", "--json", "--show-secrets", "--stack", stackName];
        const { stdout } = await runFile((await pulumiCommand()).command, command, {
            cwd: this.workDir,
            env: { ...process.env, ...environment(this.options), PULUMI_HOME: path.join(this.workDir, "home") },
        });
        return JSON.parse(stdout) as Record<string, Json>;
    }

    /** The state, changed by hand: for what an older release or a crash left. */
    async editState(edit: (resources: StateResource[]) => void): Promise<void> {
        const state = await this.automation.exportStack();
        edit((state.deployment as { resources: StateResource[] }).resources);
        await this.automation.importStack(state);
    }

    /** Every file that the backend keeps, as text: secrets must not be found in it. */
    stateFiles(): string {
        return readdirSync(path.join(this.workDir, "backend"), { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map((entry) => readFileSync(path.join(entry.parentPath ?? entry.path, entry.name), "utf8"))
            .join("\n");
    }

    async setConfig(config: Readonly<Record<string, ConfigInput>>): Promise<void> {
        const values: ConfigMap = {};
        for (const [key, value] of Object.entries(config)) {
            values[key] = typeof value === "string" ? { value } : { value: value.secret, secret: true };
        }
        if (Object.keys(values).length > 0) {
            await this.automation.setAllConfig(values);
        }
    }

    /** Ends an update that was killed: what a user does by `pulumi cancel`. */
    cancel(): Promise<void> {
        return this.automation.cancel();
    }

    remove(): void {
        removeWorkDir(this.workDir);
    }

    private async run(
        kind: string,
        options: OperationOptions,
        operate: (common: CommonOptions) => Promise<void>,
    ): Promise<Result> {
        const recorder = new Recorder();
        this.automation.workspace.envVars = { ...environment(this.options), ...options.env };
        let failure: Error | undefined;
        try {
            await withProgramErrors(() =>
                operate({
                    color: "never",
                    parallel: options.parallel ?? 16,
                    onOutput: (text) => recorder.onOutput(text),
                    onError: (text) => recorder.onError(text),
                    onEvent: (event) => {
                        recorder.onEvent(event);
                        options.onEvent?.(event);
                    },
                    ...(options.signal ? { signal: options.signal } : {}),
                }),
            );
        } catch (error) {
            failure = error instanceof Error ? error : new Error(String(error));
        }
        const result = recorder.result(failure === undefined);
        if (failure !== undefined && options.expectFailure !== true) {
            throw new EngineError(`${kind} failed: ${failure.message}`, result);
        }
        if (failure === undefined && options.expectFailure === true) {
            throw new EngineError(`${kind} was expected to fail, and did not:\n${result.stdout}`, result);
        }
        return result;
    }
}

/** A stack that is gone, with its folder, when `body` is done. Resources that are left are not destroyed. */
export async function withStack<T>(options: StackOptions, body: (stack: TestStack) => Promise<T>): Promise<T> {
    const stack = await TestStack.create(options);
    try {
        return await body(stack);
    } finally {
        stack.remove();
    }
}

/** Whether a value in state is an encrypted secret. */
export function isSecret(value: Json | undefined): boolean {
    return typeof value === "object" && value !== null && Object.values(value).includes(SECRET_SIGNATURE);
}

interface CommonOptions {
    color: "never";
    parallel: number;
    onOutput: (text: string) => void;
    onError: (text: string) => void;
    onEvent: (event: EngineEvent) => void;
    signal?: AbortSignal;
}

class Recorder {
    private stdout = "";
    private stderr = "";
    private readonly events: EngineEvent[] = [];

    onOutput(text: string): void {
        this.stdout += text;
    }

    onError(text: string): void {
        this.stderr += text;
    }

    onEvent(event: EngineEvent): void {
        this.events.push(event);
    }

    result(succeeded: boolean): Result {
        const steps = this.events.flatMap(toStep).filter(({ type }) => !isPlumbing(type));
        const diagnostics = this.events.flatMap(toDiagnostic);
        return {
            succeeded,
            stdout: this.stdout,
            stderr: this.stderr,
            changes: this.events.findLast((event) => event.summaryEvent)?.summaryEvent?.resourceChanges ?? {},
            steps,
            diagnostics,
            events: this.events,
            ops: (name) => steps.filter((step) => step.name === name && step.op !== "same").map(({ op }) => op),
            step: (name) => {
                const found = steps.filter((step) => step.name === name);
                const [step] = found;
                if (step === undefined || found.length > 1) {
                    throw new Error(`${name} has ${found.length} steps: ${found.map(({ op }) => op).join(", ")}`);
                }
                return step;
            },
            messages: (nameOrUrn = "") =>
                diagnostics
                    .filter(({ urn, ephemeral }) => !ephemeral && (urn === nameOrUrn || nameOf(urn) === nameOrUrn))
                    .map(({ message }) => message),
        };
    }
}

function toStep({ resOutputsEvent, resOpFailedEvent }: EngineEvent): Step[] {
    const metadata = resOutputsEvent?.metadata ?? resOpFailedEvent?.metadata;
    if (metadata === undefined) {
        return [];
    }
    const { op, urn, type, diffs, detailedDiff, keys } = metadata;
    return [
        {
            op,
            urn,
            name: nameOf(urn),
            type,
            failed: resOpFailedEvent !== undefined,
            diffs: diffs ?? [],
            detailedDiff: detailedDiff ?? {},
            replaceKeys: keys ?? [],
            old: toStepState(metadata.old),
            new: toStepState(metadata.new),
        },
    ];
}

function toStepState(state: { id: string; inputs: Bag; outputs: Bag } | null | undefined): StepState | undefined {
    return state ? { id: state.id, inputs: state.inputs, outputs: state.outputs } : undefined;
}

function toDiagnostic({ diagnosticEvent }: EngineEvent): Diagnostic[] {
    // The type knows no "debug", the engine does.
    if (diagnosticEvent === undefined || (diagnosticEvent.severity as string) === "debug") {
        return [];
    }
    const { severity, message, urn = "", ephemeral = false } = diagnosticEvent;
    // The engine marks colours up as <{%fg 1%}>, for the display to resolve.
    return [{ severity, message: message.replaceAll(/<\{%.*?%\}>/g, "").trimEnd(), urn, ephemeral }];
}

function nameOf(urn: string): string {
    return urn.split("::").slice(3).join("::");
}

function isPlumbing(type: string): boolean {
    return type === "pulumi:pulumi:Stack" || type.startsWith("pulumi:providers:");
}

function programOf({ program }: OperationOptions): { program?: PulumiFn } {
    return program ? { program } : {};
}

function scopeOf({ refresh, target, replace }: OperationOptions): {
    refresh?: boolean;
    target?: string[];
    replace?: string[];
} {
    return {
        ...(refresh === undefined ? {} : { refresh }),
        ...(target ? { target } : {}),
        ...(replace ? { replace } : {}),
    };
}

function emulatorConfig({ emulator }: StackOptions): Record<string, ConfigInput> {
    return emulator
        ? {
              "temporalcloud:endpoint": emulator.address,
              "temporalcloud:apiKey": emulator.rootKey,
              "temporalcloud:allowInsecure": "true",
          }
        : {};
}

function isPlain(entry: [key: string, value: ConfigInput]): entry is [string, string] {
    return typeof entry[1] === "string";
}

function environment(options: StackOptions): Record<string, string> {
    return {
        PULUMI_CONFIG_PASSPHRASE: "passphrase",
        // Neither may cost a test time, nor make it depend on a network.
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        ...options.env,
    };
}

let command: Promise<PulumiCommand> | undefined;

function pulumiCommand(): Promise<PulumiCommand> {
    const place = process.env.TEMPORAL_CLOUD_TEST_PULUMI;
    if (!place) {
        throw new Error("there is no Pulumi CLI: run `npm run setup` first");
    }
    command ??= PulumiCommand.get(place === "PATH" ? {} : { root: place });
    return command;
}
