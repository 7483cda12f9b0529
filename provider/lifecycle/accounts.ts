import { unlessFailed } from "../client/errors";
import type { Bag } from "../fields";
import { ACCOUNT_KEY } from "./hidden";
import type { Run, Session } from "./run";
import { ActionRequiredError } from "./run";

/**
 * The output that records the account; none if the server does not tell it, as when the key's owner has few
 * permissions.
 */
export async function accountNote({ client }: Session): Promise<Bag> {
    const id = await client.account.idIfAvailable();
    return id ? { [ACCOUNT_KEY]: id } : {};
}

/**
 * Called before a resource counts as gone. If the API key is now one of another account, or the resource was given the
 * provider of another, which the host does not tell, it is not found and yet not gone.
 *
 * @throws {ActionRequiredError} if the key belongs to another account than the recorded one
 */
export async function refuseOtherAccount(run: Run, noted: unknown): Promise<void> {
    if (typeof noted !== "string") {
        return;
    }
    const id = await unlessFailed(run.session.client.account.id(run), "denied");
    if (id && id !== noted) {
        throw new ActionRequiredError(
            `it is in the account ${JSON.stringify(noted)}, and the API key belongs to ${JSON.stringify(id)}. ` +
                `Nothing was changed. Use a key of the account ${JSON.stringify(noted)}, or the provider that it had ` +
                `before. To stop managing it, run \`pulumi state delete '${run.context.urn}'\`.`,
        );
    }
}
