// What the tests of the plugin process say to it, as a program's classes and the engine would.

import type { Emulator } from "../../emulator";
import type { Host, Properties } from "../support/host";
import { HostError } from "../support/host";
import { inputsOf, type Kind, urnOf } from "../support/inputs";

/** A resource of a program, with the inputs that its class would hand to the engine. */
export function resource(kind: Kind, name: string, args: Properties, context: Properties = {}) {
    return { urn: urnOf(kind, name), news: inputsOf(kind, name, args, context) };
}

export const namespace = (name = "orders", args: Properties = {}, context: Properties = {}) =>
    resource("Namespace", name, { regions: ["aws-us-east-1"], apiKeyAuth: true, ...args }, context);

/** The configuration of a stack whose Temporal Cloud is that emulator. */
export const configurationOf = (emulator: Emulator, more: Readonly<Record<string, string>> = {}) => ({
    "temporalcloud:apiKey": emulator.rootKey,
    "temporalcloud:endpoint": emulator.caCertificate ? emulator.address : `http://${emulator.address}`,
    ...more,
});

/** Checks and creates, as an `up` does. */
export async function up(host: Host, { urn, news }: { urn: string; news: Properties }) {
    const { inputs, failures } = await host.check({ urn, news });
    if (failures.length > 0) {
        throw new Error(JSON.stringify(failures));
    }
    return { inputs, ...(await host.create({ urn, properties: inputs })) };
}

/** The error that a call ends with. */
export async function errorOf(call: Promise<unknown>): Promise<HostError> {
    try {
        await call;
    } catch (error) {
        if (error instanceof HostError) {
            return error;
        }
        throw error;
    }
    throw new Error("there was no error");
}
