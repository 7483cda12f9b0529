import { CreateApiKeyRequest } from "../../../proto/generated/temporal/api/cloud/cloudservice/v1/request_response";
import type { DeepPartial } from "../../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import { AsyncOperation } from "../../../proto/generated/temporal/api/cloud/operation/v1/message";
import { repeating } from "../../../provider/client/repeating";
import type { Cloud } from "../../../provider/definition";

const TYPE = "type.googleapis.com/temporal.api.cloud.cloudservice.v1.CreateApiKeyRequest";

/** What is sent for a create with these values, and with what the server says of the operation that began with another. */
async function sent(
    values: DeepPartial<CreateApiKeyRequest>,
    operationInput: DeepPartial<AsyncOperation>["operationInput"],
): Promise<CreateApiKeyRequest[]> {
    const requests: CreateApiKeyRequest[] = [];
    const createApiKey = async (request: CreateApiKeyRequest) => {
        requests.push(request);
        return { keyId: "k1" };
    };
    const cloud = { createApiKey, getApiKey: async () => "untouched" } as unknown as Cloud;
    const again = repeating(cloud, AsyncOperation.fromPartial({ id: "op", operationInput }));
    expect(await again.createApiKey(values)).toEqual({ keyId: "k1" });
    expect(await again.getApiKey({})).toBe("untouched");
    return requests;
}

test("the create of an earlier run is repeated as it was, whatever the program says now", async () => {
    const first = CreateApiKeyRequest.fromPartial({ spec: { displayName: "first", expiryTime: { seconds: 7n } } });
    const value = Buffer.from(CreateApiKeyRequest.encode(first).finish());
    expect(await sent({ spec: { displayName: "second" } }, { typeUrl: TYPE, value })).toEqual([
        { ...first, asyncOperationId: "op" },
    ]);
});

test.each<[string, DeepPartial<AsyncOperation>["operationInput"]]>([
    ["not known", undefined],
    ["something else", { typeUrl: "type.googleapis.com/google.protobuf.Duration", value: Buffer.alloc(2) }],
    ["unreadable", { typeUrl: TYPE, value: Buffer.from("ff", "hex") }],
])("if the earlier request is %s, what the program says is sent", async (_, operationInput) => {
    const now = { spec: { displayName: "second" } };
    expect(await sent(now, operationInput)).toEqual([now]);
});
