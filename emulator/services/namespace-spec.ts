import {
    type MtlsAuthSpec,
    type Namespace,
    type NamespaceSpec,
    NamespaceSpec_SearchAttributeType as SearchAttributeType,
} from "../../proto/generated/temporal/api/cloud/namespace/v1/message";
import { same } from "../core/canonical";
import { invalid, must, precondition } from "../core/errors";
import { checkCaBundle } from "../rules/certificates";
import { checkDescription, checkNamespaceName, checkSearchAttributeName, mirrored } from "../rules/texts";
import type { Settings } from "../settings";

const maxCapacity = 100;

/** The names of the types of search attributes in the deprecated field: `keyword_list`. */
const attributeTypes = Object.fromEntries(
    Object.values(SearchAttributeType)
        .filter((value): value is SearchAttributeType => typeof value === "number" && value > 0)
        .map((type) => [SearchAttributeType[type].replace("SEARCH_ATTRIBUTE_TYPE_", "").toLowerCase(), type]),
);
const attributeTypeNames = new Map(Object.entries(attributeTypes).map(([name, type]) => [type, name]));

/** The spec with each deprecated field and its successor both filled, and unset parts as empty messages. */
export function normalizeSpec(spec: NamespaceSpec, settings: Settings): NamespaceSpec {
    const regions = mirrored(
        spec.replicas.map(({ region }) => region),
        spec.regions,
        (list) => list.length > 0,
        same,
        "replicas and regions",
    );
    const searchAttributes = mirrored(
        spec.searchAttributes,
        typesOf(spec.customSearchAttributes),
        (attributes) => Object.keys(attributes).length > 0,
        same,
        "search_attributes and custom_search_attributes",
    );
    const unset = settings.unsetPartsAreEmptyMessages;
    return {
        ...spec,
        regions,
        replicas: regions.map((region, index) =>
            spec.replicas[index] ? { ...spec.replicas[index], region } : { region },
        ),
        searchAttributes,
        customSearchAttributes: Object.fromEntries(
            Object.entries(searchAttributes).map(([name, type]) => [name, attributeTypeNames.get(type) ?? ""]),
        ),
        mtlsAuth: normalizeMtls(spec.mtlsAuth, unset),
        codecServer:
            spec.codecServer ??
            (unset
                ? {
                      endpoint: "",
                      passAccessToken: false,
                      includeCrossOriginCredentials: false,
                      customErrorMessage: undefined,
                  }
                : undefined),
        apiKeyAuth: spec.apiKeyAuth ?? (unset ? { enabled: false } : undefined),
        lifecycle: spec.lifecycle ?? (unset ? { enableDeleteProtection: false } : undefined),
        highAvailability:
            spec.highAvailability ??
            (unset ? { disableManagedFailover: false, disablePassivePollerForwarding: false } : undefined),
        fairness: spec.fairness ?? (unset ? { taskQueueFairnessEnabled: false } : undefined),
    };
}

function normalizeMtls(mtls: MtlsAuthSpec | undefined, unset: boolean): MtlsAuthSpec | undefined {
    if (mtls === undefined) {
        if (!unset) return undefined;
        const none = { acceptedClientCaDeprecated: "", acceptedClientCa: Buffer.alloc(0) };
        return { ...none, certificateFilters: [], enabled: false };
    }
    const ca = mirrored(
        Buffer.from(mtls.acceptedClientCa),
        Buffer.from(mtls.acceptedClientCaDeprecated, "base64"),
        (bytes) => bytes.length > 0,
        (a, b) => a.equals(b),
        "accepted_client_ca and accepted_client_ca_deprecated",
    );
    return { ...mtls, acceptedClientCa: ca, acceptedClientCaDeprecated: ca.toString("base64") };
}

function typesOf(attributes: Record<string, string>): Record<string, SearchAttributeType> {
    return Object.fromEntries(
        Object.entries(attributes).map(([name, typeName]) => {
            const type = attributeTypes[typeName.toLowerCase()];
            if (type === undefined) throw invalid(`search attribute ${name} has the unknown type ${typeName}`);
            return [name, type];
        }),
    );
}

/** Rejects a spec that breaks the rules, regardless of the current one. */
export function checkSpec(spec: NamespaceSpec, settings: Settings): void {
    checkNamespaceName(spec.name);
    checkDescription(spec.description);
    const days = spec.retentionDays;
    must(days >= 1 && days <= 90, `retention_days must be between 1 and 90, not ${days}`);
    must(spec.regions.length > 0, "at least one region is required");
    must(spec.regions.length <= settings.maxReplicas, `at most ${settings.maxReplicas} replicas are allowed`);
    for (const region of spec.regions)
        must(settings.regions.includes(region), `region ${JSON.stringify(region)} is unknown`);
    checkAuthentication(spec);
    for (const [name, type] of Object.entries(spec.searchAttributes)) {
        checkSearchAttributeName(name);
        must(attributeTypeNames.has(type), `search attribute ${name} has no type`);
    }
    checkParts(spec);
}

function checkAuthentication({ mtlsAuth, apiKeyAuth }: NamespaceSpec): void {
    const mtls = mtlsAuth?.enabled ?? false;
    const either = mtls || (apiKeyAuth?.enabled ?? false);
    must(either, "at least one of mtls_auth and api_key_auth must be enabled");
    const ca = mtlsAuth?.acceptedClientCa ?? new Uint8Array();
    must(!mtls || ca.length > 0, "mtls_auth.accepted_client_ca is required where mtls_auth is enabled");
    if (ca.length > 0) checkCaBundle(ca, "mtls_auth.accepted_client_ca");
    for (const filter of mtlsAuth?.certificateFilters ?? []) {
        const { commonName, organization, organizationalUnit, subjectAlternativeName } = filter;
        const texts = [commonName, organization, organizationalUnit, subjectAlternativeName];
        must(
            texts.some((text) => text !== ""),
            "a certificate filter must name at least one field",
        );
    }
}

function checkParts({ codecServer, capacitySpec }: NamespaceSpec): void {
    const endpoint = codecServer?.endpoint ?? "";
    const used =
        codecServer?.passAccessToken || codecServer?.includeCrossOriginCredentials || codecServer?.customErrorMessage;
    must(endpoint !== "" || !used, "codec_server.endpoint is required");
    const isUrl = /^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : "");
    must(endpoint === "" || isUrl, `codec_server.endpoint ${JSON.stringify(endpoint)} is not a URL`);
    if (capacitySpec?.spec?.$case === "provisioned") {
        const { value } = capacitySpec.spec.value;
        must(
            value > 0 && value <= maxCapacity,
            `capacity_spec.provisioned.value must be above 0 and at most ${maxCapacity}, not ${value}`,
        );
    }
}

/** Rejects a change that cannot be made in place. Returns the spec with its regions in their previous order. */
export function checkChange(current: Namespace, next: NamespaceSpec): NamespaceSpec {
    const old = current.spec;
    if (old === undefined) return next;
    must(next.name === old.name, "the name of a namespace cannot be changed");
    for (const [name, type] of Object.entries(old.searchAttributes)) {
        const becomes = next.searchAttributes[name];
        must(becomes !== undefined, `search attribute ${name} cannot be removed`);
        must(becomes === type, `the type of search attribute ${name} cannot be changed`);
    }
    const added = without(next.regions, old.regions);
    const removed = without(old.regions, next.regions);
    must(added.length + removed.length <= 1, "one update can add or remove at most one replica");
    if (!next.regions.includes(current.activeRegion)) {
        throw precondition(`replica ${current.activeRegion} is the primary: fail over to another region first`);
    }
    // The order has no meaning once the namespace exists: only a failover changes the primary.
    const regions = [...without(old.regions, removed), ...added];
    const replicas = regions.map((region) => next.replicas.find((replica) => replica.region === region) ?? { region });
    return { ...next, regions, replicas };
}

/** The list without the others, each of them taken out once: a region with two replicas is listed twice. */
function without(regions: string[], others: string[]): string[] {
    const rest = [...regions];
    for (const other of others) {
        if (rest.includes(other)) rest.splice(rest.indexOf(other), 1);
    }
    return rest;
}

/** The spec with a search attribute renamed. */
export function renameAttribute(spec: NamespaceSpec, from: string, to: string): NamespaceSpec {
    checkSearchAttributeName(to);
    const type = Object.hasOwn(spec.searchAttributes, from) ? spec.searchAttributes[from] : undefined;
    must(type !== undefined, `search attribute ${JSON.stringify(from)} does not exist`);
    must(!Object.hasOwn(spec.searchAttributes, to), `search attribute ${JSON.stringify(to)} already exists`);
    const { [from]: _, ...others } = spec.searchAttributes;
    const { [from]: __, ...otherNames } = spec.customSearchAttributes;
    return {
        ...spec,
        searchAttributes: { ...others, [to]: type },
        customSearchAttributes: { ...otherNames, [to]: attributeTypeNames.get(type) ?? "" },
    };
}
