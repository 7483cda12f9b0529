import { User, type UserArgs } from "pulumi-temporal-cloud";
import {
    type Access,
    AccountAccess_Role as AccountRole,
    type User as Live,
} from "../../../proto/generated/temporal/api/cloud/identity/v1/message";
import { accessFields, grantable } from "./access";
import { defineKind } from "./kind";

export const user = defineKind<UserArgs, Live>({
    kind: "User",
    hasNaturalKey: true,
    refusesDuplicates: true,
    make: (name, args, opts) => new User(name, args, opts),
    get: (name, id) => User.get(name, id),
    resources: (emulator) => emulator.users,
    idOf: ({ id }) => id,
    table(emulator) {
        return {
            base: (name) => ({ email: `${name}@example.com`, accountRole: "read" }),
            existing: (name) => ({
                spec: {
                    email: `${name}@example.com`,
                    access: { accountAccess: { role: AccountRole.ROLE_READ } },
                },
            }),
            outputs: (name) => ({
                email: `${name}@example.com`,
                accountRole: "read",
                customRoles: [],
                namespaceAccesses: {},
                projectAccesses: {},
                state: "active",
                invitation: { createdTime: expect.any(String), expiredTime: expect.any(String) },
                createdTime: expect.stringMatching(/^\d{4}-.*Z$/),
            }),
            optional: "customRoles",
            replacements: [
                {
                    property: "email",
                    from: { email: "first@example.com" },
                    to: { email: "second@example.com" },
                    first: "new",
                    drift: {
                        change: ({ spec }) => {
                            if (spec) {
                                spec.email = "third@example.com";
                            }
                        },
                        value: "third@example.com",
                    },
                },
            ],
            fields: accessFields<Live>(accessOf, grantable(emulator)),
        };
    },
});

function accessOf({ spec }: Live): Access {
    if (spec?.access === undefined) {
        throw new Error("every user has access");
    }
    return spec.access;
}
