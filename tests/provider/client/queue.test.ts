import { KeyedQueue } from "../../../provider/client/queue";

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

test("tasks of one key run one after the other, in their order; those of others side by side", async () => {
    const queue = new KeyedQueue();
    const events: string[] = [];
    const task = (key: string, name: string, ticks: number) =>
        queue.run(key, async () => {
            events.push(`+${name}`);
            for (let waited = 0; waited < ticks; waited += 1) {
                await tick();
            }
            events.push(`-${name}`);
            return name;
        });
    const results = await Promise.all([task("a", "a1", 5), task("a", "a2", 1), task("b", "b1", 2), task("a", "a3", 0)]);
    expect(results).toEqual(["a1", "a2", "b1", "a3"]);
    expect(events.filter((event) => event.includes("a"))).toEqual(["+a1", "-a1", "+a2", "-a2", "+a3", "-a3"]);
    expect(events.indexOf("-b1")).toBeLessThan(events.indexOf("-a1"));
});

test("who comes when the first has ended waits for the second", async () => {
    const queue = new KeyedQueue();
    const events: string[] = [];
    let end = (): void => {};
    const first = queue.run("a", tick);
    const second = queue.run("a", async () => {
        await new Promise<void>((resolve) => {
            end = resolve;
        });
        events.push("second");
    });
    await first;
    await tick();
    const third = queue.run("a", async () => void events.push("third"));
    await tick();
    expect(events).toEqual([]);
    end();
    await Promise.all([second, third]);
    expect(events).toEqual(["second", "third"]);
});

test("a task that fails fails only itself", async () => {
    const queue = new KeyedQueue();
    const first = queue.run("a", async () => {
        throw new Error("first");
    });
    const second = queue.run("a", async () => "second");
    await expect(first).rejects.toThrow("first");
    await expect(second).resolves.toBe("second");
    const thrown = queue.run("a", () => {
        throw new Error("at once");
    });
    await expect(thrown).rejects.toThrow("at once");
    await expect(queue.run("a", async () => "third")).resolves.toBe("third");
});

test("50 changes of one value are all there in the end", async () => {
    const queue = new KeyedQueue();
    let value = 0;
    await Promise.all(
        Array.from({ length: 50 }, () =>
            queue.run("user", async () => {
                const read = value;
                await tick();
                value = read + 1;
            }),
        ),
    );
    expect(value).toBe(50);
});

test("keys are forgotten when their tasks are done", async () => {
    const queue = new KeyedQueue();
    await Promise.all([queue.run("a", tick), queue.run("a", tick), queue.run("b", tick)]);
    expect((queue as unknown as { tails: Map<string, unknown> }).tails.size).toBe(0);
});
