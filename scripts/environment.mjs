// The developer's own settings for their account and backend.

/**
 * Removes them from this process and its children: what works on an emulator and a temporary folder only must neither
 * talk to the developer's account, nor keep state in their backend, nor be slowed down by their limit.
 */
export function forgetOwnSettings() {
    for (const name of Object.keys(process.env)) {
        if (/^(TEMPORAL_CLOUD_(?!TEST_)|TEMPORAL_API_KEY|PULUMI_)/.test(name)) {
            delete process.env[name];
        }
    }
}
