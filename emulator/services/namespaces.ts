import { ServerError } from "nice-grpc-common";
import {
    type Capacity,
    type Capacity_Request,
    type CapacitySpec,
    Capacity_Request_State as CapacityState,
    Namespace,
    type NamespaceSpec,
    type Replica,
    Replica_ReplicaState as ReplicaState,
} from "../../proto/generated/temporal/api/cloud/namespace/v1/message";
import type { Call, Handlers } from "../core/call";
import { same } from "../core/canonical";
import { type Cloud, newId } from "../core/cloud";
import type { Entry, Kind } from "../core/collection";
import { must, notFound, precondition } from "../core/errors";
import { toTimestamp } from "../core/time";
import { create, failToCreate, read, remove, update } from "../core/writes";
import { checkTags } from "../rules/texts";
import { checkChange, checkSpec, normalizeSpec, renameAttribute } from "./namespace-spec";
import { defaultProjectId, projectKind } from "./projects";

const actionsPerSecondLimit = 400;

/** The kind of resource in this file. */
export const namespaceKind: Kind<Namespace> = {
    name: "namespaces",
    label: "namespace",
    type: Namespace,
    idOf: (namespace) => namespace.namespace,
    orderOf: (namespace) => namespace.spec?.name ?? namespace.namespace,
    deprecatedFields: ["regions", "customSearchAttributes"],
    indexes: { project: (namespace) => namespace.projectId },
    complete(namespace, cloud) {
        const spec = normalizeSpec(requiredSpec(namespace.spec), cloud.settings);
        const id = namespace.namespace || `${spec.name}.${cloud.account}`;
        const isThere = spec.regions.includes(namespace.activeRegion);
        const activeRegion = isThere ? namespace.activeRegion : (spec.regions[0] ?? "");
        return {
            ...namespace,
            namespace: id,
            spec,
            activeRegion,
            endpoints: endpoints(id, spec, activeRegion),
            limits: namespace.limits ?? { actionsPerSecondLimit },
            capacity: namespace.capacity ?? onDemand,
            projectId: namespace.projectId || defaultProjectId(cloud),
            replicas: replicasOf(namespace.replicas, spec.regions, activeRegion),
        };
    },
    whileUpdating(current, next) {
        const added = next.replicas.filter(({ id }) => !current.replicas.some((replica) => replica.id === id));
        const shown = current.replicas.map((replica) =>
            next.replicas.some(({ id }) => id === replica.id)
                ? replica
                : { ...replica, state: ReplicaState.REPLICA_STATE_REMOVING },
        );
        const adding = added.map((replica) => ({ ...replica, state: ReplicaState.REPLICA_STATE_ADDING }));
        return { ...current, replicas: [...shown, ...adding], capacity: next.capacity };
    },
    finished: (entry, _operation, cloud) => completeCapacityLater(entry, cloud),
    appeared: (entry, cloud) => completeCapacityLater(entry, cloud),
};

const onDemand: Capacity = { currentMode: { $case: "onDemand", value: {} }, latestRequest: undefined };

function requiredSpec(spec: NamespaceSpec | undefined): NamespaceSpec {
    must(spec !== undefined, "spec is required");
    return spec;
}

function endpoints(id: string, spec: NamespaceSpec, activeRegion: string): Namespace["endpoints"] {
    const [provider = "", ...region] = activeRegion.split("-");
    const own = `${id}.tmprl.cloud:7233`;
    return {
        webAddress: `https://cloud.temporal.io/namespaces/${id}`,
        mtlsGrpcAddress: spec.mtlsAuth?.enabled ? own : "",
        grpcAddress: spec.apiKeyAuth?.enabled ? `${region.join("-")}.${provider}.api.temporal.io:7233` : own,
    };
}

/** The replicas in those regions: known ones keep their ids, and the primary is one of those in the active region. */
function replicasOf(existing: Replica[], regions: string[], activeRegion: string): Replica[] {
    const left = existing.toSorted((one, other) => Number(other.isPrimary) - Number(one.isPrimary));
    const primary = regions.indexOf(activeRegion);
    return regions.map((region, index) => {
        const known = left.find((replica) => replica.region === region);
        if (known !== undefined) left.splice(left.indexOf(known), 1);
        return {
            ...known,
            id: known?.id || newId(),
            region,
            isPrimary: index === primary,
            state: ReplicaState.REPLICA_STATE_ACTIVE,
        };
    });
}

/** The capacity of a namespace, with a new capacity request if its spec changes it. */
function requestCapacity(
    capacity: Capacity | undefined,
    from: CapacitySpec | undefined,
    to: CapacitySpec | undefined,
    call: Call,
): Capacity {
    const current = capacity ?? onDemand;
    const wanted: CapacitySpec = to?.spec ? to : { spec: { $case: "onDemand", value: {} } };
    const before: CapacitySpec = from?.spec ? from : { spec: { $case: "onDemand", value: {} } };
    if (same(before, wanted)) return current;
    const latestRequest: Capacity_Request = {
        state: CapacityState.STATE_CAPACITY_REQUEST_IN_PROGRESS,
        startTime: toTimestamp(call.now),
        endTime: undefined,
        asyncOperationId: call.operationId,
        spec: wanted,
    };
    return { ...current, latestRequest };
}

/** Schedules the end of a namespace's capacity request, if one is in progress. */
function completeCapacityLater(entry: Entry<Namespace>, cloud: Cloud): void {
    const request = entry.resource.capacity?.latestRequest;
    if (entry.removed || request?.state !== CapacityState.STATE_CAPACITY_REQUEST_IN_PROGRESS) return;
    cloud.schedule.add(cloud.now() + cloud.settings.capacityDurationMs, () => {
        // A later request may have replaced it.
        const isLatest = entry.resource.capacity?.latestRequest?.asyncOperationId === request.asyncOperationId;
        if (isLatest) completeCapacity(entry, cloud);
    });
}

/** Ends the capacity request of a namespace, if one is in progress. */
export function completeCapacity(entry: Entry<Namespace>, cloud: Cloud): void {
    const { capacity, namespace } = entry.resource;
    const latest = capacity?.latestRequest;
    if (entry.removed || latest?.state !== CapacityState.STATE_CAPACITY_REQUEST_IN_PROGRESS) return;
    const method = cloud.operations.get(latest.asyncOperationId)?.method ?? "UpdateNamespace";
    const fails = cloud.faults.take("capacityFails", method, namespace) !== undefined;
    const { STATE_CAPACITY_REQUEST_COMPLETED, STATE_CAPACITY_REQUEST_FAILED } = CapacityState;
    const ended: Capacity = {
        currentMode: fails ? capacity?.currentMode : modeOf(latest.spec),
        latestRequest: {
            ...latest,
            state: fails ? STATE_CAPACITY_REQUEST_FAILED : STATE_CAPACITY_REQUEST_COMPLETED,
            endTime: toTimestamp(cloud.now()),
        },
    };
    cloud.of(namespaceKind).replace(entry, { ...entry.resource, capacity: ended });
    // An operation in flight will replace this resource with its own.
    if (entry.pending?.next) {
        entry.pending.next = { ...entry.pending.next, capacity: merged(entry.pending.next, ended) };
    }
    if (entry.pending) entry.pending.before = { ...entry.pending.before, capacity: ended };
}

function merged(next: Namespace, ended: Capacity): Capacity {
    const own = next.capacity?.latestRequest;
    return own && own.asyncOperationId !== ended.latestRequest?.asyncOperationId
        ? { ...ended, latestRequest: own }
        : ended;
}

function modeOf(spec: CapacitySpec | undefined): Capacity["currentMode"] {
    if (spec?.spec?.$case !== "provisioned") return { $case: "onDemand", value: {} };
    return { $case: "provisioned", value: { currentValue: spec.spec.value.value } };
}

/** The RPCs about namespaces. */
export function namespaceHandlers(cloud: Cloud): Handlers {
    const { settings, operations } = cloud;
    const collection = cloud.of(namespaceKind);
    const project = (id: string) => {
        if (cloud.of(projectKind).live(id) === undefined) throw notFound("project", id);
        return id;
    };

    return {
        createNamespace(request, call) {
            const spec = normalizeSpec(requiredSpec(request.spec), settings);
            checkSpec(spec, settings);
            checkTags(request.tags);
            const id = `${spec.name}.${cloud.account}`;
            if (collection.live(id)) {
                const reason = `namespace ${JSON.stringify(spec.name)} already exists`;
                if (settings.duplicateNameFrom === "call") {
                    throw new ServerError(settings.duplicateNameCode, reason);
                }
                const failing = failToCreate(cloud, namespaceKind, id, call, reason);
                return { namespace: id, asyncOperation: operations.message(failing) };
            }
            const capacity = requestCapacity(undefined, undefined, spec.capacitySpec, call);
            const projectId = request.projectId === "" ? "" : project(request.projectId);
            const namespace = Namespace.create({ spec, tags: request.tags, projectId, capacity });
            const [created, operation] = create(cloud, namespaceKind, namespace, call);
            return { namespace: created.namespace, asyncOperation: operations.message(operation) };
        },
        getNamespace: (request, call) => ({ namespace: read(cloud, namespaceKind, request.namespace, call) }),
        getNamespaces(request, call) {
            const { name, projectId } = request;
            const named = name === "" ? undefined : collection.entry(`${name}.${cloud.account}`);
            const candidates = name === "" ? undefined : named ? [named] : [];
            const page = collection.page(
                request,
                call.now,
                JSON.stringify([name, projectId]),
                (namespace) => projectId === "" || namespace.projectId === projectId,
                candidates,
            );
            return { namespaces: page.items, nextPageToken: page.nextPageToken };
        },
        updateNamespace(request, call) {
            const change = (current: Namespace): Namespace => {
                const spec = normalizeSpec(requiredSpec(request.spec), settings);
                const next = checkChange(current, spec);
                checkSpec(next, settings);
                const capacity = requestCapacity(current.capacity, current.spec?.capacitySpec, next.capacitySpec, call);
                return { ...current, spec: next, capacity };
            };
            const options = { version: request.resourceVersion };
            const operation = update(cloud, namespaceKind, request.namespace, call, change, options);
            return { asyncOperation: operations.message(operation) };
        },
        deleteNamespace(request, call) {
            const operation = remove(cloud, namespaceKind, request.namespace, call, {
                version: request.resourceVersion,
                isProtected: ({ spec }) => spec?.lifecycle?.enableDeleteProtection ?? false,
            });
            return { asyncOperation: operations.message(operation) };
        },
        renameCustomSearchAttribute(request, call) {
            const { existingCustomSearchAttributeName: from, newCustomSearchAttributeName: to } = request;
            const operation = update(
                cloud,
                namespaceKind,
                request.namespace,
                call,
                (current) => ({ ...current, spec: renameAttribute(requiredSpec(current.spec), from, to) }),
                { version: request.resourceVersion, rename: true },
            );
            return { asyncOperation: operations.message(operation) };
        },
        failoverNamespaceRegion(request, call) {
            const operation = update(cloud, namespaceKind, request.namespace, call, (current) => {
                const target = current.replicas.find(
                    ({ region, id }) => request.region === region || request.region === id,
                );
                must(
                    target !== undefined,
                    `namespace ${current.namespace} has no replica in ${JSON.stringify(request.region)}`,
                );
                return { ...current, activeRegion: target.region };
            });
            return { asyncOperation: operations.message(operation) };
        },
        updateNamespaceTags(request, call) {
            const operation = update(cloud, namespaceKind, request.namespace, call, (current) => {
                const tags = { ...current.tags, ...request.tagsToUpsert };
                for (const key of request.tagsToRemove) {
                    must(
                        !Object.hasOwn(request.tagsToUpsert, key),
                        `tag ${JSON.stringify(key)} is both set and removed`,
                    );
                    delete tags[key];
                }
                checkTags(tags);
                return { ...current, tags };
            });
            return { asyncOperation: operations.message(operation) };
        },
        moveNamespaceToProject(request, call) {
            const { destinationProjectId, expectedSourceProjectId, destinationConnectivityRules: rules } = request;
            const change = (current: Namespace): Namespace => {
                if (expectedSourceProjectId !== "" && expectedSourceProjectId !== current.projectId) {
                    throw precondition(`namespace ${current.namespace} is in project ${current.projectId}`);
                }
                must(destinationProjectId !== "", "destination_project_id is required");
                const ids = rules?.$case === "ruleIds" ? rules.value.connectivityRuleIds : rules ? [] : undefined;
                const spec = requiredSpec(current.spec);
                must(
                    ids !== undefined || spec.connectivityRuleIds.length === 0,
                    "destination_connectivity_rules is required: the namespace names connectivity rules",
                );
                const next = ids ? { ...spec, connectivityRuleIds: ids } : spec;
                return { ...current, spec: next, projectId: project(destinationProjectId) };
            };
            const options = { version: request.resourceVersion };
            const operation = update(cloud, namespaceKind, request.namespace, call, change, options);
            return { asyncOperation: operations.message(operation) };
        },
        getNamespaceCapacityInfo(request, call) {
            const namespace = read(cloud, namespaceKind, request.namespace, call);
            return {
                capacityInfo: {
                    namespace: namespace.namespace,
                    hasLegacyLimits: false,
                    currentCapacity: namespace.capacity,
                    modeOptions: {
                        provisioned: { validTruValues: [1, 2, 4, 8, 16, 32, 64], maxAvailableTruValue: 64 },
                        onDemand: { apsLimit: actionsPerSecondLimit },
                    },
                    stats: { aps: { mean: 0, p90: 0, p99: 0 } },
                },
            };
        },
    };
}
