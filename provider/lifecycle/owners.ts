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
 * more than once: where a resource was renamed by `import`, where the replacement that a person asked for was handed what it
 * should replace, or where what had gone was made anew under the same name. What one entry leaves must then not be deleted
 * under the other.
 */
export class Owners {
    private readonly byId = new Map<string, Owner>();

    /** The program has a resource that is in the state with this id. */
    note(id: string, context: ResourceContext, old: Bag): void {
        this.byId.set(id, { context, claim: old[CLAIM_KEY] });
    }

    /** A create has made it or taken it over. Returns the outputs that mark it. */
    claim(id: string, context: ResourceContext): Bag {
        const claim = randomUUID();
        this.byId.set(id, { context, claim });
        return { [CLAIM_KEY]: claim };
    }

    /** It is being deleted; the id may be given again. */
    forget(id: string): void {
        this.byId.delete(id);
    }

    /** Another resource of the program that has this id. */
    other(id: string, context: ResourceContext): ResourceContext | undefined {
        const owner = this.byId.get(id);
        return owner !== undefined && owner.context.urn !== context.urn ? owner.context : undefined;
    }

    /** The resource of the program with this id, where it is not the one with these outputs. */
    keeper(id: string, old: Bag): ResourceContext | undefined {
        const owner = this.byId.get(id);
        return owner !== undefined && owner.claim !== old[CLAIM_KEY] ? owner.context : undefined;
    }
}
