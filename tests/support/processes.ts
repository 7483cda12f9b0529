// The processes below this one, to kill as a crash does.

import { execFileSync } from "node:child_process";

export interface Process {
    readonly pid: number;
    readonly parent: number;
    /** The command line. */
    readonly command: string;
}

/** Every process that this one has started, and what those have started. */
export function descendants(root: number = process.pid): Process[] {
    const all = execFileSync("ps", ["-A", "-ww", "-o", "pid=,ppid=,args="], { encoding: "utf8" })
        .split("\n")
        .flatMap((line): Process[] => {
            const [, pid, parent, command = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
            return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
        });
    const found: Process[] = [];
    for (const parents = [root]; parents.length > 0; ) {
        const parent = parents.pop();
        const children = all.filter((one) => one.parent === parent);
        found.push(...children);
        parents.push(...children.map(({ pid }) => pid));
    }
    return found;
}

/** The engine, as Automation API starts it. */
export const isEngine = ({ command }: Process): boolean => /^\S*pulumi (?:up|destroy|refresh|preview) /.test(command);

/** The process that this package runs in. */
export const isPlugin = ({ command }: Process): boolean => /cmd.dynamic-provider/.test(command);

/** Ends processes as a crash does: at once, and without a last word. */
export function crash(processes: readonly Process[]): void {
    for (const { pid } of processes) {
        try {
            process.kill(pid, "SIGKILL");
        } catch {
            // It has just ended by itself.
        }
    }
}
