// proto/ was written by hand from a table. Here it is held against the descriptors that upstream publishes with its own
// TypeScript SDK: what both have must agree, number by number, since a wrong number loses data without an error.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import protobuf from "protobufjs";
import "protobufjs/ext/descriptor";
import { API_VERSION, PACKAGE_VERSION } from "../../proto/generated/version";

const root = path.resolve(__dirname, "../..");
const protoDir = path.join(root, "proto");
const descriptors = readFileSync(path.join(protoDir, "generated/descriptors.binpb"));

/** Everything in one set of descriptors: where ("Message #number") to what it is ("name: type"). */
interface Shape {
    types: Set<string>;
    fields: Map<string, string>;
    enumValues: Map<string, string>;
    rpcs: Map<string, string>;
    /** Fields that are marked as deprecated. */
    deprecated: Set<string>;
    /** Numbers that a message reserves. */
    reserved: Set<string>;
}

/** The descriptors that proto/ was compiled to. */
const ours = shapeOf(protobuf.Root.fromDescriptor(descriptors));
// Its typings are 9 MB of declarations of each message, and do not tell that this is a protobufjs root.
const upstream = shapeOf(require("@temporalio/proto/protos/json-module.js") as protobuf.Root);

describe("agreement with the descriptors of @temporalio/proto", () => {
    test("the comparison compares something", () => {
        // What was there at the time of writing, rounded down: a comparison of nothing must not pass for agreement.
        expect(common(ours.types, upstream.types).length).toBeGreaterThan(250);
        expect(common(ours.fields.keys(), upstream.fields).length).toBeGreaterThan(600);
        expect(common(ours.enumValues.keys(), upstream.enumValues).length).toBeGreaterThan(75);
        expect(common(ours.rpcs.keys(), upstream.rpcs).length).toBeGreaterThan(70);
        expect(ours.fields.get("temporal.api.cloud.namespace.v1.NamespaceSpec #8")).toBe(
            "searchAttributes: map<string, temporal.api.cloud.namespace.v1.NamespaceSpec.SearchAttributeType>",
        );
        expect(ours.fields.get("temporal.api.cloud.account.v1.AuditLogSinkSpec #2")).toBe(
            "sinkType.kinesisSink: temporal.api.cloud.sink.v1.KinesisSpec",
        );
    });

    test.each(["fields", "enumValues", "rpcs"] as const)("%s that both have are the same", (kind) => {
        const both = common(ours[kind].keys(), upstream[kind]);
        const pick = (shape: Shape) => Object.fromEntries(both.map((where) => [where, shape[kind].get(where)]));
        expect(pick(ours)).toEqual(pick(upstream));
    });

    test.each(["fields", "enumValues"] as const)("no name of %s has moved to another number", (kind) => {
        // A name that both have under different numbers would hide from the test above as two additions.
        const byName = (shape: Shape) =>
            new Map([...shape[kind]].map(([where, what]) => [`${where.split(" #")[0]} ${what.split(":")[0]}`, where]));
        const theirs = byName(upstream);
        const moved = [...byName(ours)].filter(([name, where]) => (theirs.get(name) ?? where) !== where);
        expect(moved).toEqual([]);
    });

    test("a field of a message that both have is left out only where upstream deprecates it, and is then reserved", () => {
        const absent = [...upstream.fields.keys()].filter(
            (where) => !ours.fields.has(where) && isOfCloudApi(where) && ours.types.has(where.replace(/ #.*/, "")),
        );
        expect(absent.length).toBeGreaterThan(5);
        expect(absent.filter((where) => !upstream.deprecated.has(where))).toEqual([]);
        expect(absent.filter((where) => !ours.reserved.has(where))).toEqual([]);
    });

    test("a message, enum or RPC is left out only for a reason", () => {
        expect([...upstream.types].filter((name) => !ours.types.has(name) && isOfCloudApi(name))).toEqual([
            // Only the deprecated field `region_status` of Namespace has it.
            "temporal.api.cloud.namespace.v1.NamespaceRegionStatus",
            "temporal.api.cloud.namespace.v1.NamespaceRegionStatus.State",
        ]);
        expect([...upstream.rpcs.keys()].filter((name) => !ours.rpcs.has(name)).sort()).toEqual([
            // UpdateNamespace with other replicas takes their place.
            "temporal.api.cloud.cloudservice.v1.CloudService/AddNamespaceRegion",
            "temporal.api.cloud.cloudservice.v1.CloudService/DeleteNamespaceRegion",
        ]);
    });

    test("what is deprecated in proto/ is deprecated upstream too", () => {
        const checked = [...ours.deprecated].filter((where) => upstream.fields.has(where));
        expect(checked.length).toBeGreaterThan(5);
        expect(checked.filter((where) => !upstream.deprecated.has(where))).toEqual([]);
    });
});

describe("versions", () => {
    test("the generated code has the version of proto/VERSION", () => {
        expect(`${API_VERSION}\n`).toBe(readFileSync(path.join(protoDir, "VERSION"), "utf8"));
        expect(API_VERSION).toMatch(/^v\d+\.\d+\.\d+$/);
    });

    test("the generated code has the version of package.json", () => {
        expect(PACKAGE_VERSION).toBe(JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")).version);
    });
});

describe("buf", () => {
    test("lint is clean", () => {
        expect(buf("lint")).toEqual({ status: 0, output: "" });
    });

    test("the formatting is buf's", () => {
        expect(buf("format", "--diff", "--exit-code")).toEqual({ status: 0, output: "" });
    });

    test("the descriptors were generated from the present .proto files", () => {
        const run = spawnBuf("build", "--exclude-source-info", "-o", "-#format=binpb");
        expect(run.stderr.toString()).toBe("");
        // Compared as one truth value: the difference of two binary files is of no use to anybody.
        expect(run.stdout.equals(descriptors)).toBe(true);
    });
});

function shapeOf(all: protobuf.Root): Shape {
    const shape: Shape = {
        types: new Set(),
        fields: new Map(),
        enumValues: new Map(),
        rpcs: new Map(),
        deprecated: new Set(),
        reserved: new Set(),
    };
    all.resolveAll();
    visit(all.lookup("temporal.api.cloud"));
    visit(all.lookup("temporal.api.common.v1.Payload"));
    return shape;

    function visit(object: protobuf.ReflectionObject | null): void {
        const name = object?.fullName.slice(1);
        if (object instanceof protobuf.Type) {
            shape.types.add(`${name}`);
            for (const field of object.fieldsArray) {
                const where = `${name} #${field.id}`;
                const oneof = field.partOf ? `${protobuf.util.camelCase(field.partOf.name)}.` : "";
                expect(shape.fields.has(where)).toBe(false);
                shape.fields.set(where, `${oneof}${field.name}: ${typeOf(field)}`);
                if (field.options?.deprecated) {
                    shape.deprecated.add(where);
                }
            }
            for (const range of object.reserved ?? []) {
                for (let id = Number(range[0]); Array.isArray(range) && id <= Number(range[1]); id++) {
                    shape.reserved.add(`${name} #${id}`);
                }
            }
        } else if (object instanceof protobuf.Enum) {
            shape.types.add(`${name}`);
            for (const [value, number] of Object.entries(object.values)) {
                shape.enumValues.set(`${name} #${number}`, value);
            }
        } else if (object instanceof protobuf.Service) {
            for (const rpc of object.methodsArray) {
                const request = `${rpc.requestStream ? "stream " : ""}${rpc.resolvedRequestType?.fullName.slice(1)}`;
                const response = `${rpc.responseStream ? "stream " : ""}${rpc.resolvedResponseType?.fullName.slice(1)}`;
                shape.rpcs.set(`${name}/${rpc.name}`, `${request} -> ${response}`);
            }
        }
        if (object instanceof protobuf.Namespace) {
            object.nestedArray.forEach(visit);
        }
    }
}

/** All but Payload: that one belongs to the workflow API, which has more in it than the Cloud Ops API uses. */
function isOfCloudApi(name: string): boolean {
    return name.startsWith("temporal.api.cloud.");
}

function typeOf(field: protobuf.Field): string {
    const type = field.resolvedType?.fullName.slice(1) ?? field.type;
    if (field instanceof protobuf.MapField) {
        return `map<${field.keyType}, ${type}>`;
    }
    return field.repeated ? `repeated ${type}` : type;
}

/** What is in both, in order. */
function common(some: Iterable<string>, others: { has(name: string): boolean }): string[] {
    return [...some].filter((name) => others.has(name)).sort();
}

function spawnBuf(...args: string[]) {
    const bin = path.join(root, "node_modules", ".bin", process.platform === "win32" ? "buf.cmd" : "buf");
    const run = spawnSync(bin, args, { cwd: protoDir, shell: process.platform === "win32" });
    if (run.error) {
        throw run.error;
    }
    return run;
}

function buf(...args: string[]): { status: number | null; output: string } {
    const { status, stdout, stderr } = spawnBuf(...args);
    return { status, output: `${stdout}${stderr}` };
}
