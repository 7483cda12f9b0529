import { Account } from "../../proto/generated/temporal/api/cloud/account/v1/message";
import {
    Region_CloudProvider as CloudProvider,
    Region,
} from "../../proto/generated/temporal/api/cloud/region/v1/message";
import type { Handlers } from "../core/call";
import type { Cloud } from "../core/cloud";
import type { Kind } from "../core/collection";
import { must, notFound } from "../core/errors";
import { mustBeVisible } from "../core/hidden";
import { read } from "../core/writes";
import { apiKeyKind } from "./api-keys";
import { serviceAccountKind } from "./service-accounts";
import { userKind } from "./users";

/** The account itself, a singleton. */
export const accountKind: Kind<Account> = {
    name: "accounts",
    label: "account",
    type: Account,
    idOf: (account) => account.id,
    complete: (account, cloud) => ({ ...account, id: cloud.account }),
};

const providers: Record<string, CloudProvider> = {
    aws: CloudProvider.CLOUD_PROVIDER_AWS,
    gcp: CloudProvider.CLOUD_PROVIDER_GCP,
    azure: CloudProvider.CLOUD_PROVIDER_AZURE,
};

function toRegion(id: string): Region {
    const [provider = "", ...rest] = id.split("-");
    const cloudProviderRegion = rest.join("-");
    const cloudProvider = providers[provider] ?? CloudProvider.CLOUD_PROVIDER_UNSPECIFIED;
    return Region.create({ id, cloudProvider, cloudProviderRegion, location: cloudProviderRegion });
}

/** The RPCs about the account as a whole: regions, the current identity, and operations. */
export function accountHandlers(cloud: Cloud): Handlers {
    return {
        getAccount: (_request, call) => ({ account: read(cloud, accountKind, cloud.account, call) }),
        getRegions: () => ({ regions: cloud.settings.regions.map(toRegion) }),
        getRegion(request) {
            if (!cloud.settings.regions.includes(request.region)) throw notFound("region", request.region);
            return { region: toRegion(request.region) };
        },
        getCurrentIdentity(_request, { principal }) {
            const { id, type, keyId } = principal;
            const principalApiKey = cloud.of(apiKeyKind).entry(keyId)?.resource;
            const user = type === "user" ? cloud.of(userKind).entry(id)?.resource : undefined;
            if (user) return { principal: { $case: "user", value: user }, principalApiKey };
            const account = cloud.of(serviceAccountKind).entry(id)?.resource;
            if (account === undefined) throw notFound(type, id);
            return { principal: { $case: "serviceAccount", value: account }, principalApiKey };
        },
        getAsyncOperation(request) {
            must(request.asyncOperationId !== "", "async_operation_id is required");
            const operation = cloud.operations.get(request.asyncOperationId);
            if (operation === undefined) throw notFound("operation", request.asyncOperationId);
            mustBeVisible(operation.hidden, cloud.now(), "operation", operation.id);
            return { asyncOperation: cloud.operations.message(operation) };
        },
    };
}
