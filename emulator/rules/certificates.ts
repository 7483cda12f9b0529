import { X509Certificate } from "node:crypto";
import { must } from "../core/errors";

const maxCertificates = 16;
const maxBytes = 32 * 1024;
const pemBlock = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Valid bundles: stacks reuse the same few, and parsing costs more than everything else. */
const good = new Set<string>();
const maxRemembered = 100;

/** Rejects an invalid CA bundle: it must be PEM, X.509 v3, every certificate a CA, not too many and not too long. */
export function checkCaBundle(bundle: Uint8Array, field: string): void {
    const text = Buffer.from(bundle).toString("utf8");
    if (good.has(text)) return;
    must(bundle.length <= maxBytes, `${field} must be at most ${maxBytes} bytes, not ${bundle.length}`);
    const blocks = text.match(pemBlock) ?? [];
    must(blocks.length > 0, `${field} contains no PEM certificate`);
    must(
        blocks.length <= maxCertificates,
        `${field} must contain at most ${maxCertificates} certificates, not ${blocks.length}`,
    );
    must(text.replace(pemBlock, "").trim() === "", `${field} contains more than PEM certificates`);
    for (const [index, block] of blocks.entries()) {
        let isCa = false;
        try {
            // Only X.509 v3 has CA:true, so this checks the version too.
            isCa = new X509Certificate(block).ca;
        } catch {
            must(false, `certificate ${index + 1} of ${field} does not parse`);
        }
        must(isCa, `certificate ${index + 1} of ${field} is not an X.509 v3 CA certificate (CA:true)`);
    }
    if (good.size >= maxRemembered) good.clear();
    good.add(text);
}
