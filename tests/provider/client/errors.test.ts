import { inspect } from "node:util";
import { ClientError, Status } from "nice-grpc-common";
import {
    type Failure,
    failed,
    isCertificateFailure,
    isTooLarge,
    RpcError,
    toRpcError,
} from "../../../provider/client/errors";
import { redact } from "../../../provider/client/redaction";

const PATH = "/temporal.api.cloud.cloudservice.v1.CloudService/CreateNamespace";
const explain = (code: Status, details: string, operationId?: string) =>
    toRpcError(new ClientError(PATH, code, details), "cloud.example:443", operationId);

test.each<[Status, string, Failure]>([
    [Status.NOT_FOUND, "namespace not found", "notFound"],
    [Status.ALREADY_EXISTS, "namespace exists", "alreadyExists"],
    [Status.ABORTED, "version", "conflict"],
    [Status.FAILED_PRECONDITION, "version", "conflict"],
    [Status.INVALID_ARGUMENT, "name is too long", "invalid"],
    [Status.INVALID_ARGUMENT, "Nothing to change", "nothingToChange"],
    [Status.INVALID_ARGUMENT, "accepted_client_ca is not a certificate", "invalid"],
    [Status.UNAUTHENTICATED, "invalid key", "unauthenticated"],
    [Status.PERMISSION_DENIED, "not allowed", "denied"],
    [Status.UNAVAILABLE, "No connection established", "unreachable"],
    [Status.UNAVAILABLE, "No connection established. Last error: self-signed certificate", "certificate"],
    [Status.UNAVAILABLE, "certificate authority: upstream restarting", "unreachable"],
    [
        Status.UNAVAILABLE,
        "No connection established. Last error: unable to verify the first certificate",
        "certificate",
    ],
    [
        Status.UNAVAILABLE,
        "No connection established. Last error: SSL routines:ssl3_get_record:wrong version number",
        "certificate",
    ],
    [Status.DEADLINE_EXCEEDED, "", "unreachable"],
    [Status.RESOURCE_EXHAUSTED, "rate limit exceeded", "unreachable"],
    [Status.UNIMPLEMENTED, "no such method", "other"],
    [Status.INTERNAL, "panic", "other"],
    [99 as Status, "", "other"],
])("%i %j is %s", (code, details, failure) => {
    const error = explain(code, details);
    expect(error.failure).toBe(failure);
    expect(failed(error, failure)).toBe(true);
    expect(failed(error, "alreadyExists", "notFound")).toBe(failure === "alreadyExists" || failure === "notFound");
    expect(isCertificateFailure(new ClientError(PATH, code, details))).toBe(failure === "certificate");
});

test("the message has the RPC, the code, the server's words, the operation, and what to do", () => {
    expect(explain(Status.NOT_FOUND, "namespace not found").message).toBe(
        "CreateNamespace: NOT_FOUND: namespace not found.",
    );
    expect(explain(Status.INVALID_ARGUMENT, "name is bad.", "op-1").message).toBe(
        "CreateNamespace: INVALID_ARGUMENT: name is bad. (operation op-1)",
    );
    expect(explain(Status.PERMISSION_DENIED, "no", "op-1").message).toBe(
        "CreateNamespace: PERMISSION_DENIED: no. (operation op-1) " +
            "Check the account role and the namespace permissions of the API key's owner.",
    );
    expect(explain(Status.UNAVAILABLE, "").message).toBe(
        "CreateNamespace: UNAVAILABLE: No reason was given. No answer from cloud.example:443. Check temporalcloud:endpoint, the network, and HTTPS_PROXY.",
    );
    const refused = explain(Status.UNAUTHENTICATED, "invalid key").message;
    expect(refused).toMatch(/^CreateNamespace: UNAUTHENTICATED: invalid key\. cloud\.example:443 rejected the API key/);
    expect(refused).toContain("pulumi up");
    const certificate = explain(
        Status.UNAVAILABLE,
        "No connection established. Last error: self-signed certificate",
    ).message;
    expect(certificate).toContain("The certificate of cloud.example:443 could not be verified.");
    expect(certificate).toContain("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH");
    const noTls = "No connection established. Last error: SSL routines:ssl3_get_record:wrong version number";
    expect(
        explain(Status.UNAVAILABLE, "No connection established. Last error: refused. Resolution note: ").message,
    ).toMatch(/^CreateNamespace: UNAVAILABLE: No connection established\. Last error: refused\. No answer/);
    const openSsl =
        "No connection established. Last error: Error: 80BCE2C7A37F0000:error:0A00010B:SSL routines:ssl3_get_record:" +
        "wrong version number:../deps/openssl/openssl/ssl/record/ssl3_record.c:350:\n. Resolution note: ";
    expect(explain(Status.UNAVAILABLE, openSsl).message).toContain(
        "Last error: Error: SSL routines:ssl3_get_record:wrong version number. cloud.example:443 does not speak TLS",
    );
    expect(explain(Status.UNAVAILABLE, noTls).message).toContain(
        "cloud.example:443 does not speak TLS, or not to this client. For a server without TLS, set temporalcloud:endpoint",
    );
});

test.each([
    "Received message larger than max (5242880 vs 4194304)",
    "grpc: received message larger than max (5242880 vs. 4194304)",
    "trying to send message larger than max (5242880 vs. 4194304)",
    "grpc: received message after decompression larger than max 4194304",
])("%s: asking again would not make it smaller, and no limit of requests was met", (details) => {
    expect(isTooLarge({ code: Status.RESOURCE_EXHAUSTED, details })).toBe(true);
    expect(isTooLarge({ code: Status.RESOURCE_EXHAUSTED, details: "rate limit exceeded" })).toBe(false);
    expect(explain(Status.RESOURCE_EXHAUSTED, details).message).not.toContain("request limit");
});

test("of a key that a server repeats where its words are cut, not even a part is left", () => {
    const key = "tmprl_".padEnd(300, "k");
    redact(key);
    const { message } = explain(Status.UNKNOWN, `${"x".repeat(900)} Bearer ${key} ${"y".repeat(900)}`);
    expect(message).toMatch(/x Bearer \[secret\] y+\.\.\./);
    expect(message).not.toContain("tmprl_");
});

test("keeps what it is about, and nothing that prints what a server repeats", () => {
    redact("tmprl_repeated");
    const error = explain(Status.NOT_FOUND, "gone, tmprl_repeated", "op-1");
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({
        name: "RpcError",
        rpc: "CreateNamespace",
        code: Status.NOT_FOUND,
        operationId: "op-1",
    });
    expect(inspect(error, { depth: 9 })).toContain("gone, [secret]");
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("tmprl_repeated");
});

test("no other error is a failed call", () => {
    expect(failed(new Error("notFound"), "notFound")).toBe(false);
    expect(failed(undefined, "notFound")).toBe(false);
    expect(failed({ failure: "notFound" }, "notFound")).toBe(false);
});
