import type { DeepPartial } from "../../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import {
    Access,
    NamespaceScopedAccess,
    ProjectScopedAccess,
    ServiceAccount,
    ServiceAccountSpec,
} from "../../../proto/generated/temporal/api/cloud/identity/v1/message";
import { ResourceState } from "../../../proto/generated/temporal/api/cloud/resource/v1/message";
import type { Cloud, Desired, Write } from "../../../provider/definition";
import { type Bag, UNKNOWN } from "../../../provider/fields";
import { Lifecycle } from "../../../provider/lifecycle/lifecycle";
import { overlay } from "../../../provider/overlay";
import { findByNaturalKey } from "../../../provider/pages";
import { serviceAccountDefinition as definition } from "../../../provider/resources/service-account";
import { withUnknown } from "./unknown";

const NOW = new Date("2027-01-01T00:00:00Z");
const lifecycle = new Lifecycle(definition);
const log = { status: () => {}, info: () => {}, warn: () => {} };
const context = (context: Bag = {}) => ({
    __context: JSON.stringify({ urn: "urn:pulumi:stack::project::type::worker", ...context }),
});

type Args = Parameters<typeof definition.create>[1];

function problems(args: Bag, { old = {}, adopt = false }: { old?: Bag; adopt?: boolean } = {}): string[] {
    // Of its own: one that has checked the resource in the state takes the next check for that of its replacement.
    const { failures } = new Lifecycle(definition).check(old, { ...args, ...context({ adopt }) });
    return failures.map(({ property, reason }) => `${property}: ${reason}`);
}

/** A number that this version has no word for. */
const NEWER: number = 50;
const inNamespace = { namespaceId: "orders.a1b2c", permission: "write" };
const inProject = { projectId: "p1", role: "contribute" };

type PartialSpec = DeepPartial<ServiceAccountSpec>;

/** What is not set can come back as an empty message. */
function live(spec: PartialSpec, empty: Partial<ServiceAccountSpec> = {}): ServiceAccount {
    return {
        ...ServiceAccount.fromPartial({
            id: "s1",
            resourceVersion: "v1",
            state: ResourceState.RESOURCE_STATE_ACTIVE,
            createdTime: { seconds: 1_800_000_000n },
        }),
        spec: {
            ...withUnknown(ServiceAccountSpec.fromPartial({ name: "worker", description: "d", ...spec })),
            ...empty,
        },
    };
}

const account = live(
    {
        access: {
            accountAccess: { role: 3, roleDeprecated: "developer", customRoles: ["r1"] },
            customRolesDeprecated: ["r1"],
            namespaceAccesses: { n: { permission: 2, permissionDeprecated: "write" } },
            projectAccesses: { p: { role: NEWER } },
        },
    },
    {
        namespaceScopedAccess: NamespaceScopedAccess.fromPartial({ access: {} }),
        projectScopedAccess: ProjectScopedAccess.fromPartial({}),
    },
);
const namespaced = live(
    {
        namespaceScopedAccess: {
            namespace: "orders.a1b2c",
            access: { permission: 2, permissionDeprecated: "write" },
        },
    },
    { access: Access.fromPartial({ accountAccess: {} }) },
);
const projected = live({
    projectScopedAccess: {
        projectId: "p1",
        access: { role: 5 },
        namespaceAccesses: { n: { permission: 2, permissionDeprecated: "write" } },
    },
});

function desired(resource: ServiceAccount, args: Bag, removed: string[] = []): Desired<Args> {
    const seen = definition.fromLive(resource).args as Bag;
    return {
        args: overlay(definition.fields, seen, args, new Set(removed)) as Args,
        changed: new Set(Object.keys(args)),
        managed: new Set(Object.keys(args)),
        writesMade: new Map(),
    };
}

async function sent(write: unknown): Promise<ServiceAccountSpec> {
    const requests: { spec: ServiceAccountSpec }[] = [];
    const updateServiceAccount = async (request: { spec: ServiceAccountSpec }) => {
        requests.push(request);
        return { asyncOperation: undefined };
    };
    await (write as Write).send({ updateServiceAccount } as unknown as Cloud, "op", {});
    expect(requests).toMatchObject([{ serviceAccountId: "s1", resourceVersion: "v1", asyncOperationId: "op" }]);
    return requests[0]?.spec ?? ServiceAccountSpec.fromPartial({});
}

async function created(args: Args): Promise<ServiceAccountSpec | undefined> {
    let spec: ServiceAccountSpec | undefined;
    const createServiceAccount = async (request: { spec: ServiceAccountSpec }) => {
        spec = request.spec;
        return { serviceAccountId: "s1", asyncOperation: undefined };
    };
    const options = { operationId: "op", now: NOW, signal: AbortSignal.timeout(1000) };
    await definition.create({ createServiceAccount } as unknown as Cloud, args, options);
    return spec;
}

describe("what is allowed", () => {
    test.each<[string, Bag]>([
        ["the account", { accountRole: "developer", namespaceAccesses: { n: "read" }, projectAccesses: { p: "read" } }],
        ["the account, by custom roles", { customRoles: ["r1"] }],
        ["reading metrics", { accountRole: "metricsread" }],
        ["a namespace", { namespaceScopedAccess: inNamespace }],
        ["a project", { projectScopedAccess: { ...inProject, namespaceAccesses: { n: "admin" } } }],
        ["what is not known yet", { namespaceScopedAccess: { namespaceId: UNKNOWN, permission: UNKNOWN } }],
        ["a scope that may turn out not to be set", { accountRole: UNKNOWN, namespaceScopedAccess: inNamespace }],
        ["a scope that is not known yet", { projectScopedAccess: UNKNOWN }],
    ])("%s", (_, args) => {
        expect(problems(args)).toEqual([]);
    });

    test("the name is the logical name, or any other", () => {
        const { inputs } = lifecycle.check({}, { accountRole: "read", ...context() });
        expect(inputs).toMatchObject({ name: "worker" });
        expect(problems({ name: " ", accountRole: "read" })).toEqual(['name: `name` must be a name, but is " ".']);
    });

    test("one scope is needed", () => {
        const reason =
            "accountRole: `accountRole` or one of `customRoles`, `namespaceScopedAccess` and `projectScopedAccess` is required.";
        expect(problems({})).toEqual([reason]);
        expect(problems({}, { old: { name: "worker", namespaceScopedAccess: inNamespace } })).toEqual([reason]);
        expect(problems({}, { adopt: true })).toEqual([]);
        expect(problems({}, { old: { name: "worker" } })).toEqual([]);
        expect(problems({ namespaceAccesses: { n: "read" } })).toEqual([
            'accountRole: `accountRole` or `customRoles` is required, for example `accountRole: "read"`.',
        ]);
        expect(
            problems(
                { namespaceAccesses: { n: "read" } },
                { old: { name: "worker", namespaceScopedAccess: inNamespace } },
            ),
        ).toHaveLength(1);
    });

    test("and one only", () => {
        const why = "a service account has access either to the whole account, to one namespace, or to one project.";
        expect(problems({ accountRole: "read", namespaceScopedAccess: inNamespace })).toEqual([
            `namespaceScopedAccess: \`namespaceScopedAccess\` cannot be combined with \`accountRole\`: ${why}`,
        ]);
        expect(
            problems({ projectScopedAccess: inProject, namespaceScopedAccess: inNamespace }, { adopt: true }),
        ).toEqual([
            `projectScopedAccess: \`projectScopedAccess\` cannot be combined with \`namespaceScopedAccess\`: ${why}`,
        ]);
        expect(
            problems({ customRoles: [], namespaceScopedAccess: inNamespace, projectScopedAccess: inProject }),
        ).toHaveLength(2);
    });

    test("roles", () => {
        expect(problems({ accountRole: "owner" })[0]).toContain('`accountRole` cannot be "owner"');
        expect(problems({ accountRole: "admin", namespaceAccesses: { n: "read" } })[0]).toContain("not allowed");
        expect(problems({ projectScopedAccess: { ...inProject, role: "developer" } })).toEqual([
            "projectScopedAccess.role: `projectScopedAccess.role` cannot be granted: it comes with the account role developer.",
        ]);
        expect(problems({ namespaceScopedAccess: { namespaceId: "n" } })).toEqual([
            "namespaceScopedAccess.permission: `namespaceScopedAccess.permission` is required.",
        ]);
        expect(problems({ namespaceScopedAccess: { ...inNamespace, namespace: "n" } })[0]).toContain(
            'Did you mean "namespaceId"?',
        );
    });
});

describe("what a change does", () => {
    const diff = (resource: ServiceAccount, managed: string[], args: Bag) =>
        lifecycle.diff(
            { log },
            { ...definition.fromLive(resource).args, __managed: ["name", ...managed].join(" ") },
            { name: "worker", ...args, ...context() },
            NOW,
        );
    const inOne = ["namespaceScopedAccess.namespaceId", "namespaceScopedAccess.permission"];

    test.each<[string, ServiceAccount, string[], Bag]>([
        ["nothing", namespaced, inOne, { namespaceScopedAccess: inNamespace }],
        ["nothing", account, ["accountRole", "customRoles"], { accountRole: "developer", customRoles: ["r1"] }],
        [
            "nothing",
            projected,
            ["projectScopedAccess.projectId", "projectScopedAccess.role"],
            { projectScopedAccess: inProject },
        ],
    ])("%s", (_, resource, managed, args) => {
        expect(diff(resource, managed, args)).toMatchObject({ changes: false, replaces: [] });
    });

    test.each<[string, ServiceAccount, string[], Bag]>([
        ["the name", namespaced, inOne, { namespaceScopedAccess: inNamespace, name: "other" }],
        ["the description", namespaced, inOne, { namespaceScopedAccess: inNamespace, description: "e" }],
        ["the permission", namespaced, inOne, { namespaceScopedAccess: { ...inNamespace, permission: "read" } }],
        [
            "a namespace that is yet to be created, perhaps with the id that it had",
            namespaced,
            inOne,
            { namespaceScopedAccess: { ...inNamespace, namespaceId: UNKNOWN } },
        ],
        [
            "a permission that is not known",
            namespaced,
            inOne,
            { namespaceScopedAccess: { ...inNamespace, permission: UNKNOWN } },
        ],
        ["what is not known at all", namespaced, inOne, { namespaceScopedAccess: UNKNOWN }],
        ["the account role", account, ["accountRole"], { accountRole: "read" }],
        [
            "the project role",
            projected,
            ["projectScopedAccess.projectId"],
            { projectScopedAccess: { ...inProject, role: "read" } },
        ],
    ])("%s changes in place", (_, resource, managed, args) => {
        expect(diff(resource, managed, args)).toMatchObject({ changes: true, replaces: [] });
    });

    test.each<[string, ServiceAccount, string[], Bag, string[]]>([
        [
            "another namespace",
            namespaced,
            inOne,
            { namespaceScopedAccess: { ...inNamespace, namespaceId: "other.a1b2c" } },
            ["namespaceScopedAccess"],
        ],
        [
            "a project that is yet to be created",
            projected,
            ["projectScopedAccess.projectId"],
            { projectScopedAccess: { ...inProject, projectId: UNKNOWN } },
            ["projectScopedAccess"],
        ],
        [
            "another project",
            projected,
            ["projectScopedAccess.projectId"],
            { projectScopedAccess: { ...inProject, projectId: "p2" } },
            ["projectScopedAccess"],
        ],
        [
            "from a namespace to the account",
            namespaced,
            inOne,
            { accountRole: "read" },
            ["namespaceScopedAccess", "accountRole"],
        ],
        [
            "from the account to a namespace",
            account,
            ["accountRole"],
            { namespaceScopedAccess: inNamespace },
            ["namespaceScopedAccess"],
        ],
        [
            "from the account to a namespace that is not known yet",
            account,
            ["accountRole"],
            { namespaceScopedAccess: { namespaceId: UNKNOWN, permission: "write" } },
            ["namespaceScopedAccess"],
        ],
        [
            "from a project that was never declared to the account",
            projected,
            [],
            { customRoles: ["r1"] },
            ["customRoles"],
        ],
    ])("%s replaces", (_, resource, managed, args, replaces) => {
        expect(diff(resource, managed, args)).toEqual({
            changes: true,
            replaces,
            // Names are unique: the old one has to go before its name can be had again.
            deleteBeforeReplace: true,
        });
        expect(diff(resource, managed, { ...args, name: "other" }).deleteBeforeReplace).toBe(false);
    });
});

describe("to and from the wire", () => {
    test("what programs see", () => {
        expect(definition.fromLive(account)).toEqual({
            args: {
                name: "worker",
                description: "d",
                accountRole: "developer",
                customRoles: ["r1"],
                namespaceAccesses: { n: "write" },
                projectAccesses: { p: "50" },
            },
            outputs: { state: "active", createdTime: "2027-01-15T08:00:00Z", lastModifiedTime: undefined },
        });
        expect(definition.fromLive(namespaced).args).toEqual({
            name: "worker",
            description: "d",
            namespaceScopedAccess: inNamespace,
        });
        expect(definition.fromLive(projected).args).toEqual({
            name: "worker",
            description: "d",
            projectScopedAccess: { ...inProject, namespaceAccesses: { n: "write" } },
        });
    });

    test.each([
        ["the account", account],
        ["a namespace", namespaced],
        ["a project", projected],
    ])("nothing is to be done for %s where nothing differs", (_, resource) => {
        expect(definition.next(resource, desired(resource, {}))).toBeUndefined();
        expect(definition.next(resource, desired(resource, { ...definition.fromLive(resource).args }))).toBeUndefined();
    });

    test.each<[string, ServiceAccount, Bag, PartialSpec]>([
        [
            "the account",
            account,
            { projectAccesses: { p: "read" } },
            {
                access: {
                    accountAccess: { role: 3, customRoles: ["r1"] },
                    namespaceAccesses: { n: { permission: 2 } },
                    projectAccesses: { p: { role: 3 } },
                },
            },
        ],
        [
            "a namespace",
            namespaced,
            { namespaceScopedAccess: { ...inNamespace, permission: "read" } },
            {
                namespaceScopedAccess: {
                    namespace: "orders.a1b2c",
                    access: { permission: 3 },
                },
            },
        ],
        [
            "a project",
            projected,
            { projectScopedAccess: { ...inProject, role: "list" } },
            {
                projectScopedAccess: {
                    projectId: "p1",
                    access: { role: 4 },
                    namespaceAccesses: { n: { permission: 2 } },
                },
            },
        ],
    ])(
        "an update of one for %s keeps what it is not about, and names one scope only",
        async (_, resource, args, spec) => {
            expect(await sent(definition.next(resource, desired(resource, args)))).toEqual(
                withUnknown(ServiceAccountSpec.fromPartial({ name: "worker", description: "d", ...spec })),
            );
        },
    );

    test("what the program no longer sets goes back to the default", async () => {
        const removed = ["description", "projectScopedAccess.namespaceAccesses"];
        expect(await sent(definition.next(projected, desired(projected, {}, removed)))).toMatchObject({
            description: "",
            projectScopedAccess: { projectId: "p1", access: { role: 5 }, namespaceAccesses: {} },
        });
    });

    test("one that is taken over cannot get another scope", async () => {
        await expect(sent(definition.next(namespaced, desired(namespaced, { accountRole: "read" })))).rejects.toThrow(
            "It has access to one namespace. Changing that to the whole account requires a replacement. Nothing was changed.",
        );
        await expect(
            sent(definition.next(account, desired(account, { projectScopedAccess: inProject }))),
        ).rejects.toThrow("It has access to the whole account. Changing that to one project requires a replacement.");
    });

    test("a create", async () => {
        expect(await created({ name: "w", accountRole: "metricsread", description: "d" })).toEqual(
            ServiceAccountSpec.fromPartial({ name: "w", description: "d", access: { accountAccess: { role: 6 } } }),
        );
        expect(await created({ name: "w", namespaceScopedAccess: { namespaceId: "n", permission: "write" } })).toEqual(
            ServiceAccountSpec.fromPartial({
                name: "w",
                namespaceScopedAccess: { namespace: "n", access: { permission: 2 } },
            }),
        );
        const namespaceAccesses = { n: "read" } as const;
        expect(
            await created({ name: "w", projectScopedAccess: { projectId: "p", role: "member", namespaceAccesses } }),
        ).toEqual(
            ServiceAccountSpec.fromPartial({
                name: "w",
                projectScopedAccess: {
                    projectId: "p",
                    access: { role: 6 },
                    namespaceAccesses: { n: { permission: 3 } },
                },
            }),
        );
    });
});

test("one is found by its name, on whichever page it is", async () => {
    const getServiceAccounts = async ({ pageToken }: { pageToken: string }) =>
        pageToken === ""
            ? { serviceAccount: [{ ...live({ name: "other" }), id: "other" }], nextPageToken: "2" }
            : { serviceAccount: [namespaced], nextPageToken: "" };
    const find = (name: string) =>
        findByNaturalKey(definition, { getServiceAccounts } as unknown as Cloud, { key: name }, {});
    expect(await find("worker")).toBe(namespaced);
    expect(await find("nobody")).toBeUndefined();
});
