import { X509Certificate } from "node:crypto";
import { must } from "../core/errors";

const maxCertificates = 16;
const maxBytes = 32 * 1024;
const pemBlock = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Bundles that were found good: stacks use the same few over and over, and parsing costs more than all else. */
const good = new Set<string>();
const maxRemembered = 100;

/** Refuses a CA bundle that is none: PEM, X.509 v3, every certificate a CA, not too many and not too long. */
export function checkCaBundle(bundle: Uint8Array, field: string): void {
    const text = Buffer.from(bundle).toString("utf8");
    if (good.has(text)) return;
    must(bundle.length <= maxBytes, `${field} must be at most ${maxBytes} bytes, not ${bundle.length}`);
    const blocks = text.match(pemBlock) ?? [];
    must(blocks.length > 0, `${field} holds no PEM certificate`);
    must(
        blocks.length <= maxCertificates,
        `${field} must hold at most ${maxCertificates} certificates, not ${blocks.length}`,
    );
    must(text.replace(pemBlock, "").trim() === "", `${field} holds more than PEM certificates`);
    for (const [index, block] of blocks.entries()) {
        let isCa = false;
        try {
            // Only X.509 v3 can say CA:true, so this is the check of the version, too.
            isCa = new X509Certificate(block).ca;
        } catch {
            must(false, `certificate ${index + 1} of ${field} does not parse`);
        }
        must(isCa, `certificate ${index + 1} of ${field} is not an X.509 v3 CA certificate (CA:true)`);
    }
    if (good.size >= maxRemembered) good.clear();
    good.add(text);
}
