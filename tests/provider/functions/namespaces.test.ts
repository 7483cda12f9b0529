import { ResourceState } from "../../../proto/generated/temporal/api/cloud/resource/v1/message";
import {
    getNamespace,
    getNamespaceOutput,
    getNamespaces,
    getNamespacesOutput,
} from "../../../provider/functions/namespaces";
import { namespaceSpec } from "../../emulator/client";
import { settled, unknown, useEmulator } from "./support";

const emulator = useEmulator();

test("a namespace is found by its id and by its name, in the shape of the resource", async () => {
    const { namespaces } = emulator();
    namespaces.add({ spec: namespaceSpec({ name: "orders-old" }) });
    const { namespace: id } = namespaces.add({ spec: namespaceSpec({ name: "orders" }), tags: { team: "shop" } });

    const found = await getNamespace({ id });
    expect(found).toMatchObject({
        id,
        name: "orders",
        regions: ["aws-us-east-1"],
        retentionDays: 30,
        apiKeyAuth: true,
        deleteProtection: false,
        capacity: { mode: "on_demand" },
        tags: { team: "shop" },
        activeRegion: "aws-us-east-1",
        state: "active",
        endpoints: { webAddress: "https://cloud.temporal.io/namespaces/orders.a1b2c" },
        createdTime: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    await expect(getNamespace({ name: "orders" })).resolves.toEqual(found);
});

test("no such namespace: the error names what was asked for", async () => {
    await expect(getNamespace({ id: "orders.a1b2c" })).rejects.toMatchObject({
        name: "LookupError",
        failure: "notFound",
        message: expect.stringMatching(
            /^getNamespace: there is no namespace with the id "orders\.a1b2c"\. \(GetNamespace: NOT_FOUND: .*\)$/,
        ),
    });
    await expect(getNamespace({ name: "orders" })).rejects.toMatchObject({
        failure: "notFound",
        message: 'getNamespace: there is no namespace with the name "orders".',
    });
});

test("what is deleted is not there, though it can still be read", async () => {
    const { namespaces, settings } = emulator();
    settings.deletedReadableMs = 60_000;
    const { namespace: id } = namespaces.add({
        spec: namespaceSpec(),
        state: ResourceState.RESOURCE_STATE_DELETED,
    });
    await expect(getNamespace({ id })).rejects.toMatchObject({ failure: "notFound" });
    await expect(getNamespace({ name: "orders" })).rejects.toMatchObject({ failure: "notFound" });
    await expect(getNamespaces()).resolves.toEqual({ namespaces: [] });
});

test("exactly one of id and name", async () => {
    const message = "getNamespace: exactly one of `id`, `name` is required, as a string that is not empty.";
    await expect(getNamespace({} as never)).rejects.toMatchObject({ failure: "invalid", message });
    // From JavaScript, which knows no types.
    await expect(getNamespace(undefined as never)).rejects.toMatchObject({ failure: "invalid", message });
    await expect(getNamespace({ id: "" })).rejects.toMatchObject({ failure: "invalid", message });
    await expect(getNamespace({ id: "a.b", name: "a" } as never)).rejects.toMatchObject({ message });
    await expect(getNamespace({ nam: "a" } as never)).rejects.toThrow(
        '`nam` is not a known argument. Did you mean "name"?',
    );
    const output = "Calling [toString] on an [Output<T>] is not supported.";
    await expect(getNamespace({ id: output })).rejects.toThrow("getNamespace: `id` contains an output where");
    expect(emulator().requests.count()).toBe(0);
});

test("lists page through everything, filtered by the server", async () => {
    const { namespaces, projects, requests } = emulator();
    const { id: projectId } = projects.add({ spec: { displayName: "shop" } });
    for (let index = 0; index < 2100; index += 1) {
        const name = `n${index}`;
        namespaces.add({ spec: namespaceSpec({ name }), ...(index < 3 ? { projectId } : {}) });
    }
    expect((await getNamespaces()).namespaces).toHaveLength(2100);
    expect(requests.byMethod()).toEqual({ GetNamespaces: 3 });

    const names = async (args: Parameters<typeof getNamespaces>[0]) =>
        (await getNamespaces(args)).namespaces.map(({ name }) => name);
    await expect(names({ projectId })).resolves.toEqual(["n0", "n1", "n2"]);
    await expect(names({ name: "n17" })).resolves.toEqual(["n17"]);
    await expect(names({ name: "nobody" })).resolves.toEqual([]);
});

test.each(["endlessPages", "endlessEmptyPages"] as const)("a list without an end is an error: %s", async (shape) => {
    const { faults, namespaces } = emulator();
    namespaces.add({ spec: namespaceSpec() });
    faults.add({ method: "GetNamespaces", kind: "malformed", shape, times: 1000 });
    await expect(getNamespaces()).rejects.toMatchObject({
        name: "LookupError",
        message: expect.stringMatching(/^getNamespaces: the server's list does not end/),
    });
    expect(emulator().requests.count()).toBeLessThan(30);
});

test("arguments may be outputs; unknown ones give an unknown result without a call", async () => {
    const { namespaces, requests } = emulator();
    const { namespace: id } = namespaces.add({ spec: namespaceSpec() });
    await expect(settled(getNamespaceOutput({ id: Promise.resolve(id) }))).resolves.toMatchObject({
        known: true,
        value: { id, name: "orders" },
    });
    await expect(settled(getNamespacesOutput({ name: "orders" }))).resolves.toMatchObject({
        value: { namespaces: [{ id }] },
    });
    await expect(settled(getNamespacesOutput().namespaces)).resolves.toMatchObject({ value: [{ id }] });
    requests.reset();
    await expect(settled(getNamespaceOutput({ id: unknown() }))).resolves.toEqual({ known: false });
    await expect(settled(getNamespacesOutput({ projectId: unknown() }))).resolves.toEqual({ known: false });
    expect(requests.count()).toBe(0);
});
