import { invalid, must } from "../core/errors";

const namespaceName = /^[a-z][a-z0-9-]*[a-z0-9]$/;
const tagText = /^[a-z0-9._@-]{1,63}$/;
const searchAttributeName = /^[A-Za-z0-9.,:_/\\@ -]{1,64}$/;
const email = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const maxTags = 10;

/** Rejects an invalid namespace name. */
export function checkNamespaceName(name: string): void {
    const fits = name.length >= 2 && name.length <= 39 && namespaceName.test(name);
    must(fits, `namespace name ${JSON.stringify(name)} must match ${namespaceName.source} and have 2 to 39 characters`);
}

/** Rejects invalid tags. */
export function checkTags(tags: Record<string, string>): void {
    const entries = Object.entries(tags);
    must(entries.length <= maxTags, `at most ${maxTags} tags are allowed, not ${entries.length}`);
    for (const [key, value] of entries) {
        const fits = tagText.test(key) && tagText.test(value);
        must(fits, `tag ${JSON.stringify(key)}: keys and values must have 1 to 63 characters of [a-z0-9._@-]`);
    }
}

/** Rejects an invalid search attribute name. */
export function checkSearchAttributeName(name: string): void {
    must(
        searchAttributeName.test(name),
        `search attribute name ${JSON.stringify(name)} must match ${searchAttributeName.source}`,
    );
}

/** Rejects an invalid email address. */
export function checkEmail(address: string): void {
    must(email.test(address), `email ${JSON.stringify(address)} is not an email address`);
}

/** Rejects a description that is too long or has other than printable ASCII characters. */
export function checkDescription(description: string): void {
    const max = 255;
    must(description.length <= max, `description must have at most ${max} characters, not ${description.length}`);
    must(/^[\x20-\x7e]*$/.test(description), "description must contain printable ASCII characters only");
}

/** Rejects a string that is empty or too long. */
export function checkText(text: string, field: string): void {
    const max = 64;
    must(text.trim() !== "", `${field} is required`);
    must(text.length <= max, `${field} must have at most ${max} characters, not ${text.length}`);
}

/** The new value of a field that mirrors a deprecated one: from whichever the request sets. */
export function mirrored<T>(
    current: T,
    deprecated: T,
    isSet: (value: T) => boolean,
    equal: (a: T, b: T) => boolean,
    names: string,
): T {
    if (!isSet(deprecated)) return current;
    if (!isSet(current)) return deprecated;
    if (!equal(current, deprecated)) throw invalid(`${names} disagree`);
    return current;
}
