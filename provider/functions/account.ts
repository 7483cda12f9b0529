import type * as pulumi from "@pulumi/pulumi";
import { stateWord } from "../wire";
import { lookUp, lookUpOutput } from "./invoke";

/** The account of the API key. */
export interface GetAccountResult {
    /** The account id, with which every Namespace id ends, for example `a1b2c`. */
    readonly id: string;
    /** The state: `active`, `updating` and so on. */
    readonly state: string;
    /** The account's metrics. https://docs.temporal.io/cloud/metrics */
    readonly metrics: {
        /** The URI of the Prometheus endpoint; undefined while it is disabled. */
        readonly uri: string | undefined;
        /** CA certificates, in PEM, whose clients can read the metrics; undefined if there are none. */
        readonly acceptedClientCa: string | undefined;
    };
    /** Sign-in settings of users. */
    readonly authenticationSettings: {
        /** Whether users of the Temporal Cloud UI are signed out after a shorter time. */
        readonly restrictSessionLifetimes: boolean;
    };
}

/**
 * Looks up the account of the API key.
 *
 * ```ts
 * const { id } = await temporalcloud.getAccount();
 * ```
 *
 * @throws {LookupError} when it cannot be read
 */
export async function getAccount(opts?: pulumi.InvokeOptions): Promise<GetAccountResult> {
    return lookUp({ name: "getAccount", subject: "account", args: {} }, opts, async (cloud) => {
        const { account } = await cloud.getAccount({});
        const { spec } = account ?? {};
        const acceptedClientCa = spec?.metrics?.acceptedClientCa.toString("utf8");
        return (
            account && {
                id: account.id,
                state: stateWord(account.state),
                metrics: { uri: account.metrics?.uri || undefined, acceptedClientCa: acceptedClientCa || undefined },
                authenticationSettings: {
                    restrictSessionLifetimes: spec?.authenticationSettings?.restrictSessionLifetimes ?? false,
                },
            }
        );
    });
}

/** Returns an output. At preview the result is unknown if the provider's configuration is. */
export function getAccountOutput(opts?: pulumi.InvokeOutputOptions): pulumi.Output<GetAccountResult> {
    return lookUpOutput("getAccount", (_, options) => getAccount(options), {}, opts);
}
