import { generate } from "selfsigned";

/** A certificate for this machine only. */
export interface Certificate {
    /** PEM. Self-signed: clients use it as the CA. */
    certificate: string;
    /** PEM. */
    privateKey: string;
}

const dnsName = 2;
const ipAddress = 7;

/** Creates a self-signed certificate for localhost and the loopback addresses. */
export function localCertificate(host = "127.0.0.1"): Certificate {
    const altNames: object[] = [
        { type: dnsName, value: "localhost" },
        { type: ipAddress, ip: "127.0.0.1" },
        { type: ipAddress, ip: "::1" },
    ];
    if (!isLocal(host)) {
        altNames.push(/^[\d.]+$|:/.test(host) ? { type: ipAddress, ip: host } : { type: dnsName, value: host });
    }
    const { cert, private: privateKey } = generate([{ name: "commonName", value: "localhost" }], {
        days: 30,
        keySize: 2048,
        algorithm: "sha256",
        // Clocks of containers differ.
        notBeforeDate: new Date(Date.now() - 60 * 60 * 1000),
        extensions: [
            { name: "basicConstraints", cA: true, critical: true },
            { name: "keyUsage", keyCertSign: true, digitalSignature: true, keyEncipherment: true, critical: true },
            { name: "extKeyUsage", serverAuth: true },
            { name: "subjectAltName", altNames },
        ],
    });
    return { certificate: cert, privateKey };
}

/** Whether an emulator bound to that host is reachable as `localhost`. */
export function isLocal(host: string): boolean {
    return ["127.0.0.1", "::1", "localhost", "0.0.0.0", "::"].includes(host);
}
