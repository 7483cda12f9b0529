import * as pulumi from "@pulumi/pulumi";
import { Emulator, type EmulatorOptions } from "../../../emulator";
import { Client } from "../../../provider/client/client";
import { CONFIGURATION_KEYS, readConfiguration } from "../../../provider/configuration";

/** An emulator for the tests of one file, which the stack's configuration names: a fresh one for every test. */
export function useEmulator(options: EmulatorOptions = {}): () => Emulator {
    let emulator: Emulator | undefined;
    beforeEach(async () => {
        for (const variable of Object.values(CONFIGURATION_KEYS)) {
            delete process.env[variable];
        }
        emulator = await Emulator.start(options);
        configure(settingsFor(emulator));
    });
    afterEach(async () => {
        if (emulator) {
            disconnect(settingsFor(emulator));
        }
        await emulator?.stop();
    });
    return () => {
        if (emulator === undefined) throw new Error("only within a test");
        return emulator;
    };
}

export type TestSettings = { [Key in keyof typeof CONFIGURATION_KEYS]?: string };

export function settingsFor({ address, rootKey }: Emulator): TestSettings {
    return { endpoint: `http://${address}`, apiKey: rootKey };
}

/** Sets the stack's configuration, as the engine would. */
export function configure(settings: TestSettings): void {
    pulumi.runtime.setAllConfig(
        Object.fromEntries(Object.entries(settings).map(([key, value]) => [`temporalcloud:${key}`, value])),
    );
}

/** Closes the connection that lookups with these settings have used. */
export function disconnect(settings: TestSettings): void {
    Client.for(readConfiguration((key) => settings[key], {})).close();
}

/** What an output comes to, and whether it is known. */
export async function settled<T>(output: pulumi.Output<T>): Promise<{ known: boolean; value?: unknown }> {
    const { value } = (await pulumi.runtime.serializeProperties("test", { value: pulumi.unsecret(output) })) as {
        value: unknown;
    };
    return value === pulumi.runtime.unknownValue ? { known: false } : { known: true, value };
}

/** An output of a value that only the update will know. */
export function unknown<T>(): pulumi.Output<T> {
    return pulumi.output(pulumi.unknown) as unknown as pulumi.Output<T>;
}
