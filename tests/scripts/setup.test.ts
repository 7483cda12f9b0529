import { execFileSync } from "node:child_process";
import path from "node:path";
import { repositoryRoot } from "../support/workdir";

const versions = ["v18.20.4", "v20.2.0", "v20.3.0", "v22.0.0"];

test("the setup requires the Node.js that package.json names", () => {
    const script = `
        import { nodeProblem } from "${path.join(repositoryRoot, "scripts", "setup.mjs")}";
        console.log(JSON.stringify(process.argv.slice(1).map((version) => nodeProblem(version) ?? "none")));
    `;
    const answer = execFileSync(process.execPath, ["--input-type=module", "-e", script, ...versions]);
    expect(JSON.parse(answer.toString())).toEqual([
        "Node.js 20.3 or later is required; this is v18.20.4",
        "Node.js 20.3 or later is required; this is v20.2.0",
        "none",
        "none",
    ]);
});
