import { createHash, randomBytes } from "node:crypto";
import type { Faults } from "../faults";
import type { Settings } from "../settings";
import { Collection, type Kind, type Resource } from "./collection";
import { Operations } from "./operations";
import { Schedule } from "./schedule";

/** The one account that the emulator holds. */
export class Cloud {
    readonly schedule = new Schedule();
    readonly operations: Operations;
    readonly keyring = new Keyring();
    private readonly collections = new Map<string, Collection<Resource>>();

    /**
     * @param changed is called after every change, for the state file.
     */
    constructor(
        readonly account: string,
        readonly settings: Settings,
        readonly faults: Faults,
        readonly changed: () => void = () => {},
    ) {
        this.operations = new Operations(this);
    }

    /** The time, in milliseconds since the epoch. */
    now(): number {
        return Date.now();
    }

    /** Runs what has become due since the last call. */
    settle(): void {
        this.schedule.settle(() => this.now());
    }

    /** All resources of a kind. */
    of<T extends Resource>(kind: Kind<T>): Collection<T> {
        let collection = this.collections.get(kind.name);
        if (collection === undefined) {
            collection = new Collection(kind, this) as unknown as Collection<Resource>;
            this.collections.set(kind.name, collection);
        }
        return collection as unknown as Collection<T>;
    }

    /** All collections. */
    all(): Iterable<Collection<Resource>> {
        return this.collections.values();
    }
}

/** The SHA-256 of an API key's token: all that is kept of it. */
export function hashKey(key: string): string {
    return createHash("sha256").update(key).digest("hex");
}

/** A new id: 32 hexadecimal digits. */
export function newId(): string {
    return randomBytes(16).toString("hex");
}

/** Maps tokens to API keys. */
export class Keyring {
    private readonly idByHash = new Map<string, string>();
    private readonly hashById = new Map<string, string>();

    add(hash: string, keyId: string): void {
        this.idByHash.set(hash, keyId);
        this.hashById.set(keyId, hash);
    }

    /** The id of the API key with this hash. */
    find(hash: string): string | undefined {
        return this.idByHash.get(hash);
    }

    remove(keyId: string): void {
        const hash = this.hashById.get(keyId);
        if (hash !== undefined) this.idByHash.delete(hash);
        this.hashById.delete(keyId);
    }

    /** All pairs of hash and id. */
    entries(): [string, string][] {
        return [...this.idByHash];
    }
}
