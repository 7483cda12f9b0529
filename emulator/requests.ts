import { Status } from "nice-grpc-common";

/** One request that the emulator has answered, or lost the answer to. */
export interface LoggedRequest {
    /** The RPC: `CreateNamespace`. */
    method: string;
    /** When it came, in milliseconds since the epoch. */
    at: number;
    /** The code of the answer. */
    code: Status;
    /** The id of the principal, empty where the key was refused. */
    principal: string;
    /** The version of the API that the client named. */
    apiVersion?: string;
    /** The operation id that the client gave. */
    operationId?: string;
    /** The resource that it was about; for a create, the one that was made. */
    resourceId?: string;
}

/** How many requests are kept; older ones stay in the counts. */
const maxKept = 200_000;

/** What has been asked of the emulator. */
export class RequestLog {
    private kept: LoggedRequest[] = [];
    private counts = new Map<string, number>();
    private refusals = 0;

    /** Notes a request. */
    add(request: LoggedRequest): void {
        if (this.kept.length >= maxKept) this.kept = this.kept.slice(maxKept / 2);
        this.kept.push(request);
        this.counts.set(request.method, (this.counts.get(request.method) ?? 0) + 1);
        if (request.code === Status.RESOURCE_EXHAUSTED) this.refusals++;
    }

    /** The requests, oldest first. */
    get all(): readonly LoggedRequest[] {
        return this.kept;
    }

    /** How many requests the rate limit refused. */
    get refused(): number {
        return this.refusals;
    }

    /** How many requests there were, of one RPC or in all. */
    count(method?: string): number {
        if (method !== undefined) return this.counts.get(method) ?? 0;
        return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
    }

    /** How many requests there were of each RPC. */
    byMethod(): Record<string, number> {
        return Object.fromEntries([...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
    }

    /** Begins anew. */
    reset(): void {
        this.kept = [];
        this.counts = new Map();
        this.refusals = 0;
    }
}
