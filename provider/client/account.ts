import { ConfigurationError } from "../configuration";
import type { CallOptions, Cloud } from "./client";
import { failed, GivenUpError, READ_LAG_MS } from "./errors";

/** How long to wait for the account id if it is optional, and how long not to ask for it again. */
const OPTIONAL_MS = 10_000;

/** The account that the API key belongs to. */
export class Account {
    private knownId: string | undefined;
    private asking: Promise<string> | undefined;
    private askingIfAvailable: Promise<string | undefined> | undefined;

    constructor(
        private readonly cloud: Pick<Cloud, "getAccount">,
        private readonly allowedId: string | undefined,
    ) {}

    /**
     * Checks that the key belongs to the allowed account.
     *
     * @throws {ConfigurationError} if it belongs to another
     */
    async check(options: CallOptions = {}): Promise<void> {
        if (this.allowedId === undefined) {
            return;
        }
        const id = await this.id(options);
        if (id !== this.allowedId) {
            const allowed = JSON.stringify(this.allowedId);
            throw new ConfigurationError(
                `The API key belongs to the account ${JSON.stringify(id)}, and temporalcloud:allowedAccountId ` +
                    `allows only ${allowed}. Nothing was changed. Use a key of the account ${allowed}, or correct ` +
                    "allowedAccountId.",
            );
        }
    }

    /** Its id, requested once; empty if the server does not name it. */
    async id({ signal }: CallOptions = {}): Promise<string> {
        if (this.knownId !== undefined) {
            return this.knownId;
        }
        this.asking ??= this.cloud.getAccount({}).then(({ account }) => {
            this.knownId = account?.id ?? "";
            return this.knownId;
        });
        const asking = this.asking;
        asking.catch((error: unknown) => {
            const forget = () => {
                this.asking = this.asking === asking ? undefined : this.asking;
            };
            // The next caller requests it again; after a denial only later, or every resource would cost a request. A
            // new key may not have its permissions yet.
            if (failed(error, "denied")) {
                setTimeout(forget, READ_LAG_MS).unref();
            } else {
                forget();
            }
        });
        return unlessAborted(asking, "GetAccount", signal);
    }

    /** The same if it is optional: undefined if the server does not answer soon, and has not a moment ago. */
    async idIfAvailable(): Promise<string | undefined> {
        this.askingIfAvailable ??= this.id({ signal: AbortSignal.timeout(OPTIONAL_MS) }).catch(() => {
            setTimeout(() => {
                this.askingIfAvailable = undefined;
            }, OPTIONAL_MS).unref();
            return undefined;
        });
        return this.knownId ?? this.askingIfAvailable;
    }
}

/** Awaits a shared promise, but no longer than the signal of this caller. */
function unlessAborted<T>(shared: Promise<T>, rpc: string, signal: AbortSignal | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
        const abort = () => reject(new GivenUpError(rpc, undefined, true, { cause: signal?.reason }));
        if (signal?.aborted) {
            abort();
            return;
        }
        signal?.addEventListener("abort", abort, { once: true });
        void shared.then(resolve, reject).finally(() => signal?.removeEventListener("abort", abort));
    });
}
