import { Schedule } from "../../emulator/core/schedule";

test("what is due runs in the order of its time, then of its entry", () => {
    const schedule = new Schedule();
    const ran: string[] = [];
    for (const [name, at] of [
        ["c", 3],
        ["a", 1],
        ["later", 9],
        ["b", 2],
        ["b again", 2],
    ] as const) {
        schedule.add(at, () => ran.push(name));
    }
    schedule.settle(() => 3);
    expect(ran).toEqual(["a", "b", "b again", "c"]);
    schedule.settle(() => 9);
    expect(ran.at(-1)).toBe("later");
});

test("what is due at once when something runs also runs, although the clock went on meanwhile", () => {
    const schedule = new Schedule();
    const ran: string[] = [];
    let clock = 0;
    const tick = () => clock++;
    schedule.add(0, () => {
        ran.push("operation");
        schedule.add(tick(), () => ran.push("capacity"));
    });
    schedule.settle(tick);
    expect(ran).toEqual(["operation", "capacity"]);
});
