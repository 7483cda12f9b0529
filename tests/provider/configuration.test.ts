import {
    ConfigurationError,
    type ConfigurationKey,
    isLoopback,
    readConfiguration,
    unknownKeys,
} from "../../provider/configuration";

type Values = { readonly [Key in ConfigurationKey]?: string };

const read = (values: Values, environment: Record<string, string> = {}) =>
    readConfiguration((key) => values[key], environment);

const key = "tmprl_key";

test("only a key is needed", () => {
    expect(read({ apiKey: key })).toEqual({
        apiKey: key,
        endpoint: "saas-api.tmprl.cloud:443",
        plaintext: false,
        allowedAccountId: undefined,
        requestsPerSecond: undefined,
        operationSalt: "",
    });
});

const environment = {
    TEMPORAL_CLOUD_API_KEY: "of the environment".replaceAll(" ", "_"),
    TEMPORAL_CLOUD_ENDPOINT: "env.example:7",
    TEMPORAL_CLOUD_ALLOW_INSECURE: "true",
    TEMPORAL_CLOUD_ALLOWED_ACCOUNT_ID: "env01",
    TEMPORAL_CLOUD_REQUESTS_PER_SECOND: "7",
    TEMPORAL_CLOUD_OPERATION_SALT: "env",
};

test("the environment stands in", () => {
    expect(read({}, environment)).toEqual({
        apiKey: "of_the_environment",
        endpoint: "env.example:7",
        plaintext: true,
        allowedAccountId: "env01",
        requestsPerSecond: 7,
        operationSalt: "env",
    });
});

test("the configuration wins over the environment", () => {
    const values = {
        apiKey: key,
        endpoint: "stack.example:8",
        allowInsecure: "false",
        allowedAccountId: "stack",
        requestsPerSecond: "8.5",
        operationSalt: "stack",
    };
    expect(read(values, environment)).toEqual({
        apiKey: key,
        endpoint: "stack.example:8",
        plaintext: false,
        allowedAccountId: "stack",
        requestsPerSecond: 8.5,
        operationSalt: "stack",
    });
});

test("an account that is allowed and has no name does not stand for any", () => {
    for (const allowedAccountId of ["", " "]) {
        expect(() => read({ apiKey: key, allowedAccountId }, environment)).toThrow(/allowedAccountId is empty/);
    }
});

test("the key of workflow clients is no key for this", () => {
    expect(() => read({}, { TEMPORAL_API_KEY: key })).toThrow(ConfigurationError);
    expect(() => read({ apiKey: "" }, {})).toThrow(
        "No API key for Temporal Cloud. Set it with `pulumi config set --secret temporalcloud:apiKey`, " +
            "or in the environment variable TEMPORAL_CLOUD_API_KEY.",
    );
});

test("white space around a key is dropped; within, it is no key, and is not shown", () => {
    expect(read({ apiKey: ` ${key}\n` }).apiKey).toBe(key);
    for (const bad of ["Bearer secret", "sec\nret", "secret\u00e9", "sec\u0000ret"]) {
        const reading = () => read({ apiKey: bad });
        expect(reading).toThrow(/temporalcloud:apiKey contains characters that no API key has/);
        expect(reading).not.toThrow(bad);
    }
});

test.each<[string, string]>([
    ["cloud.example", "cloud.example:443"],
    ["cloud.example:7233", "cloud.example:7233"],
    [" https://cloud.example/ ", "cloud.example:443"],
    ["https://cloud.example:444", "cloud.example:444"],
    ["10.0.0.1:1", "10.0.0.1:1"],
    ["[::1]:7233", "[::1]:7233"],
    ["[fe80::1]", "[fe80::1]:443"],
])("the endpoint %j is %s, with TLS", (endpoint, address) => {
    expect(read({ apiKey: key, endpoint })).toMatchObject({ endpoint: address, plaintext: false });
});

test("https:// means TLS, whatever else is allowed", () => {
    expect(read({ apiKey: key, endpoint: "https://cloud.example", allowInsecure: "true" }).plaintext).toBe(false);
});

test.each(["", "http://", "ftp://a:1", "a:0", "a:65536", "a:b", "a/b", "a b:1", "user@host:1", "::1", "a:1:2"])(
    "the endpoint %j is none",
    (endpoint) => {
        // An empty value counts as not set.
        const reading = () => read({ apiKey: key, endpoint });
        if (endpoint === "") {
            expect(reading().endpoint).toBe("saas-api.tmprl.cloud:443");
        } else {
            expect(reading).toThrow(/temporalcloud:endpoint is ".*"; it must be host:port/);
        }
    },
);

test("an endpoint is repeated without what may be a password", () => {
    const reading = () => read({ apiKey: key, endpoint: "https://ann:hush@cloud.example" });
    expect(reading).toThrow('temporalcloud:endpoint is "https://...@cloud.example"');
});

test.each(["http://localhost:1", "http://127.0.0.1:1", "http://127.9.9.9:1", "http://[::1]:1"])(
    "%s may be spoken to without TLS",
    (endpoint) => {
        expect(read({ apiKey: key, endpoint }).plaintext).toBe(true);
    },
);

test.each([
    "http://cloud.example:1",
    "http://10.0.0.1:1",
    "http://localhost.example:1",
    "http://127.0.0.1.example:1",
    "http://0.0.0.0:1",
])("%s would show the key to others, unless that is meant", (endpoint) => {
    expect(() => read({ apiKey: key, endpoint })).toThrow(/is not local.*allowInsecure/);
    expect(read({ apiKey: key, endpoint, allowInsecure: "true" }).plaintext).toBe(true);
});

test.each<[string, boolean]>([
    ["true", true],
    ["TRUE", true],
    ["1", true],
    ["false", false],
    ["0", false],
    ["", false],
])("allowInsecure %j is %s", (allowInsecure, plaintext) => {
    expect(read({ apiKey: key, endpoint: "a:1", allowInsecure }).plaintext).toBe(plaintext);
});

test.each<[Values, RegExp]>([
    [{ allowInsecure: "yes" }, /^temporalcloud:allowInsecure is "yes"; it must be true or false\.$/],
    [
        { requestsPerSecond: "0" },
        /^temporalcloud:requestsPerSecond is "0"; it must be a number above 0 and at most 10000\.$/,
    ],
    [{ requestsPerSecond: "-1" }, /requestsPerSecond/],
    [{ requestsPerSecond: "fast" }, /requestsPerSecond/],
    [{ requestsPerSecond: "Infinity" }, /requestsPerSecond/],
    [{ requestsPerSecond: "NaN" }, /requestsPerSecond/],
])("%j is refused by name", (values, message) => {
    expect(() => read({ apiKey: key, ...values })).toThrow(message);
});

test.each<[string, boolean]>([
    ["127.0.0.1", true],
    ["localhost", true],
    ["[::1]", true],
    ["127.0.0.1.evil.example", false],
    ["localhost.evil.example", false],
    ["[::]", false],
    ["0.0.0.0", false],
])("%s is this machine: %s", (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
});

test("a misspelt key is warned of, and the keys of others are not", () => {
    const keys = [
        "temporalcloud:allowedAccount",
        "temporalcloud:apikey",
        "temporalcloud:apiKey",
        "aws:region",
        "shop:x",
    ];
    expect(unknownKeys(keys)).toEqual([
        'temporalcloud:allowedAccount is not a known configuration key. Did you mean "allowedAccountId"?',
        'temporalcloud:apikey is not a known configuration key. Did you mean "apiKey"?',
    ]);
    expect(unknownKeys(["temporalcloud:version"])).toEqual(["temporalcloud:version is not a known configuration key."]);
});
