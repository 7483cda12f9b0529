import { InvalidArgumentError } from "commander";
import { Status } from "nice-grpc-common";
import type { Fault, RandomFaults } from "../emulator";
import { failedEnds, faultKinds, malformations } from "../emulator/faults";

/** Converts a JSON value to what the emulator takes; throws with what it must be if it is not valid. */
type Parse = (value: unknown) => unknown;

const text: Parse = (value) => (typeof value === "string" ? value : must("be a string"));
const yesOrNo: Parse = (value) => (typeof value === "boolean" ? value : must("be true or false"));
const wholeNumber: Parse = (value) =>
    Number.isSafeInteger(value) && Number(value) >= 0 ? value : must("be a whole number, 0 or more");
const probability: Parse = (value) =>
    typeof value === "number" && value >= 0 && value <= 1 ? value : must("be a number from 0 to 1");
const oneOf =
    (words: readonly string[]): Parse =>
    (value) =>
        words.includes(value as string) ? value : must(`be one of ${words.join(", ")}`);

/** A string, or a pattern between slashes. */
const name: Parse = (value) => {
    if (typeof value !== "string" || value === "") return must("be a string");
    const pattern = /^\/(.*)\/$/.exec(value)?.[1];
    if (pattern === undefined) return value;
    try {
        return new RegExp(pattern);
    } catch {
        return must("be a regular expression between the slashes");
    }
};

const code: Parse = (value) => codeOf(value) ?? must("be a gRPC code, such as UNAVAILABLE");

/** `run` is a function, which JSON cannot express. */
const faultParts: Record<Exclude<keyof Fault, "run">, Parse> = {
    method: name,
    kind: oneOf(faultKinds.filter((kind) => kind !== "run")),
    times: wholeNumber,
    after: wholeNumber,
    resourceId: name,
    code,
    details: text,
    cut: yesOrNo,
    state: oneOf(failedEnds),
    reason: text,
    durationMs: wholeNumber,
    shape: oneOf(malformations),
    sizeBytes: wholeNumber,
};

const randomParts: Record<keyof RandomFaults, Parse> = {
    seed: wholeNumber,
    method: name,
    failBefore: probability,
    loseAnswer: probability,
    cut: probability,
    operationEnds: probability,
    code,
};

/** Appends a fault. */
export function toFault(json: string, faults: Fault[]): Fault[] {
    return [...faults, fromJson(json, faultParts, ["method", "kind"]) as unknown as Fault];
}

export function toRandomFaults(json: string): RandomFaults {
    return fromJson(json, randomParts, ["seed"]) as unknown as RandomFaults;
}

/** The gRPC code with that name. */
export function toCode(text: string): Status {
    const status = codeOf(text);
    if (status === undefined) throw new InvalidArgumentError(`${text} is not a gRPC code (such as UNAVAILABLE).`);
    return status;
}

/** A gRPC code, by number or name. */
function codeOf(value: unknown): Status | undefined {
    const number = typeof value === "string" ? Status[value as keyof typeof Status] : value;
    return typeof number === "number" && number in Status ? number : undefined;
}

function fromJson(json: string, parts: Record<string, Parse>, required: readonly string[]): Record<string, unknown> {
    let value: unknown;
    try {
        value = JSON.parse(json);
    } catch {
        throw new InvalidArgumentError("It must be JSON.");
    }
    if (typeof value !== "object" || value === null || Array.isArray(value))
        throw new InvalidArgumentError("It must be a JSON object.");
    const missing = required.find((key) => !Object.hasOwn(value, key));
    if (missing !== undefined) throw new InvalidArgumentError(`It must have a ${missing}.`);
    return Object.fromEntries(
        Object.entries(value).map(([key, part]) => {
            const parse = Object.hasOwn(parts, key) ? parts[key] : undefined;
            if (parse === undefined)
                throw new InvalidArgumentError(`Unknown key ${key}; known keys: ${Object.keys(parts).join(", ")}.`);
            try {
                return [key, parse(part)];
            } catch (error) {
                throw new InvalidArgumentError(`${key} must ${(error as Error).message}.`);
            }
        }),
    );
}

function must(be: string): never {
    throw new Error(be);
}
