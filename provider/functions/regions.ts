import type * as pulumi from "@pulumi/pulumi";
import type { Region } from "../../proto/generated/temporal/api/cloud/region/v1/message";
import { messages } from "../messages";
import { words } from "../wire";
import { exactlyOne, lookUp, lookUpOutput } from "./invoke";

/** Whose region it is. */
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

/** Which region. */
export interface GetRegionArgs {
    /** Temporal Cloud's name of it, for example `aws-us-east-1`. */
    id: string;
}

/** Which region. */
export interface GetRegionOutputArgs {
    /** Temporal Cloud's name of it, for example `aws-us-east-1`. */
    id: pulumi.Input<string>;
}

/** A region in which Namespaces can be. */
export interface GetRegionResult {
    /** What `regions` of a Namespace takes, for example `aws-us-east-1`. */
    readonly id: string;
    /** Undefined of a cloud that the server does not tell. */
    readonly cloudProvider: CloudProvider | undefined;
    /** The cloud provider's own name of it, for example `us-east-1`. */
    readonly cloudProviderRegion: string;
    /** Where it is, for people: `US East (N. Virginia)`. */
    readonly location: string;
}

/** The regions that there are. */
export interface GetRegionsResult {
    /** In the order of the server. */
    readonly regions: GetRegionResult[];
}

function toResult({ id, cloudProvider, cloudProviderRegion, location }: Region): GetRegionResult {
    return { id, cloudProvider: cloudProviders.fromWire(cloudProvider), cloudProviderRegion, location };
}

/**
 * Looks a region up.
 *
 * @throws {LookupError} when there is none of that id
 */
export async function getRegion(args: GetRegionArgs, opts?: pulumi.InvokeOptions): Promise<GetRegionResult> {
    const [, id] = exactlyOne("getRegion", args, ["id"]);
    const subject = `region with the id ${JSON.stringify(id)}`;
    return lookUp({ name: "getRegion", subject, args: { id } }, opts, async (cloud) => {
        const { region } = await cloud.getRegion({ region: id });
        return region && toResult(region);
    });
}

/** The same for arguments that may be outputs. At preview the result may be unknown. */
export function getRegionOutput(
    args: GetRegionOutputArgs,
    opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetRegionResult> {
    return lookUpOutput("getRegion", getRegion, args as pulumi.Input<GetRegionArgs>, opts);
}

/**
 * Lists the regions in which the account's Namespaces can be.
 *
 * ```ts
 * const { regions } = await temporalcloud.getRegions();
 * const inEurope = regions.filter(({ cloudProviderRegion }) => cloudProviderRegion.startsWith("eu-"));
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

/** The same as an output. At preview the result is unknown as long as the provider's configuration is. */
export function getRegionsOutput(opts?: pulumi.InvokeOutputOptions): pulumi.Output<GetRegionsResult> {
    return lookUpOutput("getRegions", (_, options) => getRegions(options), {}, opts);
}
