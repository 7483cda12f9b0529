import { AccountAccess_Role as Role } from "../../proto/generated/temporal/api/cloud/identity/v1/message";

/** The caller. */
export interface Principal {
    id: string;
    type: "service-account" | "user";
    /** The id of its API key, empty for the root key. */
    keyId: string;
    /** Its account role. */
    role: Role;
    /** Whether it used the root key. */
    root: boolean;
}

/** Whether a role may change users, service accounts, keys and projects. */
export const mayAdminister = (role: Role): boolean => role === Role.ROLE_OWNER || role === Role.ROLE_ADMIN;
