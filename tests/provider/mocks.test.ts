// The unit tests of a program that uses this package, written as Pulumi's own examples are.

import * as pulumi from "@pulumi/pulumi";
import * as temporalcloud from "../../provider";

test("mocks that name no organization are enough", async () => {
    await pulumi.runtime.setMocks({
        newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs }),
        call: ({ inputs }) => inputs,
    });
    const { id, name } = new temporalcloud.Namespace("orders", {
        name: "orders-prod",
        regions: ["aws-us-east-1"],
        apiKeyAuth: true,
    });
    const seen = await new Promise((resolve) => pulumi.all([id, name]).apply(resolve));
    expect(seen).toEqual(["orders-id", "orders-prod"]);
});
