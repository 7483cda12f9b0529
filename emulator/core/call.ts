import type { CloudServiceDefinition } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import type { Principal } from "./principal";

/** The RPCs of the API, by their names in the generated code. */
export type Methods = CloudServiceDefinition["methods"];

/** The request of an RPC. */
export type RequestOf<M extends keyof Methods> = ReturnType<Methods[M]["requestType"]["decode"]>;

/** The response of an RPC. */
export type ResponseOf<M extends keyof Methods> = ReturnType<Methods[M]["responseType"]["decode"]>;

/** A call, as passed to its handler. */
export interface Call {
    /** The RPC: `CreateNamespace`. */
    method: string;
    principal: Principal;
    /** What faults match on: the id of the resource concerned, for a create its name (or email address). */
    subject: string;
    /** When it arrived, in milliseconds since the epoch. */
    now: number;
    /** The operation id: the client's, or a generated one. */
    operationId: string;
    /** The request, encoded. */
    input: Uint8Array;
    /** A hash to compare requests by their meaning. */
    fingerprint: string;
}

/** Handles an RPC. Synchronous: no call sees another half done. */
export type Handler<M extends keyof Methods> = (request: RequestOf<M>, call: Call) => ResponseOf<M>;

/** The RPCs that one part of the emulator implements. */
export type Handlers = { [M in keyof Methods]?: Handler<M> };
