import type { Duration } from "../../proto/generated/google/protobuf/duration";
import {
    type AsyncOperation,
    AsyncOperation_State as State,
} from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import type { FailedEnd } from "../faults";
import type { Cloud } from "./cloud";
import { type Hidden, hiddenBy } from "./hidden";
import { toTimestamp } from "./time";

/** What an operation does to its resource. */
export type Action = "create" | "update" | "delete";

/** An operation, from the call that started it until its id is forgotten. All of it goes into the state file. */
export interface Operation {
    id: string;
    /** The RPC that started it. */
    method: string;
    /** The request, encoded. */
    input: Uint8Array;
    /** A hash of the request's meaning, to compare requests. */
    fingerprint: string;
    /** The strings of the first response: ids, and (never in the state file) a token. */
    answer: Record<string, string>;
    /** The name of the kind of resource. */
    kind: string;
    resourceId: string;
    action: Action;
    startedMs: number;
    /** When it ends, or ended. `Infinity`: when told to. */
    endsMs: number;
    /** Its final state. */
    end: "FULFILLED" | FailedEnd;
    /** Why, if it fails. */
    reason: string;
    over: boolean;
    /** Until when a fault hides it, and the error code. */
    hidden?: Hidden;
}

/** Arguments to start an operation. */
export interface Start {
    id: string;
    method: string;
    input: Uint8Array;
    fingerprint: string;
    kind: string;
    resourceId: string;
    action: Action;
    /** What faults match on. */
    subject: string;
    /** The reason it fails, if it is to fail. */
    fails?: string | undefined;
    /** Called once, when it has ended. */
    finished: (operation: Operation) => void;
}

/** The share of its duration that an operation is PENDING. */
const pendingPart = 0.1;

/** All remembered operations. */
export class Operations {
    private readonly byId = new Map<string, Operation>();
    private readonly inFlight = new Map<Operation, (operation: Operation) => void>();

    constructor(private readonly cloud: Cloud) {}

    /** The operation with this id, unless it is forgotten. */
    get(id: string): Operation | undefined {
        const operation = this.byId.get(id);
        if (operation === undefined) return undefined;
        if (operation.over && operation.endsMs + this.cloud.settings.operationIdRetentionMs <= this.cloud.now()) {
            this.byId.delete(id);
            return undefined;
        }
        return operation;
    }

    /** Starts one. */
    start({ fails, finished, subject, ...start }: Start): Operation {
        const { faults, settings } = this.cloud;
        const now = this.cloud.now();
        const slow = faults.take("slowOperation", start.method, subject);
        const duration = slow ? (slow.durationMs ?? 1000) : settings.operationDurationMs;
        const operation: Operation = {
            ...start,
            answer: {},
            startedMs: now,
            endsMs: now + duration,
            end: "FULFILLED",
            reason: "",
            over: false,
        };
        const ordered = faults.take("operationEnds", start.method, subject);
        if (fails !== undefined) {
            operation.end = "FAILED";
            operation.reason = fails;
        } else if (ordered) {
            operation.end = ordered.state ?? "FAILED";
            operation.reason = ordered.reason ?? ordered.details ?? "injected failure";
        }
        const hidden = faults.take("hideOperation", start.method, subject);
        if (hidden) operation.hidden = hiddenBy(hidden, now);
        this.restore(operation, finished);
        this.cloud.changed();
        return operation;
    }

    /** Adds an operation, new or from the state file. */
    restore(operation: Operation, finished: (operation: Operation) => void): void {
        this.byId.set(operation.id, operation);
        if (operation.over) {
            this.forgetLater(operation);
            return;
        }
        this.inFlight.set(operation, finished);
        this.cloud.schedule.add(operation.endsMs, () => this.finish(operation));
    }

    /** Ends it now, if it is still in flight. */
    finish(operation: Operation): void {
        const finished = this.inFlight.get(operation);
        if (finished === undefined) return;
        this.inFlight.delete(operation);
        operation.over = true;
        operation.endsMs = Math.min(operation.endsMs, this.cloud.now());
        finished(operation);
        this.forgetLater(operation);
        this.cloud.changed();
    }

    /** Ends all that are in flight. */
    finishAll(): void {
        for (const operation of [...this.inFlight.keys()]) this.finish(operation);
    }

    /** All of them. */
    all(): Operation[] {
        return [...this.byId.values()];
    }

    /** The message for an operation, as it stands now. */
    message(operation: Operation): AsyncOperation {
        const { checkDurationMs, startedTimeFrom } = this.cloud.settings;
        const inProgressMs = operation.startedMs + (operation.endsMs - operation.startedMs) * pendingPart;
        const saidMs = startedTimeFrom === "pending" ? operation.startedMs : inProgressMs;
        const now = this.cloud.now();
        const end = operation.over ? State[`STATE_${operation.end}`] : undefined;
        return {
            id: operation.id,
            checkDuration: checkDurationMs > 0 ? toDuration(checkDurationMs) : undefined,
            operationType: operation.method,
            operationInput: {
                typeUrl: `type.googleapis.com/temporal.api.cloud.cloudservice.v1.${operation.method}Request`,
                value: Buffer.from(operation.input),
            },
            failureReason: operation.over ? operation.reason : "",
            startedTime: now >= saidMs ? toTimestamp(saidMs) : undefined,
            finishedTime: operation.over ? toTimestamp(operation.endsMs) : undefined,
            state: end ?? (now >= inProgressMs ? State.STATE_IN_PROGRESS : State.STATE_PENDING),
        };
    }

    private forgetLater(operation: Operation): void {
        const { operationIdRetentionMs } = this.cloud.settings;
        this.cloud.schedule.add(operation.endsMs + operationIdRetentionMs, () => {
            // The setting may have changed, and the id may have been used again since.
            if (this.byId.get(operation.id) === operation) this.get(operation.id);
        });
    }
}

function toDuration(ms: number): Duration {
    return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.floor(ms % 1000) * 1_000_000 };
}
