import { generate } from "selfsigned";

const made = new Map<string, string>();

/** The certificate of an authority, PEM. The same name gives the same one within a test file. */
export function authority(name = "authority"): string {
    const known = made.get(name);
    if (known !== undefined) {
        return known;
    }
    const { cert } = generate([{ name: "commonName", value: name }], {
        keySize: 2048,
        algorithm: "sha256",
        extensions: [{ name: "basicConstraints", cA: true }],
    });
    const pem = cert.replaceAll("\r\n", "\n").trim();
    made.set(name, pem);
    return pem;
}
