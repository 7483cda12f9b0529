// `npm run docs`: writes docs/resources/ from the doc comments of provider/resources/, so that what an editor shows and
// what the page says are one text. `--check` writes nothing and fails where a page is not what it would be.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { root } from "./setup.mjs";

const ts = createRequire(path.join(root, "package.json"))("typescript");
const common = parse(path.join(root, "provider", "resource.ts"));
const sources = path.join(root, "provider", "resources");
const pages = path.join(root, "docs", "resources");

const written = new Map(
    readdirSync(sources)
        .filter((file) => file.endsWith(".ts"))
        .map((file) => [file.replace(/\.ts$/, ".md"), page(path.join(sources, file))]),
);

if (process.argv.includes("--check")) {
    const stale = [...written].filter(([file, text]) => read(path.join(pages, file)) !== text).map(([file]) => file);
    const surplus = readdirSync(pages).filter((file) => !written.has(file));
    if (stale.length + surplus.length > 0) {
        console.error(`docs/resources is not what the doc comments say (${[...stale, ...surplus].join(", ")}): run \`npm run docs\``);
        process.exitCode = 1;
    }
} else {
    rmSync(pages, { recursive: true, force: true });
    mkdirSync(pages, { recursive: true });
    for (const [file, text] of written) {
        writeFileSync(path.join(pages, file), text);
    }
}

function read(file) {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return undefined;
    }
}

function parse(file) {
    return ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ESNext, true);
}

function page(file) {
    const exported = parse(file).statements.filter((statement) => isExported(statement));
    const resource = exported.find((statement) => ts.isClassDeclaration(statement));
    const types = exported.filter((statement) => ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement));
    const [args, ...others] = types;
    const outputs = resource.members.filter(
        (member) => ts.isPropertyDeclaration(member) && !argumentNames(args).has(member.name.getText()),
    );
    return `${[
        `# ${resource.name.text}`,
        comment(resource),
        "## Arguments",
        comment(args),
        table([...inherited(args), ...args.members]),
        "## Outputs",
        "All arguments, as the server has them, and:",
        table(outputs),
        ...others.flatMap((type) => [`## ${type.name.text}`, comment(type), ...bodies(type).map(table)]),
    ].join("\n\n")}\n`;
}

/** The arguments that come with a base, which stands in provider/resource.ts. */
function inherited(args) {
    const bases = (args.heritageClauses ?? []).flatMap((clause) => clause.types.map((type) => type.getText()));
    return common.statements
        .filter((statement) => ts.isInterfaceDeclaration(statement) && bases.includes(statement.name.text))
        .flatMap((statement) => [...statement.members]);
}

function argumentNames(args) {
    return new Set(args.members.map((member) => member.name.getText()));
}

/** The members of an interface, or of each alternative of a union of objects. */
function bodies(type) {
    if (ts.isInterfaceDeclaration(type)) {
        return [type.members];
    }
    const alternatives = ts.isUnionTypeNode(type.type) ? type.type.types : [type.type];
    return alternatives.filter((alternative) => ts.isTypeLiteralNode(alternative)).map(({ members }) => members);
}

function table(members) {
    const rows = [...members]
        .filter((member) => member.type)
        .map((member) => {
            const name = `\`${member.name.getText()}\`${member.questionToken ? "" : isArgument(member) ? " (required)" : ""}`;
            return `| ${name} | \`${typeText(member.type)}\` | ${comment(member).replace(/\s+/g, " ")} |`;
        });
    return ["| Name | Type | |", "|---|---|---|", ...rows].join("\n");
}

function isArgument(member) {
    return /pulumi\.Input\b/.test(member.type.getText());
}

/** The type as a person thinks of it: without inputs, outputs, and what may be left out. */
function typeText(type) {
    let text = type.getText().replace(/\s+/g, " ");
    for (let before = ""; before !== text; ) {
        before = text;
        text = text.replace(/pulumi\.(?:Input|Output|Unwrap)<((?:[^<>]|<[^<>]*>)*)>/, "$1");
    }
    return text
        .replace(/ \| undefined/g, "")
        .replace(/readonly /g, "")
        .replace(/\/\*\*.*?\*\/ ?/g, "")
        .replaceAll("|", "\\|");
}

function isExported(statement) {
    return statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}

function comment(node) {
    const [doc] = ts.getJSDocCommentsAndTags(node).filter((part) => ts.isJSDoc(part));
    return doc ? (ts.getTextOfJSDocComment(doc.comment) ?? "").replaceAll("|", node.members ? "|" : "\\|") : "";
}
