import type { Call, Turn } from "./limiter";

/**
 * After this many consecutive refusals of a method, it may be refused whatever the rate, and other methods go first.
 * Once as many requests of others have been accepted, it is certain to be.
 */
const SUSPECT_AFTER = 5;
/**
 * The call is to blame, not the rate, if since its first refusal this many other requests have been accepted, and at
 * most one in `PASSED_PER_RECOVERED` of them had been refused before: a rate that is too high affects the others too.
 */
const PASSED_BESIDE_CALL = 10;
const PASSED_PER_RECOVERED = 4;

/** Consecutive refusals of one call, or of all calls of one method. */
interface Streak {
    readonly since: number;
    /** When the last one that counts happened. */
    at: number;
    count: number;
    /** How many requests had been accepted before. */
    readonly passedBefore: number;
    /** How many of these had been refused at first. */
    readonly recoveredBefore: number;
    /** The rate before. */
    readonly rate: number;
    /** Whether it is refused whatever the rate. */
    barred: boolean;
}

/** What a refusal means for the common rate. */
export interface Verdict {
    /** Whether the rate is too high. */
    readonly blamesRate: boolean;
    /**
     * The rate before the refusals of a method or call that is now known to be refused whatever the rate, if there is
     * one.
     */
    readonly wrongedRate: number | undefined;
}

/**
 * Tells a limit on all requests from one on a single method or call, as when a quota is exhausted: then the others need
 * not slow down.
 */
export class Refusals {
    private readonly ofMethods = new Map<string, Streak>();
    private readonly ofCalls = new WeakMap<Call, Streak>();
    /** How many requests have been accepted. */
    private passedCount = 0;
    /** How many of these had been refused at first. */
    private recoveredCount = 0;

    /** An attempt was accepted. */
    passed(call: Call): void {
        this.ofMethods.delete(call.method);
        this.passedCount += 1;
        this.recoveredCount += this.ofCalls.delete(call) ? 1 : 0;
    }

    /**
     * An attempt was refused.
     *
     * @param slowedAt when a refusal last lowered the rate
     * @param rate the current rate
     */
    refused(call: Call, { at }: Turn, now: number, slowedAt: number, rate: number): Verdict {
        const ofMethod = this.ofMethods.get(call.method) ?? this.firstRefusal(now, rate);
        const ofCall = this.ofCalls.get(call) ?? this.firstRefusal(now, rate);
        this.ofMethods.set(call.method, ofMethod);
        this.ofCalls.set(call, ofCall);
        ofCall.count += 1;
        // A request in flight when another was refused says nothing new, except about its own call.
        const saysMore = at > Math.max(slowedAt, ofMethod.at);
        if (saysMore) {
            ofMethod.at = now;
            ofMethod.count += 1;
        }
        const othersPassed = this.passedCount - ofCall.passedBefore;
        const recovered = this.recoveredCount - ofCall.recoveredBefore;
        const isAlone = othersPassed >= Math.max(PASSED_BESIDE_CALL, recovered * PASSED_PER_RECOVERED);
        const barred = [
            ...this.bar(ofMethod, this.passedCount - ofMethod.passedBefore >= SUSPECT_AFTER),
            ...this.bar(ofCall, isAlone),
        ];
        return {
            blamesRate: saysMore && !ofMethod.barred && !ofCall.barred && !(isAlone && ofCall.count > 1),
            wrongedRate: barred.length > 0 ? Math.max(...barred.map((streak) => streak.rate)) : undefined,
        };
    }

    /** Since when all calls of the method have been refused, or this call whatever the rate; undefined if neither. */
    since(call: Call): number | undefined {
        const ofCall = this.ofCalls.get(call);
        return ofCall?.barred ? ofCall.since : this.ofMethods.get(call.method)?.since;
    }

    /** Whether the call may be refused whatever the rate. */
    isSuspect(call: Call): boolean {
        const count = this.ofMethods.get(call.method)?.count ?? 0;
        return count >= SUSPECT_AFTER || this.ofCalls.get(call)?.barred === true;
    }

    private firstRefusal(now: number, rate: number): Streak {
        return {
            since: now,
            at: Number.NEGATIVE_INFINITY,
            count: 0,
            passedBefore: this.passedCount,
            recoveredBefore: this.recoveredCount,
            rate,
            barred: false,
        };
    }

    /** Marks as refused whatever the rate what has been refused often enough while others were accepted. */
    private bar(streak: Streak, othersPass: boolean): Streak[] {
        if (streak.barred || streak.count < SUSPECT_AFTER || !othersPass) {
            return [];
        }
        streak.barred = true;
        return [streak];
    }
}
