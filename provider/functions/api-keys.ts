import type * as pulumi from "@pulumi/pulumi";
import type { ApiKey as LiveApiKey } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { OwnerType } from "../enums";
import { ownerTypes } from "../enums";
import type { ApiKey } from "../resources/api-key";
import { apiKeyDefinition, apiKeysPage } from "../resources/api-key";
import type { OutputArgs, Plain } from "./invoke";
import { exactlyOne, filtersOf, LookupError, listAll, lookUp, lookUpOutput, plain } from "./invoke";

/** Selects an ApiKey. */
export interface GetApiKeyArgs {
    /** The key's id, which is not a secret. */
    id: string;
}

/** Selects an ApiKey. */
export type GetApiKeyOutputArgs = OutputArgs<GetApiKeyArgs>;

/** An ApiKey, in the shape of the resource's outputs, without the token, which is only returned at creation. */
export type GetApiKeyResult = Plain<ApiKey, "expiresIn" | "rotateBefore" | "token">;

/** Filters ApiKeys; by default all that the owner of the API key can see. */
export interface GetApiKeysArgs {
    /** Only those owned by the service account or user with this id. */
    ownerId?: string | undefined;
    /** Only those owned by service accounts, or by users. */
    ownerType?: OwnerType | undefined;
}

/** Filters ApiKeys; by default all that the owner of the API key can see. */
export type GetApiKeysOutputArgs = OutputArgs<GetApiKeysArgs>;

/** ApiKeys of the account. */
export interface GetApiKeysResult {
    /** In the server's order. */
    readonly apiKeys: GetApiKeyResult[];
}

function toResult(apiKey: LiveApiKey | undefined): GetApiKeyResult | undefined {
    return plain(apiKeyDefinition, apiKey);
}

/**
 * Looks up an ApiKey without managing it: its owner, its expiry and so on, but never its token.
 *
 * ```ts
 * const { expiryTime } = await temporalcloud.getApiKey({ id: keyId });
 * ```
 *
 * @throws {LookupError} when it does not exist or cannot be read
 */
export async function getApiKey(args: GetApiKeyArgs, opts?: pulumi.InvokeOptions): Promise<GetApiKeyResult> {
    const [, id] = exactlyOne("getApiKey", args, ["id"]);
    const subject = `API key with the id ${JSON.stringify(id)}`;
    return lookUp<GetApiKeyResult>({ name: "getApiKey", subject, args: { id } }, opts, async (cloud) =>
        toResult(await apiKeyDefinition.get(cloud, id, {})),
    );
}

/** Takes outputs as arguments, such as another resource's. At preview the result may be unknown. */
export function getApiKeyOutput(
    args: GetApiKeyOutputArgs,
    opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetApiKeyResult> {
    return lookUpOutput("getApiKey", getApiKey, args, opts);
}

/**
 * Lists ApiKeys.
 *
 * ```ts
 * const { apiKeys } = await temporalcloud.getApiKeys({ ownerId: pipeline.id });
 * const soon = apiKeys.filter(({ expiryTime }) => Date.parse(expiryTime) < Date.now() + 14 * 86_400_000);
 * ```
 *
 * @throws {LookupError} when they cannot be read, or a filter is invalid
 */
export async function getApiKeys(args: GetApiKeysArgs = {}, opts?: pulumi.InvokeOptions): Promise<GetApiKeysResult> {
    const { ownerId, ownerType: word } = filtersOf("getApiKeys", args, ["ownerId", "ownerType"]);
    const ownerType = toOwnerType(word);
    return lookUp({ name: "getApiKeys", subject: "API keys", args: { ...args } }, opts, async (cloud) => {
        const apiKeys = await listAll(
            (pageToken) => apiKeysPage(cloud, { ownerId, ownerType }, pageToken),
            apiKeyDefinition.idOf,
        );
        return { apiKeys: apiKeys.flatMap((apiKey) => toResult(apiKey) ?? []) };
    });
}

/** Takes outputs as arguments, such as another resource's. At preview the result may be unknown. */
export function getApiKeysOutput(
    args: GetApiKeysOutputArgs = {},
    opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetApiKeysResult> {
    return lookUpOutput("getApiKeys", getApiKeys, args, opts);
}

/** An invalid word must be an error: unspecified on the wire, it would list the keys of all owners. */
function toOwnerType(word: string): number {
    if (word !== "" && !(ownerTypes.words as readonly string[]).includes(word)) {
        const allowed = ownerTypes.words.map((each) => JSON.stringify(each)).join(" or ");
        throw new LookupError(
            `getApiKeys: \`ownerType\` must be ${allowed}, but is ${JSON.stringify(word)}.`,
            "invalid",
        );
    }
    return ownerTypes.toWire(word || undefined);
}
