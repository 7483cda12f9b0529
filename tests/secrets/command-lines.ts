import { spawnSync } from "node:child_process";

/** Gathers, from its making until it is stopped, the command lines of every process that this one has started. */
export class CommandLines {
    private readonly seen = new Set<string>();
    private readonly timer = setInterval(() => this.look(), 150);

    stop(): string {
        clearInterval(this.timer);
        this.look();
        return [...this.seen].join("\n");
    }

    private look(): void {
        const { stdout } = spawnSync("ps", ["-A", "-ww", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
        const rows = stdout.split("\n").flatMap((line) => {
            const [, pid, parent, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
            return pid && parent && args ? [{ pid: Number(pid), parent: Number(parent), args }] : [];
        });
        const ours = new Set([process.pid]);
        for (let before = 0; before < ours.size; ) {
            before = ours.size;
            for (const { pid, parent } of rows) {
                if (ours.has(parent)) {
                    ours.add(pid);
                }
            }
        }
        for (const { pid, args } of rows) {
            if (ours.has(pid)) {
                this.seen.add(args);
            }
        }
    }
}
