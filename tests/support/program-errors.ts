// Errors that a Pulumi program leaves uncaught, inside jest. The SDK listens for them on `process`; but a test's
// `process` is a copy that receives no events, and jest takes them from the real one as failures of the test.

import { runInThisContext } from "node:vm";

const events = ["uncaughtException", "unhandledRejection"] as const;

const realProcess: NodeJS.EventEmitter = runInThisContext("process");

let operations = 0;
let restore: () => void = () => {};

/**
 * While `operate` runs, uncaught errors go to the SDK's listeners, as they do in a program of its own process. Two
 * programs that run at once in one process both get them: a test of a program that throws runs no other beside it.
 */
export async function withProgramErrors<T>(operate: () => Promise<T>): Promise<T> {
    operations++;
    if (operations === 1) {
        restore = divert();
    }
    try {
        return await operate();
    } finally {
        // What was rejected last is reported only after the promise callbacks of this turn.
        await new Promise((resolve) => setImmediate(resolve));
        operations--;
        if (operations === 0) {
            restore();
        }
    }
}

function divert(): () => void {
    const restorations = events.map((event) => {
        const listeners = realProcess.rawListeners(event);
        const forward = (...args: unknown[]): void => {
            process.emit(event as "uncaughtException", ...(args as [Error]));
        };
        realProcess.removeAllListeners(event);
        realProcess.on(event, forward);
        return () => {
            realProcess.off(event, forward);
            for (const listener of listeners) {
                realProcess.on(event, listener as (...args: unknown[]) => void);
            }
        };
    });
    return () => {
        for (const undo of restorations) {
            undo();
        }
    };
}
