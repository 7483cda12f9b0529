import { ServerError } from "nice-grpc-common";
import { ServiceAccount, type ServiceAccountSpec } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { Handlers } from "../core/call";
import { canonical } from "../core/canonical";
import { type Cloud, newId } from "../core/cloud";
import type { Kind } from "../core/collection";
import { must } from "../core/errors";
import { create, dropDeleted, read, remove, update } from "../core/writes";
import {
    checkAccess,
    checkNamespaceAccess,
    checkNamespaceAccesses,
    checkProjectAccess,
    normalizeAccess,
    normalizeNamespaceAccess,
    normalizeNamespaceAccesses,
} from "../rules/access";
import { checkDescription, checkText } from "../rules/texts";
import { apiKeyKind } from "./api-keys";
import { known } from "./known";

/** The kind of resource in this file. */
export const serviceAccountKind: Kind<ServiceAccount> = {
    name: "serviceAccounts",
    label: "service account",
    type: ServiceAccount,
    idOf: (account) => account.id,
    indexes: {
        project: (account) => account.spec?.projectScopedAccess?.projectId ?? "",
        name: (account) => account.spec?.name ?? "",
    },
    complete: (account) => ({ ...account, id: account.id || newId(), spec: normalizeSpec(account.spec) }),
    finished(entry, operation, cloud) {
        if (operation.action !== "delete" || operation.end !== "FULFILLED") return;
        // API keys do not outlive their owner.
        for (const key of cloud.of(apiKeyKind).indexed("owner", entry.resource.id)) {
            cloud.keyring.remove(key.resource.id);
            dropDeleted(cloud, apiKeyKind, key);
        }
    },
};

const isSet = (message: object | undefined): boolean => canonical(message) !== "null";

function normalizeSpec(spec: ServiceAccountSpec | undefined): ServiceAccountSpec {
    must(spec !== undefined, "spec is required");
    const { access, namespaceScopedAccess: inNamespace, projectScopedAccess: inProject } = spec;
    const namespaceScopedAccess = inNamespace && {
        ...inNamespace,
        access: inNamespace.access && normalizeNamespaceAccess(inNamespace.access),
    };
    const projectScopedAccess = inProject && {
        ...inProject,
        namespaceAccesses: normalizeNamespaceAccesses(inProject.namespaceAccesses),
    };
    return { ...spec, access: access && normalizeAccess(access), namespaceScopedAccess, projectScopedAccess };
}

/** The scopes of access that a service account has. */
function scopes({ access, namespaceScopedAccess, projectScopedAccess }: ServiceAccountSpec): string[] {
    // Without a role it is still account-scoped: an empty message says so if there is no other scope.
    const scoped = [isSet(namespaceScopedAccess) ? "namespace" : "", isSet(projectScopedAccess) ? "project" : ""];
    const found = scoped.filter((scope) => scope !== "");
    if (access !== undefined && (isSet(access) || found.length === 0)) found.push("account");
    return found;
}

/** The RPCs about service accounts. */
export function serviceAccountHandlers(cloud: Cloud): Handlers {
    const { settings, operations } = cloud;
    const collection = cloud.of(serviceAccountKind);

    const mustBeFree = (name: string): void => {
        if (settings.serviceAccountNamesUnique && collection.indexed("name", name).length > 0) {
            throw new ServerError(settings.duplicateNameCode, `service account ${JSON.stringify(name)} already exists`);
        }
    };

    const checked = (request: ServiceAccountSpec | undefined, before?: ServiceAccountSpec): ServiceAccountSpec => {
        const spec = normalizeSpec(request);
        checkText(spec.name, "name");
        checkDescription(spec.description);
        const scope = scopes(spec);
        must(
            scope.length === 1,
            `exactly one of access, namespace_scoped_access and project_scoped_access is required, not ${scope.length}`,
        );
        const { access, namespaceScopedAccess: inNamespace, projectScopedAccess: inProject } = spec;
        const there = known(cloud);
        if (access && scope[0] === "account") checkAccess(access, before?.access, there, false);
        if (inNamespace && scope[0] === "namespace") {
            checkNamespaceAccess(inNamespace.access);
            const exists = before !== undefined || there.namespace(inNamespace.namespace);
            must(exists, `namespace ${JSON.stringify(inNamespace.namespace)} does not exist`);
        }
        if (inProject && scope[0] === "project") {
            checkProjectAccess(inProject.access);
            const exists = before !== undefined || there.project(inProject.projectId);
            must(exists, `project ${JSON.stringify(inProject.projectId)} does not exist`);
            checkNamespaceAccesses(inProject.namespaceAccesses, before?.projectScopedAccess?.namespaceAccesses, there);
        }
        if (before) {
            const sameScope =
                scopes(before)[0] === scope[0] &&
                before.namespaceScopedAccess?.namespace === inNamespace?.namespace &&
                before.projectScopedAccess?.projectId === inProject?.projectId;
            must(sameScope, "the scope of a service account cannot be changed");
        }
        if (spec.name !== before?.name) mustBeFree(spec.name);
        return spec;
    };

    return {
        createServiceAccount(request, call) {
            const account = ServiceAccount.create({ spec: checked(request.spec) });
            const [{ id }, operation] = create(cloud, serviceAccountKind, account, call);
            return { serviceAccountId: id, asyncOperation: operations.message(operation) };
        },
        getServiceAccount: (request, call) => ({
            serviceAccount: read(cloud, serviceAccountKind, request.serviceAccountId, call),
        }),
        getServiceAccounts(request, call) {
            const page = collection.page(request, call.now);
            return { serviceAccount: page.items, nextPageToken: page.nextPageToken };
        },
        getProjectScopedServiceAccounts(request, call) {
            must(request.projectId !== "", "project_id is required");
            const candidates = collection.indexed("project", request.projectId);
            const page = collection.page(request, call.now, request.projectId, undefined, candidates);
            return { serviceAccounts: page.items, nextPageToken: page.nextPageToken };
        },
        updateServiceAccount(request, call) {
            const change = (current: ServiceAccount): ServiceAccount => ({
                ...current,
                spec: checked(request.spec, current.spec),
            });
            const options = { version: request.resourceVersion };
            const operation = update(cloud, serviceAccountKind, request.serviceAccountId, call, change, options);
            return { asyncOperation: operations.message(operation) };
        },
        deleteServiceAccount(request, call) {
            const options = { version: request.resourceVersion };
            const operation = remove(cloud, serviceAccountKind, request.serviceAccountId, call, options);
            return { asyncOperation: operations.message(operation) };
        },
    };
}
