import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { ResourceState } from "../proto/generated/temporal/api/cloud/resource/v1/message";
import type { Cloud } from "./core/cloud";
import type { Entry, Kind, Resource } from "./core/collection";
import type { Operation } from "./core/operations";
import { finish, forgetDeleted } from "./core/writes";

const format = 1;
/** How long a change may wait to be written, in milliseconds, and the maximum share of the time spent writing. */
const minDelayMs = 50;
const maxShare = 0.1;

interface SavedEntry {
    builtIn: boolean;
    /** Messages are in base64. */
    resource: string;
    renameVersions: string[];
    pending?: { before: string; next?: string };
    hidden?: Entry<unknown>["hidden"];
}

type SavedOperation = Omit<Operation, "input" | "endsMs"> & {
    input: string;
    /** null: it does not end on its own. */
    endsMs: number | null;
};

interface Saved {
    format: number;
    account: string;
    collections: Record<string, SavedEntry[]>;
    operations: SavedOperation[];
    /** Pairs of a key's SHA-256 and its id. The keys themselves are never stored; the root key not even as a hash. */
    keys: [string, string][];
}

/** The account of a state file, if the file exists. */
export function savedAccount(file: string): string | undefined {
    return existsSync(file) ? load(file).account : undefined;
}

function load(file: string): Saved {
    let saved: Partial<Saved> | null;
    try {
        saved = JSON.parse(readFileSync(file, "utf8")) as Partial<Saved> | null;
    } catch (error) {
        throw new Error(`the emulator's state file ${file} cannot be read: ${(error as Error).message}`, {
            cause: error,
        });
    }
    if (saved?.format === undefined) throw new Error(`${file} is not a state file of the emulator`);
    if (saved.format !== format)
        throw new Error(`the emulator's state file ${file} has format ${saved.format}, not ${format}`);
    const { account, collections, operations, keys } = saved;
    const isWhole = account && typeof collections === "object" && Array.isArray(operations) && Array.isArray(keys);
    if (!isWhole) throw new Error(`the emulator's state file ${file} is damaged: parts of it are missing`);
    return saved as Saved;
}

/** Persists an account in a file: written shortly after each change, and atomically, so that a reader sees a whole state. */
export class StateFile {
    private timer: NodeJS.Timeout | undefined;
    private lastWriteMs = 0;

    constructor(private readonly file: string) {}

    /** Writes soon. */
    changed(cloud: Cloud): void {
        const wait = Math.max(minDelayMs, this.lastWriteMs / maxShare);
        this.timer ??= setTimeout(() => {
            try {
                this.save(cloud);
            } catch (error) {
                // The state is in memory too: continue, and retry with the next change.
                console.error(`The emulator's state cannot be written: ${(error as Error).message}`);
            }
        }, wait).unref();
    }

    /** Writes now. */
    save(cloud: Cloud): void {
        clearTimeout(this.timer);
        this.timer = undefined;
        const began = performance.now();
        const temporary = `${this.file}.${process.pid}.tmp`;
        try {
            // Readable by its owner only: it contains everything about the account.
            writeFileSync(temporary, JSON.stringify(save(cloud)), { mode: 0o600 });
            renameSync(temporary, this.file);
        } catch (error) {
            rmSync(temporary, { force: true });
            throw error;
        }
        this.lastWriteMs = performance.now() - began;
    }

    /** Fills an empty account from the file. */
    restore(cloud: Cloud, kinds: Kind<Resource>[]): void {
        const saved = load(this.file);
        try {
            restore(saved, cloud, kinds);
        } catch (error) {
            throw new Error(`the emulator's state file ${this.file} is damaged: ${(error as Error).message}`, {
                cause: error,
            });
        }
    }
}

function restore(saved: Saved, cloud: Cloud, kinds: Kind<Resource>[]): void {
    for (const kind of kinds) {
        const collection = cloud.of(kind);
        const decode = (text: string) => kind.type.decode(Buffer.from(text, "base64"));
        for (const { resource, builtIn, renameVersions, hidden, pending } of saved.collections[kind.name] ?? []) {
            const entry = collection.insert(decode(resource), builtIn);
            entry.renameVersions = renameVersions;
            if (hidden) entry.hidden = hidden;
            if (pending) {
                const next = pending.next === undefined ? {} : { next: decode(pending.next) };
                entry.pending = { before: decode(pending.before), ...next };
            }
        }
    }
    for (const [hash, id] of saved.keys) cloud.keyring.add(hash, id);
    for (const { input, endsMs, ...operation } of saved.operations) {
        const kind = kinds.find(({ name }) => name === operation.kind);
        if (kind === undefined) continue;
        const whole = {
            ...operation,
            input: Buffer.from(input, "base64"),
            endsMs: endsMs ?? Number.POSITIVE_INFINITY,
        };
        cloud.operations.restore(whole, (ended) => finish(cloud, kind, ended));
    }
    for (const kind of kinds) {
        for (const entry of cloud.of(kind).all()) {
            kind.appeared?.(entry, cloud);
            if (entry.resource.state === ResourceState.RESOURCE_STATE_DELETED) forgetDeleted(cloud, kind, entry);
        }
    }
}

function save(cloud: Cloud): Saved {
    const collections: Saved["collections"] = {};
    for (const collection of cloud.all()) {
        const encode = (resource: Resource) =>
            Buffer.from(collection.kind.type.encode(resource).finish()).toString("base64");
        collections[collection.kind.name] = [...collection.all()].map((entry) => {
            const { builtIn, resource, renameVersions, pending, hidden } = entry;
            const saved: SavedEntry = { builtIn, resource: encode(resource), renameVersions };
            if (hidden) saved.hidden = hidden;
            if (pending) {
                const next = pending.next === undefined ? {} : { next: encode(pending.next) };
                saved.pending = { before: encode(pending.before), ...next };
            }
            return saved;
        });
    }
    const operations = cloud.operations.all().map(({ input, answer, endsMs, ...operation }): SavedOperation => {
        // Empty, not absent: a replayed response has the field.
        const withoutToken = "token" in answer ? { ...answer, token: "" } : answer;
        const ends = Number.isFinite(endsMs) ? endsMs : null;
        return { ...operation, answer: withoutToken, endsMs: ends, input: Buffer.from(input).toString("base64") };
    });
    return { format, account: cloud.account, collections, operations, keys: cloud.keyring.entries() };
}
