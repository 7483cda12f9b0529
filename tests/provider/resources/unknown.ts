/** A field that this version does not know. */
export const newerField = { 1000: [Buffer.from("07", "hex")] };

/** Adds it to every message, at every depth. */
export function withUnknown<M>(message: M): M {
    if (typeof message !== "object" || message === null || Buffer.isBuffer(message)) {
        return message;
    }
    for (const [name, part] of Object.entries(message)) {
        Object.assign(message, { [name]: name === "_unknownFields" ? newerField : withUnknown(part) });
    }
    return message;
}
