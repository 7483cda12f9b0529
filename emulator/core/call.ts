import type { CloudServiceDefinition } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import type { Principal } from "./principal";

/** The RPCs of the API, by the names of the generated code. */
export type Methods = CloudServiceDefinition["methods"];

/** The request of an RPC. */
export type RequestOf<M extends keyof Methods> = ReturnType<Methods[M]["requestType"]["decode"]>;

/** The response of an RPC. */
export type ResponseOf<M extends keyof Methods> = ReturnType<Methods[M]["responseType"]["decode"]>;

/** One call, as its handler sees it. */
export interface Call {
    /** The RPC: `CreateNamespace`. */
    method: string;
    principal: Principal;
    /** What faults go by: the id of the resource that it is about, for a create its name (or e-mail address). */
    subject: string;
    /** When it came, in milliseconds since the epoch. */
    now: number;
    /** The id for the operation: the client's, or one made for it. */
    operationId: string;
    /** The request, encoded. */
    input: Uint8Array;
    /** What makes the request the same as another. */
    fingerprint: string;
}

/** What answers an RPC. It runs to its end at once: no call sees another half done. */
export type Handler<M extends keyof Methods> = (request: RequestOf<M>, call: Call) => ResponseOf<M>;

/** The RPCs that one part of the emulator answers. */
export type Handlers = { [M in keyof Methods]?: Handler<M> };
