import { ServerError, Status } from "nice-grpc-common";

/** The request breaks a rule. */
export const invalid = (details: string): ServerError => new ServerError(Status.INVALID_ARGUMENT, details);

/** There is no such thing. */
export const notFound = (what: string, id: string): ServerError =>
    new ServerError(Status.NOT_FOUND, `${what} ${JSON.stringify(id)} not found`);

/** The state of things does not allow it. */
export const precondition = (details: string): ServerError => new ServerError(Status.FAILED_PRECONDITION, details);

/** The caller may not. */
export const denied = (details: string): ServerError => new ServerError(Status.PERMISSION_DENIED, details);

/** The update would leave everything as it is. */
export const nothingToChange = (): ServerError => invalid("nothing to change");

/** Refuses unless the rule holds. */
export function must(rule: boolean, details: string): asserts rule {
    if (!rule) throw invalid(details);
}
