// Many creates of one kind at once: that the end of most is seen at what they make, and what becomes of the others.

import { Status } from "nice-grpc-common";
import { Emulator } from "../../emulator";
import { type Host, withHost } from "../support/host";
import { configurationOf, errorOf, resource, up } from "./resources";

const MANY = 60;

let emulator: Emulator;
beforeEach(async () => {
    emulator = await Emulator.start();
});
afterEach(async () => {
    await emulator.stop();
});

const user = (number: number) => {
    const email = `user-${number}@example.com`;
    return resource("User", `user-${number}`, { email, accountRole: "read" });
};

/** In a process that has made a few before, so that it knows how long it takes. */
function afterAFew(work: (host: Host) => Promise<void>): Promise<void> {
    return withHost({}, async (host) => {
        await host.configure(configurationOf(emulator));
        for (let number = 1_000; number < 1_005; number += 1) {
            await up(host, user(number));
        }
        emulator.requests.reset();
        await work(host);
    });
}

const makeMany = (host: Host) =>
    Promise.all(Array.from({ length: MANY }, (_, number) => up(host, user(number)).catch((error: unknown) => error)));

const isMade = { properties: expect.objectContaining({ state: "active", accountRole: "read" }) };

test("the look at an operation is the look at what it makes, but for every eighth", async () => {
    await afterAFew(async (host) => {
        for (const made of await makeMany(host)) {
            expect(made).toMatchObject(isMade);
        }
        expect(emulator.requests.count("CreateUser")).toBe(MANY);
        // One for each: a server that is asked as an operation ends can take a second look.
        expect(emulator.requests.count("GetAsyncOperation")).toBeLessThan(MANY / 4);
        expect(emulator.requests.count("GetUser")).toBeLessThan(MANY * 1.5);
    });
});

test("a namespace does not tell, since its name can be another's: by the time of a look, one that was made meanwhile", async () => {
    await withHost({}, async (host) => {
        await host.configure(configurationOf(emulator));
        const orders = (name: string) => resource("Namespace", name, { regions: ["aws-us-east-1"], apiKeyAuth: true });
        for (let number = 0; number < 6; number += 1) {
            await up(host, orders(`orders-${number}`));
        }
        expect(emulator.requests.count("GetAsyncOperation")).toBeGreaterThanOrEqual(6);
        emulator.settings.duplicateNameFrom = "operation";
        const spec = { name: "theirs", replicas: [{ region: "aws-us-east-1" }], apiKeyAuth: { enabled: true } };
        const run = () => void emulator.namespaces.add({ spec });
        emulator.faults.add({ method: "CreateNamespace", kind: "run", run });
        expect((await errorOf(up(host, orders("theirs")))).message).toContain('a Namespace "theirs" already exists');
    });
});

test.each([true, false])("one that fails says why, whether it leaves something (%s) or not", async (leaves) => {
    emulator.settings.failedCreateLeavesResource = leaves;
    await afterAFew(async (host) => {
        const reason = "the identity provider is down";
        emulator.faults.add({
            kind: "operationEnds",
            method: "CreateUser",
            state: "FAILED",
            reason,
            times: 7,
            after: 9,
        });
        const results = await makeMany(host);
        const failures = results.filter((result) => result instanceof Error);
        expect(failures).toHaveLength(7);
        for (const failure of failures) {
            expect(failure).toMatchObject({ message: expect.stringContaining(reason) });
        }
        for (const made of results.filter((result) => !(result instanceof Error))) {
            expect(made).toMatchObject(isMade);
        }
    });
});

test.each([Status.PERMISSION_DENIED, Status.NOT_FOUND])(
    "where nothing made can be seen at first (%i), it is not long looked for before its operation has ended",
    async (code) => {
        await afterAFew(async (host) => {
            emulator.faults.add({ kind: "hideCreated", method: "CreateUser", code, durationMs: 8_000, times: MANY });
            for (const made of await makeMany(host)) {
                expect(made).toMatchObject(isMade);
            }
            expect(emulator.requests.count("GetAsyncOperation")).toBeGreaterThanOrEqual(MANY);
        });
    },
);

test("what was there before the create is not what it makes", async () => {
    await afterAFew(async (host) => {
        const run = () => {
            for (const { id } of emulator.users.list()) {
                emulator.users.change(id, (made) => {
                    made.createdTime = { seconds: BigInt(Math.round(Date.now() / 1000) - 3_600), nanos: 0 };
                });
            }
        };
        emulator.faults.add({ method: /^GetUsers?$/, kind: "run", run, times: 10 * MANY });
        await makeMany(host);
        expect(emulator.requests.count("GetAsyncOperation")).toBeGreaterThanOrEqual(MANY);
    });
});
