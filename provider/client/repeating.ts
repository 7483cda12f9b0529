import { CloudServiceDefinition } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import type { AsyncOperation } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import type { CallOptions, Cloud } from "./client";

/**
 * The API with a create that, whatever its arguments, repeats the request of an operation. The program may have changed
 * since, and a server accepts an operation id only with the request that it was first used for.
 */
export function repeating(cloud: Cloud, { operationInput, id }: AsyncOperation): Cloud {
    const name = /\.Create(\w+)Request$/.exec(operationInput?.typeUrl ?? "")?.[1];
    const key = `create${name}`;
    const method = Object.entries(CloudServiceDefinition.methods).find(([candidate]) => candidate === key)?.[1];
    if (operationInput === undefined || method === undefined) {
        return cloud;
    }
    let request: object;
    try {
        request = { ...method.requestType.decode(operationInput.value), asyncOperationId: id };
    } catch {
        return cloud;
    }
    const create = cloud[key as keyof Cloud] as (request: object, options: CallOptions) => Promise<unknown>;
    return Object.assign(Object.create(cloud) as Cloud, {
        [key]: (_: object, options: CallOptions) => create(request, options),
    });
}
