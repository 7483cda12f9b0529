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
import type { CallOptions } from "../client/client";
import type { Page } from "../client/source";
import type { Cloud, Definition, Desired, Wait, Write } from "../definition";
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
    resourceId,
    set,
    shape,
    suggestion,
    text,
    UNKNOWN,
    whole,
} from "../fields";
import { messages } from "../messages";
import type { AdoptArgs } from "../resource";
import { propertiesOf, Resource } from "../resource";
import { changedSpec, LIVE_OUTPUTS, liveOutputs, overlayMessage, PAGE_SIZE } from "../wire";

/**
 * Arguments of a Namespace. Changes are made in place unless noted. A field removed from the program is reset:
 * `deleteProtection` to false, `retentionDays` to 30, `tags` and `connectivityRuleIds` to none, `apiKeyAuth` and
 * `mtlsAuth` to off (one of the two must stay).
 */
export interface NamespaceArgs extends AdoptArgs {
    /**
     * The name, unique in the account: 2 to 39 lowercase letters, digits and hyphens, starting with a letter and not
     * ending with a hyphen. Defaults to the logical name at creation; an alias does not rename it. Changing it replaces
     * the namespace (create, then delete), and its workflows are lost.
     */
    name?: pulumi.Input<string | undefined> | undefined;
    /**
     * The regions, the active one first, for example `aws-us-east-1`; `getRegions` lists them. Changes are made in
     * place, step by step: a region is added, failed over to, removed; none is changed if one of them does not exist.
     * Temporal Cloud allows at most two, on the same continent; where a region offers a second replica, list it twice.
     * A removed region can be added again after seven days; the second replica costs extra. Adopting a namespace with
     * other regions is an error.
     * https://docs.temporal.io/cloud/high-availability/enable
     *
     * A failover by Temporal, or a region added or removed outside the program, is left unchanged until a refresh has
     * detected it; the next `up`, or `up --refresh`, reverts it. To keep it, declare the current regions, the active
     * one first.
     */
    regions: pulumi.Input<pulumi.Input<string>[]>;
    /** Days for which closed workflows are retained, 1 to 90. Default 30. https://docs.temporal.io/cloud/limits */
    retentionDays?: pulumi.Input<number | undefined> | undefined;
    /** Authenticates clients by certificate (mTLS). This or `apiKeyAuth` is required. */
    mtlsAuth?: pulumi.Input<MtlsAuthArgs | undefined> | undefined;
    /**
     * Authenticates clients by API key. This or `mtlsAuth` is required; Temporal Support has to enable both at once.
     * Default false.
     */
    apiKeyAuth?: pulumi.Input<boolean | undefined> | undefined;
    /**
     * Custom search attributes: name, of at most 64 characters, and type. The API can add and rename them, but not delete them or change their
     * type: removing one from the program gives a warning, and the attribute stays; changing a type is an error.
     */
    searchAttributes?: pulumi.Input<{ [name: string]: pulumi.Input<SearchAttributeType> } | undefined> | undefined;
    /** Renames of search attributes: new name (also listed in `searchAttributes`) to old name. May stay once done. */
    searchAttributeRenames?: pulumi.Input<{ [newName: string]: pulumi.Input<string> } | undefined> | undefined;
    /** Codec server with which the Temporal UI decodes payloads. */
    codecServer?: pulumi.Input<CodecServerArgs | undefined> | undefined;
    /** Makes Temporal Cloud refuse to delete the namespace, whoever asks. Default false. */
    deleteProtection?: pulumi.Input<boolean | undefined> | undefined;
    /** Failover settings for a namespace with two replicas. */
    highAvailability?: pulumi.Input<HighAvailabilityArgs | undefined> | undefined;
    /** Ids of connectivity rules, in any order. Default none, which allows every network. */
    connectivityRuleIds?: pulumi.Input<pulumi.Input<string>[] | undefined> | undefined;
    /** Capacity mode: on demand (the default) or provisioned. `up` waits until a change has taken effect. */
    capacity?: pulumi.Input<CapacityArgs | undefined> | undefined;
    /** Dispatches the tasks of a task queue fairly among fairness keys, which costs extra. Default false. */
    taskQueueFairness?: pulumi.Input<boolean | undefined> | undefined;
    /** Checks that clients encrypt their payloads. */
    encryptionValidation?: pulumi.Input<EncryptionValidationArgs | undefined> | undefined;
    /** Description: at most 255 printable ASCII characters. Default empty. */
    description?: pulumi.Input<string | undefined> | undefined;
    /** At most 10 tags, authoritative when set; keys and values are 1 to 63 characters of `a-z 0-9 . _ @ -`. */
    tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> } | undefined> | undefined;
    /**
     * Id of the project. Changing it moves the namespace. Defaults to the account's default project at creation; if
     * removed from the program, the namespace stays in its project.
     */
    projectId?: pulumi.Input<string | undefined> | undefined;
}

/** Client authentication by certificate (mTLS). */
export interface MtlsAuthArgs {
    /**
     * CA certificates that sign the clients' certificates, in PEM: at most 16 and 32 KB, each X.509 v3 with CA:true.
     * White space and order are not significant. https://docs.temporal.io/cloud/certificates
     */
    acceptedClientCa: pulumi.Input<string>;
    /** Accepts only client certificates that match one of these filters. Default all. Order is not significant. */
    certificateFilters?: pulumi.Input<pulumi.Input<CertificateFilterArgs>[] | undefined> | undefined;
}

/** Filter for client certificates. All properties that are set must match; at least one is required. */
export interface CertificateFilterArgs {
    /** Common name (CN). */
    commonName?: pulumi.Input<string | undefined> | undefined;
    /** Organization (O). */
    organization?: pulumi.Input<string | undefined> | undefined;
    /** Organizational unit (OU). */
    organizationalUnit?: pulumi.Input<string | undefined> | undefined;
    /** Subject alternative name (SAN). */
    subjectAlternativeName?: pulumi.Input<string | undefined> | undefined;
}

/** A codec server. https://docs.temporal.io/production-deployment/data-encryption */
export interface CodecServerArgs {
    /** An `https://` URL. */
    endpoint: pulumi.Input<string>;
    /** Sends the user's access token to the codec server. Default false. */
    passAccessToken?: pulumi.Input<boolean | undefined> | undefined;
    /** Sends cookies to the codec server. Default false. */
    includeCrossOriginCredentials?: pulumi.Input<boolean | undefined> | undefined;
    /** Error message shown to users when the codec server fails. */
    customErrorMessage?: pulumi.Input<CustomErrorMessageArgs | undefined> | undefined;
}

/** Error message shown to users when the codec server fails. */
export interface CustomErrorMessageArgs {
    /** The message text. */
    message?: pulumi.Input<string | undefined> | undefined;
    /** URL of further information. */
    link?: pulumi.Input<string | undefined> | undefined;
}

/** Failover settings for a namespace with two replicas. */
export interface HighAvailabilityArgs {
    /** Disables automatic failover by Temporal. Default false. */
    disableManagedFailover?: pulumi.Input<boolean | undefined> | undefined;
    /** Stops forwarding polls in a passive region to the active one. Default false. */
    disablePassivePollerForwarding?: pulumi.Input<boolean | undefined> | undefined;
}

/** Capacity mode. https://docs.temporal.io/cloud/capacity-modes */
export type CapacityArgs =
    | { mode: pulumi.Input<typeof CapacityMode.OnDemand> }
    | {
          mode: pulumi.Input<typeof CapacityMode.Provisioned>;
          /** Temporal Resource Units (TRUs). The server decides which numbers it accepts, such as 2, 4 or 6. */
          value: pulumi.Input<number>;
      };

/** Checks that clients encrypt their payloads. */
export interface EncryptionValidationArgs {
    /** How requests with unencrypted payloads are handled. Default `disabled`. */
    mode?: pulumi.Input<EncryptionValidationMode | undefined> | undefined;
    /** Key in a payload's metadata that holds its encoding. Default `encoding`. */
    metadataKey?: pulumi.Input<string | undefined> | undefined;
    /** Values of that key that count as encrypted. Default `binary/encrypted`. Order is not significant. */
    metadataValues?: pulumi.Input<pulumi.Input<string>[] | undefined> | undefined;
    /** Also checks payloads in workflow headers. Default false. */
    inspectHeader?: pulumi.Input<boolean | undefined> | undefined;
    /** Also checks messages and stack traces of failures. Default false. */
    inspectFailure?: pulumi.Input<boolean | undefined> | undefined;
}

/** Addresses of a Namespace. https://docs.temporal.io/cloud/namespaces#access-namespaces */
export interface NamespaceEndpoints {
    /** URL in the Temporal Cloud UI. */
    readonly webAddress: string;
    /**
     * `host:port` for clients with an API key. May be empty while `apiKeyAuth` is off. A regional address, such as
     * `us-east-1.aws.api.temporal.io:7233`, does not follow a failover to another region; Temporal recommends
     * `name.account.tmprl.cloud:7233`, which does.
     */
    readonly grpcAddress: string;
    /** `host:port` for clients with a certificate. May be empty while `mtlsAuth` is not set. */
    readonly mtlsGrpcAddress: string;
}

/** A replica of a Namespace in one region. */
export interface NamespaceReplica {
    /** Its id. */
    readonly id: string;
    /** Its region, for example `aws-us-east-1`. */
    readonly region: string;
    /** Whether it is the active one. */
    readonly isPrimary: boolean;
    /** The state: `adding`, `active`, `removing` or `failed`. */
    readonly state: string;
}

/** The capacity in effect, and the latest capacity request. */
export interface NamespaceCapacityStatus {
    readonly mode: CapacityMode;
    /** Temporal Resource Units (TRUs). */
    readonly value?: number;
    readonly latestRequest?: {
        /** The state of the request: `in_progress`, `completed` or `failed`. */
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
 * The id is `name.account`. To adopt an existing namespace, use the option `import: "name.account"`, or `adopt: true`.
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
    /** Addresses for clients and the Temporal Cloud UI. */
    declare public readonly endpoints: pulumi.Output<NamespaceEndpoints>;
    /** The active region. After a failover by Temporal it differs from the first of the declared `regions`. */
    declare public readonly activeRegion: pulumi.Output<string>;
    /** The replicas of the namespace. */
    declare public readonly replicas: pulumi.Output<NamespaceReplica[]>;
    /** Limits of the namespace: the actions per second that it may perform. */
    declare public readonly limits: pulumi.Output<{ readonly actionsPerSecondLimit: number }>;
    /** The capacity in effect, and the latest capacity request. */
    declare public readonly capacityStatus: pulumi.Output<NamespaceCapacityStatus>;
    /** The state: `active`, `updating` and so on. */
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
        super(namespaceDefinition, PROPERTIES, name, args, opts);
    }

    /** Reads an existing Namespace without managing it. The id is `name.account`. */
    static get(name: string, id: pulumi.Input<pulumi.ID>, opts?: pulumi.CustomResourceOptions): Namespace {
        return new Namespace(name, undefined, { ...opts, id });
    }

    /** Whether a value is a Namespace, including one from another copy of this package. */
    static override isInstance(value: unknown): value is Namespace {
        return Resource.isOfKind(value, "Namespace");
    }
}

const OUTPUTS = [...LIVE_OUTPUTS, "endpoints", "activeRegion", "replicas", "limits", "capacityStatus"] as const;

// -- validation ------------------------------------------------------------------------------------------------------

const MOST_CERTIFICATES = 16;
const MOST_CERTIFICATE_BYTES = 32 * 1024;
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g;

function certificatesOf(pem: string): string[] {
    return [...pem.matchAll(PEM_BLOCK)].map(([, base64 = ""]) => base64.replace(/\s/g, ""));
}

function refuseCertificates(pem: string): string | undefined {
    const certificates = certificatesOf(pem);
    if (certificates.length === 0 || pem.replace(PEM_BLOCK, "").includes("-----")) {
        return "must be certificates in PEM (-----BEGIN CERTIFICATE-----), but could not be read as such.";
    }
    if (certificates.length > MOST_CERTIFICATES || Buffer.byteLength(pem) > MOST_CERTIFICATE_BYTES) {
        return (
            `must have at most ${MOST_CERTIFICATES} certificates and ${MOST_CERTIFICATE_BYTES} bytes, ` +
            `but has ${certificates.length} and ${Buffer.byteLength(pem)}.`
        );
    }
    for (const [index, base64] of certificates.entries()) {
        let certificate: X509Certificate;
        try {
            certificate = new X509Certificate(Buffer.from(base64, "base64"));
        } catch {
            return `contains a certificate that cannot be parsed: number ${index + 1} of ${certificates.length}.`;
        }
        if (!certificate.ca) {
            return (
                `must be CA certificates (X.509 v3 with CA:true), but number ${index + 1} ` +
                `(${certificate.subject.replace(/\n/g, ", ")}) is not one.`
            );
        }
    }
    return undefined;
}

const tag = { min: 1, max: 63, pattern: /^[a-z0-9._@-]+$/, is: "1 to 63 characters of a-z 0-9 . _ @ -" };
const attributeName = shape({
    min: 1,
    max: 64,
    pattern: /^[A-Za-z0-9.,:_/\\@ -]+$/,
    is: "1 to 64 letters, digits, blanks and any of . , : - _ / \\ @",
});

const metadataValues = set(text());
/** The API's default for `metadataValues`, which a server may return explicitly or as an empty list. */
const orEncrypted = (values: unknown) => (Array.isArray(values) && values.length === 0 ? ["binary/encrypted"] : values);

const fields = {
    name: text({
        replace: true,
        refuse: shape({
            min: 2,
            max: 39,
            pattern: /^[a-z][a-z0-9-]*[a-z0-9]$/,
            is: "2 to 39 lowercase letters, digits and hyphens, starting with a letter and not ending with a hyphen",
        }),
    }),
    regions: {
        ...list(text({ refuse: shape({ min: 1, is: "a region id" }) }), {
            required: true,
            adoptAsIs: true,
            refuse: (regions: string[]) =>
                regions.length === 0 ? "must list at least one region, for example aws-us-east-1." : undefined,
        }),
        // The order of the passive regions is not significant.
        equal: (left: unknown, right: unknown) =>
            Array.isArray(left) && Array.isArray(right) && left[0] === right[0] && areSame(left, right),
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
                        Object.values(filter).some((value) => value !== "")
                            ? undefined
                            : "must set at least one property.",
                },
            ),
        ),
    }),
    apiKeyAuth: flag(),
    searchAttributes: {
        ...map(choice(searchAttributeTypes.words), { key: attributeName }),
        // The API cannot delete search attributes, so additional ones are not a difference.
        satisfies: (live: unknown, value: unknown) =>
            isBag(live) && isBag(value) && Object.entries(value).every(([name, type]) => live[name] === type),
        beside: (live: unknown, value: unknown) =>
            isBag(live) && isBag(value)
                ? Object.fromEntries(Object.entries(live).filter(([name]) => Object.hasOwn(value, name)))
                : live,
    },
    searchAttributeRenames: map(text(), { programOnly: true }),
    codecServer: object({
        endpoint: text({
            required: true,
            refuse: shape({ pattern: /^https:\/\/[^\s/]+\S*$/, is: "an https:// URL", isFree: true }),
        }),
        passAccessToken: flag(),
        includeCrossOriginCredentials: flag(),
        customErrorMessage: object({ message: text(), link: text() }),
    }),
    deleteProtection: flag(),
    highAvailability: object({ disableManagedFailover: flag(), disablePassivePollerForwarding: flag() }),
    connectivityRuleIds: set(resourceId()),
    capacity: whole(
        {
            mode: choice(["on_demand", "provisioned"], { required: true }),
            value: number({ refuse: (value) => (value > 0 ? undefined : `must be above 0, but is ${value}.`) }),
        },
        {
            reset: { mode: "on_demand" },
            refuse: ({ mode, value }: Bag) =>
                (mode === "provisioned") === (value !== undefined)
                    ? undefined
                    : "must have a `value` with the mode provisioned, and none with on_demand.",
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
        refuse: shape({
            max: 255,
            pattern: /^[\x20-\x7e]*$/,
            is: "at most 255 printable ASCII characters",
            isFree: true,
        }),
    }),
    tags: map(text({ refuse: shape({ ...tag, isFree: true }) }), {
        key: shape(tag),
        refuse: (tags: Bag) => (Object.keys(tags).length > 10 ? "must have at most 10 tags." : undefined),
    }),
    projectId: resourceId({ reset: undefined }),
};

const PROPERTIES = propertiesOf<Namespace>()(fields, OUTPUTS);

function check(args: Bag, old: Bag | undefined, report: Report, adopting: boolean): void {
    const lets = (bag: Bag | undefined) =>
        bag?.apiKeyAuth === UNKNOWN || bag?.apiKeyAuth === true || bag?.mtlsAuth !== undefined;
    if (!lets(args) && (old === undefined ? !adopting : lets(old))) {
        const declare = old === undefined ? "" : " If the namespace has one that the program does not set, set it.";
        report("apiKeyAuth", `or \`mtlsAuth\` is required: otherwise no client could connect.${declare}`);
    }
    checkSearchAttributes(args, old, report);
}

function checkSearchAttributes(args: Bag, old: Bag | undefined, report: Report): void {
    const attributes = isBag(args.searchAttributes) ? args.searchAttributes : {};
    const before = isBag(old?.searchAttributes) ? old.searchAttributes : {};
    const renames = isBag(args.searchAttributeRenames) ? args.searchAttributeRenames : {};
    for (const [newName, oldName] of Object.entries(renames)) {
        if (args.searchAttributes !== UNKNOWN && own(attributes, newName) === undefined) {
            report(
                `searchAttributeRenames["${newName}"]`,
                "must also be listed in `searchAttributes`: it is the new name.",
            );
        }
        if (typeof oldName === "string" && own(attributes, oldName) !== undefined) {
            report(
                `searchAttributeRenames["${newName}"]`,
                `renames ${JSON.stringify(oldName)}, which is still listed in \`searchAttributes\`.`,
            );
        }
    }
    // A new name replaces the namespace, and the new one may have any types.
    const isKept = old?.name === undefined || old.name === args.name;
    for (const [name, type] of Object.entries(isKept ? attributes : {})) {
        const renamed = own(renames, name);
        const was = own(before, name) ?? (typeof renamed === "string" ? own(before, renamed) : undefined);
        if (type !== UNKNOWN && was !== undefined && was !== UNKNOWN && was !== type) {
            report(
                `searchAttributes["${name}"]`,
                `has the type ${was}, which cannot be changed to ${type}. Add an attribute with another name. If it ` +
                    "was never created, because an `up` failed, run `pulumi refresh` first.",
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

// -- wire format -----------------------------------------------------------------------------------------------------

type Values = pulumi.Unwrap<Omit<NamespaceArgs, "adopt">>;

function fromLive(namespace: LiveNamespace) {
    const spec = namespace.spec ?? emptySpec();
    return {
        args: {
            name: spec.name,
            regions: regionsOf(namespace),
            retentionDays: spec.retentionDays,
            ...(spec.mtlsAuth?.enabled && spec.mtlsAuth.acceptedClientCa.length > 0
                ? { mtlsAuth: fromMtlsAuth(spec.mtlsAuth) }
                : {}),
            apiKeyAuth: spec.apiKeyAuth?.enabled ?? false,
            searchAttributes: Object.fromEntries(
                Object.entries(spec.searchAttributes).map(([name, type]) => [
                    name,
                    searchAttributeTypes.fromWire(type) ?? (String(type) as SearchAttributeType),
                ]),
            ),
            ...(spec.codecServer?.endpoint ? { codecServer: fromCodecServer(spec.codecServer) } : {}),
            deleteProtection: spec.lifecycle?.enableDeleteProtection ?? false,
            highAvailability: {
                disableManagedFailover: spec.highAvailability?.disableManagedFailover ?? false,
                disablePassivePollerForwarding: spec.highAvailability?.disablePassivePollerForwarding ?? false,
            },
            connectivityRuleIds: spec.connectivityRuleIds,
            capacity: fromCapacity(namespace),
            taskQueueFairness: spec.fairness?.taskQueueFairnessEnabled ?? false,
            ...fromEncryptionValidation(spec.encryptionValidation),
            description: spec.description,
            tags: namespace.tags,
            ...(namespace.projectId ? { projectId: namespace.projectId } : {}),
        } satisfies Partial<Values>,
        outputs: {
            ...liveOutputs(namespace),
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
            capacityStatus: fromCapacityStatus(namespace.capacity),
        },
    };
}

const emptySpec = () => messages.namespace.NamespaceSpec.fromPartial({});

/** The list without the others, each of them taken out once: a region with two replicas is listed twice. */
function without(regions: readonly string[], others: readonly string[]): string[] {
    const rest = [...regions];
    for (const other of others) {
        const index = rest.indexOf(other);
        if (index >= 0) {
            rest.splice(index, 1);
        }
    }
    return rest;
}

/** Whether both lists contain the same regions, equally often, in any order. */
function areSame(live: readonly string[], wanted: readonly string[]): boolean {
    return live.length === wanted.length && without(wanted, live).length === 0;
}

/** The active region first, then the others as the server lists them. */
function regionsOf({ spec, activeRegion }: LiveNamespace): string[] {
    const regions = spec?.replicas.map(({ region }) => region) ?? [];
    return regions.includes(activeRegion) ? [activeRegion, ...without(regions, [activeRegion])] : regions;
}

function fromMtlsAuth({ acceptedClientCa, certificateFilters }: MtlsAuthSpec) {
    return {
        acceptedClientCa: acceptedClientCa.toString("utf8"),
        certificateFilters: certificateFilters.map((filter) =>
            Object.fromEntries(FILTER_PARTS.flatMap((part) => (filter[part] === "" ? [] : [[part, filter[part]]]))),
        ),
    };
}

const FILTER_PARTS = ["commonName", "organization", "organizationalUnit", "subjectAlternativeName"] as const;

function fromCodecServer({
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

function fromEncryptionValidation(spec: EncryptionValidationSpec | undefined) {
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

/** The capacity last requested, unless that request failed; else the one in effect. */
function fromCapacity({ capacity }: LiveNamespace): CapacityValues {
    const request = capacity?.latestRequest;
    return (hasFailed(request) ? undefined : fromCapacitySpec(request?.spec)) ?? currentCapacity(capacity);
}

function hasFailed(request: Capacity["latestRequest"]): boolean {
    return request?.state === messages.namespace.Capacity_Request_State.STATE_CAPACITY_REQUEST_FAILED;
}

function fromCapacityStatus(capacity: Capacity | undefined): NamespaceCapacityStatus {
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
 * Converts values to a spec, keeping unknown fields of the base. Deprecated fields that mirror a current one are
 * cleared, so that the two cannot disagree. Replicas and capacity are changed by separate writes.
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
        apiKeyAuth: overlayMessage(base.apiKeyAuth, messages.namespace.ApiKeyAuthSpec.fromPartial({}), {
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
        lifecycle: overlayMessage(base.lifecycle, messages.namespace.LifecycleSpec.fromPartial({}), {
            enableDeleteProtection: values.deleteProtection ?? false,
        }),
        highAvailability: overlayMessage(
            base.highAvailability,
            messages.namespace.HighAvailabilitySpec.fromPartial({}),
            {
                disableManagedFailover: highAvailability?.disableManagedFailover ?? false,
                disablePassivePollerForwarding: highAvailability?.disablePassivePollerForwarding ?? false,
            },
        ),
        connectivityRuleIds: values.connectivityRuleIds ?? [],
        fairness: overlayMessage(base.fairness, messages.namespace.FairnessSpec.fromPartial({}), {
            taskQueueFairnessEnabled: values.taskQueueFairness ?? false,
        }),
        encryptionValidation: overlayMessage(
            base.encryptionValidation,
            messages.namespace.EncryptionValidationSpec.fromPartial({}),
            {
                // An unset mode means disabled. Leave it unset: the server may refuse to set it explicitly as no
                // change.
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
        // The server may hide filters that the program does not manage while mTLS is off.
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
    return overlayMessage(base, messages.namespace.CodecServerSpec.fromPartial({}), {
        endpoint: codec?.endpoint ?? "",
        passAccessToken: codec?.passAccessToken ?? false,
        includeCrossOriginCredentials: codec?.includeCrossOriginCredentials ?? false,
        // Without a codec server, the message must be absent, not empty.
        customErrorMessage:
            codec &&
            overlayMessage(
                base?.customErrorMessage,
                messages.namespace.CodecServerSpec_CustomErrorMessage.fromPartial({}),
                {
                    default: overlayMessage(
                        base?.customErrorMessage?.default,
                        messages.namespace.CodecServerSpec_CustomErrorMessage_ErrorMessage.fromPartial({}),
                        {
                            message: codec.customErrorMessage?.message ?? "",
                            link: codec.customErrorMessage?.link ?? "",
                        },
                    ),
                },
            ),
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

// -- next write ------------------------------------------------------------------------------------------------------

function next(namespace: LiveNamespace, desired: Desired<Values>): Write | Wait | undefined {
    return (
        rename(namespace, desired.args) ??
        // Before the spec: the desired connectivity rules belong to the destination project.
        move(namespace, desired) ??
        changeSpec(namespace, desired.args) ??
        changeTags(namespace, desired.args) ??
        changeRegions(namespace, desired) ??
        changeCapacity(namespace, desired)
    );
}

function updateSpec({ namespace, resourceVersion }: LiveNamespace, purpose: string, spec: NamespaceSpec): Write {
    return {
        purpose,
        send: (cloud, asyncOperationId, options) =>
            cloud.updateNamespace({ namespace, spec, resourceVersion, asyncOperationId }, options),
    };
}

function rename({ namespace, spec, resourceVersion }: LiveNamespace, args: Values): Write | undefined {
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

function changeSpec(namespace: LiveNamespace, args: Values): Write | undefined {
    const spec = changedSpec(toSpec, namespace.spec ?? emptySpec(), fromLive(namespace).args, args);
    return spec && updateSpec(namespace, "updating", spec);
}

function changeTags({ namespace, tags: there }: LiveNamespace, { tags = {} }: Values): Write | undefined {
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

function move(live: LiveNamespace, { args, managed }: Desired<Values>): Write | undefined {
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

/**
 * The connectivity rules after a move. Rules belong to a project, so the API requires this if the namespace has any.
 */
function rulesOfDestination(
    { spec }: LiveNamespace,
    { connectivityRuleIds = [] }: Values,
    managed: ReadonlySet<string>,
): MoveNamespaceToProjectRequest["destinationConnectivityRules"] {
    const there = spec?.connectivityRuleIds ?? [];
    if (there.length > 0 && !managed.has("connectivityRuleIds") && isDeepStrictEqual(connectivityRuleIds, there)) {
        throw new Error(
            `Its connectivity rules (${there.join(", ")}) belong to the project that it is moved from. Declare ` +
                "`connectivityRuleIds`, without `ignoreChanges` for it: rules of the new project, or [] to allow every " +
                "network.",
        );
    }
    if (connectivityRuleIds.length > 0) {
        return { $case: "ruleIds", value: { connectivityRuleIds } };
    }
    return there.length > 0 ? { $case: "unrestricted", value: {} } : undefined;
}

/** The next step from the live regions to the desired ones. */
function changeRegions(namespace: LiveNamespace, { args, changed }: Desired<Values>): Write | Wait | undefined {
    const { replicas } = namespace;
    const live = regionsOf(namespace);
    const [primary, ...passive] = args.regions;
    if (primary === undefined) {
        return undefined;
    }
    const wanted = [primary, ...passive] as const;
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
    // A failover may have had a reason, and a removed region cannot be added again for seven days: act only if the
    // program has changed, or a refresh has shown the drift.
    if (!changed.has("regions")) {
        return undefined;
    }
    const write = stepTo(wanted, namespace);
    const missing = without(wanted, live);
    return write && missing.length > 0 ? onlyIfThereAre(missing, write) : write;
}

function stepTo(wanted: readonly [string, ...string[]], namespace: LiveNamespace): Write | undefined {
    const { activeRegion } = namespace;
    const live = regionsOf(namespace);
    const [primary] = wanted;
    if (live.includes(primary) && activeRegion !== primary) {
        return failOver(namespace, primary);
    }
    const [missing] = without(wanted, live);
    // The active replica can only be removed after a failover.
    const surplus = without(live, wanted).find((region) => without(live, [activeRegion]).includes(region));
    // A namespace has at most two replicas: remove one before adding another.
    if (surplus !== undefined && (missing === undefined || live.length > 1)) {
        return withReplicas(namespace, `removing a replica in ${surplus}`, (there) =>
            there.toSpliced(
                there.findLastIndex(({ region }) => region === surplus),
                1,
            ),
        );
    }
    const [, standIn] = live;
    if (missing !== undefined && standIn !== undefined && !wanted.includes(activeRegion)) {
        return failOver(namespace, standIn);
    }
    if (missing !== undefined) {
        return withReplicas(namespace, `adding a replica in ${missing}`, (there) => [
            ...there,
            messages.namespace.ReplicaSpec.fromPartial({ region: missing }),
        ]);
    }
    return undefined;
}

/**
 * Makes the write only if the regions exist. A region that makes room for another cannot be added again for seven days:
 * a misspelt name must not cost it.
 */
function onlyIfThereAre(regions: readonly string[], write: Write): Write {
    return {
        ...write,
        send: async (cloud, asyncOperationId, options) => {
            const known = (await cloud.getRegions({}, options)).regions.map(({ id }) => id);
            const unknown = regions.find((region) => !known.includes(region));
            if (unknown !== undefined) {
                throw new Error(
                    `There is no region ${JSON.stringify(unknown)}.${suggestion(unknown, known)} \`getRegions\` lists ` +
                        "them. No region was changed.",
                );
            }
            return write.send(cloud, asyncOperationId, options);
        },
    };
}

/**
 * A failover, or a region added or removed, that the state does not reflect: an update of other fields must not revert
 * it, nor cause the next update to do so.
 */
function toleratedRegions(namespace: LiveNamespace, { args, changed }: Pick<Desired<Values>, "args" | "changed">) {
    // A resource that is only read has no declared regions.
    const regions = args.regions ?? [];
    const [primary] = regions;
    const live = regionsOf(namespace);
    if (primary === undefined || changed.has("regions")) {
        return undefined;
    }
    const surplus = without(live, regions);
    const missing = without(regions, live);
    if (surplus.length > 0 || missing.length > 0) {
        const differences = [
            ...(surplus.length > 0
                ? [`has another replica in ${surplus.join(", ")}, which its \`regions\` do not list`]
                : []),
            ...(missing.length > 0 ? [`lacks a replica in ${missing.join(", ")}, which its \`regions\` list`] : []),
        ];
        return {
            values: { regions },
            warning:
                `Namespace ${namespace.namespace} ${differences.join(", and ")}. This was left unchanged. ` +
                "`pulumi up --refresh` reverts it; to keep it, declare the current regions.",
        };
    }
    if (live[0] === primary) {
        return undefined;
    }
    return {
        values: { regions },
        warning:
            `Namespace ${namespace.namespace} is active in ${live[0]}, not in ${primary}, the first of its \`regions\`: ` +
            "it was failed over outside this stack. This was left unchanged. `pulumi up --refresh` fails back; to keep " +
            `it, declare ${live[0]} first.`,
    };
}

function failOver({ namespace }: LiveNamespace, region: string): Write {
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
): Write {
    const live = namespace.spec ?? emptySpec();
    return updateSpec(namespace, purpose, {
        ...toSpec(fromLive(namespace).args, live),
        replicas: change(live.replicas),
    });
}

const SETTING_CAPACITY = "setting the capacity";
const TAKING_BACK_CAPACITY = "resetting the failed capacity request";

function changeCapacity(
    namespace: LiveNamespace,
    { args, managed, changed, writesMade }: Desired<Values>,
): Write | Wait | undefined {
    if (!args.capacity || !(managed.has("capacity") || changed.has("capacity"))) {
        return undefined;
    }
    const request = namespace.capacity?.latestRequest;
    if (request?.state === messages.namespace.Capacity_Request_State.STATE_CAPACITY_REQUEST_IN_PROGRESS) {
        return { purpose: "waiting for the capacity", operationId: request.asyncOperationId || undefined };
    }
    if (isDeepStrictEqual(fromCapacity(namespace), args.capacity)) {
        return undefined;
    }
    const failed = hasFailed(request);
    if (writesMade.has(SETTING_CAPACITY) && failed) {
        throw new Error(
            "Temporal Cloud could not provide the capacity: the latest request failed. Request less, or retry later.",
        );
    }
    const live = namespace.spec ?? emptySpec();
    // A failed request stays in the spec, where requesting the same again would be no change.
    const takesBack =
        failed &&
        !writesMade.has(TAKING_BACK_CAPACITY) &&
        isDeepStrictEqual(fromCapacitySpec(live.capacitySpec), args.capacity);
    return updateSpec(namespace, takesBack ? TAKING_BACK_CAPACITY : SETTING_CAPACITY, {
        ...toSpec(fromLive(namespace).args, live),
        capacitySpec: toCapacitySpec(takesBack ? currentCapacity(namespace.capacity) : args.capacity),
    });
}

/**
 * A page of the namespaces that match the filter.
 *
 * @internal
 */
export async function namespacesPage(
    cloud: Cloud,
    filter: { readonly name?: string; readonly projectId?: string },
    pageToken: string,
    options: CallOptions = {},
): Promise<Page<LiveNamespace>> {
    const { namespaces, nextPageToken } = await cloud.getNamespaces(
        { ...filter, pageSize: PAGE_SIZE, pageToken },
        options,
    );
    return { items: namespaces, nextPageToken };
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
    naturalKey: {
        of: ({ name }) => name,
        ofLive: ({ spec }) => spec?.name,
        list: (cloud, name, pageToken, options) => namespacesPage(cloud, { name }, pageToken, options),
    },
    idIsName: true,
    check,
    warnings,
    deleteHint: ({ spec }) =>
        spec?.lifecycle?.enableDeleteProtection
            ? "It is protected: set `deleteProtection: false`, run `pulumi up`, then delete it. If it has already " +
              "been replaced, remove its protection with `tcld` or in the Temporal Cloud UI: the next `pulumi up` " +
              "deletes it."
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
    list: (cloud, pageToken, options) => namespacesPage(cloud, {}, pageToken, options),
    idOf: ({ namespace }) => namespace,
    fromLive,
    next,
    tolerated: toleratedRegions,
    delete: (cloud, namespace, resourceVersion, asyncOperationId, options) =>
        cloud.deleteNamespace({ namespace, resourceVersion, asyncOperationId }, options),
};
