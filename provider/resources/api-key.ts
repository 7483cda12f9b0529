import type * as pulumi from "@pulumi/pulumi";
import type { Timestamp } from "../../proto/generated/google/protobuf/timestamp";
import type { ApiKeySpec, ApiKey as LiveApiKey } from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { CallOptions } from "../client/client";
import type { Page } from "../client/source";
import type { Cloud, Definition, Desired, Due, Write } from "../definition";
import { parseDurationSeconds } from "../durations";
import type { OwnerType } from "../enums";
import { ownerTypes } from "../enums";
import type { Bag, Report } from "../fields";
import { choice, flag, notBlank, resourceId, text, UNKNOWN } from "../fields";
import { messages } from "../messages";
import { propertiesOf, Resource } from "../resource";
import { changedSpec, fromTimestamp, LIVE_OUTPUTS, liveOutputs, normaliseTime, PAGE_SIZE, toTimestamp } from "../wire";

/** Arguments of an ApiKey. Changes are made in place unless noted. */
export interface ApiKeyArgs {
    /**
     * Id of the service account that owns the key; it can own at most 20 keys. Changing it replaces the key; an id that
     * is not known yet, such as that of a service account about to be replaced, counts as another.
     */
    ownerId: pulumi.Input<string>;
    /**
     * Type of the owner. Defaults to `service-account`, the only type for which the API creates keys: `user` is for
     * adopted keys. Changing it replaces the key.
     */
    ownerType?: pulumi.Input<OwnerType | undefined> | undefined;
    /** Display name. Defaults to the logical name at creation; an alias does not rename it. */
    displayName?: pulumi.Input<string | undefined> | undefined;
    /** Description. Default empty. */
    description?: pulumi.Input<string | undefined> | undefined;
    /** Disables the key. Default false. */
    disabled?: pulumi.Input<boolean | undefined> | undefined;
    /**
     * When the key expires: RFC 3339 with any offset, such as `2027-06-01T02:00:00+02:00`, 24 hours to 2 years after
     * creation. A new key requires either this or `expiresIn`. Changing it replaces the key.
     */
    expiryTime?: pulumi.Input<string | undefined> | undefined;
    /**
     * Lifetime of the key from its creation, in whole minutes: `90d`, `36h`, `1d12h`; 24 hours to 2 years (731 days).
     * Changing it replaces the key. An adopted key keeps its expiry if this is declared in the `up` that adopts it;
     * declared later, it replaces the key.
     */
    expiresIn?: pulumi.Input<string | undefined> | undefined;
    /**
     * Time before expiry from which the key is due for rotation, such as `14d`; requires `expiresIn`. Rotation happens
     * during an `up` that is run (or planned) in that period: it creates a new key, passes it to the resources of the
     * program, and deletes this one. Default: no rotation, the key expires.
     */
    rotateBefore?: pulumi.Input<string | undefined> | undefined;
}

/**
 * An API key of a service account. https://docs.temporal.io/cloud/api-keys
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
 * Temporal Cloud returns the token once, in the response to the create. After that it exists only in the stack's state,
 * encrypted. An existing key can be adopted with the option `import` and its id, but has no token.
 *
 * Rotation happens during `pulumi up`, once the key is within `rotateBefore` of its expiry: run `up` on a schedule,
 * more often than that. Otherwise the key expires, and the next `up` creates another. The old key is deleted at the end
 * of the `up` that creates the new one. By then, the resources of the program have the new token; anything that reads
 * it elsewhere, such as from a stack output, must fetch it then. With the option `retainOnDelete`, set by an earlier
 * `up`, the old key works until it expires, and counts toward its owner's limit of 20. Until the end of the `up` both
 * keys exist: if more than 10 keys of one owner are due at once, that exceeds the limit, unless the option
 * `deleteBeforeReplace` deletes each old key first. With the option `protect`, a key that is due is an error that stops
 * the whole `up`.
 *
 * To replace a leaked key at once, run `pulumi up --replace <urn>`; `pulumi stack --show-urns` shows the URN.
 *
 * - Remove the option `import` from the program first: otherwise the same key is adopted again, with a warning.
 * - A key younger than an hour can be deleted before the new one is created, with a warning.
 * - With `retainOnDelete` an older key is kept: delete it by hand.
 *
 * A key that left the stack undeleted (`retainOnDelete`, `pulumi state delete`) is deleted if another with the same
 * logical name is created less than an hour after it: choose another logical name.
 */
export class ApiKey extends Resource {
    declare public readonly ownerId: pulumi.Output<string>;
    declare public readonly ownerType: pulumi.Output<OwnerType>;
    declare public readonly displayName: pulumi.Output<string>;
    declare public readonly description: pulumi.Output<string>;
    declare public readonly disabled: pulumi.Output<boolean>;
    /** When the key expires, also with `expiresIn`. As spelled in the program, else RFC 3339, UTC. */
    declare public readonly expiryTime: pulumi.Output<string>;
    declare public readonly expiresIn: pulumi.Output<string | undefined>;
    declare public readonly rotateBefore: pulumi.Output<string | undefined>;
    /** The token with which clients authenticate; a secret. Undefined for a key that this stack did not create. */
    declare public readonly token: pulumi.Output<string>;
    /** The state: `active`, `updating`, `expired` and so on. */
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
        super(apiKeyDefinition, PROPERTIES, name, args, opts);
    }

    /** Reads an existing ApiKey without managing it, and without its token. */
    static get(name: string, id: pulumi.Input<pulumi.ID>, opts?: pulumi.CustomResourceOptions): ApiKey {
        return new ApiKey(name, undefined, { ...opts, id });
    }

    /** Whether a value is an ApiKey, including one from another copy of this package. */
    static override isInstance(value: unknown): value is ApiKey {
        return Resource.isOfKind(value, "ApiKey");
    }
}

const CREATE_ONLY_OUTPUTS = ["token"] as const;
const OUTPUTS = [...CREATE_ONLY_OUTPUTS, ...LIVE_OUTPUTS] as const;

// -- validation ------------------------------------------------------------------------------------------------------

const LEAST_SECONDS = 24 * 3600;
/** Two years, one of them a leap year; whether it is one is left to the server to check. */
const MOST_SECONDS = 731 * 24 * 3600;
/** Tolerance for clock skew. */
const SLACK_SECONDS = 60;

function refuseDuration(duration: string): string | undefined {
    return parseDurationSeconds(duration) === undefined
        ? `must be a duration such as 90d, 36h or 1d12h, but is ${JSON.stringify(duration)}.`
        : undefined;
}

const fields = {
    ownerId: resourceId({ required: true, replace: true }),
    ownerType: choice(ownerTypes.words, { replace: true, reset: "service-account" }),
    displayName: text({ refuse: notBlank("a name") }),
    description: text(),
    disabled: flag(),
    expiryTime: text({
        replace: true,
        reset: undefined,
        normalise: normaliseTime,
        refuse: (time) =>
            toTimestamp(time)
                ? undefined
                : `must be a time such as 2027-06-01T02:00:00+02:00 (RFC 3339), but is ${JSON.stringify(time)}.`,
    }),
    expiresIn: text({
        replace: true,
        reset: undefined,
        programOnly: true,
        normalise: parseDurationSeconds,
        refuse: (duration) => {
            const seconds = parseDurationSeconds(duration);
            return seconds !== undefined && (seconds < LEAST_SECONDS || seconds > MOST_SECONDS)
                ? `must be from 24h to 731d (2 years), but is ${JSON.stringify(duration)}.`
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

const PROPERTIES = propertiesOf<ApiKey>()(fields, OUTPUTS);

function check(args: Bag, old: Bag | undefined, report: Report, adopting: boolean): void {
    const { expiryTime, expiresIn, rotateBefore } = args;
    if (args.ownerType === "user" && old?.ownerType !== "user" && !adopting) {
        report("ownerType", 'cannot be "user": the API creates keys for service accounts only.');
    }
    if (expiryTime === undefined && expiresIn === undefined) {
        if (old === undefined ? !adopting : old.expiryTime !== undefined || old.expiresIn !== undefined) {
            report("expiresIn", "or `expiryTime` is required: 24 hours to 2 years.");
        }
    } else if (expiryTime !== undefined && expiresIn !== undefined) {
        if (expiryTime !== UNKNOWN && expiresIn !== UNKNOWN) {
            report("expiresIn", "cannot be combined with `expiryTime`.");
        }
    } else if (typeof expiryTime === "string" && !adopting && !fields.expiryTime.equal(expiryTime, old?.expiryTime)) {
        checkExpiry(expiryTime, report);
    }
    if (rotateBefore !== undefined && rotateBefore !== UNKNOWN && expiresIn === undefined) {
        report("rotateBefore", "requires `expiresIn`: a key with a fixed `expiryTime` cannot be rotated.");
    }
    const [before, whole] = [secondsOf(rotateBefore), secondsOf(expiresIn)];
    // Expiry is rounded down to whole minutes, so a key can live up to a minute less than `expiresIn`.
    if (before !== undefined && whole !== undefined && before > whole - 60) {
        report(
            "rotateBefore",
            `must be at least a minute shorter than \`expiresIn\` (${expiresIn}), but is ` +
                `${JSON.stringify(rotateBefore)}: every \`up\` would replace the key.`,
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
        report("expiryTime", `must be 24 hours to 2 years from now, but is ${JSON.stringify(expiryTime)}.`);
    }
}

function secondsOf(duration: unknown): number | undefined {
    return typeof duration === "string" ? parseDurationSeconds(duration) : undefined;
}

/** Rotation: whether the key is within `rotateBefore` of its expiry. */
function replaceNow(old: Bag, { rotateBefore }: Bag, now: Date): Due | undefined {
    const expiry = typeof old.expiryTime === "string" ? toTimestamp(old.expiryTime) : undefined;
    const seconds = secondsOf(rotateBefore);
    const isDue =
        expiry !== undefined && seconds !== undefined && now.getTime() / 1000 >= Number(expiry.seconds) - seconds;
    const why = `it expires on ${old.expiryTime}, and \`rotateBefore\` is ${rotateBefore}`;
    return isDue ? { property: "expiryTime", why } : undefined;
}

// -- wire format -----------------------------------------------------------------------------------------------------

type Values = pulumi.Unwrap<ApiKeyArgs>;

const emptySpec = () => messages.identity.ApiKeySpec.fromPartial({});

function fromLive(key: LiveApiKey) {
    const { spec = emptySpec() } = key;
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
        outputs: liveOutputs(key),
    };
}

/** Converts values to a spec, keeping unknown fields of the base; the deprecated owner type is cleared. */
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

/** The expiry of a key with `expiresIn`, which counts from now. */
function expiryFrom(expiresIn: string | undefined, now: Date): Timestamp | undefined {
    const seconds = secondsOf(expiresIn);
    if (seconds === undefined) {
        return undefined;
    }
    const start = BigInt(Math.floor(now.getTime() / 1000));
    return messages.timestamp.Timestamp.fromPartial({ seconds: wholeMinutes(start, BigInt(seconds)) });
}

/**
 * Whole minutes, so that clocks that differ by seconds mostly yield the same expiry. Rounded down, so that the longest
 * lifetime stays valid; the shortest is extended, to be long enough still when the request arrives.
 */
function wholeMinutes(start: bigint, seconds: bigint): bigint {
    const least = start + BigInt(LEAST_SECONDS + 2 * SLACK_SECONDS);
    const end = start + seconds;
    return ((end > least ? end : least) / 60n) * 60n;
}

// -- next write ------------------------------------------------------------------------------------------------------

function next(key: LiveApiKey, { args }: Desired<Values>): Write | undefined {
    const spec = changedSpec(toSpec, key.spec ?? emptySpec(), fromLive(key).args, args);
    if (spec === undefined) {
        return undefined;
    }
    const { id: keyId, resourceVersion } = key;
    return {
        purpose: "updating",
        send: (cloud, asyncOperationId, options) =>
            cloud.updateApiKey({ keyId, spec, resourceVersion, asyncOperationId }, options),
    };
}

/**
 * Timeout of one attempt to create a key. Only the first response has the token: a key whose response is given up is
 * useless.
 */
const CREATE_MS = 180_000;

/**
 * A page of the API keys that match the filter.
 *
 * @internal
 */
export async function apiKeysPage(
    cloud: Cloud,
    filter: { readonly ownerId?: string; readonly ownerType?: number },
    pageToken: string,
    options: CallOptions = {},
): Promise<Page<LiveApiKey>> {
    const { apiKeys, nextPageToken } = await cloud.getApiKeys({ ...filter, pageSize: PAGE_SIZE, pageToken }, options);
    return { items: apiKeys, nextPageToken };
}

/**
 * How an ApiKey maps onto the Cloud Ops API.
 *
 * @internal
 */
export const apiKeyDefinition: Definition<Values, LiveApiKey> = {
    kind: "ApiKey",
    fields,
    nameField: "displayName",
    check,
    replaceNow,
    createOnlyOutputs: CREATE_ONLY_OUTPUTS,
    async create(cloud, args, { operationId, now, signal }) {
        const spec = toSpec({ ...args, ownerType: args.ownerType ?? "service-account" }, emptySpec());
        const { keyId, token, asyncOperation } = await cloud.createApiKey(
            {
                spec: { ...spec, expiryTime: spec.expiryTime ?? expiryFrom(args.expiresIn, now) },
                asyncOperationId: operationId,
            },
            { signal, attemptMs: CREATE_MS },
        );
        return { id: keyId, asyncOperation, ...(token === "" ? {} : { carried: { token } }) };
    },
    async get(cloud, keyId, options) {
        return (await cloud.getApiKey({ keyId }, options)).apiKey;
    },
    list: (cloud, pageToken, options) => apiKeysPage(cloud, {}, pageToken, options),
    idOf: ({ id }) => id,
    fromLive,
    next,
    delete: (cloud, keyId, resourceVersion, asyncOperationId, options) =>
        cloud.deleteApiKey({ keyId, resourceVersion, asyncOperationId }, options),
};
