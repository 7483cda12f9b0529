import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { Fault } from "../faults";

/** A response that is sent as is. */
export class RawAnswer {
    constructor(readonly bytes: Uint8Array) {}
}

/** The page token of endless lists. */
export const endlessPageToken = "endless";

const defaultHugeBytes = 64 * 1024 * 1024;
/** Higher than every field number of the API. */
const unusedField = 10_000;
const fieldsOfWrongType = 20;

/** Malforms a response according to a fault. */
export function malform(answer: object, fault: Fault, encode: (answer: object) => Uint8Array): object {
    switch (fault.shape ?? "garbage") {
        case "empty":
            return new RawAnswer(new Uint8Array());
        case "garbage":
            // Every byte is a varint continuation byte.
            return new RawAnswer(new Uint8Array(64).fill(0xff));
        case "wrongTypes": {
            const writer = new BinaryWriter();
            for (let field = 1; field <= fieldsOfWrongType; field++) writer.uint32(field << 3).uint32(field);
            return new RawAnswer(writer.finish());
        }
        case "endlessPages":
            return { ...answer, nextPageToken: endlessPageToken };
        case "endlessEmptyPages": {
            const lists = Object.entries(answer).filter(([, value]) => Array.isArray(value));
            const empty = Object.fromEntries(lists.map(([name]) => [name, []]));
            return { ...answer, ...empty, nextPageToken: endlessPageToken };
        }
        case "huge": {
            const padding = new Uint8Array(fault.sizeBytes ?? defaultHugeBytes);
            const padded = new BinaryWriter()
                .raw(encode(answer))
                .uint32((unusedField << 3) | 2)
                .bytes(padding);
            return new RawAnswer(padded.finish());
        }
    }
}
