// A program of all four kinds with dependencies between them, and what must be true of the account and of the state when
// it has been run, whatever happened on the way.

import * as pulumi from "@pulumi/pulumi";
import * as temporalcloud from "pulumi-temporal-cloud";
import type { Emulator } from "../../emulator";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import { connect } from "../emulator/client";
import type { StateResource, TestStack } from "../support/engine";

/** A state of the program. */
export interface Version {
    /** Part of every value that changes in place. */
    readonly values: number;
    /** Part of every value whose change replaces the resource. */
    readonly names: number;
}

/** How many resources of each kind there are. */
export const EACH = 6;
export const KINDS = 4;

const namespaceName = (index: number, { names }: Version) => `ns-${names}-${index}`;
const email = (index: number, { names }: Version) => `user-${names}-${index}@example.com`;
const accountName = (index: number) => `worker-${index}`;
const keyName = (index: number) => `key-${index}`;
const retentionDays = ({ values }: Version) => 10 + values;
const permission = ({ values }: Version) => (values % 2 === 0 ? ("read" as const) : ("write" as const));
const description = ({ values }: Version) => `version ${values}`;

/** The program. Its output `tokens` has the tokens of all keys, by their logical names. */
export function fleet(version: Version, each: number = EACH): pulumi.automation.PulumiFn {
    return async () => {
        const tokens: Record<string, pulumi.Output<string>> = {};
        for (let index = 0; index < each; index += 1) {
            const namespace = new temporalcloud.Namespace(`ns-${index}`, {
                name: namespaceName(index, version),
                regions: ["aws-us-east-1"],
                retentionDays: retentionDays(version),
                apiKeyAuth: true,
                tags: { team: `team-${version.values}` },
            });
            new temporalcloud.User(`user-${index}`, {
                email: email(index, version),
                accountRole: "developer",
                namespaceAccesses: namespace.id.apply((id) => ({ [id]: permission(version) })),
            });
            const worker = new temporalcloud.ServiceAccount(accountName(index), {
                description: description(version),
                namespaceScopedAccess: { namespaceId: namespace.id, permission: permission(version) },
            });
            const key = new temporalcloud.ApiKey(keyName(index), {
                ownerId: worker.id,
                description: description(version),
                expiresIn: "90d",
            });
            tokens[keyName(index)] = key.token;
        }
        return { tokens: pulumi.secret(tokens) };
    };
}

/** What is there, whoever made it: `namespaces ns-0-1.a1b2c`, one line each. */
export function inventory(emulator: Emulator): string[] {
    return [
        ...emulator.namespaces.list().map(({ namespace }) => `Namespace ${namespace}`),
        ...emulator.users.list().map(({ spec }) => `User ${spec?.email}`),
        ...emulator.serviceAccounts.list().map(({ spec }) => `ServiceAccount ${spec?.name}`),
        ...emulator.apiKeys.list().map(({ spec }) => `ApiKey ${spec?.displayName}`),
    ].sort();
}

function declared(version: Version, account: string, each: number): string[] {
    return Array.from({ length: each }, (_, index) => [
        `Namespace ${namespaceName(index, version)}.${account}`,
        `User ${email(index, version)}`,
        `ServiceAccount ${accountName(index)}`,
        `ApiKey ${keyName(index)}`,
    ])
        .flat()
        .sort();
}

/** What is wrong after the program of that version has been brought about; nothing, if all is well. */
export async function faultsOf(
    stack: TestStack,
    emulator: Emulator,
    version: Version,
    each: number = EACH,
): Promise<string[]> {
    const wrong: string[] = [];
    const expect = (what: string, actual: unknown, wanted: unknown) => {
        const [left, right] = [JSON.stringify(actual), JSON.stringify(wanted)];
        if (left !== right) {
            wrong.push(`${what}: ${left}, not ${right}`);
        }
    };
    const extra = inventory(emulator);
    for (const line of declared(version, emulator.account, each)) {
        const index = extra.indexOf(line);
        if (index < 0) {
            wrong.push(`not there: ${line}`);
        } else {
            extra.splice(index, 1);
        }
    }
    wrong.push(...extra.map((line) => `there, but not declared, or twice: ${line}`));

    const resources = stack.resources();
    expect("resources in the state", resources.length, each * KINDS);
    wrong.push(...resources.filter((one) => one.delete).map(({ urn }) => `still to be deleted, in the state: ${urn}`));
    wrong.push(...resources.filter((one) => one.initErrors).map(({ urn }) => `not finished, in the state: ${urn}`));

    const ACTIVE = ResourceState.RESOURCE_STATE_ACTIVE;
    const find = (name: string): StateResource | undefined => resources.find(({ urn }) => urn.endsWith(`::${name}`));
    for (const [kind, ids] of Object.entries({
        Namespace: emulator.namespaces.list().map(({ namespace }) => namespace),
        User: emulator.users.list().map(({ id }) => id),
        ServiceAccount: emulator.serviceAccounts.list().map(({ id }) => id),
        ApiKey: emulator.apiKeys.list().map(({ id }) => id),
    })) {
        const inState = resources.filter(({ type }) => type.endsWith(`:${kind}`)).map(({ id }) => id ?? "");
        expect(`ids of ${kind}`, inState.sort(), ids.sort());
    }
    for (let index = 0; index < each; index += 1) {
        const namespace = emulator.namespaces.get(find(`ns-${index}`)?.id ?? "");
        const user = emulator.users.get(find(`user-${index}`)?.id ?? "");
        const worker = emulator.serviceAccounts.get(find(accountName(index))?.id ?? "");
        const key = emulator.apiKeys.get(find(keyName(index))?.id ?? "");
        expect(`ns-${index}`, [namespace?.state, namespace?.spec?.retentionDays], [ACTIVE, retentionDays(version)]);
        expect(`tags of ns-${index}`, namespace?.tags, { team: `team-${version.values}` });
        const accesses = Object.keys(user?.spec?.access?.namespaceAccesses ?? {});
        expect(`user-${index}`, [user?.state, accesses], [ACTIVE, [namespace?.namespace]]);
        const scope = worker?.spec?.namespaceScopedAccess?.namespace;
        expect(accountName(index), [worker?.state, scope], [ACTIVE, namespace?.namespace]);
        expect(accountName(index), worker?.spec?.description, description(version));
        expect(keyName(index), [key?.state, key?.spec?.ownerId], [ACTIVE, worker?.id]);
        expect(keyName(index), key?.spec?.description, description(version));
    }

    const { tokens } = await stack.outputs();
    for (let index = 0; index < each; index += 1) {
        const token = (tokens as Record<string, string> | undefined)?.[keyName(index)] ?? "";
        expect(`whose token ${keyName(index)} has`, await ownerOf(emulator, token), find(accountName(index))?.id);
    }

    const preview = await stack.preview({ program: fleet(version, each), refresh: true });
    wrong.push(
        ...preview.steps
            .filter(({ op, diffs }) => op !== "same" && !(op === "refresh" && diffs.length === 0))
            .map(({ op, name, diffs }) => `preview --refresh would ${op} ${name} (${diffs.join(", ")})`),
    );
    return wrong;
}

/** What a destroy has left. */
export function leftovers(stack: TestStack, emulator: Emulator): string[] {
    return [
        ...inventory(emulator).map((line) => `still there: ${line}`),
        ...stack.resources().map(({ urn }) => `still in the state: ${urn}`),
    ];
}

/** The id of the service account that this key lets in. */
async function ownerOf(emulator: Emulator, token: string): Promise<string | undefined> {
    const { api, close } = connect(emulator, token);
    try {
        const { principal } = await api.getCurrentIdentity({});
        return principal?.$case === "serviceAccount" ? principal.value.id : principal?.$case;
    } catch (error) {
        return `nobody: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
        close();
    }
}
