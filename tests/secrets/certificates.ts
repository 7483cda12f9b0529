// Certificates of servers that are what they say, and of others. To be imported before gRPC, which reads the name of the
// file of trusted authorities when it is loaded.

import { mkdtempSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { generate } from "selfsigned";

const DAY_MS = 86_400_000;
const DNS = 2;

export interface Certificate {
    readonly cert: string;
    readonly key: string;
}

/** A certificate that is its own authority, valid for so many days from then on. */
function certificate(name: string, host: string, fromDays: number, days: number): Certificate {
    // The library makes none that it would not accept itself.
    jest.useFakeTimers({ now: Date.now() + (fromDays + 1) * DAY_MS });
    try {
        const { cert, private: key } = generate([{ name: "commonName", value: name }], {
            keySize: 2048,
            algorithm: "sha256",
            notBeforeDate: new Date(Date.now() - DAY_MS),
            days,
            extensions: [
                { name: "basicConstraints", cA: true, critical: true },
                { name: "subjectAltName", altNames: [{ type: DNS, value: host }] },
            ],
        });
        return { cert, key };
    } finally {
        jest.useRealTimers();
    }
}

export const certificates = {
    good: certificate("good", "localhost", -1, 30),
    strange: certificate("strange", "localhost", -1, 30),
    "of another host": certificate("other", "other.example", -1, 30),
    expired: certificate("expired", "localhost", -30, 10),
    "of the future": certificate("future", "localhost", 10, 10),
};

export const folder = mkdtempSync(path.join(os.tmpdir(), "temporal-cloud-secrets-"));
const roots = path.join(folder, "roots.pem");
const trusted = Object.entries(certificates).flatMap(([name, { cert }]) => (name === "strange" ? [] : [cert]));
writeFileSync(roots, trusted.join("\n"));
process.env.GRPC_DEFAULT_SSL_ROOTS_FILE_PATH = roots;
