import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

// Without it the heap comes to 120 to 170 MB on Node.js 20, 24 and 26; on 22 to 61 MB.
test("the heap stays small, is cleared up at the 200th call, and nothing is left switched on", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [path.join(__dirname, "v8.probe.cjs")]);
    const { peakBytes, clearedAfter, gc } = JSON.parse(stdout) as Record<string, unknown>;
    expect({ clearedAfter, gc }).toEqual({ clearedAfter: 200, gc: "undefined" });
    expect(peakBytes).toBeLessThan(75e6);
});
