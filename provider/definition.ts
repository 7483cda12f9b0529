import type { Timestamp } from "../proto/generated/google/protobuf/timestamp";
import type { AsyncOperation } from "../proto/generated/temporal/api/cloud/operation/v1/message";
import type { ResourceState } from "../proto/generated/temporal/api/cloud/resource/v1/message";
import type { CallOptions, Cloud } from "./client/client";

export type { Cloud };

import type { Page } from "./client/source";
import type { Bag, Fields, Report } from "./fields";

/** What every resource of the Cloud Ops API has besides its spec. */
export interface LiveResource {
    readonly resourceVersion: string;
    readonly state: ResourceState;
    readonly createdTime: Timestamp | undefined;
    readonly lastModifiedTime: Timestamp | undefined;
    /** The operation in flight on the resource, if any. */
    readonly asyncOperationId: string;
}

/** The write that is due next, as the live resource shows. */
export interface Write {
    /** What it does, for the user: "adding the region aws-us-west-2". */
    readonly purpose: string;
    send(
        cloud: Cloud,
        operationId: string,
        options: CallOptions,
    ): Promise<{ asyncOperation: AsyncOperation | undefined }>;
}

/** A reason to wait before the next write can be decided. */
export interface Wait {
    /** What is waited for. */
    readonly purpose: string;
    /** The operation that ends the wait, if known. */
    readonly operationId: string | undefined;
}

/** The desired state: the program's values over the live ones. */
export interface Desired<Args> {
    readonly args: Args;
    /** The paths of the fields in which the program differs from the last known state. */
    readonly changed: ReadonlySet<string>;
    /** The paths of the fields that the program sets. */
    readonly managed: ReadonlySet<string>;
    /** How often each write was made in this run, by its purpose. */
    readonly writesMade: ReadonlyMap<string, number>;
}

/** The response to a create. */
export interface Created {
    readonly id: string;
    readonly asyncOperation: AsyncOperation | undefined;
    /** Outputs that no read returns, such as a token: the state carries them from then on. */
    readonly carried?: Bag;
}

/** What a create needs besides the arguments. */
export interface CreateOptions {
    readonly operationId: string;
    /** What lifetimes count from: now, or the start of the create that an earlier run began and this one repeats. */
    readonly now: Date;
    readonly signal: AbortSignal;
}

/** A replacement that is due although no field says so. */
export interface Due {
    readonly property: string;
    /** For the user, if the change of the property does not show why. */
    readonly why?: string;
}

/** A resource as programs see it. */
export interface FromLive<Args> {
    /** Every field that can be set, with the server's value. */
    readonly args: Partial<Args>;
    /** What the server adds. */
    readonly outputs: Bag;
}

/** What a finished write has deliberately left different from the program. */
export interface Tolerated<Args> {
    /** The program's values, which the state keeps: only a refresh shows the difference. */
    readonly values: Partial<Args>;
    /** What differs, and how to have it changed. */
    readonly warning: string;
}

/** A value that is unique in the account, such as a name or an address. */
export interface NaturalKey<Args, Resource> {
    /** That of a declared resource, such that equivalent spellings have the same. */
    of(args: Partial<Args>): string | undefined;
    /** That of a live resource, likewise. */
    ofLive(resource: Resource): string | undefined;
    /** A page of the resources that may have it. Without this method, all are listed to find one. */
    list?(cloud: Cloud, value: string, pageToken: string, options: CallOptions): Promise<Page<Resource>>;
}

/** Describes one kind of resource; what all kinds share is in the lifecycle. Members are called without `this`. */
export interface Definition<Args extends object, Resource extends LiveResource> {
    /** The kind's name, which is part of every user's state: it never changes. */
    readonly kind: string;
    readonly fields: Fields;
    /** The field that defaults to the resource's logical name. */
    readonly nameField?: keyof Args & string;
    /** If there is one, an existing resource can be adopted by it: the arguments then extend `AdoptArgs`. */
    readonly naturalKey?: NaturalKey<Args, Resource>;
    /**
     * The id is derived from the natural key, so that it can be reused. All other ids identify one resource forever.
     */
    readonly idIsName?: boolean;
    /** Checks rules on several fields, or on the change from old values to new ones. Unknown values are UNKNOWN. */
    check?(args: Bag, old: Bag | undefined, report: Report, adopting: boolean): void;
    /** Whether the resource must be replaced now although no field says so. */
    replaceNow?(old: Bag, args: Bag, now: Date): Due | undefined;
    /** What the user should know although nothing is wrong. */
    warnings?(old: Bag, args: Bag, wasManaged: ReadonlySet<string>): string[];
    /** Why the resource with these outputs must not be deleted. */
    refuseDelete?(outputs: Bag): string | undefined;
    /** What to do if the server refuses to delete this resource. */
    deleteHint?(resource: Resource): string | undefined;

    create(cloud: Cloud, args: Args, options: CreateOptions): Promise<Created>;
    get(cloud: Cloud, id: string, options: CallOptions): Promise<Resource | undefined>;
    list(cloud: Cloud, pageToken: string, options: CallOptions): Promise<Page<Resource>>;
    idOf(resource: Resource): string;
    fromLive(resource: Resource): FromLive<Args>;
    /** The next write towards the desired state, or a reason to wait; undefined if nothing is left to do. */
    next(resource: Resource, desired: Desired<Args>): Write | Wait | undefined;
    /** What differs from the program although `next` finds nothing to do. */
    tolerated?(resource: Resource, desired: Pick<Desired<Args>, "args" | "changed">): Tolerated<Args> | undefined;
    delete(
        cloud: Cloud,
        id: string,
        resourceVersion: string,
        operationId: string,
        options: CallOptions,
    ): Promise<{ asyncOperation: AsyncOperation | undefined }>;
    /**
     * Outputs that only the response to the create has. A create that an earlier run started is then not taken over:
     * the resource is recreated.
     */
    readonly createOnlyOutputs?: readonly string[];
}
