import { AccountAccess_Role as Role } from "../../proto/generated/temporal/api/cloud/identity/v1/message";

/** Who calls. */
export interface Principal {
    id: string;
    type: "service-account" | "user";
    /** The id of the API key it came with, empty for the root key. */
    keyId: string;
    /** Its role in the account. */
    role: Role;
    /** It came with the root key. */
    root: boolean;
}

/** Whether a role may change users, service accounts, keys and projects. */
export const mayAdminister = (role: Role): boolean => role === Role.ROLE_OWNER || role === Role.ROLE_ADMIN;
