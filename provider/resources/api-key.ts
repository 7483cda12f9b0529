import { isDeepStrictEqual } from "node:util";
import type * as pulumi from "@pulumi/pulumi";
import type { Timestamp } from "../../proto/generated/google/protobuf/timestamp";
import type { ApiKeySpec, ApiKey as LiveApiKey } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { AsyncOperation } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { idText } from "../access";
import type { Call, Definition, Desired, Due } from "../definition";
import type { OwnerType } from "../enums";
import { ownerTypes } from "../enums";
import type { Bag, Report } from "../fields";
import { choice, flag, shape, text, UNKNOWN } from "../fields";
import { messages } from "../messages";
import { Resource } from "../resource";
import { fromTimestamp, normaliseTime, PAGE_SIZE, parseDurationSeconds, stateWord, toTimestamp } from "../wire";

/** What an ApiKey is made of. Unless said otherwise, a change is made in place. */
export interface ApiKeyArgs {
    /** The id of the service account that the key acts for; it may have at most 20. Changing it replaces the key. */
    ownerId: pulumi.Input<string>;
    /**
     * What `ownerId` names. The default is `service-account`, and the API makes keys for no others: `user` is for a key
     * that is taken over. Changing it replaces the key.
     */
    ownerType?: pulumi.Input<OwnerType> | undefined;
    /** The name for people. The default is the resource's logical name when it was made. */
    displayName?: pulumi.Input<string> | undefined;
    /** What it is for. The default is empty. */
    description?: pulumi.Input<string> | undefined;
    /** Whether it is turned off. The default is false. */
    disabled?: pulumi.Input<boolean> | undefined;
    /**
     * When it stops working: RFC 3339 with any offset, such as `2027-06-01T02:00:00+02:00`, 24 hours to 2 years from
     * its creation. Either this or `expiresIn` has to be given. Changing it replaces the key.
     */
    expiryTime?: pulumi.Input<string> | undefined;
    /**
     * How long it works from its creation, in whole minutes: `90d`, `36h`, `1d12h`; 24 hours to 2 years (731
     * days). Changing it replaces the key. A key that is taken over keeps the time that it has, where this is declared in
     * the `up` that takes it over; declared later, it replaces the key.
     */
    expiresIn?: pulumi.Input<string> | undefined;
    /**
     * How long before it expires it is replaced, with `expiresIn`: `14d`. It takes an `up` (or a plan) made in that time:
     * it makes a new key, hands it to what the program manages, and deletes this one. Without it, the key just expires.
     */
    rotateBefore?: pulumi.Input<string> | undefined;
}

/**
 * A key with which a service account signs in. https://docs.temporal.io/cloud/api-keys
 *
 * ```ts
 * const key = new temporalcloud.ApiKey("orders-worker", {
 *     ownerId: worker.id,
 *     expiresIn: "90d",
 *     rotateBefore: "14d",
 * });
 * export const token = key.token; // a secret
 * ```
 *
 * Temporal Cloud shows the token once, in the answer to the create; from then on it is in the stack's state only,
 * encrypted. What exists is taken over by the option `import`, with the id, but has no token.
 *
 * Nothing rotates unless somebody runs `pulumi up` in the time that `rotateBefore` names: have it run on a schedule, more
 * often than that time is long. Else the key expires, and the next `up` makes another. The old key is deleted at the end
 * of the `up` that makes the new one. What the program manages has the new token by then; whoever reads it elsewhere,
 * such as in an output of the stack, has to fetch it then. With the option `retainOnDelete`, set by an `up` before, the
 * old key works until it expires, and counts among its owner's 20. Until the end of that `up` there are both: where more than
 * 10 keys of one owner are due at once, there is no room for that, unless the option `deleteBeforeReplace` has each old one
 * deleted first. With the option `protect`, a key that is due is an error that stops the whole `up`.
 *
 * A key that has leaked is replaced at once by `pulumi up --replace <urn>`; `pulumi stack --show-urns` shows the URN. One
 * that is less than an hour old is deleted before the new one is made, and a warning says so. With `retainOnDelete` an older
 * one stays: delete it by hand. The option `import` has to be taken out of the program before: with it, the key itself comes
 * in its own place, and a warning says so. A key that left the stack alive, by `retainOnDelete` or `pulumi state delete`, is
 * deleted when one of the same logical name is made within an hour of its creation: give the new one another.
 */
export class ApiKey extends Resource {
    declare public readonly ownerId: pulumi.Output<string>;
    declare public readonly ownerType: pulumi.Output<OwnerType>;
    declare public readonly displayName: pulumi.Output<string>;
    declare public readonly description: pulumi.Output<string>;
    declare public readonly disabled: pulumi.Output<boolean>;
    /** When it stops working, also with `expiresIn`. As the program spells it, else RFC 3339, UTC. */
    declare public readonly expiryTime: pulumi.Output<string>;
    declare public readonly expiresIn: pulumi.Output<string | undefined>;
    declare public readonly rotateBefore: pulumi.Output<string | undefined>;
    /** What a client signs in with; a secret. Undefined for a key that was not made by this stack. */
    declare public readonly token: pulumi.Output<string>;
    /** `active`, `updating`, `expired` and so on. */
    declare public readonly state: pulumi.Output<string>;
    /** RFC 3339, UTC. */
    declare public readonly createdTime: pulumi.Output<string>;
    /** RFC 3339, UTC. */
    declare public readonly lastModifiedTime: pulumi.Output<string | undefined>;

    /**
     * @param name the logical name, unique in the program
     */
    constructor(name: string, args: ApiKeyArgs, opts?: pulumi.CustomResourceOptions);
    /** @internal */
    constructor(name: string, args: ApiKeyArgs | undefined, opts: pulumi.CustomResourceOptions);
    constructor(name: string, args: ApiKeyArgs | undefined, opts: pulumi.CustomResourceOptions = {}) {
        super("ApiKey", "apiKey", [...Object.keys(fields), ...OUTPUTS], name, args, opts, ONCE_OUTPUTS);
    }

    /** An ApiKey that exists, read but not managed, and without its token. */
    static get(name: string, id: pulumi.Input<pulumi.ID>, opts?: pulumi.CustomResourceOptions): ApiKey {
        return new ApiKey(name, undefined, { ...opts, id });
    }

    /** Whether a value is an ApiKey, also of another copy of this package. */
    static override isInstance(value: unknown): value is ApiKey {
        return Resource.isOfKind(value, "ApiKey");
    }
}

const ONCE_OUTPUTS = ["token"] as const;
const OUTPUTS = [...ONCE_OUTPUTS, "state", "createdTime", "lastModifiedTime"] as const;

// -- what is allowed -------------------------------------------------------------------------------------------------

const LEAST_SECONDS = 24 * 3600;
/** Two years, one of them a leap year: whether it is one is left to the server. */
const MOST_SECONDS = 731 * 24 * 3600;
/** What clocks may differ by. */
const SLACK_SECONDS = 60;

function refuseDuration(duration: string): string | undefined {
    return parseDurationSeconds(duration) === undefined
        ? `has to be a duration such as 90d, 36h or 1d12h, and is ${JSON.stringify(duration)}.`
        : undefined;
}

const fields = {
    ownerId: text({ required: true, replace: true, ...idText }),
    ownerType: choice(ownerTypes.words, { replace: true, reset: "service-account" }),
    displayName: text({ refuse: shape({ pattern: /\S/, is: "a name" }) }),
    description: text(),
    disabled: flag(),
    expiryTime: text({
        replace: true,
        reset: undefined,
        normalise: normaliseTime,
        refuse: (time) =>
            toTimestamp(time)
                ? undefined
                : `has to be a time such as 2027-06-01T02:00:00+02:00 (RFC 3339), and is ${JSON.stringify(time)}.`,
    }),
    expiresIn: text({
        replace: true,
        reset: undefined,
        programOnly: true,
        normalise: parseDurationSeconds,
        refuse: (duration) => {
            const seconds = parseDurationSeconds(duration);
            return seconds !== undefined && (seconds < LEAST_SECONDS || seconds > MOST_SECONDS)
                ? `has to be from 24h to 731d (2 years), and is ${JSON.stringify(duration)}.`
                : refuseDuration(duration);
        },
    }),
    rotateBefore: text({
        reset: undefined,
        programOnly: true,
        normalise: parseDurationSeconds,
        refuse: refuseDuration,
    }),
};

function check(args: Bag, old: Bag | undefined, report: Report, adopting: boolean): void {
    const { expiryTime, expiresIn, rotateBefore } = args;
    if (args.ownerType === "user" && old?.ownerType !== "user" && !adopting) {
        report("ownerType", 'cannot be "user": the API makes keys for service accounts only.');
    }
    if (expiryTime === undefined && expiresIn === undefined) {
        if (old === undefined ? !adopting : old.expiryTime !== undefined || old.expiresIn !== undefined) {
            report("expiresIn", "or `expiryTime` has to be given: 24 hours to 2 years.");
        }
    } else if (expiryTime !== undefined && expiresIn !== undefined) {
        if (expiryTime !== UNKNOWN && expiresIn !== UNKNOWN) {
            report("expiresIn", "cannot be given together with `expiryTime`.");
        }
    } else if (typeof expiryTime === "string" && !adopting && !fields.expiryTime.equal(expiryTime, old?.expiryTime)) {
        checkExpiry(expiryTime, report);
    }
    if (rotateBefore !== undefined && expiresIn === undefined) {
        report("rotateBefore", "needs `expiresIn`: a key of which the time is fixed cannot be made again by itself.");
    }
    const [before, whole] = [secondsOf(rotateBefore), secondsOf(expiresIn)];
    // A key lives for whole minutes, and so for up to one less.
    if (before !== undefined && whole !== undefined && before > whole - 60) {
        report(
            "rotateBefore",
            `has to be a minute or more shorter than \`expiresIn\` (${expiresIn}), or every \`up\` would replace the key; it is ${JSON.stringify(rotateBefore)}.`,
        );
    }
}

function checkExpiry(expiryTime: string, report: Report): void {
    const time = toTimestamp(expiryTime);
    if (time === undefined) {
        return;
    }
    const leftSeconds = Number(time.seconds) - Date.now() / 1000;
    if (leftSeconds < LEAST_SECONDS - SLACK_SECONDS || leftSeconds > MOST_SECONDS + SLACK_SECONDS) {
        report("expiryTime", `has to be 24 hours to 2 years from now, and is ${JSON.stringify(expiryTime)}.`);
    }
}

function secondsOf(duration: unknown): number | undefined {
    return typeof duration === "string" ? parseDurationSeconds(duration) : undefined;
}

/** Rotation: the key's last days have begun. */
function replaceNow(old: Bag, { rotateBefore }: Bag, now: Date): Due | undefined {
    const expiry = typeof old.expiryTime === "string" ? toTimestamp(old.expiryTime) : undefined;
    const seconds = secondsOf(rotateBefore);
    const isDue =
        expiry !== undefined && seconds !== undefined && now.getTime() / 1000 >= Number(expiry.seconds) - seconds;
    const why = `it expires on ${old.expiryTime}, and \`rotateBefore\` is ${rotateBefore}`;
    return isDue ? { property: "expiryTime", why } : undefined;
}

// -- to and from the wire --------------------------------------------------------------------------------------------

type Values = pulumi.Unwrap<ApiKeyArgs>;

const emptySpec = () => messages.identity.ApiKeySpec.fromPartial({});

function see({ spec = emptySpec(), state, createdTime, lastModifiedTime }: LiveApiKey) {
    const ownerType = ownerTypes.fromWire(spec.ownerType);
    const expiryTime = fromTimestamp(spec.expiryTime);
    return {
        args: {
            ownerId: spec.ownerId,
            ...(ownerType === undefined ? {} : { ownerType }),
            displayName: spec.displayName,
            description: spec.description,
            disabled: spec.disabled,
            ...(expiryTime === undefined ? {} : { expiryTime }),
        } satisfies Partial<Values>,
        outputs: {
            state: stateWord(state),
            createdTime: fromTimestamp(createdTime),
            lastModifiedTime: fromTimestamp(lastModifiedTime),
        },
    };
}

/** The spec that these values make of a spec, without the deprecated mirror of the owner's type. */
function toSpec(values: Values, base: ApiKeySpec): ApiKeySpec {
    const expiryTime = values.expiryTime === undefined ? undefined : toTimestamp(values.expiryTime);
    return {
        ...base,
        ownerId: values.ownerId,
        ownerType: ownerTypes.toWire(values.ownerType),
        ownerTypeDeprecated: "",
        displayName: values.displayName ?? base.displayName,
        description: values.description ?? "",
        disabled: values.disabled ?? false,
        expiryTime: expiryTime
            ? { ...(base.expiryTime ?? messages.timestamp.Timestamp.fromPartial({})), ...expiryTime }
            : base.expiryTime,
    };
}

/**
 * When a key expires that is to work for a time from now. Where an earlier run has started to make it, the request has
 * to be the same as then, so that the server takes it for that one: what it said is in the operation, or can be worked
 * out from when it began.
 */
function expiryFrom(expiresIn: string | undefined, earlier: AsyncOperation | undefined, now: Date) {
    const seconds = secondsOf(expiresIn);
    if (seconds === undefined) {
        return undefined;
    }
    const start = earlier?.startedTime?.seconds ?? BigInt(Math.floor(now.getTime() / 1000));
    return (
        requestedExpiry(earlier) ??
        messages.timestamp.Timestamp.fromPartial({ seconds: wholeMinutes(start, BigInt(seconds)) })
    );
}

/**
 * In whole minutes clocks that differ by seconds mostly come to the same. They are rounded down, so that the longest
 * time that is allowed stays allowed; and the shortest is still long enough when the request arrives.
 */
function wholeMinutes(start: bigint, seconds: bigint): bigint {
    const least = start + BigInt(LEAST_SECONDS + 2 * SLACK_SECONDS);
    const end = start + seconds;
    return ((end > least ? end : least) / 60n) * 60n;
}

function requestedExpiry(earlier: AsyncOperation | undefined): Timestamp | undefined {
    const input = earlier?.operationInput;
    if (!input?.typeUrl.endsWith("/temporal.api.cloud.cloudservice.v1.CreateApiKeyRequest")) {
        return undefined;
    }
    const { CreateApiKeyRequest } = messages.requests;
    try {
        return CreateApiKeyRequest.decode(input.value).spec?.expiryTime;
    } catch {
        return undefined;
    }
}

// -- what is to be done ----------------------------------------------------------------------------------------------

function next(key: LiveApiKey, { args }: Desired<Values>): Call | undefined {
    const live = key.spec ?? emptySpec();
    const spec = toSpec(args, live);
    if (isDeepStrictEqual(spec, toSpec(see(key).args, live))) {
        return undefined;
    }
    const { id: keyId, resourceVersion } = key;
    return {
        purpose: "updating",
        send: (cloud, asyncOperationId, options) =>
            cloud.updateApiKey({ keyId, spec, resourceVersion, asyncOperationId }, options),
    };
}

/** How an ApiKey maps onto the Cloud Ops API. */
export const apiKeyDefinition: Definition<Values, LiveApiKey> = {
    kind: "ApiKey",
    fields,
    nameField: "displayName",
    check,
    replaceNow,
    onceOutputs: ONCE_OUTPUTS,
    async create(cloud, args, { operationId, earlier, now, signal }) {
        const spec = toSpec({ ...args, ownerType: args.ownerType ?? "service-account" }, emptySpec());
        const { keyId, token, asyncOperation } = await cloud.createApiKey(
            {
                spec: { ...spec, expiryTime: spec.expiryTime ?? expiryFrom(args.expiresIn, earlier, now) },
                asyncOperationId: operationId,
            },
            { signal },
        );
        return { id: keyId, asyncOperation, ...(token === "" ? {} : { once: { token } }) };
    },
    async get(cloud, keyId, options) {
        return (await cloud.getApiKey({ keyId }, options)).apiKey;
    },
    async list(cloud, pageToken, options) {
        const { apiKeys, nextPageToken } = await cloud.getApiKeys({ pageSize: PAGE_SIZE, pageToken }, options);
        return { items: apiKeys, nextPageToken };
    },
    idOf: ({ id }) => id,
    see,
    next,
    delete: (cloud, keyId, resourceVersion, asyncOperationId, options) =>
        cloud.deleteApiKey({ keyId, resourceVersion, asyncOperationId }, options),
};
