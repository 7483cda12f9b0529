import { randomUUID } from "node:crypto";
import type { ResourceContext } from "../context";
import type { Bag } from "../fields";
import { CLAIM_KEY } from "./hidden";

interface Owner {
    readonly context: ResourceContext;
    readonly claim: unknown;
    /** Whether this process has adopted it or taken it over. */
    readonly isNew: boolean;
}

/** What a resource of the program is to adopt. */
interface Announcement {
    readonly context: ResourceContext;
    readonly id: string | undefined;
    readonly naturalKey: string | undefined;
}

/** The outputs that mark a state entry as the one that has created or adopted its resource. */
export function newClaim(): Bag {
    return { [CLAIM_KEY]: randomUUID() };
}

/**
 * Which resources of the program have which id, as far as the engine has told this process. An id can be in the state
 * more than once: after a rename by `import`, if a requested replacement was handed the resource that it should
 * replace, or if a resource that was gone was recreated under the same name. What one entry no longer needs must then
 * not be deleted while another has it.
 */
export class Owners {
    /** By id and URN. */
    private readonly byId = new Map<string, Map<string, Owner>>();
    /** By URN: what creates are to adopt, by id or natural key, until they have. */
    private readonly announced = new Map<string, Announcement>();
    /** The contexts of creates that failed, so that the state has nothing of them. */
    private readonly failed = new WeakSet<ResourceContext>();

    /** Records that the program has a resource in the state with this id. */
    note(id: string, context: ResourceContext, old: Bag = {}, isNew = false): void {
        const owners = this.byId.get(id) ?? new Map<string, Owner>();
        owners.set(context.urn, { context, claim: old[CLAIM_KEY], isNew });
        this.byId.set(id, owners);
    }

    /**
     * Records that a resource of the program is to adopt another, by id or natural key. The engine may never get to
     * that, and yet delete what the state has under an old logical name.
     */
    announce(context: ResourceContext, { id, naturalKey }: Omit<Announcement, "context">): void {
        this.announced.set(context.urn, { context, id, naturalKey });
    }

    /** Records that a create has succeeded. */
    succeed({ urn }: ResourceContext): void {
        this.announced.delete(urn);
    }

    /**
     * The resource of the program that is to adopt the one with this id or natural key, and has not yet. A replacement
     * adopts nothing by natural key.
     */
    expectant(id: string, naturalKey: string | undefined, { urn }: ResourceContext): ResourceContext | undefined {
        for (const announced of this.announced.values()) {
            const isSameKey = naturalKey !== undefined && announced.naturalKey === naturalKey;
            if (announced.id === id || (isSameKey && announced.context.urn !== urn)) {
                return announced.context;
            }
        }
        return undefined;
    }

    /** Records that a create has adopted it or taken it over. Returns the outputs that mark it. */
    claim(id: string, context: ResourceContext): Bag {
        const claim = newClaim();
        this.note(id, context, claim, true);
        return claim;
    }

    /** Records that a create has failed: what it was to adopt is still another entry's. */
    fail(context: ResourceContext): void {
        this.failed.add(context);
    }

    hasFailed(context: ResourceContext): boolean {
        return this.failed.has(context);
    }

    /** Forgets an id that is being deleted and may be reused. */
    forget(id: string): void {
        this.byId.delete(id);
    }

    /** Forgets the entry with these outputs, which leaves the state. */
    release(id: string, old: Bag): void {
        const owners = this.byId.get(id);
        for (const [urn, { claim }] of owners ?? []) {
            if (claim === old[CLAIM_KEY]) {
                owners?.delete(urn);
            }
        }
    }

    /** Another resource of the program that has this id. */
    other(id: string, { urn }: ResourceContext): ResourceContext | undefined {
        return this.find(id, ({ context }) => context.urn !== urn);
    }

    /** Another resource of the program that has adopted it, or is about to. */
    adopter(id: string, { urn }: ResourceContext): ResourceContext | undefined {
        return this.find(id, ({ context, isNew }) => isNew && context.urn !== urn && !this.hasFailed(context));
    }

    /** The resource of the program with this id, unless it is the one with these outputs. */
    keeper(id: string, old: Bag): ResourceContext | undefined {
        return this.find(id, ({ claim }) => claim !== old[CLAIM_KEY]);
    }

    /** The resource of the program that has the entry with this id and these outputs, as far as that is certain. */
    holder(id: string, old: Bag, { urn }: ResourceContext): ResourceContext | undefined {
        const holders = [...(this.byId.get(id)?.values() ?? [])].filter(({ claim }) => claim === old[CLAIM_KEY]);
        return (holders.length > 1 ? holders.find(({ context }) => context.urn === urn) : holders[0])?.context;
    }

    private find(id: string, matches: (owner: Owner) => boolean): ResourceContext | undefined {
        for (const owner of this.byId.get(id)?.values() ?? []) {
            if (matches(owner)) {
                return owner.context;
            }
        }
        return undefined;
    }
}
