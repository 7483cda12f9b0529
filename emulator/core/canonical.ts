/** Unknown fields as ts-proto keeps them: by tag (field number and wire type), each occurrence as sent on the wire. */
type UnknownFields = Record<number, Uint8Array[]>;

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/**
 * A message without default values, so that two messages are equal exactly if the API cannot tell them apart: an empty
 * message equals an absent one, and maps have no order.
 */
function simplify(value: unknown): Json | undefined {
    if (value === undefined || value === null || value === "" || value === 0 || value === false || value === 0n) {
        return undefined;
    }
    if (typeof value === "bigint") return `${value}n`;
    if (value instanceof Uint8Array) return value.length === 0 ? undefined : Buffer.from(value).toString("base64");
    if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => simplify(item) ?? null);
    if (typeof value === "object") {
        const result: { [key: string]: Json } = {};
        let empty = true;
        for (const [key, child] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
            const simple = simplify(child);
            if (simple === undefined) continue;
            result[key] = simple;
            empty = false;
        }
        return empty ? undefined : result;
    }
    return value as string | number | boolean;
}

/** A string that is equal for messages with the same meaning. */
export function canonical(message: unknown): string {
    return JSON.stringify(simplify(message) ?? null);
}

/** Whether two messages have the same meaning. */
export function same(a: unknown, b: unknown): boolean {
    return canonical(a) === canonical(b);
}

function isMessage(value: unknown): value is Record<string, unknown> & { _unknownFields?: UnknownFields } {
    return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/**
 * The new message plus the old one's unknown fields that it lacks, at every depth: like a server that keeps fields newer
 * than the caller's API version.
 */
export function keepUnknownFields<T>(old: T, next: T): T {
    if (!isMessage(old) || !isMessage(next)) return next;
    const result: Record<string, unknown> = { ...next };
    for (const [key, value] of Object.entries(old)) {
        if (key === "_unknownFields") result[key] = { ...(value as UnknownFields), ...next._unknownFields };
        else if (isMessage(value) && isMessage(next[key])) result[key] = keepUnknownFields(value, next[key]);
    }
    return result as T;
}

/** The message with another unknown field, length-delimited, with these bytes. */
export function withUnknownField<T extends { _unknownFields?: UnknownFields | undefined }>(
    message: T,
    fieldNumber: number,
    bytes: Uint8Array,
): T {
    const length: number[] = [];
    let rest = bytes.length;
    for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
    length.push(rest);
    const raw = new Uint8Array([...length, ...bytes]);
    // 2 is the wire type of length-delimited fields.
    return { ...message, _unknownFields: { ...message._unknownFields, [(fieldNumber << 3) | 2]: [raw] } };
}
