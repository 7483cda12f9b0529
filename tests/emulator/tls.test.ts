import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { ChannelCredentials, createChannel, createClient } from "nice-grpc";
import { Status } from "nice-grpc-common";
import { Emulator } from "../../emulator";
import { CloudServiceDefinition } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";
import { API_VERSION } from "../../proto/generated/version";
import { errorOf, headers, use } from "./client";

const it = use({ tls: true });
const execute = promisify(execFile);

test("clients that trust its certificate get in, others do not", async () => {
    const { emulator } = it;
    const certificate = emulator.caCertificate ?? "";
    expect(emulator.address).toBe(`localhost:${emulator.port}`);
    expect(new X509Certificate(certificate).subjectAltName).toContain("IP Address:127.0.0.1");
    const metadata = headers(emulator.rootKey, API_VERSION);
    const call = async (credentials: ChannelCredentials) => {
        const channel = createChannel(emulator.address, credentials);
        const answer = await errorOf(createClient(CloudServiceDefinition, channel).getRegions({}, { metadata }));
        channel.close();
        return answer;
    };
    const trusting = ChannelCredentials.createSsl(Buffer.from(certificate));
    expect(await call(trusting)).toBe("OK");
    expect(await call(ChannelCredentials.createSsl())).toMatch(/^UNAVAILABLE/);
    expect(await call(ChannelCredentials.createInsecure())).toMatch(/^UNAVAILABLE/);
});

test("on another address than the usual it names that one, and so does its certificate", async () => {
    const other = await Emulator.start({ tls: true, host: "127.0.0.2" });
    try {
        expect(other.address).toBe(`127.0.0.2:${other.port}`);
        expect(new X509Certificate(other.caCertificate ?? "").subjectAltName).toContain("IP Address:127.0.0.2");
    } finally {
        await other.stop();
    }
});

test("the official client creates, reads, lists and deletes a namespace", async () => {
    const { emulator } = it;
    const folder = mkdtempSync(path.join(tmpdir(), "emulator-"));
    try {
        const roots = path.join(folder, "ca.pem");
        writeFileSync(roots, emulator.caCertificate ?? "");
        const { stdout } = await execute(process.execPath, [path.join(__dirname, "official-client.mjs")], {
            env: {
                ...process.env,
                GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: roots,
                EMULATOR_ADDRESS: emulator.address,
                EMULATOR_KEY: emulator.rootKey,
                EMULATOR_API_VERSION: API_VERSION,
            },
        });
        expect(JSON.parse(stdout)).toEqual({
            regions: emulator.settings.regions.length,
            created: "orders.a1b2c",
            operation: "official",
            retentionDays: 30,
            listed: ["orders.a1b2c"],
            gone: Status.NOT_FOUND,
        });
        expect(emulator.namespaces.list()).toEqual([]);
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
});
