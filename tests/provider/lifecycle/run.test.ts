import { GivenUpError } from "../../../provider/client/errors";
import { contextOf } from "../../../provider/context";
import { type Method, type Session, within } from "../../../provider/lifecycle/run";

const session = { client: { account: { check: async () => undefined } } } as unknown as Session;

/** What a run that is out of time says. */
async function late(method: Method): Promise<string> {
    const run = { method, session, kind: "User", id: "u1", context: contextOf({}), timeoutMs: 1 };
    try {
        await within(run, ({ signal }) => {
            return new Promise((_, reject) => {
                signal.addEventListener("abort", () => reject(new GivenUpError("GetUser", undefined, true, {})));
            });
        });
    } catch (error) {
        return (error as Error).message;
    }
    throw new Error("it ended well");
}

test.each(["create", "update", "delete"] as const)(
    "a late %s: how to give it more time, and that it goes on",
    async (method) => {
        expect(await late(method)).toMatch(
            /^User \(u1\) could not be \w+: it was not finished after 0 s \(change that with `customTimeouts`\)\. GetUser had not been answered\. Anything started continues in Temporal Cloud\./,
        );
    },
);

test("a late read has started nothing", async () => {
    expect(await late("read")).toBe(
        "User (u1) could not be read: it was not finished after 0 s (change that with `customTimeouts`). " +
            "GetUser had not been answered.",
    );
});
