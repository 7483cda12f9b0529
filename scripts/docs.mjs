// `npm run docs`: writes docs/resources/, docs/functions.md and docs/emulator.md from the doc comments of provider/ and
// emulator/, so that what an editor shows and what the page says are one text. `--check` writes nothing and fails where a
// page is not what it would be.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { root } from "./setup.mjs";

const ts = createRequire(path.join(root, "package.json"))("typescript");
const common = ["resource.ts", "access.ts"].flatMap((file) => [...parse(path.join(root, "provider", file)).statements]);
const docs = path.join(root, "docs");
/** The objects that hold the words of a type: by the name that object and type have in common. */
const enums = new Map(
    ["enums.ts", "functions/regions.ts"]
        .flatMap((file) => [...parse(path.join(root, "provider", file)).statements])
        .filter((statement) => isExported(statement) && ts.isVariableStatement(statement) && hasWords(statement))
        .map((statement) => [declared(statement).name.text, statement]),
);

/** What holds for every resource, and is therefore in no comment. */
const rules = [
    "A field that the program has never set keeps its value on the server. A field removed from the program is reset " +
        "to the API's default: a list, map or string becomes empty, a name the logical name, a boolean false; other " +
        "defaults, and fields that are not reset, are noted at the field.",
    "Timeouts: 30 minutes for a create or a delete, two hours for an update; the option `customTimeouts` changes " +
        "these, and the 5 minutes of a read.",
];

const written = new Map([
    ...sourcesIn("resources").map((file) => [`resources/${path.basename(file, ".ts")}.md`, resourcePage(file)]),
    ["functions.md", functionsPage(sourcesIn("functions"))],
    ["emulator.md", emulatorPage()],
]);

if (process.argv.includes("--check")) {
    const stale = [...written].filter(([file, text]) => read(path.join(docs, file)) !== text).map(([file]) => file);
    const surplus = readdirSync(path.join(docs, "resources"))
        .map((file) => `resources/${file}`)
        .filter((file) => !written.has(file));
    if (stale.length + surplus.length > 0) {
        const files = [...stale, ...surplus].join(", ");
        console.error(`docs/ is not what the doc comments say (${files}): run \`npm run docs\``);
        process.exitCode = 1;
    }
} else {
    rmSync(path.join(docs, "resources"), { recursive: true, force: true });
    mkdirSync(path.join(docs, "resources"), { recursive: true });
    for (const [file, text] of written) {
        writeFileSync(path.join(docs, file), text);
    }
}

function sourcesIn(folder) {
    const directory = path.join(root, "provider", folder);
    return readdirSync(directory)
        .filter((file) => file.endsWith(".ts"))
        .map((file) => path.join(directory, file));
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

function resourcePage(file) {
    const exported = parse(file).statements.filter((statement) => isExported(statement));
    const resource = exported.find((statement) => ts.isClassDeclaration(statement));
    const types = exported.filter(
        (statement) => ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement),
    );
    const [args, ...others] = types;
    const outputs = resource.members.filter(
        // An argument is an output too, and listed again where there is more to say of it.
        (member) =>
            ts.isPropertyDeclaration(member) && (!argumentNames(args).has(member.name.getText()) || comment(member)),
    );
    return page([
        `# ${resource.name.text}`,
        comment(resource),
        ...rules,
        "## Arguments",
        comment(args),
        table([...args.members, ...inherited(args)]),
        "## Outputs",
        "All arguments, with the server's values, and:",
        table(outputs),
        ...others.flatMap((type) => [`## ${type.name.text}`, comment(type), ...tables(type)]),
    ]);
}

/** The page, and at its end the words of each type that it names. */
function page(sections) {
    const text = sections.join("\n\n");
    const named = [...enums].filter(([name]) => new RegExp(`\\b${name}\\b`).test(text));
    return `${[text, ...named.flatMap(([name, words]) => [`## ${name}`, comment(words), wordTable(words)])].join("\n\n")}\n`;
}

function declared(statement) {
    return statement.declarationList.declarations[0];
}

/** Whether it declares `{ Name: "word", ... } as const`. */
function hasWords(statement) {
    const { initializer } = declared(statement);
    return ts.isAsExpression(initializer) && ts.isObjectLiteralExpression(initializer.expression);
}

function wordTable(statement) {
    const { name, initializer } = declared(statement);
    const rows = initializer.expression.properties.map(
        (property) =>
            `| \`${property.initializer.text}\` | \`${name.text}.${property.name.getText()}\` | ${comment(property)} |`,
    );
    return framed(["Value", "Constant"], rows);
}

function emulatorPage() {
    const statements = ["settings.ts", "faults.ts"].flatMap((file) => [
        ...parse(path.join(root, "emulator", file)).statements,
    ]);
    const names = ["Settings", "Fault", "faultKinds", "malformations", "RandomFaults"];
    const [settings, fault, kinds, shapes, random] = names.map((name) =>
        statements.find(
            (statement) => (ts.isVariableStatement(statement) ? declared(statement) : statement).name?.text === name,
        ),
    );
    const intro =
        "`npx temporal-cloud emulator --help` lists its options. `--set <name>=<value>` changes a setting and " +
        "`--fault <json>` injects a fault; both can be repeated. `--random-faults <json>` injects random faults. In " +
        "JSON, write a pattern as a string between slashes, and a status code as its name, such as `UNAVAILABLE`. " +
        "The class `Emulator`, its methods, and the function `run` are for this package's own tests: with the " +
        "command, settings cannot change after the start, and `Infinity` never ends. The RPCs of user groups, Nexus " +
        "endpoints, connectivity rules, namespace export sinks, custom roles, audit logs and their sinks, usage and " +
        "billing reports return UNIMPLEMENTED, and so does UpdateAccount.";
    return page([
        "# The emulator",
        intro,
        "## Settings",
        comment(settings),
        table(settings.members),
        "## Faults",
        comment(fault),
        table(fault.members),
        comment(kinds),
        listTable("Kind", kinds),
        comment(shapes),
        listTable("Shape", shapes),
        "## Faults at random",
        comment(random),
        table(random.members),
    ]);
}

/** The words of `["word", ...] as const`, each with the comment before it. */
function listTable(title, statement) {
    const text = statement.getSourceFile().text;
    const rows = declared(statement).initializer.expression.elements.map((element) => {
        const [range] = ts.getLeadingCommentRanges(text, element.pos) ?? [];
        const words = text.slice(range.pos, range.end).replace(/^\/\*\*\s*|\s*\*\/$/g, "");
        return `| \`${element.text}\` | ${words} |`;
    });
    return framed([title], rows);
}

function functionsPage(files) {
    const sections = files.flatMap((file) => {
        const exported = parse(file).statements.filter((statement) => isExported(statement));
        const typeNamed = (name) => exported.find((statement) => statement.name?.text === name);
        return exported
            .filter(
                (statement) => ts.isFunctionDeclaration(statement) && /^get\w+(?<!Output)$/.test(statement.name.text),
            )
            .map((lookUp) => {
                const name = lookUp.name.text;
                const capital = name[0].toUpperCase() + name.slice(1);
                const [args, result] = [typeNamed(`${capital}Args`), typeNamed(`${capital}Result`)];
                const others = result ? exported.filter((statement) => isPartOf(result, statement)) : [];
                return [
                    `## ${name}`,
                    comment(lookUp).replaceAll("```ts", "```typescript"),
                    ...thrown(lookUp),
                    ...(args ? [`Arguments: ${lowerFirst(comment(args))}`, ...tables(args)] : []),
                    ...(result ? [`Result: ${lowerFirst(comment(result))}`, ...tables(result)] : []),
                    ...others.flatMap((type) => [`### ${type.name.text}`, comment(type), ...tables(type)]),
                ].join("\n\n");
            });
    });
    const intro = [
        "Lookups read without managing, during preview and `up`. Each `getX` returns a promise. `getXOutput` takes " +
            "outputs as arguments, such as the id of another resource; at preview its result is unknown if an " +
            "argument is unknown or depends on a resource that has yet to be created. All accept the options " +
            "`provider` and `parent`; `getXOutput` also accepts `dependsOn`.",
        "The examples use top-level `await`, which only an ES module can, such as one compiled to JavaScript beforehand " +
            "(otherwise error TS1309). In a CommonJS program, which `pulumi new typescript` makes, use " +
            "`getXOutput(...).apply(...)`, or export the program as a function:",
        '```ts\nimport * as temporalcloud from "pulumi-temporal-cloud";\n\nexport = async () => {\n' +
            '    const { endpoints } = await temporalcloud.getNamespace({ name: "orders" });\n' +
            "    return { address: endpoints.grpcAddress }; // the stack's outputs\n};\n```",
        "In unit tests with `pulumi.runtime.setMocks`, the mocks answer, and no request is sent: `call` receives the " +
            "token `pulumi-nodejs:dynamic/temporalcloud:getNamespace` (resources have the type " +
            "`pulumi-nodejs:dynamic/temporalcloud:Namespace`, and inputs of this package's own, which begin with `__`).",
    ];
    return page(["# Lookups", ...intro, ...sections, ...errorSection()]);
}

/** Whether it is an interface that a result names, and that nothing else is about. */
function isPartOf(result, statement) {
    const named = statement.name?.text;
    return (
        ts.isInterfaceDeclaration(statement) &&
        !/(?:Args|Result)$/.test(named) &&
        new RegExp(`\\b${named}\\b`).test(result.getText())
    );
}

/** When a function throws, as its comment has it: `{LookupError} when there is none`. */
function thrown(lookUp) {
    return ts
        .getAllJSDocTags(lookUp, (tag) => ts.isJSDocThrowsTag(tag))
        .map((tag) => {
            const type = tag.typeExpression?.type.getText();
            return `Throws [\`${type}\`](#${type.toLowerCase()}) ${ts.getTextOfJSDocComment(tag.comment)}.`;
        });
}

/** The error that all lookups throw, and its properties. */
function errorSection() {
    const { statements } = parse(path.join(root, "provider", "functions", "invoke.ts"));
    const error = statements.find((statement) => statement.name?.text === "LookupError");
    const construct = error.members.find((member) => ts.isConstructorDeclaration(member));
    const properties = construct.parameters.filter((parameter) => parameter.modifiers);
    const described = properties.map(
        (property) => `\`${property.name.getText()}\` is the reason:\n\n${comment(property).replace(/^Why:\n/, "")}`,
    );
    return [`## ${error.name.text}`, comment(error), ...described];
}

function lowerFirst(text) {
    return text.charAt(0).toLowerCase() + text.slice(1);
}

/** The arguments that come with a base, which stands in a file of what resources share. */
function inherited(args) {
    const bases = (args.heritageClauses ?? []).flatMap((clause) => clause.types.map((type) => type.getText()));
    return common
        .filter((statement) => ts.isInterfaceDeclaration(statement) && bases.includes(statement.name.text))
        .flatMap((statement) => [...statement.members]);
}

function argumentNames(args) {
    return new Set([...args.members, ...inherited(args)].map((member) => member.name.getText()));
}

/** The members of an interface, or of each alternative of a union of objects. */
function bodies(type) {
    if (ts.isInterfaceDeclaration(type)) {
        return [type.members];
    }
    const alternatives = ts.isUnionTypeNode(type.type) ? type.type.types : [type.type];
    return alternatives.filter((alternative) => ts.isTypeLiteralNode(alternative)).map(({ members }) => members);
}

/** A table, or one for each alternative. */
function tables(type) {
    return bodies(type).flatMap((members, index) => [...(index > 0 ? ["or"] : []), table(members)]);
}

function table(members) {
    const rows = [...members]
        .filter((member) => member.type && member.type.getText() !== "undefined")
        .flatMap((member) => [
            row(member, `\`${member.name.getText()}\`${isRequired(member) ? " (required)" : ""}`),
            ...partRows(member, member.name.getText()),
        ]);
    return framed(["Name", "Type"], rows);
}

function row(member, name) {
    return `| ${name} | \`${typeText(member.type)}\` | ${comment(member).replace(/\s+/g, " ")} |`;
}

/** A row for each part of an object that has something to be said of it. */
function partRows({ type }, path) {
    const objects = ts.isUnionTypeNode(type) ? type.types : [type];
    return objects
        .filter((object) => ts.isTypeLiteralNode(object))
        .flatMap(({ members }) => [...members])
        .filter((member) => ts.isPropertySignature(member))
        .flatMap((member) => {
            const name = `${path}.${member.name.getText()}`;
            return [...(comment(member) ? [row(member, `\`${name}\``)] : []), ...partRows(member, name)];
        });
}

/** Rows below their headings, with one more column, without a heading, for what there is to say. */
function framed(headings, rows) {
    return [`| ${[...headings, ""].join(" | ")}|`, `|${"---|".repeat(headings.length + 1)}`, ...rows].join("\n");
}

/** Whether somebody has to give it: a member of what people write, and not of what they read. */
function isRequired({ questionToken, type, parent }) {
    const named = parent.name ?? parent.parent.parent?.name;
    const isGiven = /pulumi\.Input\b/.test(type.getText()) || /^(Fault|RandomFaults|\w+Args)$/.test(named?.text);
    return isGiven && !questionToken;
}

/** The type as a person thinks of it: without inputs, outputs, and what may be left out. */
function typeText(type) {
    let text = type.getText().replace(/\s+/g, " ");
    for (let before = ""; before !== text; ) {
        before = text;
        text = text.replace(/pulumi\.(?:Input|Output|Unwrap)<((?:[^<>]|<[^<>]*>)*)>/, "$1");
    }
    return text
        .replace(/typeof (\w+)\.(\w+)/g, (whole, name, member) => wordOf(name, member) ?? whole)
        .replace(/(\w+): ([^;{}]*?) \| undefined/g, "$1?: $2")
        .replace(/ \| undefined/g, "")
        .replace(/^\| /, "")
        .replace(/readonly /g, "")
        .replace(/\/\*\*.*?\*\/ ?/g, "")
        .replaceAll("|", "\\|")
        .trim();
}

function wordOf(name, member) {
    const words = enums.get(name);
    const found = words && declared(words).initializer.expression.properties.find(({ name }) => name.text === member);
    return found?.initializer.getText();
}

function isExported(statement) {
    return statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}

function comment(node) {
    const [doc] = ts.getJSDocCommentsAndTags(node).filter((part) => ts.isJSDoc(part));
    return doc ? (ts.getTextOfJSDocComment(doc.comment) ?? "").replaceAll("|", node.members ? "|" : "\\|") : "";
}
