// What the documents show works: every example compiles, and every page says what the code's own comments say.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

const root = path.resolve(__dirname, "..", "..");
const CANNOT_FIND_NAME = 2304;
const documents = ["README.md", ...markdownIn("docs"), ...markdownIn("examples")];

function markdownIn(folder: string): string[] {
    return readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".md") && !file.includes("node_modules"))
        .map((file) => path.join(folder, file));
}

interface Example {
    /** Where it stands: the document and the number of the block in it. */
    readonly name: string;
    readonly code: string;
}

function examplesOf(document: string): Example[] {
    const text = readFileSync(path.join(root, document), "utf8");
    return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = ""], index) => ({
        name: `${document.replace(/[^\w]/g, "_")}_${index}.ts`,
        // The pages of resources show the one statement that matters.
        code: code.includes("import ") ? code : `import * as temporalcloud from "pulumi-temporal-cloud";\n${code}`,
    }));
}

const examples = documents.flatMap(examplesOf);

test("the documents have examples", () => {
    expect(examples.length).toBeGreaterThan(4);
});

test("every example compiles", () => {
    const config = ts.readConfigFile(path.join(root, "tsconfig.check.json"), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [] }, ts.sys, root);
    const sources = new Map(examples.map(({ name, code }) => [path.join(root, name), code]));
    const host = ts.createCompilerHost(options);
    const { readFile, fileExists } = host;
    host.readFile = (file) => sources.get(file) ?? readFile(file);
    host.fileExists = (file) => sources.has(file) || fileExists(file);
    const program = ts.createProgram(
        [...sources.keys()],
        { ...options, noUnusedLocals: false, pathsBasePath: root },
        host,
    );
    expect([...sources.keys()].filter((file) => program.getSourceFile(file) === undefined)).toEqual([]);
    const complaints = [...sources.keys()]
        .map((file) => program.getSourceFile(file))
        .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
        // The example of one resource may name another, which it does not declare.
        .filter(({ code, file }) => code !== CANNOT_FIND_NAME || !file?.fileName.includes("docs_resources"))
        .map(
            ({ file, messageText }) => `${file?.fileName ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`,
        );
    expect(complaints).toEqual([]);
});

test("the pages of the resources are what `npm run docs` writes", () => {
    execFileSync(process.execPath, [path.join(root, "scripts", "docs.mjs"), "--check"], { stdio: "pipe" });
});

test.each(documents)("the links of %s lead somewhere", (document) => {
    const text = readFileSync(path.join(root, document), "utf8");
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link = ""]) => link);
    const broken = links.filter((link) => !existsSync(path.resolve(root, path.dirname(document), link)));
    expect(broken).toEqual([]);
});
