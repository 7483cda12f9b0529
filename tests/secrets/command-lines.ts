import { descendants } from "../support/processes";

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
        for (const { command } of descendants()) {
            this.seen.add(command);
        }
    }
}
