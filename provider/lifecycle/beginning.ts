import type { AsyncOperation } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import type { Cloud } from "../definition";
import { timeMs } from "../wire";

/** What the clocks of one server's machines may differ by. From one run to the next, more time than this goes by. */
const SAME_MOMENT_MS = 200;
/** For how long at most the other creates wait for the first. */
const FIRST_CREATE_MS = 3_000;

/**
 * When this process started its first operation, by the server's own clock: what started before is an earlier run's. The
 * first create tells, and the others wait for it, so that they need not ask the server whether they were begun before.
 */
export class Beginning {
    private startedMs: number | undefined;
    private firstCreate: Promise<void> | undefined;
    private answered = (): void => {};

    /** Resolves at once for the first create; for the others, when that has told or does not tell. */
    async wait(): Promise<void> {
        if (this.firstCreate !== undefined) {
            return this.firstCreate;
        }
        this.firstCreate = new Promise((resolve) => {
            this.answered = resolve;
            setTimeout(resolve, FIRST_CREATE_MS).unref();
        });
    }

    /** The first create does not tell, or nobody has to wait for it any more. */
    end(): void {
        this.answered();
    }

    /** An operation that this process has started, as it is sure of. What it starts later was sent after that was answered. */
    note(operation: AsyncOperation | undefined): void {
        if (operation?.startedTime) {
            const startedMs = timeMs(operation.startedTime);
            this.startedMs = Math.min(this.startedMs ?? startedMs, startedMs);
        }
        this.answered();
    }

    get isKnown(): boolean {
        return this.startedMs !== undefined;
    }

    /** Whether an operation that started then is of this process. */
    isOurs(startedTime: AsyncOperation["startedTime"]): boolean {
        return timeMs(startedTime) >= (this.startedMs ?? 0) - SAME_MOMENT_MS;
    }
}

const beginnings = new WeakMap<Cloud, Beginning>();

/** It belongs to the connection. */
export function beginningOf(cloud: Cloud): Beginning {
    const beginning = beginnings.get(cloud) ?? new Beginning();
    beginnings.set(cloud, beginning);
    return beginning;
}
