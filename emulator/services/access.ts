import type { NamespaceAccess, ProjectAccess } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { Call, Handlers } from "../core/call";
import { canonical } from "../core/canonical";
import type { Cloud } from "../core/cloud";
import type { Kind, Page, Resource } from "../core/collection";
import { must, notFound } from "../core/errors";
import type { Operation } from "../core/operations";
import { update } from "../core/writes";
import { checkAccess, normalizeAccess, normalizeNamespaceAccess } from "../rules/access";
import { known } from "./known";
import { serviceAccountKind } from "./service-accounts";
import { userKind } from "./users";

/** The principals to which access can be granted individually: users and service accounts. */
type Grantee = Resource & {
    id: string;
    spec: { access: Parameters<typeof normalizeAccess>[0] | undefined } | undefined;
};

/** The list of a principal's accesses that an RPC changes. */
type List = "namespaceAccesses" | "projectAccesses";

/** A principal and its direct access. */
type Granted<T, A> = { resource: T; access: A; resourceVersion: string };

/** The RPCs that grant access to one namespace or project, and list who has it. Unset access is revoked. */
export function accessHandlers(cloud: Cloud): Handlers {
    const there = known(cloud);

    const set = <T extends Grantee>(
        kind: Kind<T>,
        id: string,
        version: string,
        list: List,
        target: string,
        access: NamespaceAccess | ProjectAccess | undefined,
        call: Call,
    ): Operation => {
        const exists = list === "namespaceAccesses" ? there.namespace(target) : there.project(target);
        const removes = canonical(access) === "null";
        if (!exists && !removes) throw notFound(list === "namespaceAccesses" ? "namespace" : "project", target);
        const change = (current: T): T => {
            const before = current.spec?.access;
            must(before !== undefined, `${kind.label} ${JSON.stringify(id)} has no account access`);
            const { [target]: _, ...others }: Record<string, unknown> = before[list];
            const next = normalizeAccess({ ...before, [list]: removes ? others : { ...others, [target]: access } });
            checkAccess(next, before, there, kind.name === userKind.name);
            return { ...current, spec: { ...current.spec, access: next } };
        };
        return update(cloud, kind, id, call, change, { version });
    };

    const inNamespace = (access: NamespaceAccess | undefined) => access && normalizeNamespaceAccess(access);

    const granted = <T extends Grantee, A>(
        kind: Kind<T>,
        request: { pageSize: number; pageToken: string },
        accessOf: (resource: T) => A | undefined,
        scope: string,
        now: number,
    ): Page<Granted<T, A>> => {
        const has = (resource: T) => accessOf(resource) !== undefined;
        const { items, nextPageToken } = cloud.of(kind).page(request, now, scope, has);
        const found = items.flatMap((resource) => {
            const access = accessOf(resource);
            return access === undefined ? [] : [{ resource, access, resourceVersion: resource.resourceVersion }];
        });
        return { items: found, nextPageToken };
    };

    const { operations } = cloud;
    return {
        setUserNamespaceAccess({ userId, namespace, access, resourceVersion }, call) {
            const list = "namespaceAccesses";
            const operation = set(userKind, userId, resourceVersion, list, namespace, inNamespace(access), call);
            return { asyncOperation: operations.message(operation) };
        },
        setUserProjectAccess({ userId, projectId, access, resourceVersion }, call) {
            const operation = set(userKind, userId, resourceVersion, "projectAccesses", projectId, access, call);
            return { asyncOperation: operations.message(operation) };
        },
        setServiceAccountNamespaceAccess({ serviceAccountId: id, namespace, access, resourceVersion }, call) {
            const list = "namespaceAccesses";
            const operation = set(serviceAccountKind, id, resourceVersion, list, namespace, inNamespace(access), call);
            return { asyncOperation: operations.message(operation) };
        },
        setServiceAccountProjectAccess({ serviceAccountId: id, projectId, access, resourceVersion }, call) {
            const list = "projectAccesses";
            const operation = set(serviceAccountKind, id, resourceVersion, list, projectId, access, call);
            return { asyncOperation: operations.message(operation) };
        },
        getUserNamespaceAssignments(request, { now }) {
            const of = (user: Grantee) => user.spec?.access?.namespaceAccesses[request.namespace];
            const page = granted(userKind, request, of, request.namespace, now);
            const users = page.items.map(({ resource, access, resourceVersion }) => ({
                id: resource.id,
                email: resource.spec?.email ?? "",
                namespaceAccess: access,
                inheritedAccess: false,
                resourceVersion,
            }));
            return { users, nextPageToken: page.nextPageToken };
        },
        getUserProjectAssignments(request, { now }) {
            const of = (user: Grantee) => user.spec?.access?.projectAccesses[request.projectId];
            const page = granted(userKind, request, of, `project ${request.projectId}`, now);
            const users = page.items.map(({ resource, access, resourceVersion }) => ({
                id: resource.id,
                email: resource.spec?.email ?? "",
                projectAccess: access,
                inheritedAccess: false,
                resourceVersion,
            }));
            return { users, nextPageToken: page.nextPageToken };
        },
        getServiceAccountNamespaceAssignments(request, { now }) {
            const of = (account: Grantee) => account.spec?.access?.namespaceAccesses[request.namespace];
            const page = granted(serviceAccountKind, request, of, request.namespace, now);
            const serviceAccounts = page.items.map(({ resource, access, resourceVersion }) => ({
                id: resource.id,
                name: resource.spec?.name ?? "",
                namespaceAccess: access,
                inheritedAccess: false,
                resourceVersion,
            }));
            return { serviceAccounts, nextPageToken: page.nextPageToken };
        },
        getServiceAccountProjectAssignments(request, { now }) {
            const of = (account: Grantee) => account.spec?.access?.projectAccesses[request.projectId];
            const page = granted(serviceAccountKind, request, of, `project ${request.projectId}`, now);
            const serviceAccounts = page.items.map(({ resource, access, resourceVersion }) => ({
                id: resource.id,
                name: resource.spec?.name ?? "",
                projectAccess: access,
                inheritedAccess: false,
                resourceVersion,
            }));
            return { serviceAccounts, nextPageToken: page.nextPageToken };
        },
    };
}
