import { Status } from "nice-grpc-common";

/** A request that the emulator answered, or whose response it lost. */
export interface LoggedRequest {
    /** The RPC: `CreateNamespace`. */
    method: string;
    /** When it came, in milliseconds since the epoch. */
    at: number;
    /** The response's status code. */
    code: Status;
    /** The id of the principal, empty if the API key was rejected. */
    principal: string;
    /** The API version that the client sent. */
    apiVersion?: string;
    /** The operation id that the client sent. */
    operationId?: string;
    /** The resource concerned; for a create, the one created. */
    resourceId?: string;
}

/** How many requests are kept; older ones are only counted. */
const maxKept = 200_000;

/** The log of requests to the emulator. */
export class RequestLog {
    private kept: LoggedRequest[] = [];
    private counts = new Map<string, number>();
    private refusals = 0;

    /** Logs a request. */
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

    /** The number of requests refused by the rate limit. */
    get refused(): number {
        return this.refusals;
    }

    /** The number of requests, of one RPC or in total. */
    count(method?: string): number {
        if (method !== undefined) return this.counts.get(method) ?? 0;
        return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
    }

    /** The number of requests by RPC. */
    byMethod(): Record<string, number> {
        return Object.fromEntries([...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
    }

    /** Clears the log. */
    reset(): void {
        this.kept = [];
        this.counts = new Map();
        this.refusals = 0;
    }
}
