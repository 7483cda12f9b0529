import {
    AccountAccess_Role as AccountRole,
    NamespaceAccess_Permission as Permission,
} from "../../../proto/generated/temporal/api/cloud/identity/v1/message";
import {
    getServiceAccount,
    getServiceAccountOutput,
    getServiceAccounts,
    getServiceAccountsOutput,
} from "../../../provider/functions/service-accounts";
import { settled, unknown, useEmulator } from "./support";

const emulator = useEmulator();

test("a service account is found by id and by name, in the shape of the resource", async () => {
    const { serviceAccounts } = emulator();
    const { id: ofAccount } = serviceAccounts.add({
        spec: { name: "pipeline", access: { accountAccess: { role: AccountRole.ROLE_DEVELOPER } } },
    });
    const { id: ofNamespace } = serviceAccounts.add({
        spec: {
            name: "worker",
            namespaceScopedAccess: {
                namespace: "orders.a1b2c",
                access: { permission: Permission.PERMISSION_WRITE },
            },
        },
    });
    const pipeline = await getServiceAccount({ id: ofAccount });
    expect(pipeline).toMatchObject({ id: ofAccount, name: "pipeline", accountRole: "developer", state: "active" });
    await expect(getServiceAccount({ name: "pipeline" })).resolves.toEqual(pipeline);
    const worker = await getServiceAccount({ name: "worker" });
    expect(worker).toMatchObject({
        id: ofNamespace,
        namespaceScopedAccess: { namespaceId: "orders.a1b2c", permission: "write" },
    });
    expect((await getServiceAccounts()).serviceAccounts.map(({ name }) => name).sort()).toEqual([
        "pipeline",
        "root",
        "worker",
    ]);
    await expect(settled(getServiceAccountsOutput().serviceAccounts)).resolves.toMatchObject({ value: [{}, {}, {}] });
    await expect(settled(getServiceAccountOutput({ name: "worker" }).id)).resolves.toMatchObject({
        value: ofNamespace,
    });
    await expect(settled(getServiceAccountOutput({ id: unknown() }))).resolves.toEqual({ known: false });
});

test("no such service account, and several of one name", async () => {
    const { serviceAccounts } = emulator();
    await expect(getServiceAccount({ name: "worker" })).rejects.toMatchObject({
        failure: "notFound",
        message: 'getServiceAccount: there is no service account with the name "worker".',
    });
    await expect(getServiceAccount({ id: "s-1" })).rejects.toMatchObject({ failure: "notFound" });
    const spec = { name: "worker", access: { accountAccess: { role: AccountRole.ROLE_READ } } };
    const { id: first } = serviceAccounts.add({ spec });
    const { id: second } = serviceAccounts.add({ spec });
    const error: unknown = await getServiceAccount({ name: "worker" }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
        failure: "ambiguous",
        message: expect.stringMatching(
            /^getServiceAccount: there is more than one service account with the name "worker": ".*", ".*"\. Ask by id\.$/,
        ),
    });
    expect(String(error)).toContain(first);
    expect(String(error)).toContain(second);
});
