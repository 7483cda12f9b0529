import { ServerError } from "nice-grpc-common";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import type { Call } from "./call";
import { keepUnknownFields, same } from "./canonical";
import type { Cloud } from "./cloud";
import { type Entry, type Kind, type Resource, shown } from "./collection";
import { must, notFound, nothingToChange } from "./errors";
import { hiddenBy, mustBeVisible } from "./hidden";
import type { Operation } from "./operations";
import { fromTimestamp, toTimestamp } from "./time";

/** The resource that a call reads; throws if a fault hides it. */
export function read<T extends Resource>(cloud: Cloud, kind: Kind<T>, id: string, call: Call): T {
    must(id !== "", `the id of the ${kind.label} is required`);
    const entry = cloud.of(kind).entry(id);
    if (entry === undefined) throw notFound(kind.label, id);
    mustBeVisible(entry.hidden, call.now, kind.label, id);
    return shown(entry, call.now);
}

/** Creates a resource and starts the operation that activates it. */
export function create<T extends Resource>(cloud: Cloud, kind: Kind<T>, resource: T, call: Call): [T, Operation] {
    const now = toTimestamp(call.now);
    const started = {
        ...kind.complete(resource, cloud),
        state: ResourceState.RESOURCE_STATE_ACTIVATING,
        asyncOperationId: call.operationId,
        createdTime: now,
    };
    const id = kind.idOf(started);
    const collection = cloud.of(kind);
    const entry = collection.insert(started);
    collection.write(entry, started, now);
    const hidden = cloud.faults.take("hideCreated", call.method, call.subject);
    if (hidden) entry.hidden = hiddenBy(hidden, call.now);
    return [entry.resource, start(cloud, kind, id, "create", call)];
}

/** Starts an operation to create a resource with that id, which fails. */
export function failToCreate<T extends Resource>(
    cloud: Cloud,
    kind: Kind<T>,
    id: string,
    call: Call,
    reason: string,
): Operation {
    return start(cloud, kind, id, "create", call, reason);
}

/** Options of an update. */
export interface UpdateOptions {
    /** The version that the caller read; undefined if the RPC has no such field. */
    version?: string;
    /** Whether it renames a search attribute, which accepts versions made stale only by such a rename. */
    rename?: boolean;
}

/** Starts the operation that updates a resource to the result of `change`. */
export function update<T extends Resource>(
    cloud: Cloud,
    kind: Kind<T>,
    id: string,
    call: Call,
    change: (current: T) => T,
    options: UpdateOptions = {},
): Operation {
    const entry = writable(cloud, kind, id, options);
    const current = entry.resource;
    let next = change(current);
    if (!cloud.settings.newerFieldsCleared) next = { ...next, spec: keepUnknownFields(current.spec, next.spec) };
    next = kind.complete(next, cloud);
    if (same(current, next)) throw nothingToChange();
    entry.renameVersions = options.rename ? [...entry.renameVersions, current.resourceVersion] : [];
    const shown = kind.whileUpdating?.(current, next) ?? current;
    const inFlight = { state: ResourceState.RESOURCE_STATE_UPDATING, asyncOperationId: call.operationId };
    cloud.of(kind).write(entry, { ...shown, ...inFlight }, toTimestamp(call.now));
    if (options.rename) entry.renameVersions.push(entry.resource.resourceVersion);
    entry.pending = { before: current, next };
    return start(cloud, kind, id, "update", call);
}

/** Deletes a resource. If it is protected, the call or the operation fails, depending on the settings. */
export function remove<T extends Resource>(
    cloud: Cloud,
    kind: Kind<T>,
    id: string,
    call: Call,
    options: { version: string; isProtected?: (resource: T) => boolean; check?: (resource: T) => void },
): Operation {
    const entry = writable(cloud, kind, id, options);
    const current = entry.resource;
    options.check?.(current);
    let fails: string | undefined;
    if (options.isProtected?.(current)) {
        fails = `${kind.label} ${JSON.stringify(id)} has delete protection enabled`;
        if (cloud.settings.protectedDeleteFrom === "call") {
            throw new ServerError(cloud.settings.protectedDeleteCode, fails);
        }
    }
    const inFlight = { state: ResourceState.RESOURCE_STATE_DELETING, asyncOperationId: call.operationId };
    cloud.of(kind).write(entry, { ...current, ...inFlight }, toTimestamp(call.now));
    entry.pending = { before: current };
    return start(cloud, kind, id, "delete", call, fails);
}

/** The entry that a call is to change; throws if its version is stale or an operation is in flight. */
function writable<T extends Resource>(
    cloud: Cloud,
    kind: Kind<T>,
    id: string,
    { version, rename = false }: UpdateOptions,
): Entry<T> {
    must(id !== "", `the id of the ${kind.label} is required`);
    const entry = cloud.of(kind).live(id);
    if (entry === undefined) throw notFound(kind.label, id);
    const { resourceVersion, asyncOperationId } = entry.resource;
    const conflict = (details: string) => new ServerError(cloud.settings.staleVersionCode, details);
    if (asyncOperationId !== "") {
        throw conflict(`operation ${asyncOperationId} is in flight on ${kind.label} ${JSON.stringify(id)}`);
    }
    if (version !== undefined) {
        must(version !== "", "resource_version is required");
        if (version !== resourceVersion && !(rename && entry.renameVersions.includes(version))) {
            throw conflict(`resource_version ${version} of ${kind.label} ${JSON.stringify(id)} is stale`);
        }
    }
    return entry;
}

function start<T extends Resource>(
    cloud: Cloud,
    kind: Kind<T>,
    resourceId: string,
    action: Operation["action"],
    call: Call,
    fails?: string,
): Operation {
    const { operationId: id, method, subject, input, fingerprint } = call;
    const begin = { id, method, subject, input, fingerprint, kind: kind.name, resourceId, action, fails };
    const operation = cloud.operations.start({ ...begin, finished: (ended) => finish(cloud, kind, ended) });
    if (cloud.settings.completeAtOnce) cloud.settle();
    return operation;
}

/** Applies the end of an operation to its resource. */
export function finish<T extends Resource>(cloud: Cloud, kind: Kind<T>, operation: Operation): void {
    const collection = cloud.of(kind);
    const entry = collection.entry(operation.resourceId);
    // It may have been removed in the meantime.
    if (entry === undefined || entry.resource.asyncOperationId !== operation.id) return;
    const { pending, resource } = entry;
    const at = toTimestamp(operation.endsMs);
    const settled = (next: T, state: ResourceState) => {
        const previous = entry.resource.resourceVersion;
        collection.write(entry, { ...next, state, asyncOperationId: "" }, at);
        if (entry.renameVersions.includes(previous)) entry.renameVersions.push(entry.resource.resourceVersion);
    };
    delete entry.pending;
    const before = pending?.before ?? resource;
    const { RESOURCE_STATE_ACTIVE, ...failed } = ResourceState;
    if (operation.end === "FULFILLED") {
        if (operation.action === "delete") dropDeleted(cloud, kind, entry);
        else settled(pending?.next ?? resource, RESOURCE_STATE_ACTIVE);
    } else if (operation.action === "create") {
        if (cloud.settings.failedCreateLeavesResource) settled(resource, failed.RESOURCE_STATE_ACTIVATION_FAILED);
        else collection.remove(operation.resourceId);
    } else {
        const isFailed = operation.end === "FAILED";
        const updated = operation.action === "update";
        const state = updated ? failed.RESOURCE_STATE_UPDATE_FAILED : failed.RESOURCE_STATE_DELETE_FAILED;
        settled(before, isFailed ? state : before.state);
    }
    kind.finished?.(entry, operation, cloud);
}

/** Removes a deleted resource, now or after the time that it stays readable. */
export function dropDeleted<T extends Resource>(cloud: Cloud, kind: Kind<T>, entry: Entry<T>): void {
    const collection = cloud.of(kind);
    if (cloud.settings.deletedReadableMs <= 0) {
        collection.remove(kind.idOf(entry.resource));
        return;
    }
    const deleted = { state: ResourceState.RESOURCE_STATE_DELETED, asyncOperationId: "" };
    collection.write(entry, { ...entry.resource, ...deleted }, toTimestamp(cloud.now()));
    forgetDeleted(cloud, kind, entry);
}

/** Schedules the removal of a resource in state DELETED after the time that it stays readable. */
export function forgetDeleted<T extends Resource>(cloud: Cloud, kind: Kind<T>, entry: Entry<T>): void {
    const { lastModifiedTime } = entry.resource;
    const deletedMs = lastModifiedTime ? fromTimestamp(lastModifiedTime) : cloud.now();
    cloud.schedule.add(deletedMs + cloud.settings.deletedReadableMs, () => {
        // Another may have replaced it.
        if (!entry.removed) cloud.of(kind).remove(kind.idOf(entry.resource));
    });
}
