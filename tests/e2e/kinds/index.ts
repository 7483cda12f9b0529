import { apiKey } from "./api-key";
import type { Kind } from "./kind";
import { namespace } from "./namespace";
import { serviceAccount } from "./service-account";
import { user } from "./user";

/** Every kind of resource: the lifecycle suite takes each through the same life. */
export const kinds: readonly Kind[] = [namespace, user, serviceAccount, apiKey];
