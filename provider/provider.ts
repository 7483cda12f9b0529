import * as pulumi from "@pulumi/pulumi";
import type { ConfigurationKey } from "./configuration";
import { CONFIGURATION_KEYS, CONFIGURATION_NAMESPACE, textOf } from "./configuration";
import { suggestion } from "./fields";

/**
 * The configuration of a provider. Arguments left out are taken from the environment, not from the stack's
 * configuration.
 */
export interface ProviderArgs {
    /** The API key, a secret. Environment: TEMPORAL_CLOUD_API_KEY. */
    apiKey?: pulumi.Input<string | undefined> | undefined;
    /**
     * `host:port` of the Cloud Ops API. The default is saas-api.tmprl.cloud:443. Environment: TEMPORAL_CLOUD_ENDPOINT.
     */
    endpoint?: pulumi.Input<string | undefined> | undefined;
    /**
     * Sends the key without TLS, unless the endpoint says `https://`. The default is false. Environment:
     * TEMPORAL_CLOUD_ALLOW_INSECURE.
     */
    allowInsecure?: pulumi.Input<boolean | undefined> | undefined;
    /** Refuses to touch any other account. Environment: TEMPORAL_CLOUD_ALLOWED_ACCOUNT_ID. */
    allowedAccountId?: pulumi.Input<string | undefined> | undefined;
    /**
     * Never sends more requests per second. The default adapts to the server's limit. Environment:
     * TEMPORAL_CLOUD_REQUESTS_PER_SECOND.
     */
    requestsPerSecond?: pulumi.Input<number | undefined> | undefined;
    /**
     * Distinguishes two stacks of the same name and backend, so that neither takes over the other's interrupted
     * creates.
     * Environment: TEMPORAL_CLOUD_OPERATION_SALT.
     */
    operationSalt?: pulumi.Input<string | undefined> | undefined;
}

/** The resource options of a provider. */
export type ProviderOptions = pulumi.ResourceOptions & Pick<pulumi.CustomResourceOptions, "envVarMappings">;

/**
 * Temporal Cloud with a configuration of its own, for programs that manage several accounts.
 *
 * ```ts
 * const staging = new temporalcloud.Provider("staging", { apiKey: stagingKey, allowedAccountId: "a1b2c" });
 * new temporalcloud.Namespace("orders", { regions: ["aws-us-east-1"], apiKeyAuth: true }, { provider: staging });
 * ```
 */
export class Provider extends pulumi.ProviderResource {
    /** @internal */
    readonly configuration: { readonly [Key in ConfigurationKey]?: pulumi.Output<string | undefined> };
    /**
     * The option `envVarMappings`, which lookups follow as the engine does for the plugin.
     *
     * @internal
     */
    readonly envVarMappings: Readonly<Record<string, string>>;

    constructor(name: string, args: ProviderArgs = {}, opts?: ProviderOptions) {
        const unknown = Object.keys(args).find((key) => !Object.hasOwn(CONFIGURATION_KEYS, key));
        if (unknown !== undefined) {
            // A misspelt `apiKey` would be in the state, in plain text.
            throw new pulumi.RunError(
                `Provider ${JSON.stringify(name)}: \`${unknown}\` is not a known argument.` +
                    suggestion(unknown, Object.keys(CONFIGURATION_KEYS)),
            );
        }
        const configuration: { [Key in ConfigurationKey]?: pulumi.Output<string | undefined> } = {};
        const inputs: Record<string, pulumi.Output<string | undefined>> = {};
        for (const [key, value] of Object.entries(args) as [ConfigurationKey, pulumi.Input<unknown>][]) {
            const text: pulumi.Output<string | undefined> = pulumi.all([value]).apply(([known]) => textOf(known));
            const setting = key === "apiKey" ? pulumi.secret(text) : text;
            configuration[key] = setting;
            inputs[`${CONFIGURATION_NAMESPACE}:${key}`] = setting;
        }
        super("pulumi-nodejs", name, inputs, opts);
        this.configuration = configuration;
        this.envVarMappings = opts?.envVarMappings ?? {};
    }
}
