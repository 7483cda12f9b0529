import { ApiKey, type ApiKeyArgs } from "pulumi-temporal-cloud";
import {
    AccountAccess_Role as AccountRole,
    type ApiKeySpec,
    type ApiKey as Live,
    OwnerType,
} from "../../../proto/generated/temporal/api/cloud/identity/v1/message";
import { defineKind } from "./kind";

const DAY_MS = 24 * 3600 * 1000;

/** A time that many days from now, in whole seconds. */
export function inDays(days: number): Date {
    return new Date(Math.floor((Date.now() + days * DAY_MS) / 1000) * 1000);
}

export const apiKey = defineKind<ApiKeyArgs, Live>({
    kind: "ApiKey",
    hasNaturalKey: false,
    refusesDuplicates: false,
    make: (name, args, opts) => new ApiKey(name, args, opts),
    get: (name, id) => ApiKey.get(name, id),
    resources: (emulator) => emulator.apiKeys,
    idOf: ({ id }) => id,
    table(emulator) {
        const account = (name: string) =>
            emulator.serviceAccounts.add({
                spec: { name, access: { accountAccess: { role: AccountRole.ROLE_READ } } },
            }).id;
        const [ownerId, otherOwnerId] = [account("one"), account("two")];
        const [soon, later, drifted] = [inDays(30), inDays(60), inDays(90)].map((time) => time.toISOString());
        return {
            base: () => ({ ownerId, expiresIn: "90d" }),
            existing: (name) => ({
                spec: {
                    ownerId,
                    ownerType: OwnerType.OWNER_TYPE_SERVICE_ACCOUNT,
                    displayName: name,
                    expiryTime: { seconds: BigInt(inDays(90).getTime() / 1000) },
                },
            }),
            outputs: (name) => ({
                ownerId,
                ownerType: "service-account",
                displayName: name,
                description: "",
                disabled: false,
                expiryTime: expect.stringMatching(/^\d{4}-.*Z$/),
                state: "active",
                createdTime: expect.stringMatching(/^\d{4}-.*Z$/),
            }),
            optional: "description",
            replacements: [
                { property: "ownerId", from: {}, to: { ownerId: otherOwnerId }, first: "new" },
                { property: "expiresIn", from: {}, to: { expiresIn: "30d" }, first: "new" },
                {
                    property: "expiryTime",
                    from: { expiresIn: undefined, expiryTime: soon },
                    to: { expiresIn: undefined, expiryTime: later },
                    first: "new",
                    drift: {
                        change: (live) => {
                            specOf(live).expiryTime = {
                                seconds: BigInt(Date.parse(drifted ?? "") / 1000),
                                nanos: 0,
                            };
                        },
                        value: drifted?.replace(".000Z", "Z"),
                    },
                },
            ],
            fields: [
                {
                    property: "displayName",
                    from: "one",
                    to: "two",
                    see: (live) => specOf(live).displayName,
                    afterwards: "logical name",
                    drift: {
                        change: (live) => {
                            specOf(live).displayName = "three";
                        },
                        value: "three",
                    },
                },
                {
                    property: "description",
                    from: "one",
                    to: "two",
                    see: (live) => specOf(live).description,
                    afterwards: { value: "" },
                    drift: {
                        change: (live) => {
                            specOf(live).description = "three";
                        },
                        value: "three",
                    },
                },
                {
                    property: "disabled",
                    from: false,
                    to: true,
                    see: (live) => specOf(live).disabled,
                    afterwards: { value: false },
                    drift: {
                        change: (live) => {
                            specOf(live).disabled = false;
                        },
                        value: false,
                    },
                },
            ],
        };
    },
});

function specOf({ spec }: Live): ApiKeySpec {
    if (spec === undefined) {
        throw new Error("every API key has a spec");
    }
    return spec;
}
