import { ServerError, Status } from "nice-grpc-common";
import type { Fault } from "../faults";

/** Until when something is not visible, and the error code for reading it. */
export interface Hidden {
    untilMs: number;
    code: Status;
}

const defaultHiddenMs = 60_000;

export function hiddenBy(
    { durationMs = defaultHiddenMs, code = Status.PERMISSION_DENIED }: Fault,
    now: number,
): Hidden {
    return { untilMs: now + durationMs, code };
}

export function isHidden(hidden: Hidden | undefined, now: number): boolean {
    return hidden !== undefined && hidden.untilMs > now;
}

/** Throws if something is not visible yet. */
export function mustBeVisible(hidden: Hidden | undefined, now: number, label: string, id: string): void {
    if (hidden !== undefined && isHidden(hidden, now))
        throw new ServerError(hidden.code, `${label} ${JSON.stringify(id)} is not visible yet`);
}
