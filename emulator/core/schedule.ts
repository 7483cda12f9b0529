interface Due {
    at: number;
    order: number;
    run: () => void;
}

/**
 * Scheduled events. There are no timers: the next access to the account runs what has become due, so that no response
 * depends on when a timer fires, and stopping leaves nothing behind.
 */
export class Schedule {
    /** A binary heap: the next event is at the top. */
    private readonly heap: Due[] = [];
    private order = 0;

    /** Schedules something for a time, in milliseconds since the epoch. */
    add(at: number, run: () => void): void {
        const due = { at, order: this.order++, run };
        let index = this.heap.push(due) - 1;
        while (index > 0) {
            const parent = (index - 1) >> 1;
            const above = this.heap[parent];
            if (above === undefined || before(above, due)) break;
            this.heap[index] = above;
            index = parent;
        }
        this.heap[index] = due;
    }

    /**
     * Runs everything that is due, in order, including what becomes due meanwhile, for which the clock is read each
     * time.
     */
    settle(now: () => number): void {
        for (let first = this.heap[0]; first !== undefined && first.at <= now(); first = this.heap[0]) {
            this.removeFirst();
            first.run();
        }
    }

    private removeFirst(): void {
        const last = this.heap.pop();
        if (last === undefined || this.heap.length === 0) return;
        let index = 0;
        for (;;) {
            const left = this.heap[2 * index + 1];
            const right = this.heap[2 * index + 2];
            const useRight = left !== undefined && right !== undefined && before(right, left);
            const child = useRight ? right : left;
            if (child === undefined || before(last, child)) break;
            this.heap[index] = child;
            index = 2 * index + (useRight ? 2 : 1);
        }
        this.heap[index] = last;
    }
}

function before(a: Due, b: Due): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order);
}
