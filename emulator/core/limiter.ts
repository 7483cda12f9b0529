import type { Settings } from "../settings";

/** The key of the account's own bucket. No id looks like it. */
const wholeAccount = "(account)";

interface Bucket {
    tokens: number;
    filledMs: number;
}

/** The rate limits: one token bucket per principal and one for the account, each holding one second's worth. */
export class Limiter {
    private readonly buckets = new Map<string, Bucket>();

    constructor(private readonly settings: Settings) {}

    /** Whether the principal may make a request now. A refused request costs no token. */
    admit(principalId: string, nowMs: number): boolean {
        const { requestsPerSecond, accountRequestsPerSecond } = this.settings;
        const own = this.bucket(principalId, requestsPerSecond, nowMs);
        const account = this.bucket(wholeAccount, accountRequestsPerSecond, nowMs);
        if ((own && own.tokens < 1) || (account && account.tokens < 1)) return false;
        if (own) own.tokens--;
        if (account) account.tokens--;
        return true;
    }

    private bucket(name: string, perSecond: number, nowMs: number): Bucket | undefined {
        if (perSecond <= 0) {
            // A limit set later starts with a full bucket.
            this.buckets.delete(name);
            return undefined;
        }
        const bucket = this.buckets.get(name) ?? { tokens: Math.max(1, perSecond), filledMs: nowMs };
        const gained = (Math.max(0, nowMs - bucket.filledMs) / 1000) * perSecond;
        bucket.tokens = Math.min(Math.max(1, perSecond), bucket.tokens + gained);
        bucket.filledMs = nowMs;
        this.buckets.set(name, bucket);
        return bucket;
    }
}
