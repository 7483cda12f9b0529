const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

const MINUTE_MS = 60_000;

const UNIT_MS: Readonly<Record<string, number>> = {
    ns: 1e-6,
    us: 1e-3,
    µs: 1e-3,
    // Go accepts the Greek letter as well as the micro sign.
    μs: 1e-3,
    ms: 1,
    s: 1000,
    m: MINUTE_MS,
    h: 60 * MINUTE_MS,
};

/** Parses a duration such as `90d`, `36h` or `1d12h` into seconds; undefined if the text is not one. */
export const parseDurationSeconds = parser("\\d+", UNIT_SECONDS);

const parseGoDuration = parser("\\d+\\.?\\d*|\\.\\d+", UNIT_MS);

/** A duration as in `customTimeouts`, such as `1h30m`, in milliseconds; undefined if it is invalid. */
export function parseGoDurationMs(text: string): number | undefined {
    return parseGoDuration(text.replace(/^\+/, "")) || undefined;
}

/** Parses a sum of amounts with units; undefined for anything else. */
function parser(amount: string, units: Readonly<Record<string, number>>): (text: string) => number | undefined {
    // Two letters first: `ms` is not `m`.
    const names = Object.keys(units).sort((a, b) => b.length - a.length);
    const part = new RegExp(`(${amount})(${names.join("|")})`, "g");
    const whole = new RegExp(`^(?:${part.source})+$`);
    return (text) =>
        whole.test(text)
            ? [...text.matchAll(part)].reduce(
                  (sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? 0),
                  0,
              )
            : undefined;
}
