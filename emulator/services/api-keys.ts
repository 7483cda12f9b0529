import { randomBytes } from "node:crypto";
import { ApiKey, type ApiKeySpec, OwnerType } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import type { Handlers } from "../core/call";
import { same } from "../core/canonical";
import { type Cloud, hashKey, newId } from "../core/cloud";
import type { Entry, Kind } from "../core/collection";
import { must, notFound, precondition } from "../core/errors";
import { fromTimestamp } from "../core/time";
import { create, read, remove, update } from "../core/writes";
import { mirroredByName, nameOf } from "../rules/access";
import { checkDescription, checkText } from "../rules/texts";
import { serviceAccountKind } from "./service-accounts";

const hourMs = 60 * 60 * 1000;
const minExpiryMs = 24 * hourMs;
/** Two years, one of them a leap year. */
const maxExpiryMs = 731 * 24 * hourMs;
/** For clock differences and request latency. */
const clockSkewMs = 60_000;
const maxLiveKeys = 20;

const ownerTypes: Record<string, OwnerType> = {
    user: OwnerType.OWNER_TYPE_USER,
    "service-account": OwnerType.OWNER_TYPE_SERVICE_ACCOUNT,
};

/** The kind of resource in this file. */
export const apiKeyKind: Kind<ApiKey> = {
    name: "apiKeys",
    label: "API key",
    type: ApiKey,
    idOf: (key) => key.id,
    indexes: { owner: (key) => key.spec?.ownerId ?? "" },
    complete: (key) => ({ ...key, id: key.id || newId(), spec: normalizeSpec(key.spec) }),
    finished(entry, operation, cloud) {
        const gone = operation.action === "delete" && operation.end === "FULFILLED";
        if (gone || (operation.action === "create" && entry.removed)) cloud.keyring.remove(entry.resource.id);
        else expireLater(entry, cloud);
    },
    appeared: (entry, cloud) => expireLater(entry, cloud),
};

/** Schedules the expiry of a key. */
function expireLater(entry: Entry<ApiKey>, cloud: Cloud): void {
    const expiry = entry.resource.spec?.expiryTime;
    if (expiry === undefined) return;
    cloud.schedule.add(fromTimestamp(expiry), () => {
        const { resource } = entry;
        const passed = resource.spec?.expiryTime && fromTimestamp(resource.spec.expiryTime) <= cloud.now();
        // Its expiry may have been moved; another check is then scheduled.
        if (entry.removed || !passed || resource.state !== ResourceState.RESOURCE_STATE_ACTIVE) return;
        cloud.of(apiKeyKind).replace(entry, { ...resource, state: ResourceState.RESOURCE_STATE_EXPIRED });
    });
}

function normalizeSpec(spec: ApiKeySpec | undefined): ApiKeySpec {
    must(spec !== undefined, "spec is required");
    const ownerType = mirroredByName(ownerTypes, spec.ownerType, spec.ownerTypeDeprecated, "owner_type");
    return { ...spec, ownerType, ownerTypeDeprecated: nameOf(ownerTypes, ownerType) };
}

/** The RPCs about API keys. */
export function apiKeyHandlers(cloud: Cloud): Handlers {
    const { settings, operations } = cloud;
    const collection = cloud.of(apiKeyKind);

    const checkTexts = ({ displayName, description }: ApiKeySpec) => {
        checkText(displayName, "display_name");
        checkDescription(description);
    };
    const checkExpiry = ({ expiryTime }: ApiKeySpec, now: number) => {
        must(expiryTime !== undefined, "expiry_time is required");
        const left = fromTimestamp(expiryTime) - now;
        const fits = left >= minExpiryMs - clockSkewMs && left <= maxExpiryMs + clockSkewMs;
        must(fits, "expiry_time must be between 24 hours and 2 years from now");
    };

    return {
        createApiKey(request, call) {
            const spec = normalizeSpec(request.spec);
            checkTexts(spec);
            checkExpiry(spec, call.now);
            must(spec.ownerId !== "", "owner_id is required");
            const isServiceAccount = spec.ownerType === OwnerType.OWNER_TYPE_SERVICE_ACCOUNT;
            must(
                isServiceAccount,
                "owner_type must be service account: API keys cannot be created for other principals",
            );
            if (cloud.of(serviceAccountKind).live(spec.ownerId) === undefined) throw notFound("owner", spec.ownerId);
            const { RESOURCE_STATE_EXPIRED } = ResourceState;
            const live = collection
                .indexed("owner", spec.ownerId)
                .filter(({ resource }) => resource.state !== RESOURCE_STATE_EXPIRED);
            if (live.length >= maxLiveKeys) {
                throw precondition(`owner ${JSON.stringify(spec.ownerId)} has ${maxLiveKeys} API keys already`);
            }
            const [{ id }, operation] = create(cloud, apiKeyKind, ApiKey.create({ spec }), call);
            const token = `tmprl_${id}_${randomBytes(32).toString("base64url")}`;
            cloud.keyring.add(hashKey(token), id);
            return { keyId: id, token, asyncOperation: operations.message(operation) };
        },
        getApiKey: (request, call) => ({ apiKey: read(cloud, apiKeyKind, request.keyId, call) }),
        getApiKeys(request, call) {
            const { ownerId, ownerType } = request;
            const page = collection.page(
                request,
                call.now,
                JSON.stringify([ownerId, ownerType]),
                ({ spec }) => ownerType === OwnerType.OWNER_TYPE_UNSPECIFIED || spec?.ownerType === ownerType,
                ownerId === "" ? undefined : collection.indexed("owner", ownerId),
            );
            return { apiKeys: page.items, nextPageToken: page.nextPageToken };
        },
        updateApiKey(request, call) {
            const change = (current: ApiKey): ApiKey => {
                const spec = normalizeSpec(request.spec);
                checkTexts(spec);
                const sameOwner = spec.ownerId === current.spec?.ownerId && spec.ownerType === current.spec.ownerType;
                must(sameOwner, "the owner of an API key cannot be changed");
                if (!same(spec.expiryTime, current.spec?.expiryTime)) {
                    must(!settings.apiKeyExpiryImmutable, "the expiry_time of an API key cannot be changed");
                    checkExpiry(spec, call.now);
                }
                return { ...current, spec };
            };
            const options = { version: request.resourceVersion };
            const operation = update(cloud, apiKeyKind, request.keyId, call, change, options);
            return { asyncOperation: operations.message(operation) };
        },
        deleteApiKey(request, call) {
            const operation = remove(cloud, apiKeyKind, request.keyId, call, { version: request.resourceVersion });
            return { asyncOperation: operations.message(operation) };
        },
    };
}
