// What the rest of the project takes for granted about the generated code, and would lose by another option of ts-proto.

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Duration } from "../../proto/generated/google/protobuf/duration";
import type { Timestamp } from "../../proto/generated/google/protobuf/timestamp";
import { BillingReport_Download } from "../../proto/generated/temporal/api/cloud/billing/v1/message";
import { ApiKeySpec, UserSpec } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import {
    MtlsAuthSpec,
    Namespace,
    NamespaceSpec,
    type NamespaceSpec_SearchAttributeType as SearchAttributeType,
} from "../../proto/generated/temporal/api/cloud/namespace/v1/message";
import { Payload } from "../../proto/generated/temporal/api/common/v1/message";

/** Puts two fields that this version of the API does not have after what was written. */
function withNewerFields(message: BinaryWriter): Uint8Array {
    return message
        .tag(9998, WireType.Varint)
        .uint32(5)
        .tag(9999, WireType.LengthDelimited)
        .string("from a newer API")
        .finish();
}

describe("fields that this version of the API does not have", () => {
    test("survive decoding and encoding", () => {
        const sent = withNewerFields(NamespaceSpec.encode(NamespaceSpec.fromPartial({ name: "orders" })));
        const spec = NamespaceSpec.decode(sent);
        expect(spec.name).toBe("orders");
        expect(Buffer.from(NamespaceSpec.encode(spec).finish())).toEqual(Buffer.from(sent));
    });

    test("survive a change of what is known, and a copy", () => {
        const spec = NamespaceSpec.decode(
            withNewerFields(NamespaceSpec.encode(NamespaceSpec.fromPartial({ name: "orders", retentionDays: 7 }))),
        );
        const expected = withNewerFields(
            NamespaceSpec.encode(NamespaceSpec.fromPartial({ name: "orders", retentionDays: 30 })),
        );
        const copy = { ...spec, retentionDays: 30 };
        expect(Buffer.from(NamespaceSpec.encode(copy).finish())).toEqual(Buffer.from(expected));
    });

    test("survive in a message within a message, and in the values of a map", () => {
        const auth = withNewerFields(MtlsAuthSpec.encode(MtlsAuthSpec.fromPartial({ enabled: true })));
        const spec = new BinaryWriter().tag(4, WireType.LengthDelimited).bytes(auth);
        const sentSpec = new BinaryWriter().tag(3, WireType.LengthDelimited).bytes(spec.finish()).finish();
        expect(Buffer.from(Namespace.encode(Namespace.decode(sentSpec)).finish())).toEqual(Buffer.from(sentSpec));

        const entry = new BinaryWriter()
            .tag(1, WireType.LengthDelimited)
            .string("orders.a1b2c")
            .tag(2, WireType.LengthDelimited)
            .bytes(withNewerFields(new BinaryWriter().tag(2, WireType.Varint).int32(1)));
        const access = new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(entry.finish());
        const sentUser = new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(access.finish()).finish();
        expect(Buffer.from(UserSpec.encode(UserSpec.decode(sentUser)).finish())).toEqual(Buffer.from(sentUser));
    });
});

test("bytes are Buffers", () => {
    const auth = MtlsAuthSpec.decode(
        MtlsAuthSpec.encode(MtlsAuthSpec.fromPartial({ acceptedClientCa: Buffer.from("pem") })).finish(),
    );
    expect(Buffer.isBuffer(auth.acceptedClientCa)).toBe(true);
    expect(auth.acceptedClientCa.toString()).toBe("pem");
    expect(Buffer.isBuffer(MtlsAuthSpec.fromPartial({}).acceptedClientCa)).toBe(true);

    const payload = Payload.decode(
        Payload.encode(Payload.fromPartial({ metadata: { encoding: Buffer.from("json/plain") } })).finish(),
    );
    expect(payload.metadata.encoding?.toString()).toBe("json/plain");
});

test("64-bit numbers are bigint, beyond what a number can hold too", () => {
    const large = 2n ** 63n - 1n;
    const file = BillingReport_Download.decode(
        BillingReport_Download.encode(BillingReport_Download.fromPartial({ fileSizeBytes: large })).finish(),
    );
    expect(file.fileSizeBytes).toBe(large);
    expect(BillingReport_Download.fromPartial({}).fileSizeBytes).toBe(0n);
});

test("timestamps and durations are their messages, with nanoseconds, and not Date", () => {
    const expiryTime: Timestamp = { seconds: 1_811_894_400n, nanos: 123_456_789 };
    const spec = ApiKeySpec.decode(ApiKeySpec.encode(ApiKeySpec.fromPartial({ expiryTime })).finish());
    expect(spec.expiryTime).toMatchObject(expiryTime);
    expect(Duration.decode(Duration.encode({ seconds: -1n, nanos: -500_000_000 }).finish())).toMatchObject({
        seconds: -1n,
        nanos: -500_000_000,
    });
});

test("an enum value that this version of the API does not have survives, alone and in a map", () => {
    const spec = NamespaceSpec.decode(
        NamespaceSpec.encode(
            NamespaceSpec.fromPartial({ searchAttributes: { Newer: 99 as SearchAttributeType } }),
        ).finish(),
    );
    expect(spec.searchAttributes).toEqual({ Newer: 99 });

    const sent = new BinaryWriter().tag(13, WireType.Varint).int32(99).finish();
    const namespace = Namespace.decode(sent);
    expect(namespace.state).toBe(99);
    expect(Buffer.from(Namespace.encode(namespace).finish())).toEqual(Buffer.from(sent));
});

test("an absent message stays absent: undefined, and nothing on the wire", () => {
    const spec = NamespaceSpec.decode(new Uint8Array());
    expect(spec.mtlsAuth).toBeUndefined();
    expect(NamespaceSpec.encode(spec).finish()).toHaveLength(0);
    // An empty message is not the same as an absent one.
    expect(NamespaceSpec.encode({ ...spec, mtlsAuth: MtlsAuthSpec.fromPartial({}) }).finish()).toHaveLength(2);
});
