import type * as pulumi from "@pulumi/pulumi";
import type { AccountAccess, ApiKey } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { AccountRole, OwnerType } from "../enums";
import { accountRoles } from "../enums";
import { fromTimestamp } from "../wire";
import { lookUp, lookUpOutput } from "./invoke";

/** The identity that owns the API key. */
export interface GetCurrentIdentityResult {
    readonly kind: OwnerType;
    readonly id: string;
    /** The email address of a user. */
    readonly email: string | undefined;
    /** The name of a service account. */
    readonly name: string | undefined;
    /** Undefined for a service account with the scope of one namespace or project, or with custom roles only. */
    readonly accountRole: AccountRole | undefined;
    /** The API key, without its token. */
    readonly apiKey: CurrentApiKey | undefined;
}

/** The API key with which the program authenticates. */
export interface CurrentApiKey {
    readonly id: string;
    readonly displayName: string;
    /** When the key expires: RFC 3339, UTC. */
    readonly expiryTime: string | undefined;
}

function roleOf(access: AccountAccess | undefined): AccountRole | undefined {
    return access && accountRoles.fromWire(access.role);
}

function toApiKey({ id, spec }: ApiKey): CurrentApiKey {
    return { id, displayName: spec?.displayName ?? "", expiryTime: fromTimestamp(spec?.expiryTime) };
}

/**
 * Looks up the identity that owns the API key, and when the key expires.
 *
 * ```ts
 * const { kind, accountRole } = await temporalcloud.getCurrentIdentity();
 * ```
 *
 * @throws {LookupError} when it cannot be read
 */
export async function getCurrentIdentity(opts?: pulumi.InvokeOptions): Promise<GetCurrentIdentityResult> {
    return lookUp<GetCurrentIdentityResult>(
        { name: "getCurrentIdentity", subject: "identity of the API key", args: {} },
        opts,
        async (cloud) => {
            const { principal, principalApiKey } = await cloud.getCurrentIdentity({});
            const apiKey = principalApiKey && toApiKey(principalApiKey);
            switch (principal?.$case) {
                case "user": {
                    const { id, spec } = principal.value;
                    const accountRole = roleOf(spec?.access?.accountAccess);
                    return { kind: "user", id, email: spec?.email, name: undefined, accountRole, apiKey };
                }
                case "serviceAccount": {
                    const { id, spec } = principal.value;
                    const accountRole = roleOf(spec?.access?.accountAccess);
                    return { kind: "service-account", id, email: undefined, name: spec?.name, accountRole, apiKey };
                }
                default:
                    return undefined;
            }
        },
    );
}

/** Returns an output. At preview the result is unknown if the provider's configuration is. */
export function getCurrentIdentityOutput(opts?: pulumi.InvokeOutputOptions): pulumi.Output<GetCurrentIdentityResult> {
    return lookUpOutput("getCurrentIdentity", (_, options) => getCurrentIdentity(options), {}, opts);
}
