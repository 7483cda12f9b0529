import { UpdateNamespaceRequest } from "../../../proto/generated/temporal/api/cloud/cloudservice/v1/request_response";
import { NamespaceSpec } from "../../../proto/generated/temporal/api/cloud/namespace/v1/message";
import { cloudService } from "../../../provider/client/service";

interface Method {
    requestSerialize(request: object): Uint8Array;
}

const { updateNamespace } = cloudService as unknown as Record<string, Method>;

test("a request keeps the fields that its messages do not know, at every depth", () => {
    const unknown = { 79994: [Uint8Array.of(2, 7, 7)] };
    const spec = {
        ...NamespaceSpec.fromPartial({ name: "orders", apiKeyAuth: { enabled: true } }),
        _unknownFields: unknown,
        mtlsAuth: {
            enabled: true,
            acceptedClientCa: Buffer.from("ca"),
            certificateFilters: [
                {
                    commonName: "a",
                    organization: "",
                    organizationalUnit: "",
                    subjectAlternativeName: "",
                    _unknownFields: unknown,
                },
            ],
        },
        capacitySpec: { spec: { $case: "provisioned" as const, value: { value: 4, _unknownFields: unknown } } },
    };
    const bytes = updateNamespace?.requestSerialize({ namespace: "orders.a1b2c", spec }) ?? new Uint8Array();
    const sent = UpdateNamespaceRequest.decode(bytes);
    const asSent = (fields: typeof sent._unknownFields) =>
        Object.entries(fields ?? {}).map(([tag, values]) => [tag, values.map((value) => [...value])]);
    const expected = [["79994", [[2, 7, 7]]]];
    expect(asSent(sent.spec?._unknownFields)).toEqual(expected);
    expect(asSent(sent.spec?.mtlsAuth?.certificateFilters[0]?._unknownFields)).toEqual(expected);
    expect(asSent(sent.spec?.capacitySpec?.spec?.value._unknownFields)).toEqual(expected);
    expect(sent.spec?.mtlsAuth?.acceptedClientCa.toString()).toBe("ca");
});
