import { type CallContext, ServerError, Status } from "nice-grpc-common";
import { AccountAccess_Role as Role } from "../proto/generated/temporal/api/cloud/identity/v1/message";
import { ResourceState } from "../proto/generated/temporal/api/cloud/resource/v1/message";
import { type Cloud, hashKey } from "./core/cloud";
import { denied, invalid } from "./core/errors";
import { mayAdminister, type Principal } from "./core/principal";
import { apiKeyKind } from "./services/api-keys";
import { serviceAccountKind } from "./services/service-accounts";
import { userKind } from "./services/users";

const versionHeader = "temporal-cloud-api-version";
const versionFormat = /^v\d+\.\d+\.\d+$/;
/** Writes that a developer may make too: those to namespaces. */
const developerWrites = /Namespace|SearchAttribute/;

/** Authenticates and authorizes calls. */
export class Authentication {
    private readonly rootHash: string;

    constructor(
        private readonly cloud: Cloud,
        rootKey: string,
        private readonly root: { userId: string; serviceAccountId: string },
    ) {
        this.rootHash = hashKey(rootKey);
    }

    /** The calling principal; UNAUTHENTICATED without a valid API key. */
    principal(context: CallContext): Principal {
        const header = context.metadata.get("authorization") ?? "";
        const key = /^Bearer (\S+)$/i.exec(header)?.[1];
        const principal = key === undefined ? undefined : this.find(key);
        if (principal) return principal;
        throw new ServerError(Status.UNAUTHENTICATED, key === undefined ? "no bearer key" : "the key is not valid");
    }

    /** The API version in a request's header. */
    version(context: CallContext): string | undefined {
        return context.metadata.get(versionHeader);
    }

    /** INVALID_ARGUMENT unless the request has a valid API version header. */
    checkVersion(context: CallContext): void {
        const version = this.version(context);
        if (version === undefined) throw invalid(`the header ${versionHeader} is required`);
        if (!versionFormat.test(version))
            throw invalid(`the header ${versionHeader} must look like v0.1.2, not ${version}`);
    }

    /** PERMISSION_DENIED if the principal may not call the method. */
    authorize(principal: Principal, method: string): void {
        const isRead = method.startsWith("Get");
        if (principal.root) {
            const isList = isRead && method.endsWith("s") && method !== "GetRegions";
            if (isList && !this.cloud.settings.rootMayList)
                throw denied(`${principal.type} ${principal.id} may not list`);
            return;
        }
        if (isRead || mayAdminister(principal.role)) return;
        if (principal.role === Role.ROLE_DEVELOPER && developerWrites.test(method) && !/Access/.test(method)) return;
        throw denied(`${principal.type} ${principal.id} may not call ${method}`);
    }

    private find(key: string): Principal | undefined {
        const hash = hashKey(key);
        if (hash === this.rootHash) return this.rootPrincipal();
        const keyId = this.cloud.keyring.find(hash);
        const apiKey = keyId === undefined ? undefined : this.cloud.of(apiKeyKind).live(keyId)?.resource;
        if (!apiKey?.spec || apiKey.spec.disabled) return undefined;
        const unusable = [ResourceState.RESOURCE_STATE_EXPIRED, ResourceState.RESOURCE_STATE_ACTIVATION_FAILED];
        if (unusable.includes(apiKey.state)) return undefined;
        const id = apiKey.spec.ownerId;
        const account = this.cloud.of(serviceAccountKind).live(id)?.resource;
        if (account === undefined) return undefined;
        const role = account.spec?.access?.accountAccess?.role ?? Role.ROLE_UNSPECIFIED;
        return { id, type: "service-account", keyId: apiKey.id, role, root: false };
    }

    private rootPrincipal(): Principal {
        const type = this.cloud.settings.rootPrincipal;
        const id = type === "user" ? this.root.userId : this.root.serviceAccountId;
        const kind = type === "user" ? this.cloud.of(userKind) : this.cloud.of(serviceAccountKind);
        const access = kind.live(id)?.resource.spec?.access;
        return { id, type, keyId: "", role: access?.accountAccess?.role ?? Role.ROLE_ADMIN, root: true };
    }
}
