// Compiles proto/ to proto/generated/: TypeScript by ts-proto, the descriptors for the tests, and the API's version.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const proto = path.join(root, "proto");
const bin = path.join(root, "node_modules", ".bin");
const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` };
const buf = (...args) =>
    execFileSync("buf", args, { cwd: proto, env, stdio: "inherit", shell: process.platform === "win32" });

buf("generate");
mkdirSync(path.join(proto, "generated"), { recursive: true });
buf("build", "--exclude-source-info", "-o", "generated/descriptors.binpb");

const version = readFileSync(path.join(proto, "VERSION"), "utf8").trim();
const packageVersion = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")).version;
writeFileSync(
    path.join(proto, "generated", "version.ts"),
    `/** The version of the Cloud Ops API that these messages were compiled from. */
export const API_VERSION = ${JSON.stringify(version)};
/** The version of this package. */
export const PACKAGE_VERSION = ${JSON.stringify(packageVersion)};
`,
);
