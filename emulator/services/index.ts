import type { Handlers } from "../core/call";
import type { Cloud } from "../core/cloud";
import type { Kind, Resource } from "../core/collection";
import { accessHandlers } from "./access";
import { accountHandlers, accountKind } from "./account";
import { apiKeyHandlers, apiKeyKind } from "./api-keys";
import { namespaceHandlers, namespaceKind } from "./namespaces";
import { projectHandlers, projectKind } from "./projects";
import { serviceAccountHandlers, serviceAccountKind } from "./service-accounts";
import { userHandlers, userKind } from "./users";

/** All kinds of resources; adding one takes one file in this folder and one line in each of these lists. */
export const kinds = [
    accountKind,
    projectKind,
    namespaceKind,
    userKind,
    serviceAccountKind,
    apiKeyKind,
] as unknown as Kind<Resource>[];

/** All implemented RPCs. */
export function allHandlers(cloud: Cloud): Handlers {
    return {
        ...accountHandlers(cloud),
        ...accessHandlers(cloud),
        ...projectHandlers(cloud),
        ...namespaceHandlers(cloud),
        ...userHandlers(cloud),
        ...serviceAccountHandlers(cloud),
        ...apiKeyHandlers(cloud),
    };
}
