import type { Timestamp } from "../proto/generated/google/protobuf/timestamp";
import type { AsyncOperation } from "../proto/generated/temporal/api/cloud/operation/v1/message";
import type { ResourceState } from "../proto/generated/temporal/api/cloud/resource/v1/message";
import type { CallOptions, Cloud } from "./client/client";

export type { Cloud };

import type { Page } from "./client/source";
import type { Bag, Fields, Report } from "./fields";

/** What every resource of the Cloud Ops API carries beside its spec. */
export interface Live {
    readonly resourceVersion: string;
    readonly state: ResourceState;
    readonly createdTime: Timestamp | undefined;
    /** The operation that is at work on the resource, if any. */
    readonly asyncOperationId: string;
}

/** A write that is still to be made, decided by looking at the resource as it is. */
export interface Call {
    /** What it does, for the person who watches: "adding the region aws-us-west-2". */
    readonly purpose: string;
    send(
        cloud: Cloud,
        operationId: string,
        options: CallOptions,
    ): Promise<{ asyncOperation: AsyncOperation | undefined }>;
}

/** Time has to pass before it can be seen what is still to be done. */
export interface Wait {
    /** What is waited for. */
    readonly purpose: string;
    /** The operation that will end it, where one is known. */
    readonly operationId: string | undefined;
}

/** What the program wants, laid over what there is. */
export interface Desired<Args> {
    readonly args: Args;
    /** The paths of the fields in which the program differs from the last known state. */
    readonly changed: ReadonlySet<string>;
    /** The paths of the fields that the program sets. */
    readonly managed: ReadonlySet<string>;
    /** How often each write was made in this run, by its purpose. */
    readonly made: ReadonlyMap<string, number>;
}

/** What a create answers at once. */
export interface Created {
    readonly id: string;
    readonly asyncOperation: AsyncOperation | undefined;
    /** Outputs that only the answer to the create carries, such as a token. */
    readonly once?: Bag;
}

/** Beside the arguments, what a create has to know. */
export interface CreateOptions {
    readonly operationId: string;
    /** The operation of that id, where an earlier run has started it: the request has to be the same again. */
    readonly earlier: AsyncOperation | undefined;
    readonly now: Date;
    readonly signal: AbortSignal;
}

/** A replacement that is due although no field says so. */
export interface Due {
    readonly property: string;
    /** For the person who watches, where the change of the property does not show it. */
    readonly why?: string;
}

/** A resource of the Cloud Ops API in the shape that programs see. */
export interface Seen<Args> {
    /** Every field that can be set, as the server has it. */
    readonly args: Partial<Args>;
    /** What the server adds. */
    readonly outputs: Bag;
}

/** What a write that is done has left different from what the program says, on purpose. */
export interface Left<Args> {
    /** What the program says of it, which is what the state goes on to say: it is a refresh that shows the difference. */
    readonly values: Partial<Args>;
    /** What is different, and how to have it changed. */
    readonly warning: string;
}

/** Everything that sets one kind of resource apart from the others; what they share is in the lifecycle. */
export interface Definition<Args extends object, Resource extends Live> {
    /** The kind's name, which is part of every user's state: it never changes. */
    readonly kind: string;
    readonly fields: Fields;
    /** The field that defaults to the resource's logical name. */
    readonly nameField?: keyof Args & string;
    /** The value that is unique in the account, such as a name or an address, if there is one. */
    naturalKey?(args: Partial<Args>): string | undefined;
    /** The id is made of the natural key, so that it can be given again. Every other id stands for one resource for ever. */
    readonly idRecurs?: boolean;
    /** Rules that concern several fields, or the step from old values to new ones. Unknown values are UNKNOWN. */
    check?(args: Bag, old: Bag | undefined, report: Report, adopting: boolean): void;
    /** Whether the resource must be replaced now although no field says so. */
    replaceNow?(old: Bag, args: Bag, now: Date): Due | undefined;
    /** What the program should know although nothing is wrong. */
    warnings?(old: Bag, args: Bag, wasManaged: ReadonlySet<string>): string[];
    /** Why the resource with these outputs must not be deleted. */
    refuseDelete?(outputs: Bag): string | undefined;
    /** What to do where the server has refused to delete this resource. */
    deleteHint?(resource: Resource): string | undefined;

    create(cloud: Cloud, args: Args, options: CreateOptions): Promise<Created>;
    get(cloud: Cloud, id: string, options: CallOptions): Promise<Resource | undefined>;
    list(cloud: Cloud, pageToken: string, options: CallOptions): Promise<Page<Resource>>;
    /** The resource of that natural key, which is not one that was deleted. */
    find?(cloud: Cloud, naturalKey: string, options: CallOptions): Promise<Resource | undefined>;
    idOf(resource: Resource): string;
    see(resource: Resource): Seen<Args>;
    /** The next write that brings the resource to what is desired, or a reason to wait; undefined when it is there. */
    next(resource: Resource, desired: Desired<Args>): Call | Wait | undefined;
    /** Where `next` sees nothing to be done although the resource is not all that the program says. */
    left?(resource: Resource, desired: Pick<Desired<Args>, "args" | "changed">): Left<Args> | undefined;
    delete(
        cloud: Cloud,
        id: string,
        resourceVersion: string,
        operationId: string,
        options: CallOptions,
    ): Promise<{ asyncOperation: AsyncOperation | undefined }>;
    /** Outputs that only the create's answer carries. What an earlier run has begun to create is not taken over, but made anew. */
    readonly onceOutputs?: readonly string[];
}
