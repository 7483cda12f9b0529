// Values at random: messages of the API as a server of any version could send them, and the properties that programs
// could hand over.

import { readFileSync } from "node:fs";
import path from "node:path";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import protobuf from "protobufjs";
import "protobufjs/ext/descriptor";
import { UNKNOWN } from "../../provider/fields";

const root = protobuf.Root.fromDescriptor(
    readFileSync(path.join(__dirname, "../../proto/generated/descriptors.binpb")),
).resolveAll();

/** Fields with such numbers are in no version of the API so far. */
export const UNKNOWN_FIELD = 9_000;

type Write = (writer: BinaryWriter) => unknown;

const text = fc.oneof(
    fc.string({ maxLength: 8, unit: "grapheme" }),
    fc.constantFrom("a", "orders", "aws-us-east-1", "aws-us-west-2", "constructor", "toString", "ann@example.com"),
);

const SCALARS: { readonly [type: string]: fc.Arbitrary<Write> } = {
    string: text.map((value) => (writer: BinaryWriter) => writer.string(value)),
    bytes: fc.uint8Array({ maxLength: 12 }).map((value) => (writer: BinaryWriter) => writer.bytes(value)),
    bool: fc.boolean().map((value) => (writer: BinaryWriter) => writer.bool(value)),
    int32: fc.integer().map((value) => (writer: BinaryWriter) => writer.int32(value)),
    int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => (writer) => writer.int64(value)),
    double: fc.double({ noNaN: true }).map((value) => (writer: BinaryWriter) => writer.double(value || 0)),
};

function wireTypeOf(type: string, resolved: unknown): WireType {
    if (type === "string" || type === "bytes" || resolved instanceof protobuf.Type) {
        return WireType.LengthDelimited;
    }
    return type === "double" ? WireType.Bit64 : WireType.Varint;
}

function value(type: string, resolved: protobuf.Type | protobuf.Enum | null, depth: number): fc.Arbitrary<Write> {
    if (resolved instanceof protobuf.Enum) {
        // A number of a later version is as good as any.
        const numbers = fc.oneof(fc.constantFrom(...Object.values(resolved.values)), fc.constantFrom(77, -1));
        return numbers.map((number) => (writer: BinaryWriter) => writer.int32(number));
    }
    if (resolved instanceof protobuf.Type) {
        return messageOf(resolved, depth + 1).map((bytes) => (writer: BinaryWriter) => writer.bytes(bytes));
    }
    const scalar = SCALARS[type];
    if (!scalar) {
        throw new Error(`no values of the type ${type}`);
    }
    return scalar;
}

function fieldOf(field: protobuf.Field, depth: number): fc.Arbitrary<Write> {
    const tag = wireTypeOf(field.type, field.resolvedType);
    if (field.map) {
        const entry = fc.tuple(text, value(field.type, field.resolvedType, depth)).map(([key, write]) => {
            const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string(key).tag(2, tag);
            write(writer);
            return writer.finish();
        });
        return fc.array(entry, { maxLength: 3 }).map((entries) => (writer) => {
            for (const bytes of entries) {
                writer.tag(field.id, WireType.LengthDelimited).bytes(bytes);
            }
        });
    }
    const single = value(field.type, field.resolvedType, depth);
    const values = field.repeated ? fc.array(single, { maxLength: 3 }) : single.map((write) => [write]);
    return values.map((writes) => (writer) => {
        for (const write of writes) {
            write(writer.tag(field.id, tag));
        }
    });
}

const timestamp = fc
    .record({
        seconds: fc.oneof(
            fc.integer({ min: 1_700_000_000, max: 1_900_000_000 }),
            fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }),
        ),
        nanos: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
    })
    .map(({ seconds, nanos }) =>
        new BinaryWriter().tag(1, WireType.Varint).int64(seconds).tag(2, WireType.Varint).int32(nanos).finish(),
    );

/** The wire form of a message of that type. */
function messageOf(type: protobuf.Type, depth: number): fc.Arbitrary<Uint8Array> {
    if (type.fullName === ".google.protobuf.Timestamp") {
        return timestamp;
    }
    const alone = type.fieldsArray.filter(({ partOf }) => !partOf).map((field) => fieldOf(field, depth));
    const oneOf = type.oneofsArray.map(({ fieldsArray }) =>
        fc.oneof(...fieldsArray.map((field) => fieldOf(field, depth))),
    );
    const freq = depth < 2 ? 4 : 2;
    const known = [...alone, ...oneOf].map((field) => fc.option(field, { freq, nil: undefined }));
    const newer = fc.option(
        fc
            .uint8Array({ minLength: 1, maxLength: 4 })
            .map(
                (bytes) => (writer: BinaryWriter) =>
                    writer.tag(UNKNOWN_FIELD + depth, WireType.LengthDelimited).bytes(bytes),
            ),
        { freq: 2, nil: undefined },
    );
    return fc.tuple(...known, newer).map((writes) => {
        const writer = new BinaryWriter();
        for (const write of writes) {
            write?.(writer);
        }
        return writer.finish();
    });
}

/** The bytes of a message, by its full name in proto/. */
export function wireMessage(name: string): fc.Arbitrary<Uint8Array> {
    return messageOf(root.lookupType(name), 0);
}

/** What JSON can hold, with values among it that are not known yet. */
export function json(keys: readonly string[]): fc.Arbitrary<unknown> {
    const name = fc.oneof(fc.constantFrom(...keys, "__proto__", "constructor", "length", "", "0"), fc.string());
    const { tree } = fc.letrec((tie) => ({
        tree: fc.oneof(
            { depthSize: "small", withCrossShrink: true },
            fc.oneof(
                fc.constantFrom(UNKNOWN, null, "", 0, true, false, 1e300),
                fc.string(),
                fc.integer(),
                fc.double({ noNaN: true, noDefaultInfinity: true }),
            ),
            fc.array(tie("tree"), { maxLength: 4 }),
            fc.array(fc.tuple(name, tie("tree")), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
        ),
    }));
    return tree.map((value) => JSON.parse(JSON.stringify(value)) as unknown);
}
