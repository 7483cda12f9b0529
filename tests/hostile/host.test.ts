// The real plugin process under every hostility at once: it answers every call, says nothing on its streams, and ends well.

import { Emulator } from "../../emulator";
import { type Properties, withHost } from "../support/host";
import { urnOf } from "../support/inputs";
import { hostilities } from "./hostilities";
import { bagOf, kinds } from "./kinds";
import { HostileServer } from "./server";

jest.setTimeout(120_000);

const all = Object.entries(hostilities);

test("a plugin process outlives them all", async () => {
    const emulator = await Emulator.start({ settings: { checkDurationMs: 100 } });
    const server = await HostileServer.start(emulator);
    // A namespace has its name in every request about it, by which the hostility is chosen.
    server.hostility = (method, request) => {
        const [, number] = /h(\d+)-/.exec(request.toString("latin1")) ?? [];
        return number === undefined || method === "GetNamespaces" ? undefined : all[Number(number)]?.[1];
    };
    const kind = kinds[0];
    if (!kind) {
        throw new Error("there is no kind");
    }
    const { outcomes, exit, stdout, stderr } = await withHost({}, async (host) => {
        await host.configure({
            "temporalcloud:apiKey": emulator.rootKey,
            "temporalcloud:endpoint": `http://${server.address}`,
        });
        const bag = (name: string, change = {}) => ({ ...bagOf(kind, name, "", "5s", change), name }) as Properties;
        const existing = (name: string) => {
            emulator.namespaces.add({ spec: { name, replicas: [{ region: "aws-us-east-1" }], retentionDays: 7 } });
            return `${name}.${emulator.account}`;
        };
        const calls = all.map((_, number): Promise<unknown> => {
            const name = `h${number}-orders`;
            const urn = urnOf("Namespace", name);
            // One after the other is enough: what each does to each method is tried without the process between.
            switch (number % 3) {
                case 0:
                    return host.create({ urn, properties: bag(name) });
                case 1:
                    return host.update({ id: existing(name), urn, olds: bag(name), news: bag(name, kind.change) });
                default:
                    return host.delete({ id: existing(name), urn, properties: bag(name) });
            }
        });
        const outcomes = await Promise.allSettled(calls);
        // And it still works.
        await host.create({ urn: urnOf("Namespace", "orders"), properties: bag("orders") });
        expect(emulator.namespaces.get("orders.a1b2c")).toBeDefined();
        const exit = await host.close();
        return { outcomes, exit, stdout: host.stdout(), stderr: host.stderr() };
    });
    server.stop();
    await emulator.stop();

    const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as Error] : []));
    expect(errors.length).toBeGreaterThan(all.length / 2);
    expect(errors.map(({ message }) => message).filter((text) => !/^Namespace "h\d+-/.test(text))).toEqual([]);
    expect(stdout).toBe("");
    // The host prints an error of a delete, and gRPC what it thinks of a server that wants to be left in peace.
    const others = stderr.split("\n").filter((line) => line !== "" && !/^LifecycleError: |excess pings/.test(line));
    expect(others).toEqual([]);
    // By the signal with which the engine ends it, and not before.
    expect(exit).toEqual({ code: null, signal: "SIGINT" });
});
