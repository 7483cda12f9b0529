import type { Timestamp } from "../../proto/generated/google/protobuf/timestamp";

/** A time in milliseconds since the epoch, as a protobuf Timestamp. */
export function toTimestamp(ms: number): Timestamp {
    const whole = Math.floor(ms);
    const millis = ((whole % 1000) + 1000) % 1000;
    return { seconds: BigInt((whole - millis) / 1000), nanos: millis * 1_000_000 };
}

/** A protobuf Timestamp in milliseconds since the epoch. */
export function fromTimestamp(timestamp: Timestamp): number {
    return Number(timestamp.seconds) * 1000 + Math.floor(timestamp.nanos / 1_000_000);
}
