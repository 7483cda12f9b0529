import type { Call, Turn } from "./limiter";

/**
 * After this many refusals in a row of one method, it may be refused at any rate, and the others go first. Once as many of
 * their requests have been let through, it is.
 */
const SUSPECT_AFTER = 5;
/**
 * It is the call and not the rate if, since its first refusal, this many others have been let through, and at most one in
 * `PASSED_PER_RECOVERED` of these had been refused before: a rate that is too high meets the others, too.
 */
const PASSED_BESIDE_CALL = 10;
const PASSED_PER_RECOVERED = 4;

/** The refusals in a row of one call, or of all calls of one method. */
interface Streak {
    readonly since: number;
    /** When the last one that counts was. */
    at: number;
    count: number;
    /** How many requests had been let through before. */
    readonly passedBefore: number;
    /** How many of these had been refused at first. */
    readonly recoveredBefore: number;
    /** The rate before. */
    readonly rate: number;
    /** Whether it is refused at any rate. */
    barred: boolean;
}

/** What a refusal means for the rate of all. */
export interface Verdict {
    /** Whether the rate is too high. */
    readonly blamesRate: boolean;
    /** The rate before the refusals of a method or call of which it is now known that it is refused at any rate. */
    readonly wrongedRate: number | undefined;
}

/**
 * Tells a limit that all requests share from one that concerns a single method, or a single call, as where a quota is used
 * up: in that case the others need not slow down.
 */
export class Refusals {
    private readonly ofMethods = new Map<string, Streak>();
    private readonly ofCalls = new WeakMap<Call, Streak>();
    /** How many requests have been let through. */
    private passedCount = 0;
    /** How many of these had been refused at first. */
    private recoveredCount = 0;

    /** An attempt was let through. */
    passed(call: Call): void {
        this.ofMethods.delete(call.method);
        this.passedCount += 1;
        this.recoveredCount += this.ofCalls.delete(call) ? 1 : 0;
    }

    /**
     * An attempt was refused.
     *
     * @param slowedAt when a refusal last lowered the rate
     * @param rate the present rate
     */
    refused(call: Call, { at }: Turn, now: number, slowedAt: number, rate: number): Verdict {
        const ofMethod = this.ofMethods.get(call.method) ?? this.firstRefusal(now, rate);
        const ofCall = this.ofCalls.get(call) ?? this.firstRefusal(now, rate);
        this.ofMethods.set(call.method, ofMethod);
        this.ofCalls.set(call, ofCall);
        ofCall.count += 1;
        // One that was on its way when another was refused says nothing new, but of its call.
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

    /** Since when all calls of the method have been refused, or the call at any rate; undefined where neither. */
    since(call: Call): number | undefined {
        const ofCall = this.ofCalls.get(call);
        return ofCall?.barred ? ofCall.since : this.ofMethods.get(call.method)?.since;
    }

    /** Whether the call may be refused at any rate. */
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

    /** Bars what has been refused often enough while others were let through. */
    private bar(streak: Streak, othersPass: boolean): Streak[] {
        if (streak.barred || streak.count < SUSPECT_AFTER || !othersPass) {
            return [];
        }
        streak.barred = true;
        return [streak];
    }
}
