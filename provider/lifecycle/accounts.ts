import { unlessFailed } from "../client/errors";
import type { Bag } from "../fields";
import { ACCOUNT_KEY } from "./hidden";
import type { Run, Session } from "./run";
import { LifecycleError } from "./run";

/** The output that notes the account; none where the server does not tell it, as it may where the key's owner may do little. */
export async function accountNote({ client }: Session): Promise<Bag> {
    const id = await client.account.idIfAvailable();
    return id ? { [ACCOUNT_KEY]: id } : {};
}

/**
 * Before a resource counts as gone: the key may have become one of another account, or the resource been given to a
 * provider of another, of which the host tells nothing. Then it is not there, and yet not gone.
 *
 * @throws {LifecycleError} when the key belongs to another account than the one that was noted
 */
export async function refuseOtherAccount(run: Run, noted: unknown): Promise<void> {
    if (typeof noted !== "string") {
        return;
    }
    const id = await unlessFailed(run.session.client.account.id(run), "denied");
    if (id && id !== noted) {
        throw new LifecycleError(
            `it is in the account ${JSON.stringify(noted)}, and the API key belongs to ${JSON.stringify(id)}. Nothing was ` +
                `changed. Use a key of the account ${JSON.stringify(noted)} for it, or the provider that it had before; to manage ` +
                `it no longer, take it out of the state: pulumi state delete '${run.context.urn}'.`,
        );
    }
}
