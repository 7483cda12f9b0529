import type { AsyncOperation } from "../../../proto/generated/temporal/api/cloud/operation/v1/message";
import { Beginning } from "../../../provider/lifecycle/beginning";
import { toTimestamp } from "../../../provider/wire";

const at = (startedTime: string) => toTimestamp(startedTime);
const operation = (startedTime: string | undefined) =>
    ({ startedTime: startedTime === undefined ? undefined : at(startedTime) }) as AsyncOperation;

let beginning: Beginning;
beforeEach(() => {
    jest.useFakeTimers();
    beginning = new Beginning();
});
afterEach(() => {
    jest.useRealTimers();
});

/** Of so many creates that begin, how many need not wait. */
async function begun(count: number): Promise<{ readonly count: number }> {
    const going = { count: 0 };
    for (let index = 0; index < count; index += 1) {
        void beginning.wait().then(() => {
            going.count += 1;
        });
    }
    await jest.advanceTimersByTimeAsync(0);
    return going;
}

test.each<[string, () => void]>([
    ["its operation tells", () => beginning.note(operation("2026-11-28T12:00:00Z"))],
    ["its operation says nothing", () => beginning.note(operation(undefined))],
    ["it is answered without one", () => beginning.note(undefined)],
    ["it does not tell", () => beginning.end()],
])("all but the first wait until %s", async (_, tell) => {
    const going = await begun(5);
    expect(going.count).toBe(1);
    tell();
    await jest.advanceTimersByTimeAsync(0);
    expect(going.count).toBe(5);
    expect((await begun(3)).count).toBe(3);
});

test("they wait for 3 s at most", async () => {
    const going = await begun(5);
    await jest.advanceTimersByTimeAsync(2_900);
    expect(going.count).toBe(1);
    await jest.advanceTimersByTimeAsync(200);
    expect(going.count).toBe(5);
});

test("what started before the first operation that is known is not ours", () => {
    expect(beginning.isKnown).toBe(false);
    beginning.note(operation("2026-11-28T12:00:05Z"));
    beginning.note(operation("2026-11-28T12:00:03Z"));
    beginning.note(operation("2026-11-28T12:00:09Z"));
    expect(beginning.isKnown).toBe(true);
    expect(beginning.isOurs(at("2026-11-28T12:00:03Z"))).toBe(true);
    expect(beginning.isOurs(at("2026-11-28T12:00:02.900Z"))).toBe(true);
    expect(beginning.isOurs(at("2026-11-28T12:00:02Z"))).toBe(false);
});
