/** Runs tasks of the same key one after the other, and tasks of different keys concurrently. */
export class KeyedQueue {
    private readonly tails = new Map<string, Promise<unknown>>();

    /** The result of the task, which starts when every earlier task of its key has ended, whether or not it failed. */
    async run<T>(key: string, task: () => Promise<T>): Promise<T> {
        const before = this.tails.get(key) ?? Promise.resolve();
        const result = before.then(task, task);
        this.tails.set(key, result);
        try {
            return await result;
        } finally {
            if (this.tails.get(key) === result) {
                this.tails.delete(key);
            }
        }
    }
}
