// What the engine does with one resource after another, without the engine: for the many settings and faults for which
// the real one would only cost time. It speaks to the real plugin process, and keeps a state.

import { randomUUID } from "node:crypto";
import type { Emulator } from "../../emulator";
import { connect } from "../emulator/client";
import { type Host, HostError, type HostOptions, type Properties, startHost } from "../support/host";
import { inputsOf, type Kind, urnOf } from "../support/inputs";

/** What one step of the mini engine did. */
export type Op = "same" | "create" | "update" | "replace";

export interface Options {
    readonly timeouts?: Readonly<Record<string, string>>;
    readonly importId?: string | undefined;
    readonly adopt?: boolean;
    readonly ignoreChanges?: readonly string[];
    /** `--target-replace`: the provider is not asked for a difference, and checks as if there was nothing. */
    readonly targetReplace?: boolean;
    /** The run ends before it gets to the deletion of what it has replaced. */
    readonly dieBeforeDelete?: boolean;
}

export interface Saved {
    readonly kind: Kind;
    readonly urn: string;
    readonly id: string;
    readonly inputs: Properties;
    readonly outputs: Properties;
    readonly reasons?: readonly string[];
}

export interface MiniStackOptions extends HostOptions {
    /** Of the stack, besides what leads to the emulator. */
    readonly config?: Readonly<Record<string, string>>;
}

/** A stack and the plugin process of its present run. */
export class MiniStack {
    /** By logical name. */
    readonly state = new Map<string, Saved>();
    /** What was replaced, and is still to be deleted. */
    readonly condemned: Saved[] = [];
    private host: Promise<Host> | undefined;
    private logs: Host["logs"] = [];

    constructor(
        readonly emulator: Emulator,
        private readonly options: MiniStackOptions = {},
    ) {}

    /** The plugin process; every run of the engine has its own. */
    plugin(): Promise<Host> {
        this.host ??= this.start();
        return this.host;
    }

    /** The run is over: the next step starts a plugin process of its own. */
    async end(): Promise<void> {
        const host = this.host;
        this.host = undefined;
        await (await host)?.close();
    }

    /**
     * The next run begins: what follows is the first that it creates, or else it has created something, which is forgotten, so
     * that its process knows when it began.
     */
    async next(isFirst: boolean): Promise<void> {
        await this.end();
        if (isFirst) {
            return;
        }
        const name = `warm-${randomUUID()}`;
        await this.up("ServiceAccount", name, { name, accountRole: "read" });
        this.emulator.serviceAccounts.remove(this.id(name));
        this.state.delete(name);
    }

    /** The plugin process dies. */
    async kill(): Promise<void> {
        const host = this.host;
        this.host = undefined;
        await (await host)?.kill();
    }

    /** What this run, or the last one, has warned of. */
    get warnings(): string[] {
        return this.logs.filter(({ severity }) => severity === "warning").map(({ message }) => message);
    }

    id(name: string): string {
        const saved = this.state.get(name);
        if (saved === undefined) {
            throw new Error(`${name} is not in the state`);
        }
        return saved.id;
    }

    /** Brings one resource to what is declared, as `pulumi up` does, the old one's deletion included. */
    async up(kind: Kind, name: string, args: Properties, options: Options = {}): Promise<Op> {
        const host = await this.plugin();
        const urn = urnOf(kind, name);
        const { timeouts, importId, adopt, ignoreChanges } = options;
        const news = inputsOf(kind, name, args, { timeouts, importId, adopt, ignoreChanges });
        const old = this.state.get(name);
        if (old === undefined || options.targetReplace) {
            await this.create(kind, name, await this.checked(urn, news));
            if (old === undefined) {
                return "create";
            }
            if (options.dieBeforeDelete) {
                this.condemned.push(old);
            } else {
                await this.discard(old);
            }
            return "replace";
        }
        const inputs = await this.checked(urn, news, old.inputs);
        const diff = await host.diff({ id: old.id, urn, olds: old.outputs, news: inputs });
        if (diff.changes !== "some" && old.reasons === undefined) {
            this.state.set(name, { ...old, inputs });
            return "same";
        }
        if (diff.replaces.length === 0) {
            await this.update(name, old, inputs);
            return "update";
        }
        const fresh = await this.checked(urn, news);
        if (diff.deleteBeforeReplace) {
            await this.destroy(name);
            await this.create(kind, name, fresh);
        } else {
            await this.create(kind, name, fresh);
            await this.discard(old);
        }
        return "replace";
    }

    /** Looks at what is there, as `pulumi refresh` does: the names of the properties that differ, or "gone". */
    async refresh(name: string): Promise<readonly string[] | "gone"> {
        const host = await this.plugin();
        const old = this.saved(name);
        const read = await host.read({ id: old.id, urn: old.urn, properties: old.outputs, inputs: old.inputs });
        if (read.id === "") {
            this.state.delete(name);
            return "gone";
        }
        const inputs = read.inputs ?? old.inputs;
        // What was half-finished is no longer, once it has been read.
        const { reasons, ...kept } = old;
        this.state.set(name, { ...kept, inputs, outputs: read.properties });
        const visible = (bag: Properties) => Object.keys(bag).filter((key) => !key.startsWith("__"));
        return [...new Set([...visible(inputs), ...visible(old.inputs)])].filter(
            (key) => JSON.stringify(inputs[key]) !== JSON.stringify(old.inputs[key]),
        );
    }

    async destroy(name: string): Promise<void> {
        await this.delete(this.saved(name));
        this.state.delete(name);
    }

    /** What the engine does at the end of the next run with what a killed one has left to be deleted. */
    async cleanUp(): Promise<void> {
        for (const saved of [...this.condemned]) {
            await this.delete(saved);
            this.condemned.splice(this.condemned.indexOf(saved), 1);
        }
    }

    private async start(): Promise<Host> {
        const host = await startHost(this.options);
        this.logs = host.logs;
        await host.configure({
            "temporalcloud:endpoint": this.emulator.address,
            "temporalcloud:apiKey": this.emulator.rootKey,
            "temporalcloud:allowInsecure": "true",
            ...this.options.config,
        });
        return host;
    }

    /** What an alias makes of a state: the same resource under another name. */
    rename(from: string, to: string): void {
        const saved = this.saved(from);
        this.state.delete(from);
        this.state.set(to, { ...saved, urn: urnOf(saved.kind, to) });
    }

    private async create(kind: Kind, name: string, properties: Properties): Promise<void> {
        const host = await this.plugin();
        const urn = urnOf(kind, name);
        try {
            const created = await host.create({ urn, properties });
            this.state.set(name, { kind, urn, id: created.id, inputs: properties, outputs: created.properties });
        } catch (error) {
            this.keep(error, kind, name, properties);
            throw error;
        }
    }

    private async update(name: string, old: Saved, inputs: Properties): Promise<void> {
        const host = await this.plugin();
        const { kind, urn, id } = old;
        try {
            const outputs = await host.update({ id, urn, olds: old.outputs, news: inputs });
            this.state.set(name, { kind, urn, id, inputs, outputs });
        } catch (error) {
            this.keep(error, kind, name, inputs);
            throw error;
        }
    }

    /** What is half finished stays in the state. */
    private keep(error: unknown, kind: Kind, name: string, inputs: Properties): void {
        if (error instanceof HostError && error.initFailed) {
            const { id, properties: outputs, reasons } = error.initFailed;
            this.state.set(name, { kind, urn: urnOf(kind, name), id, inputs, outputs, reasons });
        }
    }

    private async discard(old: Saved): Promise<void> {
        this.condemned.push(old);
        await this.delete(old);
        this.condemned.splice(this.condemned.indexOf(old), 1);
    }

    private async delete({ id, urn, outputs }: Saved): Promise<void> {
        const host = await this.plugin();
        await host.delete({ id, urn, properties: outputs });
    }

    private saved(name: string): Saved {
        const saved = this.state.get(name);
        if (saved === undefined) {
            throw new Error(`${name} is not in the state`);
        }
        return saved;
    }

    private async checked(urn: string, news: Properties, olds?: Properties): Promise<Properties> {
        const host = await this.plugin();
        const { inputs, failures } = await host.check({ urn, news, ...(olds ? { olds } : {}) });
        if (failures.length > 0) {
            throw new Error(failures.map(({ reason }) => reason).join("\n"));
        }
        return inputs;
    }
}

/** What the tests have to know of a kind. */
export interface Sample {
    readonly kind: Kind;
    readonly create: string;
    readonly update: string;
    readonly delete: string;
    readonly get: string;
    /** Whether two cannot have one name. */
    readonly unique: boolean;
    args(emulator: Emulator): Properties;
    /** The same, changed in place. */
    changed(emulator: Emulator): Properties;
    /** The same, in a way that only a replacement can bring about. */
    replaced(emulator: Emulator): Properties;
    ids(emulator: Emulator): string[];
    /** Whether what is there is what `changed` says. */
    isChanged(emulator: Emulator, id: string): boolean;
    /** Gives the resource a new version and nothing else that the provider manages. */
    touch(emulator: Emulator, id: string): void;
}

const REGION = "aws-us-east-1";

/** A service account that the test did not make by the provider. */
export function owner(emulator: Emulator): string {
    const name = "owner-of-keys";
    const there = emulator.serviceAccounts.list().find(({ spec }) => spec?.name === name);
    return (there ?? emulator.serviceAccounts.add({ spec: { name, access: { accountAccess: { role: 3 } } } })).id;
}

export const samples: readonly Sample[] = [
    {
        kind: "Namespace",
        create: "CreateNamespace",
        update: "UpdateNamespace",
        delete: "DeleteNamespace",
        get: "GetNamespace",
        unique: true,
        args: () => ({ name: "orders", regions: [REGION], apiKeyAuth: true, retentionDays: 5 }),
        changed: () => ({ name: "orders", regions: [REGION], apiKeyAuth: true, retentionDays: 7 }),
        replaced: () => ({ name: "orders-2", regions: [REGION], apiKeyAuth: true, retentionDays: 7 }),
        ids: ({ namespaces }) =>
            namespaces
                .list()
                .map(({ namespace }) => namespace)
                .filter((id) => id.startsWith("orders")),
        isChanged: ({ namespaces }, id) => namespaces.get(id)?.spec?.retentionDays === 7,
        touch: ({ namespaces }, id) =>
            namespaces.change(id, ({ spec }) => {
                if (spec) {
                    spec.description = `touched ${Math.random()}`;
                }
            }),
    },
    {
        kind: "User",
        create: "CreateUser",
        update: "UpdateUser",
        delete: "DeleteUser",
        get: "GetUser",
        unique: true,
        args: () => ({ email: "ann@example.com", accountRole: "read" }),
        changed: () => ({ email: "ann@example.com", accountRole: "developer" }),
        replaced: () => ({ email: "bob@example.com", accountRole: "developer" }),
        ids: ({ users }) => users.list().map(({ id }) => id),
        isChanged: ({ users }, id) => users.get(id)?.spec?.access?.accountAccess?.role === 3,
        touch: ({ users, projects }, id) =>
            users.change(id, ({ spec }) => {
                const project = projects.add({ spec: { displayName: `project ${Math.random()}` } });
                if (spec?.access) {
                    spec.access.projectAccesses = { [project.id]: { role: 1, _unknownFields: {} } };
                }
            }),
    },
    {
        kind: "ServiceAccount",
        create: "CreateServiceAccount",
        update: "UpdateServiceAccount",
        delete: "DeleteServiceAccount",
        get: "GetServiceAccount",
        unique: true,
        args: () => ({ name: "worker", accountRole: "read" }),
        changed: () => ({ name: "worker", accountRole: "developer" }),
        replaced: (emulator) => ({
            name: "worker",
            namespaceScopedAccess: { namespaceId: someNamespace(emulator), permission: "write" },
        }),
        ids: ({ serviceAccounts }) =>
            serviceAccounts
                .list()
                .filter(({ spec }) => spec?.name === "worker")
                .map(({ id }) => id),
        isChanged: ({ serviceAccounts }, id) => serviceAccounts.get(id)?.spec?.access?.accountAccess?.role === 3,
        touch: ({ serviceAccounts }, id) =>
            serviceAccounts.change(id, ({ spec }) => {
                if (spec) {
                    spec.description = `touched ${Math.random()}`;
                }
            }),
    },
    {
        kind: "ApiKey",
        create: "CreateApiKey",
        update: "UpdateApiKey",
        delete: "DeleteApiKey",
        get: "GetApiKey",
        unique: false,
        args: (emulator) => ({ ownerId: owner(emulator), displayName: "key", expiresIn: "90d" }),
        changed: (emulator) => ({ ownerId: owner(emulator), displayName: "other", expiresIn: "90d" }),
        replaced: (emulator) => ({ ownerId: owner(emulator), displayName: "other", expiresIn: "60d" }),
        ids: ({ apiKeys }) => apiKeys.list().map(({ id }) => id),
        isChanged: ({ apiKeys }, id) => apiKeys.get(id)?.spec?.displayName === "other",
        touch: ({ apiKeys }, id) =>
            apiKeys.change(id, ({ spec }) => {
                if (spec) {
                    spec.description = `touched ${Math.random()}`;
                }
            }),
    },
];

function someNamespace(emulator: Emulator): string {
    const there = emulator.namespaces.get(`scope.${emulator.account}`);
    const spec = { name: "scope", retentionDays: 3, replicas: [{ region: REGION }], apiKeyAuth: { enabled: true } };
    return (there ?? emulator.namespaces.add({ spec })).namespace;
}

/** Whether the token in the state lets its owner in. */
export async function tokenWorks(stack: MiniStack, name: string): Promise<boolean> {
    const token = stack.state.get(name)?.outputs.token;
    const value = typeof token === "string" ? token : (token as { value?: unknown } | undefined)?.value;
    const { api, close } = connect(stack.emulator, typeof value === "string" ? value : "none");
    try {
        return (await api.getCurrentIdentity({})).principalApiKey?.id === stack.id(name);
    } catch {
        return false;
    } finally {
        close();
    }
}
