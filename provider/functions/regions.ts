import type * as pulumi from "@pulumi/pulumi";
import type { Region } from "../../proto/generated/temporal/api/cloud/region/v1/message";
import { messages } from "../messages";
import { words } from "../wire";
import type { OutputArgs } from "./invoke";
import { exactlyOne, lookUp, lookUpOutput } from "./invoke";

/** The cloud provider of a region. */
export const CloudProvider = {
    /** Amazon Web Services. */
    Aws: "aws",
    /** Google Cloud. */
    Gcp: "gcp",
    /** Microsoft Azure. */
    Azure: "azure",
} as const;
export type CloudProvider = (typeof CloudProvider)[keyof typeof CloudProvider];

const cloudProviders = words(CloudProvider, () => {
    const { Region_CloudProvider: Provider } = messages.region;
    return {
        aws: Provider.CLOUD_PROVIDER_AWS,
        gcp: Provider.CLOUD_PROVIDER_GCP,
        azure: Provider.CLOUD_PROVIDER_AZURE,
    };
});

/** Selects a region. */
export interface GetRegionArgs {
    /** The id in Temporal Cloud, for example `aws-us-east-1`. */
    id: string;
}

/** Selects a region. */
export type GetRegionOutputArgs = OutputArgs<GetRegionArgs>;

/** A region that can host Namespaces. */
export interface GetRegionResult {
    /** The id, as used in `regions` of a Namespace, for example `aws-us-east-1`. */
    readonly id: string;
    /** Undefined if the server does not specify it. */
    readonly cloudProvider: CloudProvider | undefined;
    /** The cloud provider's name of the region, for example `us-east-1`. */
    readonly cloudProviderRegion: string;
    /** The location for display, for example `US East (N. Virginia)`. */
    readonly location: string;
}

/** The available regions. */
export interface GetRegionsResult {
    /** In the server's order. */
    readonly regions: GetRegionResult[];
}

function toResult({ id, cloudProvider, cloudProviderRegion, location }: Region): GetRegionResult {
    return { id, cloudProvider: cloudProviders.fromWire(cloudProvider), cloudProviderRegion, location };
}

/**
 * Looks up a region.
 *
 * @throws {LookupError} when there is no region with that id, or it cannot be read
 */
export async function getRegion(args: GetRegionArgs, opts?: pulumi.InvokeOptions): Promise<GetRegionResult> {
    const [, id] = exactlyOne("getRegion", args, ["id"]);
    const subject = `region with the id ${JSON.stringify(id)}`;
    return lookUp({ name: "getRegion", subject, args: { id } }, opts, async (cloud) => {
        const { region } = await cloud.getRegion({ region: id });
        return region && toResult(region);
    });
}

/** Takes outputs as arguments. At preview the result may be unknown. */
export function getRegionOutput(
    args: GetRegionOutputArgs,
    opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetRegionResult> {
    return lookUpOutput("getRegion", getRegion, args, opts);
}

/**
 * Lists the regions that can host the account's Namespaces.
 *
 * ```ts
 * const { regions } = await temporalcloud.getRegions();
 * const onAws = regions.filter(({ cloudProvider }) => cloudProvider === temporalcloud.CloudProvider.Aws);
 * ```
 *
 * @throws {LookupError} when they cannot be read
 */
export async function getRegions(opts?: pulumi.InvokeOptions): Promise<GetRegionsResult> {
    return lookUp({ name: "getRegions", subject: "regions", args: {} }, opts, async (cloud) => {
        const { regions } = await cloud.getRegions({});
        return { regions: regions.map(toResult) };
    });
}

/** Returns an output. At preview the result is unknown if the provider's configuration is. */
export function getRegionsOutput(opts?: pulumi.InvokeOutputOptions): pulumi.Output<GetRegionsResult> {
    return lookUpOutput("getRegions", (_, options) => getRegions(options), {}, opts);
}
