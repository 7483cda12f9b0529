// What is not known about Temporal Cloud, and each answer that it could give.

import { Status } from "nice-grpc-common";
import type { Settings } from "../../emulator";

const DAY_MS = 86_400_000;

const { ABORTED, FAILED_PRECONDITION, INVALID_ARGUMENT, PERMISSION_DENIED } = Status;

/** Every answer to every question is in one row at least. */
export const answers: readonly Partial<Settings>[] = [
    {},
    { completeAtOnce: true, staleVersionCode: ABORTED },
    { operationDurationMs: 150, staleVersionCode: INVALID_ARGUMENT, duplicateNameCode: FAILED_PRECONDITION },
    { duplicateNameCode: INVALID_ARGUMENT, protectedDeleteCode: INVALID_ARGUMENT },
    { protectedDeleteCode: PERMISSION_DENIED, unsetPartsAreEmptyMessages: false },
    { protectedDeleteCode: ABORTED, newerFieldsCleared: false, replayedCreateReturnsToken: true },
    { protectedDeleteFrom: "operation", rootMayList: false },
    { operationIdRetentionMs: 60_000, serviceAccountNamesUnique: false },
    { operationIdRetentionMs: 365 * DAY_MS, rootPrincipal: "user" },
    { deletedReadableMs: DAY_MS, failedCreateLeavesResource: false, apiKeyExpiryImmutable: true },
    { deletedReadableMs: DAY_MS, reusedOperationId: "replay", replayedCreateReturnsToken: true },
    { reusedOperationId: "replay", checkDurationMs: 0, operationDurationMs: 250, startedTimeFrom: "in_progress" },
];

/** A row, for people. */
export function named(settings: Partial<Settings>): string {
    const code = (key: string, value: unknown) => (key.endsWith("Code") ? Status[value as Status] : value);
    const parts = Object.entries(settings).map(([key, value]) => `${key} ${code(key, value)}`);
    return parts.length === 0 ? "the defaults" : parts.join(", ");
}
