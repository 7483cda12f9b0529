// What a program's compiler is given.

import { existsSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

const root = path.join(__dirname, "..", "..");
const declarations = path.join(root, "dist", "provider", "index.d.ts");

test("the declarations compile with the settings of `pulumi new typescript`, which checks libraries", () => {
    expect(existsSync(declarations)).toBe(true);
    const program = ts.createProgram([declarations], {
        target: ts.ScriptTarget.ES2020,
        module: ts.ModuleKind.CommonJS,
        strict: true,
        noEmit: true,
        types: ["node"],
        skipLibCheck: false,
    });
    const complaints = ts
        .getPreEmitDiagnostics(program)
        .filter(({ file }) => file?.fileName.startsWith(path.join(root, "dist")))
        .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
    expect(complaints).toEqual([]);
});
