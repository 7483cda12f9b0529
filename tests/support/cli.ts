import { spawn } from "node:child_process";
import path from "node:path";
import type { TestStack } from "./engine";

/** Runs the Pulumi CLI itself in a stack's folder. */
export function pulumiIn(stack: TestStack, args: string[]): Promise<{ code: number | null; text: string }> {
    const root = process.env.TEMPORAL_CLOUD_TEST_PULUMI ?? "";
    const child = spawn(root === "PATH" ? "pulumi" : path.join(root, "bin", "pulumi"), args, {
        cwd: stack.workDir,
        env: {
            ...process.env,
            PULUMI_HOME: path.join(stack.workDir, "home"),
            PULUMI_CONFIG_PASSPHRASE: "passphrase",
            PULUMI_SKIP_UPDATE_CHECK: "true",
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        },
        stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (part: string) => {
            text += part;
        });
    }
    return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code) => resolve({ code, text }));
    });
}
