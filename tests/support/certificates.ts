import { generate } from "selfsigned";

function certificate(name: string, cA: boolean): string {
    const extensions = [{ name: "basicConstraints", cA }];
    const options = { keySize: 2048, algorithm: "sha256", extensions };
    return generate([{ name: "commonName", value: name }], options).cert.replaceAll("\r\n", "\n");
}

const made = new Map<string, string>();
function once(name: string, cA: boolean): string {
    const known = made.get(name);
    if (known !== undefined) return known;
    const fresh = certificate(name, cA);
    made.set(name, fresh);
    return fresh;
}

/** A CA certificate, in PEM. The same name gives the same certificate within one test file. */
export const ca = (name = "ca"): string => once(name, true);

/** A certificate that is no CA, in PEM. */
export const leaf = (): string => once("leaf", false);
