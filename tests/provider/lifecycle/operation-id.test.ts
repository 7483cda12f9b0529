import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { backendOf, createOperationId, deleteOperationId, type Origin } from "../../../provider/lifecycle/operation-id";

const origin: Origin = {
    organization: "acme",
    urn: "urn:pulumi:prod::shop::pulumi-nodejs:dynamic/temporalcloud:Namespace::orders",
    naturalKey: "orders",
    salt: "",
    backend: "https://api.pulumi.com",
    generation: 0,
};

describe("ids", () => {
    test("stay the same in every release, or a create that was interrupted before an upgrade would be made twice", () => {
        expect(createOperationId(origin, 0)).toBe("baa2c67e-a9f4-592d-b131-4faec7a67c7f");
        expect(deleteOperationId("ApiKey", "0123456789abcdef")).toBe("ed620452-8e58-540c-991b-a3869df3143c");
    });

    test("differ with every part of the origin, and with the attempt", () => {
        const others: Partial<Origin>[] = [
            { organization: "other" },
            { urn: origin.urn.replace("prod", "dev") },
            { naturalKey: "order" },
            { salt: "1" },
            { backend: "file:host:/home/a" },
            { generation: 1 },
        ];
        const ids = [
            createOperationId(origin, 0),
            createOperationId(origin, 1),
            createOperationId({ ...origin, generation: 1 }, 1),
            ...others.map((other) => createOperationId({ ...origin, ...other }, 0)),
            deleteOperationId("ApiKey", "a"),
            deleteOperationId("User", "a"),
            deleteOperationId("ApiKey", "b"),
        ];
        expect(new Set(ids).size).toBe(ids.length);
        for (const id of ids) {
            expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        }
    });

    test("do not run parts into one another", () => {
        expect(createOperationId({ ...origin, naturalKey: "ab", salt: "c" }, 0)).not.toBe(
            createOperationId({ ...origin, naturalKey: "a", salt: "bc" }, 0),
        );
    });
});

describe("the backend", () => {
    let folder: string;
    let environment: Record<string, string>;
    const write = (name: string, text: string) => {
        const file = path.join(folder, name);
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, text);
    };
    const backend = (more: Record<string, string> = {}, from = "project/program") =>
        backendOf({ ...environment, ...more }, path.join(folder, from));

    beforeEach(() => {
        folder = mkdtempSync(path.join(os.tmpdir(), "temporal-cloud-backend-"));
        environment = { PULUMI_HOME: path.join(folder, "home") };
        write("project/Pulumi.yaml", "name: shop\nruntime: nodejs\n");
        mkdirSync(path.join(folder, "project", "program"));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    test("is Pulumi Cloud unless something says otherwise", () => {
        expect(backend()).toBe("https://api.pulumi.com");
        write("home/credentials.json", "not JSON");
        expect(backend()).toBe("https://api.pulumi.com");
        write("home/credentials.json", '{"current": 7}');
        expect(backend()).toBe("https://api.pulumi.com");
        write("home/credentials.json", "null");
        expect(backend()).toBe("https://api.pulumi.com");
    });

    test("comes from the login, then the project, then the environment", () => {
        write("home/credentials.json", '{"current": "s3://login"}');
        expect(backend()).toBe("s3://login");
        write("elsewhere/credentials.json", '{"current": "s3://elsewhere"}');
        expect(backend({ PULUMI_CREDENTIALS_PATH: path.join(folder, "elsewhere") })).toBe("s3://elsewhere");
        write("project/Pulumi.yaml", "name: shop\nbackend:\n  url: s3://project\n");
        expect(backend()).toBe("s3://project");
        expect(backend({ PULUMI_BACKEND_URL: "s3://environment" })).toBe("s3://environment");
    });

    test.each<[string, string]>([
        ["quoted", 'name: shop\nbackend:\n  url: "s3://there"\nruntime: nodejs\n'],
        ["in single quotes, with a comment", "backend:\n  url: 's3://there' # ours\n"],
        ["with comments", "backend: # ours\n  # the bucket\n  url: s3://there # in S3\n"],
        ["after other keys, tabs and blank lines", "name: shop\nbackend:\n\n  other: x\n\n  url: s3://there\n"],
        ["with Windows line ends", "name: shop\r\nbackend:\r\n  url: s3://there\r\n"],
        ["without a line end", "backend:\n    url: s3://there"],
        ["in braces", "name: shop\nbackend: { url: s3://there }\n"],
        ["in braces, quoted", 'backend: {"url": "s3://there"}\n'],
        ["in braces, over several lines", "backend: {\n  other: { url: s3://not },\n  url: s3://there\n}\n"],
        ["by an anchor", "ours: &ours\n  url: s3://there\nbackend: *ours\n"],
        ["with a quoted key", 'backend:\n  "url": s3://there\n'],
    ])("is read from Pulumi.yaml: %s", (_, yaml) => {
        write("project/Pulumi.yaml", yaml);
        expect(backend()).toBe("s3://there");
    });

    test.each<[string, string]>([
        ["no url", "backend:\n  other: x\nurl: s3://not\n"],
        ["an empty one", "backend:\n  url: ''\n"],
        ["a url of something else", "config:\n  url: s3://not\n"],
        ["a comment", "# backend:\n#   url: s3://not\n"],
    ])("is not read from what is none: %s", (_, yaml) => {
        write("project/Pulumi.yaml", yaml);
        expect(backend()).toBe("https://api.pulumi.com");
    });

    test("Pulumi.yml will do, and the nearest project counts", () => {
        write("project/program/Pulumi.yml", "backend:\n  url: s3://near\n");
        write("project/Pulumi.yaml", "backend:\n  url: s3://far\n");
        expect(backend()).toBe("s3://near");
    });

    test("in a folder holds machine and place, in whatever spelling", () => {
        const state = path.join(folder, "state");
        const expected = `file:${os.hostname()}:${state}`;
        expect(backend({ PULUMI_BACKEND_URL: `file://${state}` })).toBe(expected);
        expect(backend({ PULUMI_BACKEND_URL: `file://${state}/` })).toBe(expected);
        expect(backend({ PULUMI_BACKEND_URL: `file:${state}` })).toBe(expected);
        expect(backend({ PULUMI_BACKEND_URL: "file://../../state" })).toBe(expected);
        expect(backend({ PULUMI_BACKEND_URL: "file://~" })).toBe(`file:${os.hostname()}:${os.homedir()}`);
        expect(backend({ PULUMI_BACKEND_URL: "file://~/s" })).toBe(`file:${os.hostname()}:${os.homedir()}/s`);
        expect(backend({ PULUMI_BACKEND_URL: `file://${folder}/other` })).not.toBe(expected);
    });
});
