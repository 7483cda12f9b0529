import * as temporalcloud from "pulumi-temporal-cloud";

test("every lookup is exported, as getX and as getXOutput", () => {
    const names = Object.keys(temporalcloud).filter((name) => /^get[A-Z]/.test(name));
    expect(names.filter((name) => !name.endsWith("Output")).sort()).toEqual([
        "getAccount",
        "getApiKey",
        "getApiKeys",
        "getCurrentIdentity",
        "getNamespace",
        "getNamespaces",
        "getRegion",
        "getRegions",
        "getServiceAccount",
        "getServiceAccounts",
        "getUser",
        "getUsers",
    ]);
    for (const name of names.filter((each) => !each.endsWith("Output"))) {
        expect(names).toContain(`${name}Output`);
    }
});
