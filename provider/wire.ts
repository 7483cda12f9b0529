import { isDeepStrictEqual } from "node:util";
import type { Duration } from "../proto/generated/google/protobuf/duration";
import type { Timestamp } from "../proto/generated/google/protobuf/timestamp";
import type { ResourceState } from "../proto/generated/temporal/api/cloud/resource/v1/message";
import type { LiveResource } from "./definition";
import { messages } from "./messages";

/** The maximum page size of the Cloud Ops API. */
export const PAGE_SIZE = 1000;

/** The words of an enum, as used by programs, and their numbers on the wire. */
export interface Words<Word extends string> {
    readonly words: readonly Word[];
    /** The number of a word; 0 (unspecified) for undefined. */
    toWire(word: string | undefined): number;
    /** The word of a number; undefined for 0. A number unknown to this version is returned in digits. */
    fromWire(value: number): Word | undefined;
}

/**
 * @param constants the words, by constant name
 * @param numbers returns the number of each word; called on first use
 */
export function words<Word extends string>(
    constants: { readonly [name: string]: Word },
    numbers: () => { readonly [W in Word]: number },
): Words<Word> {
    let tables: { readonly byWord: Map<string, number>; readonly byNumber: Map<number, Word> } | undefined;
    const loaded = () => {
        const entries = tables ? [] : (Object.entries(numbers()) as [Word, number][]);
        tables ??= {
            byWord: new Map(entries),
            byNumber: new Map(entries.map(([word, value]) => [value, word])),
        };
        return tables;
    };
    return {
        words: Object.values(constants),
        toWire: (word) => (word === undefined ? 0 : (loaded().byWord.get(word) ?? (Number(word) || 0))),
        fromWire: (value) => (value === 0 ? undefined : (loaded().byNumber.get(value) ?? (String(value) as Word))),
    };
}

/**
 * Overlays values on a message, keeping its other fields, including those unknown to this version. An absent message
 * stays absent if only zero values would be set.
 */
export function overlayMessage<M extends object>(base: M | undefined, empty: M, values: Partial<M>): M | undefined {
    const result = { ...(base ?? empty), ...values };
    return base === undefined && isDeepStrictEqual(result, empty) ? undefined : result;
}

/**
 * The spec to write; undefined if that would change nothing. The live values are converted too, so that what a
 * conversion clears or fills in, such as deprecated fields and empty messages, is no change.
 */
export function changedSpec<Values, Spec>(
    toSpec: (values: Values, base: Spec) => Spec,
    liveSpec: Spec,
    liveValues: Values,
    values: Values,
): Spec | undefined {
    const spec = toSpec(values, liveSpec);
    return isDeepStrictEqual(spec, toSpec(liveValues, liveSpec)) ? undefined : spec;
}

/** RFC 3339 in UTC, with the server's precision; undefined for a time that RFC 3339 cannot represent. */
export function fromTimestamp(time: Timestamp | undefined): string | undefined {
    if (time === undefined || time.nanos < 0 || time.nanos > 999_999_999) {
        return undefined;
    }
    const date = new Date(Number(time.seconds) * 1000);
    const year = date.getUTCFullYear();
    if (!(year >= 0 && year <= 9999)) {
        return undefined;
    }
    const decimals = time.nanos === 0 ? "" : `.${String(time.nanos).padStart(9, "0").replace(/0+$/, "")}`;
    return date.toISOString().replace(".000Z", `${decimals}Z`);
}

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Parses an RFC 3339 time with any offset; undefined if the text is not one. */
export function toTimestamp(text: string): Timestamp | undefined {
    const match = RFC_3339.exec(text);
    if (!match) {
        return undefined;
    }
    const seconds = Date.parse(text.replace(/\.\d+/, "").replace(" ", "T").toUpperCase()) / 1000;
    const [, , , day, hour] = match;
    // Date.parse accepts February 30 as March 1; such a date is a mistake.
    const local = new Date(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(day)));
    if (Number.isNaN(seconds) || local.getUTCDate() !== Number(day) || Number(hour) > 23) {
        return undefined;
    }
    return { seconds: BigInt(seconds), nanos: Number((match[7] ?? "").padEnd(9, "0")) };
}

/** Maps all spellings of a time to the same value. */
export function normaliseTime(text: string): unknown {
    const time = toTimestamp(text);
    return time === undefined ? text : `${time.seconds}.${time.nanos}`;
}

/** A time in milliseconds since 1970; 0 where there is none. */
export function timeMs(time: Timestamp | undefined): number {
    return time === undefined ? 0 : Number(time.seconds) * 1000 + time.nanos / 1e6;
}

export function durationSeconds(duration: Duration): number {
    return Number(duration.seconds) + duration.nanos / 1e9;
}

/** The state as a lowercase word: `active`, `activating` and so on. */
export function stateWord(state: ResourceState): string {
    return (messages.resource.ResourceState[state] ?? String(state)).replace("RESOURCE_STATE_", "").toLowerCase();
}

/** The outputs that most resources have in common. */
export const LIVE_OUTPUTS = ["state", "createdTime", "lastModifiedTime"] as const;

/** The values of these outputs. */
export function liveOutputs({ state, createdTime, lastModifiedTime }: LiveResource) {
    return {
        state: stateWord(state),
        createdTime: fromTimestamp(createdTime),
        lastModifiedTime: fromTimestamp(lastModifiedTime),
    } satisfies Record<(typeof LIVE_OUTPUTS)[number], unknown>;
}

/** Whether the resource is deleted, although the server still returns it. */
export function isGone({ state }: { readonly state: ResourceState }): boolean {
    return state === messages.resource.ResourceState.RESOURCE_STATE_DELETED;
}
