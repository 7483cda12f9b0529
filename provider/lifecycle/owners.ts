import { randomUUID } from "node:crypto";
import type { ResourceContext } from "../context";
import type { Bag } from "../fields";
import { CLAIM_KEY } from "./hidden";

interface Owner {
    readonly context: ResourceContext;
    readonly claim: unknown;
}

/**
 * Which resource of the program has which id, as far as the engine has told this process. An id can be in the state
 * more than once: after a rename by `import`, if a requested replacement was handed the resource that it should
 * replace, or if a resource that was gone was recreated under the same name. What one entry no longer needs must then
 * not be deleted while another has it.
 */
export class Owners {
    private readonly byId = new Map<string, Owner>();
    /** The contexts of creates that failed, so that the state has nothing of them. */
    private readonly failed = new WeakSet<ResourceContext>();

    /** Records that the program has a resource in the state with this id. */
    note(id: string, context: ResourceContext, old: Bag): void {
        this.byId.set(id, { context, claim: old[CLAIM_KEY] });
    }

    /** Records that a create has created, adopted or taken it over. Returns the outputs that mark it. */
    claim(id: string, context: ResourceContext): Bag {
        const claim = randomUUID();
        this.byId.set(id, { context, claim });
        return { [CLAIM_KEY]: claim };
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

    /** Another resource of the program that has this id. */
    other(id: string, context: ResourceContext): ResourceContext | undefined {
        const owner = this.byId.get(id);
        return owner !== undefined && owner.context.urn !== context.urn ? owner.context : undefined;
    }

    /** The resource of the program with this id, unless it is the one with these outputs. */
    keeper(id: string, old: Bag): ResourceContext | undefined {
        const owner = this.byId.get(id);
        return owner !== undefined && owner.claim !== old[CLAIM_KEY] ? owner.context : undefined;
    }
}
