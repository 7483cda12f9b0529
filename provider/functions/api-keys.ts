import type * as pulumi from "@pulumi/pulumi";
import type { ApiKey as LiveApiKey } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { OwnerType } from "../enums";
import { ownerTypes } from "../enums";
import type { ApiKey } from "../resources/api-key";
import { apiKeyDefinition } from "../resources/api-key";
import { PAGE_SIZE } from "../wire";
import type { Plain } from "./invoke";
import { exactlyOne, LookupError, listAll, lookUp, lookUpOutput, plain } from "./invoke";

/** Which ApiKey. */
export interface GetApiKeyArgs {
    /** The key's id, which is no secret. */
    id: string;
}

/** Which ApiKey. */
export interface GetApiKeyOutputArgs {
    /** The key's id, which is no secret. */
    id: pulumi.Input<string>;
}

/** An ApiKey, in the shape of the resource's outputs, but without its token: that is shown at its creation only. */
export type GetApiKeyResult = Plain<ApiKey, "expiresIn" | "rotateBefore" | "token">;

/** Which ApiKeys; the default is all that the key's owner may see. */
export interface GetApiKeysArgs {
    /** Only those that act for the service account or user with this id. */
    ownerId?: string | undefined;
    /** Only those that act for service accounts, or for users. */
    ownerType?: OwnerType | undefined;
}

/** Which ApiKeys; the default is all that the key's owner may see. */
export interface GetApiKeysOutputArgs {
    /** Only those that act for the service account or user with this id. */
    ownerId?: pulumi.Input<string | undefined> | undefined;
    /** Only those that act for service accounts, or for users. */
    ownerType?: pulumi.Input<OwnerType | undefined> | undefined;
}

/** ApiKeys of the account. */
export interface GetApiKeysResult {
    /** In the order of their ids. */
    readonly apiKeys: GetApiKeyResult[];
}

function toResult(apiKey: LiveApiKey | undefined): GetApiKeyResult | undefined {
    return plain(apiKeyDefinition, apiKey);
}

/**
 * Looks an ApiKey up that this program need not manage: its owner, and when it expires. Never its token.
 *
 * ```ts
 * const { expiryTime } = await temporalcloud.getApiKey({ id: keyId });
 * ```
 *
 * @throws {LookupError} when there is none, or it cannot be read
 */
export async function getApiKey(args: GetApiKeyArgs, opts?: pulumi.InvokeOptions): Promise<GetApiKeyResult> {
    const [, id] = exactlyOne("getApiKey", args, ["id"]);
    const subject = `API key with the id ${JSON.stringify(id)}`;
    return lookUp<GetApiKeyResult>({ name: "getApiKey", subject, args: { id } }, opts, async (cloud) =>
        toResult(await apiKeyDefinition.get(cloud, id, {})),
    );
}

/** The same for arguments that may be outputs, such as another resource's. At preview the result may be unknown. */
export function getApiKeyOutput(
    args: GetApiKeyOutputArgs,
    opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetApiKeyResult> {
    return lookUpOutput("getApiKey", getApiKey, args as pulumi.Input<GetApiKeyArgs>, opts);
}

/**
 * Lists ApiKeys.
 *
 * ```ts
 * const { apiKeys } = await temporalcloud.getApiKeys({ ownerId: pipeline.id });
 * const soon = apiKeys.filter(({ expiryTime }) => Date.parse(expiryTime) < Date.now() + 14 * 86_400_000);
 * ```
 *
 * @throws {LookupError} when they cannot be read, or there is no such type of owner
 */
export async function getApiKeys(args: GetApiKeysArgs = {}, opts?: pulumi.InvokeOptions): Promise<GetApiKeysResult> {
    const { ownerId = "" } = args;
    const ownerType = toOwnerType(args.ownerType);
    return lookUp({ name: "getApiKeys", subject: "API keys", args: { ...args } }, opts, async (cloud) => {
        const apiKeys = await listAll(async (pageToken) => {
            const page = await cloud.getApiKeys({ ownerId, ownerType, pageSize: PAGE_SIZE, pageToken });
            return { items: page.apiKeys, nextPageToken: page.nextPageToken };
        }, apiKeyDefinition.idOf);
        return { apiKeys: apiKeys.flatMap((apiKey) => toResult(apiKey) ?? []) };
    });
}

/** The same for arguments that may be outputs, such as another resource's. At preview the result may be unknown. */
export function getApiKeysOutput(
    args: GetApiKeysOutputArgs = {},
    opts?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetApiKeysResult> {
    return lookUpOutput("getApiKeys", getApiKeys, args as pulumi.Input<GetApiKeysArgs>, opts);
}

/** A word that means nothing would ask for the keys of everybody. */
function toOwnerType(word: OwnerType | undefined): number {
    if (word !== undefined && !ownerTypes.words.includes(word)) {
        const allowed = ownerTypes.words.map((each) => JSON.stringify(each)).join(" or ");
        throw new LookupError(
            `getApiKeys: \`ownerType\` has to be ${allowed}, and is ${JSON.stringify(word)}.`,
            "invalid",
        );
    }
    return ownerTypes.toWire(word);
}
