import type * as pulumi from "@pulumi/pulumi";
import { stateWord } from "../wire";
import { lookUp, lookUpOutput } from "./invoke";

/** The account that the API key belongs to. */
export interface GetAccountResult {
    /** The short id that ends the id of every Namespace, for example `a1b2c`. */
    readonly id: string;
    /** `active`, `updating` and so on. */
    readonly state: string;
    /** The account's metrics. https://docs.temporal.io/cloud/metrics */
    readonly metrics: {
        /** The address of the Prometheus endpoint; undefined while it is off. */
        readonly uri: string | undefined;
        /** The certificates of the authorities, PEM, whose clients may read the metrics; undefined without any. */
        readonly acceptedClientCa: string | undefined;
    };
    /** How users sign in. */
    readonly authenticationSettings: {
        /** Whether users of the web interface are signed out after a shorter time. */
        readonly restrictSessionLifetimes: boolean;
    };
}

/**
 * Looks the account up that the API key belongs to.
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

/** The same as an output. At preview the result is unknown as long as the provider's configuration is. */
export function getAccountOutput(opts?: pulumi.InvokeOutputOptions): pulumi.Output<GetAccountResult> {
    return lookUpOutput("getAccount", (_, options) => getAccount(options), {}, opts);
}
