import { X509Certificate } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type * as pulumi from "@pulumi/pulumi";
import type { MoveNamespaceToProjectRequest } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/request_response";
import type {
    Capacity,
    CapacitySpec,
    CodecServerSpec,
    EncryptionValidationSpec,
    Namespace as LiveNamespace,
    MtlsAuthSpec,
    NamespaceSpec,
    ReplicaSpec,
} from "../../proto/generated/temporal/api/cloud/namespace/v1/message";
import type { Call, Definition, Desired, Wait } from "../definition";
import type { CapacityMode, EncryptionValidationMode, SearchAttributeType } from "../enums";
import { encryptionValidationModes, searchAttributeTypes } from "../enums";
import type { Bag, Report } from "../fields";
import {
    choice,
    flag,
    integer,
    isBag,
    list,
    map,
    number,
    object,
    own,
    set,
    shape,
    text,
    UNKNOWN,
    whole,
} from "../fields";
import { messages } from "../messages";
import type { AdoptArgs } from "../resource";
import { Resource } from "../resource";
import { fromTimestamp, isGone, lay, PAGE_SIZE, stateWord } from "../wire";

/**
 * What a Namespace is made of. Unless said otherwise, a change is made in place. What the program no longer sets goes back
 * to its default: `deleteProtection` to false, `retentionDays` to 30, `tags` and `connectivityRuleIds` to none, `apiKeyAuth`
 * and `mtlsAuth` to off (one of them has to stay).
 */
export interface NamespaceArgs extends AdoptArgs {
    /**
     * The name, unique in the account: 2 to 39 characters, small letters, digits and hyphens, beginning with a letter,
     * not ending with a hyphen. The default is the resource's logical name when it was made: an alias does not
     * rename it. Changing it replaces the namespace, and its workflows are lost: a new one is made, then the old one is
     * deleted.
     */
    name?: pulumi.Input<string> | undefined;
    /**
     * The regions, the active one first, for example `aws-us-east-1`; `getRegions` lists them. They change in place,
     * step by step: a region is added, made the active one by a failover, removed. Temporal Cloud has two at the most, on
     * one continent; one that was removed can be added again after seven days; the second one costs extra.
     * https://docs.temporal.io/cloud/high-availability/enable
     *
     * A failover that Temporal makes, or a region that somebody adds or removes, is left as it is until a refresh has shown
     * it; the `up` after that, or `up --refresh`, sets it back. To stay, declare what is there, the active region first.
     */
    regions: pulumi.Input<pulumi.Input<string>[]>;
    /** Days for which closed workflows are kept, 1 to 90. The default is 30. https://docs.temporal.io/cloud/limits */
    retentionDays?: pulumi.Input<number> | undefined;
    /** Lets clients in by certificate. This or `apiKeyAuth` has to be given. */
    mtlsAuth?: pulumi.Input<MtlsAuthArgs> | undefined;
    /** Lets clients in by API key. The default is false. */
    apiKeyAuth?: pulumi.Input<boolean> | undefined;
    /**
     * Custom search attributes: name and type. The API can add and rename them, but neither delete them nor change
     * their type: the first gives a warning, and the attribute stays; the second an error.
     */
    searchAttributes?: pulumi.Input<{ [name: string]: pulumi.Input<SearchAttributeType> }> | undefined;
    /** Renames: the new name, which is in `searchAttributes`, and the old one. Can stay after it has been made. */
    searchAttributeRenames?: pulumi.Input<{ [newName: string]: pulumi.Input<string> }> | undefined;
    /** Where the web interface has payloads decoded. */
    codecServer?: pulumi.Input<CodecServerArgs> | undefined;
    /** Makes Temporal Cloud refuse the deletion, by whomever. The default is false. */
    deleteProtection?: pulumi.Input<boolean> | undefined;
    /** How a namespace in several regions fails over. */
    highAvailability?: pulumi.Input<HighAvailabilityArgs> | undefined;
    /** The ids of connectivity rules: from where the namespace can be reached. In any order. */
    connectivityRuleIds?: pulumi.Input<pulumi.Input<string>[]> | undefined;
    /** Whether capacity is on demand, which is the default, or provisioned. A change is awaited until it holds. */
    capacity?: pulumi.Input<CapacityArgs> | undefined;
    /** Whether the tasks of one queue are shared out fairly among keys. The default is false. */
    taskQueueFairness?: pulumi.Input<boolean> | undefined;
    /** Whether payloads that are not encrypted are noticed. */
    encryptionValidation?: pulumi.Input<EncryptionValidationArgs> | undefined;
    /** What it is for: at most 255 printable ASCII characters. */
    description?: pulumi.Input<string> | undefined;
    /** At most 10 tags; keys and values have 1 to 63 characters of `a-z 0-9 . _ @ -`. */
    tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }> | undefined;
    /**
     * The project that it belongs to. A change moves it. The default is the account's default project; one that is no
     * longer set stays.
     */
    projectId?: pulumi.Input<string> | undefined;
}

/** Access by certificate. */
export interface MtlsAuthArgs {
    /**
     * The certificates of the authorities, PEM, that sign the certificates of clients: at most 16, and 32 KB, each
     * X.509 v3 with CA:true. White space and order mean nothing. https://docs.temporal.io/cloud/certificates
     */
    acceptedClientCa: pulumi.Input<string>;
    /** Only certificates that match one of these get in; the default is all. In any order. */
    certificateFilters?: pulumi.Input<pulumi.Input<CertificateFilterArgs>[]> | undefined;
}

/** What a client's certificate has to have; every part that is given has to match. */
export interface CertificateFilterArgs {
    /** CN */
    commonName?: pulumi.Input<string> | undefined;
    /** O */
    organization?: pulumi.Input<string> | undefined;
    /** OU */
    organizationalUnit?: pulumi.Input<string> | undefined;
    /** SAN */
    subjectAlternativeName?: pulumi.Input<string> | undefined;
}

/** A codec server. https://docs.temporal.io/production-deployment/data-encryption */
export interface CodecServerArgs {
    /** An https:// address. */
    endpoint: pulumi.Input<string>;
    /** Whether the user's access token is passed on. The default is false. */
    passAccessToken?: pulumi.Input<boolean> | undefined;
    /** Whether cookies are passed on. The default is false. */
    includeCrossOriginCredentials?: pulumi.Input<boolean> | undefined;
    /** What users see when the codec server fails. */
    customErrorMessage?: pulumi.Input<CustomErrorMessageArgs> | undefined;
}

/** What users see when the codec server fails. */
export interface CustomErrorMessageArgs {
    /** The text. */
    message?: pulumi.Input<string> | undefined;
    /** An address with more about it. */
    link?: pulumi.Input<string> | undefined;
}

/** How a namespace in several regions fails over. */
export interface HighAvailabilityArgs {
    /** Whether Temporal never fails over by itself. The default is false. */
    disableManagedFailover?: pulumi.Input<boolean> | undefined;
    /** Whether pollers in a passive region are not served from the active one. The default is false. */
    disablePassivePollerForwarding?: pulumi.Input<boolean> | undefined;
}

/** Capacity, on demand or provisioned. https://docs.temporal.io/cloud/capacity-modes */
export type CapacityArgs =
    | { mode: pulumi.Input<typeof CapacityMode.OnDemand> }
    | {
          mode: pulumi.Input<typeof CapacityMode.Provisioned>;
          /** Temporal Resource Units. */
          value: pulumi.Input<number>;
      };

/** Whether payloads that are not encrypted are noticed. */
export interface EncryptionValidationArgs {
    /** What happens then. The default is `disabled`. */
    mode?: pulumi.Input<EncryptionValidationMode> | undefined;
    /** The key in a payload's metadata that says how it is encrypted. */
    metadataKey?: pulumi.Input<string> | undefined;
    /** The values of that key that count as encrypted. In any order. */
    metadataValues?: pulumi.Input<pulumi.Input<string>[]> | undefined;
    /** Whether headers are looked at too. The default is false. */
    inspectHeader?: pulumi.Input<boolean> | undefined;
    /** Whether failures are looked at too. The default is false. */
    inspectFailure?: pulumi.Input<boolean> | undefined;
}

/** Where a Namespace is reached, as the server says it. https://docs.temporal.io/cloud/namespaces#access-namespaces */
export interface NamespaceEndpoints {
    /** The web interface. */
    readonly webAddress: string;
    /**
     * For clients with an API key: `host:port`. It can be empty while `apiKeyAuth` is off. Where it is the address of a
     * region, such as `us-east-1.aws.api.temporal.io:7233`, it does not follow a failover to another one; Temporal
     * recommends `name.account.tmprl.cloud:7233`, which does.
     */
    readonly grpcAddress: string;
    /** For clients with a certificate: `host:port`. It can be empty while `mtlsAuth` is not set. */
    readonly mtlsGrpcAddress: string;
}

/** A copy of a Namespace in one region. */
export interface NamespaceReplica {
    readonly id: string;
    readonly region: string;
    readonly isPrimary: boolean;
    /** `adding`, `active`, `removing` or `failed`. */
    readonly state: string;
}

/** The capacity that holds now, and what was last asked for. */
export interface NamespaceCapacityStatus {
    readonly mode: CapacityMode;
    /** Temporal Resource Units. */
    readonly value?: number;
    readonly latestRequest?: {
        /** `in_progress`, `completed` or `failed`. */
        readonly state: string;
        readonly mode?: CapacityMode;
        readonly value?: number;
    };
}

/**
 * A Temporal Cloud Namespace. https://docs.temporal.io/cloud/namespaces
 *
 * ```ts
 * const orders = new temporalcloud.Namespace("orders", {
 *     regions: ["aws-us-east-1"],
 *     retentionDays: 30,
 *     apiKeyAuth: true,
 * });
 * ```
 *
 * The id is `name.account`. What exists is taken over by the option `import: "name.account"`, or by `adopt: true`.
 */
export class Namespace extends Resource {
    declare public readonly name: pulumi.Output<string>;
    declare public readonly regions: pulumi.Output<string[]>;
    declare public readonly retentionDays: pulumi.Output<number>;
    declare public readonly mtlsAuth: pulumi.Output<pulumi.Unwrap<MtlsAuthArgs> | undefined>;
    declare public readonly apiKeyAuth: pulumi.Output<boolean>;
    declare public readonly searchAttributes: pulumi.Output<{ [name: string]: SearchAttributeType }>;
    declare public readonly searchAttributeRenames: pulumi.Output<{ [newName: string]: string } | undefined>;
    declare public readonly codecServer: pulumi.Output<pulumi.Unwrap<CodecServerArgs> | undefined>;
    declare public readonly deleteProtection: pulumi.Output<boolean>;
    declare public readonly highAvailability: pulumi.Output<pulumi.Unwrap<HighAvailabilityArgs>>;
    declare public readonly connectivityRuleIds: pulumi.Output<string[]>;
    declare public readonly capacity: pulumi.Output<pulumi.Unwrap<CapacityArgs>>;
    declare public readonly taskQueueFairness: pulumi.Output<boolean>;
    declare public readonly encryptionValidation: pulumi.Output<pulumi.Unwrap<EncryptionValidationArgs> | undefined>;
    declare public readonly description: pulumi.Output<string>;
    declare public readonly tags: pulumi.Output<{ [key: string]: string }>;
    declare public readonly projectId: pulumi.Output<string>;
    /** Where clients and people reach it. */
    declare public readonly endpoints: pulumi.Output<NamespaceEndpoints>;
    /** The region that serves now. After a failover by Temporal it is another than the first of `regions`. */
    declare public readonly activeRegion: pulumi.Output<string>;
    /** The copies of the namespace, one in each region. */
    declare public readonly replicas: pulumi.Output<NamespaceReplica[]>;
    /** Actions per second that the namespace may make. */
    declare public readonly limits: pulumi.Output<{ readonly actionsPerSecondLimit: number }>;
    /** The capacity that holds now, and what was last asked for. */
    declare public readonly capacityStatus: pulumi.Output<NamespaceCapacityStatus>;
    /** `active`, `updating` and so on. */
    declare public readonly state: pulumi.Output<string>;
    /** RFC 3339, UTC. */
    declare public readonly createdTime: pulumi.Output<string>;
    /** RFC 3339, UTC. */
    declare public readonly lastModifiedTime: pulumi.Output<string | undefined>;

    /**
     * @param name the logical name, unique in the program
     */
    constructor(name: string, args: NamespaceArgs, opts?: pulumi.CustomResourceOptions);
    /** @internal */
    constructor(name: string, args: NamespaceArgs | undefined, opts: pulumi.CustomResourceOptions);
    constructor(name: string, args: NamespaceArgs | undefined, opts: pulumi.CustomResourceOptions = {}) {
        super("Namespace", "namespace", [...Object.keys(fields), ...OUTPUTS], name, args, opts);
    }

    /** A Namespace that exists, read but not managed. The id is `name.account`. */
    static get(name: string, id: pulumi.Input<pulumi.ID>, opts?: pulumi.CustomResourceOptions): Namespace {
        return new Namespace(name, undefined, { ...opts, id });
    }

    /** Whether a value is a Namespace, also of another copy of this package. */
    static override isInstance(value: unknown): value is Namespace {
        return Resource.isOfKind(value, "Namespace");
    }
}

const OUTPUTS = [
    "endpoints",
    "activeRegion",
    "replicas",
    "limits",
    "capacityStatus",
    "state",
    "createdTime",
    "lastModifiedTime",
] as const;

// -- what is allowed -------------------------------------------------------------------------------------------------

const MOST_CERTIFICATES = 16;
const MOST_CERTIFICATE_BYTES = 32 * 1024;
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g;

function certificatesOf(pem: string): string[] {
    return [...pem.matchAll(PEM_BLOCK)].map(([, base64 = ""]) => base64.replace(/\s/g, ""));
}

function refuseCertificates(pem: string): string | undefined {
    const certificates = certificatesOf(pem);
    if (certificates.length === 0 || pem.replace(PEM_BLOCK, "").includes("-----")) {
        return "has to be certificates in PEM (-----BEGIN CERTIFICATE-----), and could not be read as such.";
    }
    if (certificates.length > MOST_CERTIFICATES || Buffer.byteLength(pem) > MOST_CERTIFICATE_BYTES) {
        return (
            `may have at most ${MOST_CERTIFICATES} certificates and ${MOST_CERTIFICATE_BYTES} bytes, ` +
            `and has ${certificates.length} and ${Buffer.byteLength(pem)}.`
        );
    }
    for (const [index, base64] of certificates.entries()) {
        let certificate: X509Certificate;
        try {
            certificate = new X509Certificate(Buffer.from(base64, "base64"));
        } catch {
            return `has a certificate that cannot be parsed: number ${index + 1} of ${certificates.length}.`;
        }
        if (!certificate.ca) {
            return (
                `has to be certificates of authorities (X.509 v3 with CA:true), and number ${index + 1} ` +
                `(${certificate.subject.replace(/\n/g, ", ")}) is none.`
            );
        }
    }
    return undefined;
}

const tag = shape({ min: 1, max: 63, pattern: /^[a-z0-9._@-]+$/, is: "1 to 63 characters of a-z 0-9 . _ @ -" });
const attributeName = shape({
    min: 1,
    max: 64,
    pattern: /^[A-Za-z][A-Za-z0-9_-]*$/,
    is: "1 to 64 letters, digits, - and _, a letter first",
});

const metadataValues = set(text());
/** What counts as encrypted where nothing is said of it: a server may show that as well as nothing. */
const orEncrypted = (values: unknown) => (Array.isArray(values) && values.length === 0 ? ["binary/encrypted"] : values);

const fields = {
    name: text({
        replace: true,
        refuse: shape({
            min: 2,
            max: 39,
            pattern: /^[a-z][a-z0-9-]*[a-z0-9]$/,
            is: "2 to 39 small letters, digits and hyphens, a letter first and no hyphen last",
        }),
    }),
    regions: {
        ...list(text({ refuse: shape({ min: 1, is: "the id of a region" }) }), {
            required: true,
            refuse: (regions: string[]) =>
                regions.length === 0
                    ? "has to name at least one region, for example aws-us-east-1."
                    : new Set(regions).size < regions.length
                      ? "names a region twice."
                      : undefined,
        }),
        // Of the passive regions, none comes before another.
        equal: (left: unknown, right: unknown) =>
            Array.isArray(left) &&
            Array.isArray(right) &&
            left.length === right.length &&
            left[0] === right[0] &&
            left.every((region) => right.includes(region)),
    },
    retentionDays: integer({ min: 1, max: 90, reset: 30 }),
    mtlsAuth: object({
        acceptedClientCa: text({
            required: true,
            refuse: refuseCertificates,
            normalise: (pem) => certificatesOf(pem).sort().join() || pem.trim(),
        }),
        certificateFilters: set(
            whole(
                {
                    commonName: text(),
                    organization: text(),
                    organizationalUnit: text(),
                    subjectAlternativeName: text(),
                },
                {
                    refuse: (filter: Bag) =>
                        Object.values(filter).some((value) => value !== "") ? undefined : "has to match something.",
                },
            ),
        ),
    }),
    apiKeyAuth: flag(),
    searchAttributes: {
        ...map(choice(searchAttributeTypes.words), { key: attributeName }),
        // What the API cannot delete does not have to go.
        satisfies: (live: unknown, value: unknown) =>
            isBag(live) && isBag(value) && Object.entries(value).every(([name, type]) => live[name] === type),
    },
    searchAttributeRenames: map(text(), { programOnly: true }),
    codecServer: object({
        endpoint: text({
            required: true,
            refuse: shape({ pattern: /^https:\/\/[^\s/]+\S*$/, is: "an https:// address" }),
        }),
        passAccessToken: flag(),
        includeCrossOriginCredentials: flag(),
        customErrorMessage: object({ message: text(), link: text() }),
    }),
    deleteProtection: flag(),
    highAvailability: object({ disableManagedFailover: flag(), disablePassivePollerForwarding: flag() }),
    connectivityRuleIds: set(text()),
    capacity: whole(
        {
            mode: choice(["on_demand", "provisioned"], { required: true }),
            value: number({ refuse: (value) => (value > 0 ? undefined : `has to be above 0, and is ${value}.`) }),
        },
        {
            reset: { mode: "on_demand" },
            refuse: ({ mode, value }: Bag) =>
                (mode === "provisioned") === (value !== undefined)
                    ? undefined
                    : "has a `value` with the mode provisioned, and none with on_demand.",
        },
    ),
    taskQueueFairness: flag(),
    encryptionValidation: object({
        mode: choice(encryptionValidationModes.words, { reset: "disabled" }),
        metadataKey: text({ normalise: (key) => key || "encoding" }),
        metadataValues: {
            ...metadataValues,
            equal: (left: unknown, right: unknown) => metadataValues.equal(orEncrypted(left), orEncrypted(right)),
        },
        inspectHeader: flag(),
        inspectFailure: flag(),
    }),
    description: text({
        refuse: shape({ max: 255, pattern: /^[\x20-\x7e]*$/, is: "at most 255 printable ASCII characters" }),
    }),
    tags: map(text({ refuse: tag }), {
        key: tag,
        refuse: (tags: Bag) => (Object.keys(tags).length > 10 ? "may have at most 10 tags." : undefined),
    }),
    projectId: text({ reset: undefined }),
};

function check(args: Bag, old: Bag | undefined, report: Report, adopting: boolean): void {
    const lets = (bag: Bag | undefined) =>
        bag?.apiKeyAuth === UNKNOWN || bag?.apiKeyAuth === true || bag?.mtlsAuth !== undefined;
    if (!lets(args) && (old === undefined ? !adopting : lets(old))) {
        report("apiKeyAuth", "or `mtlsAuth` has to be given, or nobody could get in.");
    }
    checkSearchAttributes(args, old, report);
}

function checkSearchAttributes(args: Bag, old: Bag | undefined, report: Report): void {
    const attributes = isBag(args.searchAttributes) ? args.searchAttributes : {};
    const before = isBag(old?.searchAttributes) ? old.searchAttributes : {};
    const renames = isBag(args.searchAttributeRenames) ? args.searchAttributeRenames : {};
    for (const [newName, oldName] of Object.entries(renames)) {
        if (args.searchAttributes !== UNKNOWN && own(attributes, newName) === undefined) {
            report(`searchAttributeRenames["${newName}"]`, "has to be in `searchAttributes` too: it is the new name.");
        }
        if (typeof oldName === "string" && own(attributes, oldName) !== undefined) {
            report(
                `searchAttributeRenames["${newName}"]`,
                `renames ${JSON.stringify(oldName)}, which is still in \`searchAttributes\`.`,
            );
        }
    }
    // A namespace of another name is made anew, with whatever types.
    const isKept = old?.name === undefined || old.name === args.name;
    for (const [name, type] of Object.entries(isKept ? attributes : {})) {
        const renamed = own(renames, name);
        const was = own(before, name) ?? (typeof renamed === "string" ? own(before, renamed) : undefined);
        if (type !== UNKNOWN && was !== undefined && was !== UNKNOWN && was !== type) {
            report(
                `searchAttributes["${name}"]`,
                `is of the type ${was}, and Temporal Cloud cannot change that to ${type}. Add an ` +
                    "attribute of another name. If it was never made, because an `up` failed, run `pulumi refresh` first.",
            );
        }
    }
}

function warnings(old: Bag, args: Bag, wasManaged: ReadonlySet<string>): string[] {
    const managed = wasManaged.has("searchAttributes") ? old.searchAttributes : undefined;
    const before = isBag(managed) ? Object.keys(managed) : [];
    const attributes = isBag(args.searchAttributes) ? args.searchAttributes : {};
    const renamed = isBag(args.searchAttributeRenames) ? Object.values(args.searchAttributeRenames) : [];
    if (args.searchAttributes === UNKNOWN || args.searchAttributeRenames === UNKNOWN) {
        return [];
    }
    return before
        .filter((name) => own(attributes, name) === undefined && !renamed.includes(name))
        .map(
            (name) =>
                `The search attribute ${JSON.stringify(name)} stays in Temporal Cloud: the API cannot delete one.`,
        );
}

// -- to and from the wire --------------------------------------------------------------------------------------------

type Values = pulumi.Unwrap<Omit<NamespaceArgs, "adopt">>;

function see(namespace: LiveNamespace) {
    const spec = namespace.spec ?? emptySpec();
    return {
        args: {
            name: spec.name,
            regions: regionsOf(namespace),
            retentionDays: spec.retentionDays,
            ...(spec.mtlsAuth?.enabled && spec.mtlsAuth.acceptedClientCa.length > 0
                ? { mtlsAuth: seeMtlsAuth(spec.mtlsAuth) }
                : {}),
            apiKeyAuth: spec.apiKeyAuth?.enabled ?? false,
            searchAttributes: Object.fromEntries(
                Object.entries(spec.searchAttributes).map(([name, type]) => [
                    name,
                    searchAttributeTypes.fromWire(type) ?? (String(type) as SearchAttributeType),
                ]),
            ),
            ...(spec.codecServer?.endpoint ? { codecServer: seeCodecServer(spec.codecServer) } : {}),
            deleteProtection: spec.lifecycle?.enableDeleteProtection ?? false,
            highAvailability: {
                disableManagedFailover: spec.highAvailability?.disableManagedFailover ?? false,
                disablePassivePollerForwarding: spec.highAvailability?.disablePassivePollerForwarding ?? false,
            },
            connectivityRuleIds: spec.connectivityRuleIds,
            capacity: seeCapacity(namespace),
            taskQueueFairness: spec.fairness?.taskQueueFairnessEnabled ?? false,
            ...seeEncryptionValidation(spec.encryptionValidation),
            description: spec.description,
            tags: namespace.tags,
            ...(namespace.projectId ? { projectId: namespace.projectId } : {}),
        } satisfies Partial<Values>,
        outputs: {
            endpoints: {
                webAddress: namespace.endpoints?.webAddress ?? "",
                grpcAddress: namespace.endpoints?.grpcAddress ?? "",
                mtlsGrpcAddress: namespace.endpoints?.mtlsGrpcAddress ?? "",
            },
            activeRegion: namespace.activeRegion,
            replicas: namespace.replicas.map(({ id, region, isPrimary, state }) => ({
                id,
                region,
                isPrimary,
                state: (messages.namespace.Replica_ReplicaState[state] ?? String(state))
                    .replace("REPLICA_STATE_", "")
                    .toLowerCase(),
            })),
            limits: { actionsPerSecondLimit: namespace.limits?.actionsPerSecondLimit ?? 0 },
            capacityStatus: seeCapacityStatus(namespace.capacity),
            state: stateWord(namespace.state),
            createdTime: fromTimestamp(namespace.createdTime),
            lastModifiedTime: fromTimestamp(namespace.lastModifiedTime),
        },
    };
}

const emptySpec = () => messages.namespace.NamespaceSpec.fromPartial({});

/** Whether they are the same regions, whichever is active. */
function areSame(live: readonly string[], wanted: readonly string[]): boolean {
    return live.length === wanted.length && wanted.every((region) => live.includes(region));
}

/** The active region first, then the others as the server lists them. */
function regionsOf({ spec, activeRegion }: LiveNamespace): string[] {
    const regions = spec?.replicas.map(({ region }) => region) ?? [];
    return regions.includes(activeRegion)
        ? [activeRegion, ...regions.filter((region) => region !== activeRegion)]
        : regions;
}

function seeMtlsAuth({ acceptedClientCa, certificateFilters }: MtlsAuthSpec) {
    return {
        acceptedClientCa: acceptedClientCa.toString("utf8"),
        certificateFilters: certificateFilters.map((filter) =>
            Object.fromEntries(FILTER_PARTS.flatMap((part) => (filter[part] === "" ? [] : [[part, filter[part]]]))),
        ),
    };
}

const FILTER_PARTS = ["commonName", "organization", "organizationalUnit", "subjectAlternativeName"] as const;

function seeCodecServer({
    endpoint,
    passAccessToken,
    includeCrossOriginCredentials,
    customErrorMessage,
}: CodecServerSpec) {
    const { message = "", link = "" } = customErrorMessage?.default ?? {};
    return {
        endpoint,
        passAccessToken,
        includeCrossOriginCredentials,
        ...(message || link ? { customErrorMessage: { message, link } } : {}),
    };
}

function seeEncryptionValidation(spec: EncryptionValidationSpec | undefined) {
    if (
        spec === undefined ||
        isDeepStrictEqual({ ...spec, _unknownFields: {} }, messages.namespace.EncryptionValidationSpec.fromPartial({}))
    ) {
        return {};
    }
    const { metadataKey, metadataValues, inspectHeader, inspectFailure } = spec;
    const mode = encryptionValidationModes.fromWire(spec.mode);
    return {
        encryptionValidation: { ...(mode ? { mode } : {}), metadataKey, metadataValues, inspectHeader, inspectFailure },
    };
}

type CapacityValues = pulumi.Unwrap<CapacityArgs>;

function fromCapacitySpec(spec: CapacitySpec | undefined): CapacityValues | undefined {
    switch (spec?.spec?.$case) {
        case "provisioned":
            return { mode: "provisioned", value: spec.spec.value.value };
        case "onDemand":
            return { mode: "on_demand" };
        default:
            return undefined;
    }
}

function currentCapacity(capacity: Capacity | undefined): CapacityValues {
    return capacity?.currentMode?.$case === "provisioned"
        ? { mode: "provisioned", value: capacity.currentMode.value.currentValue }
        : { mode: "on_demand" };
}

/** What was asked for last, unless that came to nothing. */
function seeCapacity({ capacity }: LiveNamespace): CapacityValues {
    const request = capacity?.latestRequest;
    return (hasFailed(request) ? undefined : fromCapacitySpec(request?.spec)) ?? currentCapacity(capacity);
}

function hasFailed(request: Capacity["latestRequest"]): boolean {
    return request?.state === messages.namespace.Capacity_Request_State.STATE_CAPACITY_REQUEST_FAILED;
}

function seeCapacityStatus(capacity: Capacity | undefined): NamespaceCapacityStatus {
    const request = capacity?.latestRequest;
    return {
        ...currentCapacity(capacity),
        ...(request
            ? {
                  latestRequest: {
                      state: (messages.namespace.Capacity_Request_State[request.state] ?? String(request.state))
                          .replace("STATE_CAPACITY_REQUEST_", "")
                          .toLowerCase(),
                      ...fromCapacitySpec(request.spec),
                  },
              }
            : {}),
    };
}

/**
 * The spec that these values make of a spec. The deprecated fields that mirror a living one are left out, so that the
 * two cannot disagree. Replicas and capacity change by steps of their own.
 */
function toSpec(values: Values, base: NamespaceSpec): NamespaceSpec {
    const { encryptionValidation, highAvailability } = values;
    return {
        ...base,
        regions: [],
        customSearchAttributes: {},
        name: values.name ?? base.name,
        retentionDays: values.retentionDays ?? 30,
        mtlsAuth: toMtlsAuth(values.mtlsAuth, base.mtlsAuth),
        apiKeyAuth: lay(base.apiKeyAuth, messages.namespace.ApiKeyAuthSpec.fromPartial({}), {
            enabled: values.apiKeyAuth ?? false,
        }),
        searchAttributes: {
            ...base.searchAttributes,
            ...Object.fromEntries(
                Object.entries(values.searchAttributes ?? {}).map(([name, type]) => [
                    name,
                    searchAttributeTypes.toWire(type),
                ]),
            ),
        },
        codecServer: toCodecServer(values.codecServer, base.codecServer),
        lifecycle: lay(base.lifecycle, messages.namespace.LifecycleSpec.fromPartial({}), {
            enableDeleteProtection: values.deleteProtection ?? false,
        }),
        highAvailability: lay(base.highAvailability, messages.namespace.HighAvailabilitySpec.fromPartial({}), {
            disableManagedFailover: highAvailability?.disableManagedFailover ?? false,
            disablePassivePollerForwarding: highAvailability?.disablePassivePollerForwarding ?? false,
        }),
        connectivityRuleIds: values.connectivityRuleIds ?? [],
        fairness: lay(base.fairness, messages.namespace.FairnessSpec.fromPartial({}), {
            taskQueueFairnessEnabled: values.taskQueueFairness ?? false,
        }),
        encryptionValidation: lay(
            base.encryptionValidation,
            messages.namespace.EncryptionValidationSpec.fromPartial({}),
            {
                // A mode that was never set means disabled, and is left like that: to a server, to say so may be no change.
                mode: encryptionValidationModes.toWire(
                    encryptionValidation?.mode === "disabled" && !base.encryptionValidation?.mode
                        ? undefined
                        : encryptionValidation?.mode,
                ),
                metadataKey: encryptionValidation?.metadataKey ?? "",
                metadataValues: encryptionValidation?.metadataValues ?? [],
                inspectHeader: encryptionValidation?.inspectHeader ?? false,
                inspectFailure: encryptionValidation?.inspectFailure ?? false,
            },
        ),
        description: values.description ?? "",
    };
}

function toMtlsAuth(values: Values["mtlsAuth"], base: MtlsAuthSpec | undefined): MtlsAuthSpec | undefined {
    const before = base && { ...base, acceptedClientCaDeprecated: "" };
    if (values?.acceptedClientCa) {
        // Those that the program does not manage can be hidden while mTLS is off.
        const filters = values.certificateFilters ?? before?.certificateFilters ?? [];
        const unchanged = before && before.certificateFilters.length === filters.length;
        return {
            ...(before ?? messages.namespace.MtlsAuthSpec.fromPartial({})),
            enabled: true,
            acceptedClientCa:
                before?.acceptedClientCa.toString("utf8") === values.acceptedClientCa
                    ? before.acceptedClientCa
                    : Buffer.from(values.acceptedClientCa, "utf8"),
            certificateFilters: filters.map((filter, index) => ({
                ...((unchanged && before.certificateFilters[index]) ||
                    messages.namespace.CertificateFilterSpec.fromPartial({})),
                ...Object.fromEntries(FILTER_PARTS.map((part) => [part, filter[part] ?? ""])),
            })),
        };
    }
    return before?.enabled && before.acceptedClientCa.length > 0
        ? { ...before, enabled: false, acceptedClientCa: Buffer.alloc(0), certificateFilters: [] }
        : before;
}

function toCodecServer(values: Values["codecServer"], base: CodecServerSpec | undefined): CodecServerSpec | undefined {
    const codec = values?.endpoint ? values : undefined;
    if (codec === undefined && !base?.endpoint) {
        return base;
    }
    return lay(base, messages.namespace.CodecServerSpec.fromPartial({}), {
        endpoint: codec?.endpoint ?? "",
        passAccessToken: codec?.passAccessToken ?? false,
        includeCrossOriginCredentials: codec?.includeCrossOriginCredentials ?? false,
        // Without a codec server, not even an empty one.
        customErrorMessage:
            codec &&
            lay(base?.customErrorMessage, messages.namespace.CodecServerSpec_CustomErrorMessage.fromPartial({}), {
                default: lay(
                    base?.customErrorMessage?.default,
                    messages.namespace.CodecServerSpec_CustomErrorMessage_ErrorMessage.fromPartial({}),
                    {
                        message: codec.customErrorMessage?.message ?? "",
                        link: codec.customErrorMessage?.link ?? "",
                    },
                ),
            }),
    });
}

function toCapacitySpec(values: CapacityValues): CapacitySpec {
    return messages.namespace.CapacitySpec.fromPartial({
        spec:
            values.mode === "provisioned"
                ? { $case: "provisioned", value: { value: values.value } }
                : { $case: "onDemand", value: {} },
    });
}

// -- what is to be done ----------------------------------------------------------------------------------------------

function next(namespace: LiveNamespace, desired: Desired<Values>): Call | Wait | undefined {
    return (
        rename(namespace, desired.args) ??
        // The connectivity rules that are wanted are those of the project that it moves to.
        move(namespace, desired) ??
        changeSpec(namespace, desired.args) ??
        changeTags(namespace, desired.args) ??
        changeRegions(namespace, desired) ??
        changeCapacity(namespace, desired)
    );
}

function updateSpec({ namespace, resourceVersion }: LiveNamespace, purpose: string, spec: NamespaceSpec): Call {
    return {
        purpose,
        send: (cloud, asyncOperationId, options) =>
            cloud.updateNamespace({ namespace, spec, resourceVersion, asyncOperationId }, options),
    };
}

function rename({ namespace, spec, resourceVersion }: LiveNamespace, args: Values): Call | undefined {
    const there = spec?.searchAttributes ?? {};
    const due = Object.entries(args.searchAttributeRenames ?? {}).find(
        ([newName, oldName]) => own(there, newName) === undefined && own(there, oldName) !== undefined,
    );
    if (!due) {
        return undefined;
    }
    const [newCustomSearchAttributeName, existingCustomSearchAttributeName] = due;
    return {
        purpose: `renaming the search attribute ${existingCustomSearchAttributeName} to ${newCustomSearchAttributeName}`,
        send: (cloud, asyncOperationId, options) =>
            cloud.renameCustomSearchAttribute(
                {
                    namespace,
                    existingCustomSearchAttributeName,
                    newCustomSearchAttributeName,
                    resourceVersion,
                    asyncOperationId,
                },
                options,
            ),
    };
}

function changeSpec(namespace: LiveNamespace, args: Values): Call | undefined {
    const live = namespace.spec ?? emptySpec();
    const spec = toSpec(args, live);
    const asItIs = toSpec(see(namespace).args, live);
    return isDeepStrictEqual(spec, asItIs) ? undefined : updateSpec(namespace, "updating", spec);
}

function changeTags({ namespace, tags: there }: LiveNamespace, { tags = {} }: Values): Call | undefined {
    const tagsToUpsert = Object.fromEntries(Object.entries(tags).filter(([key, value]) => own(there, key) !== value));
    const tagsToRemove = Object.keys(there).filter((key) => own(tags, key) === undefined);
    if (Object.keys(tagsToUpsert).length === 0 && tagsToRemove.length === 0) {
        return undefined;
    }
    return {
        purpose: "changing the tags",
        send: (cloud, asyncOperationId, options) =>
            cloud.updateNamespaceTags({ namespace, tagsToUpsert, tagsToRemove, asyncOperationId }, options),
    };
}

function move(live: LiveNamespace, { args, managed }: Desired<Values>): Call | undefined {
    const { namespace, projectId, resourceVersion } = live;
    const destinationProjectId = args.projectId;
    if (!destinationProjectId || destinationProjectId === projectId) {
        return undefined;
    }
    const destinationConnectivityRules = rulesOfDestination(live, args, managed);
    return {
        purpose: `moving to the project ${destinationProjectId}`,
        send: (cloud, asyncOperationId, options) =>
            cloud.moveNamespaceToProject(
                {
                    namespace,
                    destinationProjectId,
                    expectedSourceProjectId: projectId,
                    resourceVersion,
                    asyncOperationId,
                    destinationConnectivityRules,
                },
                options,
            ),
    };
}

/** Which connectivity rules count after a move: the API wants that said where there are any, since rules belong to a project. */
function rulesOfDestination(
    { spec }: LiveNamespace,
    { connectivityRuleIds = [] }: Values,
    managed: ReadonlySet<string>,
): MoveNamespaceToProjectRequest["destinationConnectivityRules"] {
    const there = spec?.connectivityRuleIds ?? [];
    if (there.length > 0 && !managed.has("connectivityRuleIds") && isDeepStrictEqual(connectivityRuleIds, there)) {
        throw new Error(
            `Its connectivity rules (${there.join(", ")}) belong to the project that it is to leave. Declare ` +
                "`connectivityRuleIds`: rules of the new project, or [] to let every network in.",
        );
    }
    if (connectivityRuleIds.length > 0) {
        return { $case: "ruleIds", value: { connectivityRuleIds } };
    }
    return there.length > 0 ? { $case: "unrestricted", value: {} } : undefined;
}

/** The first of the steps from the regions that there are to the ones that are wanted. */
function changeRegions(namespace: LiveNamespace, { args, changed }: Desired<Values>): Call | Wait | undefined {
    const { activeRegion, replicas } = namespace;
    const live = regionsOf(namespace);
    const [primary, ...passive] = args.regions;
    if (primary === undefined) {
        return undefined;
    }
    const wanted = [primary, ...passive];
    if (live[0] === primary && areSame(live, wanted)) {
        return undefined;
    }
    const moving = replicas.find(
        ({ state }) =>
            state === messages.namespace.Replica_ReplicaState.REPLICA_STATE_ADDING ||
            state === messages.namespace.Replica_ReplicaState.REPLICA_STATE_REMOVING,
    );
    if (moving) {
        return { purpose: `waiting for the replica in ${moving.region}`, operationId: undefined };
    }
    // Temporal, or somebody, may have failed over for a reason, and a region that was removed cannot come back for seven
    // days: only a program that changed, or a drift that was shown, does anything about either.
    if (!changed.has("regions")) {
        return undefined;
    }
    if (live.includes(primary) && activeRegion !== primary) {
        return failOver(namespace, primary);
    }
    const missing = wanted.find((region) => !live.includes(region));
    const surplus = live.find((region) => region !== activeRegion && !wanted.includes(region));
    // A namespace has two regions at the most: one has to go before another can come.
    if (surplus !== undefined && (missing === undefined || live.length > 1)) {
        return withReplicas(namespace, `removing the region ${surplus}`, (there) =>
            there.filter(({ region }) => region !== surplus),
        );
    }
    const [, standIn] = live;
    if (missing !== undefined && standIn !== undefined && !wanted.includes(activeRegion)) {
        // Only the active one can go, and it cannot go as long as it is that.
        return failOver(namespace, standIn);
    }
    if (missing !== undefined) {
        return withReplicas(namespace, `adding the region ${missing}`, (there) => [
            ...there,
            messages.namespace.ReplicaSpec.fromPartial({ region: missing }),
        ]);
    }
    return undefined;
}

/**
 * A failover, or a region added or removed, that the program does not know of: the update of something else must not undo it
 * unasked, now or by the next.
 */
function leftRegions(namespace: LiveNamespace, { args, changed }: Pick<Desired<Values>, "args" | "changed">) {
    // What is only read may have been described by nobody.
    const regions = args.regions ?? [];
    const [primary] = regions;
    const live = regionsOf(namespace);
    if (primary === undefined || changed.has("regions")) {
        return undefined;
    }
    const surplus = live.filter((region) => !regions.includes(region));
    const missing = regions.filter((region) => !live.includes(region));
    if (surplus.length > 0 || missing.length > 0) {
        const differences = [
            ...(surplus.length > 0 ? [`is in ${surplus.join(", ")} too, which its \`regions\` do not name`] : []),
            ...(missing.length > 0 ? [`is not in ${missing.join(", ")}, which its \`regions\` name`] : []),
        ];
        return {
            values: { regions },
            warning:
                `Namespace ${namespace.namespace} ${differences.join(", and ")}. That is left as it is. \`pulumi up ` +
                "--refresh` sets it back; to keep it, declare what is there.",
        };
    }
    if (live[0] === primary) {
        return undefined;
    }
    return {
        values: { regions },
        warning:
            `Namespace ${namespace.namespace} is active in ${live[0]}, and not in ${primary}, the first of its \`regions\`: ` +
            "Temporal, or somebody, has failed over. That is left as it is. `pulumi up --refresh` fails back; to stay, " +
            `declare ${live[0]} first.`,
    };
}

function failOver({ namespace }: LiveNamespace, region: string): Call {
    return {
        purpose: `failing over to ${region}`,
        send: (cloud, asyncOperationId, options) =>
            cloud.failoverNamespaceRegion({ namespace, region, asyncOperationId }, options),
    };
}

function withReplicas(
    namespace: LiveNamespace,
    purpose: string,
    change: (replicas: ReplicaSpec[]) => ReplicaSpec[],
): Call {
    const live = namespace.spec ?? emptySpec();
    return updateSpec(namespace, purpose, { ...toSpec(see(namespace).args, live), replicas: change(live.replicas) });
}

const SETTING_CAPACITY = "setting the capacity";
const TAKING_BACK_CAPACITY = "taking back the request for capacity that failed";

function changeCapacity(
    namespace: LiveNamespace,
    { args, managed, changed, made }: Desired<Values>,
): Call | Wait | undefined {
    if (!args.capacity || !(managed.has("capacity") || changed.has("capacity"))) {
        return undefined;
    }
    const request = namespace.capacity?.latestRequest;
    if (request?.state === messages.namespace.Capacity_Request_State.STATE_CAPACITY_REQUEST_IN_PROGRESS) {
        return { purpose: "waiting for the capacity", operationId: request.asyncOperationId || undefined };
    }
    if (isDeepStrictEqual(seeCapacity(namespace), args.capacity)) {
        return undefined;
    }
    const failed = hasFailed(request);
    if (made.has(SETTING_CAPACITY) && failed) {
        throw new Error(
            "Temporal Cloud could not provide the capacity: its latest request failed. Ask for less, or for it later.",
        );
    }
    const live = namespace.spec ?? emptySpec();
    // A request that failed stays in the spec, where the same again would be no change.
    const takesBack =
        failed &&
        !made.has(TAKING_BACK_CAPACITY) &&
        isDeepStrictEqual(fromCapacitySpec(live.capacitySpec), args.capacity);
    return updateSpec(namespace, takesBack ? TAKING_BACK_CAPACITY : SETTING_CAPACITY, {
        ...toSpec(see(namespace).args, live),
        capacitySpec: toCapacitySpec(takesBack ? currentCapacity(namespace.capacity) : args.capacity),
    });
}

/**
 * How a Namespace maps onto the Cloud Ops API.
 *
 * @internal
 */
export const namespaceDefinition: Definition<Values, LiveNamespace> = {
    kind: "Namespace",
    fields,
    nameField: "name",
    naturalKey: ({ name }) => name,
    idRecurs: true,
    check,
    warnings,
    deleteHint: ({ spec }) =>
        spec?.lifecycle?.enableDeleteProtection
            ? "It is protected: set `deleteProtection: false`, run `pulumi up`, then delete it. If it has been replaced " +
              "already, take its protection away by `tcld` or in the web interface: the next `pulumi up` deletes it."
            : undefined,
    async create(cloud, args, { operationId, signal }) {
        const { namespace, asyncOperation } = await cloud.createNamespace(
            {
                spec: { ...toSpec(args, emptySpec()), replicas: args.regions.map((region) => ({ region })) },
                tags: args.tags ?? {},
                projectId: args.projectId ?? "",
                asyncOperationId: operationId,
            },
            { signal },
        );
        return { id: namespace, asyncOperation };
    },
    async get(cloud, id, options) {
        return (await cloud.getNamespace({ namespace: id }, options)).namespace;
    },
    async list(cloud, pageToken, options) {
        const { namespaces, nextPageToken } = await cloud.getNamespaces({ pageSize: PAGE_SIZE, pageToken }, options);
        return { items: namespaces, nextPageToken };
    },
    async find(cloud, name, options) {
        const { namespaces } = await cloud.getNamespaces({ name, pageSize: PAGE_SIZE }, options);
        return namespaces.find((namespace) => namespace.spec?.name === name && !isGone(namespace));
    },
    idOf: ({ namespace }) => namespace,
    see,
    next,
    left: leftRegions,
    delete: (cloud, namespace, resourceVersion, asyncOperationId, options) =>
        cloud.deleteNamespace({ namespace, resourceVersion, asyncOperationId }, options),
};
