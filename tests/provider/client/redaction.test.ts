import * as grpc from "@grpc/grpc-js";
import { redact, withoutSecrets } from "../../../provider/client/redaction";

test("every occurrence of every secret is replaced, and nothing else", () => {
    redact("tmprl_one.with$regexp^characters");
    redact("tmprl_two");
    expect(withoutSecrets("a tmprl_one.with$regexp^characters b tmprl_two c tmprl_two")).toBe(
        "a [secret] b [secret] c [secret]",
    );
    expect(withoutSecrets("tmprl_oneXwith")).toBe("tmprl_oneXwith");
    expect(withoutSecrets(7)).toBe(7);
});

test("what gRPC logs goes to stderr without them", () => {
    const lines: unknown[][] = [];
    const error = jest.spyOn(console, "error").mockImplementation((...line: unknown[]) => {
        lines.push(line);
    });
    redact("tmprl_three");
    grpc.setLogVerbosity(grpc.logVerbosity.DEBUG);
    // Beneath grpc-js's own types: how it writes a line.
    const { log } = require("@grpc/grpc-js/build/src/logging") as { log(level: number, ...texts: string[]): void };
    for (const level of [grpc.logVerbosity.DEBUG, grpc.logVerbosity.INFO, grpc.logVerbosity.ERROR]) {
        log(level, "authorization: Bearer tmprl_three", "more");
    }
    error.mockRestore();
    expect(lines).toEqual([1, 2, 3].map(() => ["authorization: Bearer [secret]", "more"]));
});
