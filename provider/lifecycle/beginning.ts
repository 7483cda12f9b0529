import type { AsyncOperation } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { timeMs } from "../wire";

/** Maximum difference assumed between the clocks of one server's machines. Two runs are further apart than that. */
const SAME_MOMENT_MS = 200;
/** Maximum time for which the other creates wait for the first. */
const FIRST_CREATE_MS = 3_000;

/**
 * When this process started its first operation, by the server's own clock: what started before belongs to an earlier
 * run. The first create finds out, and the others wait for it, so that they need not query their operations first.
 */
export class Beginning {
    private startedMs: number | undefined;
    private firstCreate: Promise<void> | undefined;
    private answered = (): void => {};

    /** Resolves at once for the first create; for the others, once it has found out or cannot. */
    async wait(): Promise<void> {
        if (this.firstCreate !== undefined) {
            return this.firstCreate;
        }
        this.firstCreate = new Promise((resolve) => {
            this.answered = resolve;
            setTimeout(resolve, FIRST_CREATE_MS).unref();
        });
    }

    /** The first create has not found out, or nothing has to wait for it any longer. */
    end(): void {
        this.answered();
    }

    /**
     * Records an operation that this process has certainly started. Any that it starts later was sent after the
     * response to this one.
     */
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

    /** Whether an operation that started then belongs to this process. */
    isOurs(startedTime: AsyncOperation["startedTime"]): boolean {
        return timeMs(startedTime) >= (this.startedMs ?? 0) - SAME_MOMENT_MS;
    }
}
