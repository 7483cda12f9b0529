import { ServerError, Status } from "nice-grpc-common";

/** The request breaks a rule. */
export const invalid = (details: string): ServerError => new ServerError(Status.INVALID_ARGUMENT, details);

/** It does not exist. */
export const notFound = (what: string, id: string): ServerError =>
    new ServerError(Status.NOT_FOUND, `${what} ${JSON.stringify(id)} not found`);

/** The current state does not allow it. */
export const precondition = (details: string): ServerError => new ServerError(Status.FAILED_PRECONDITION, details);

/** The caller lacks permission. */
export const denied = (details: string): ServerError => new ServerError(Status.PERMISSION_DENIED, details);

/** The update would change nothing. */
export const nothingToChange = (): ServerError => invalid("nothing to change");

/** Throws INVALID_ARGUMENT unless the rule holds. */
export function must(rule: boolean, details: string): asserts rule {
    if (!rule) throw invalid(details);
}
