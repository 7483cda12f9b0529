// What the developer has set for their own account and backend.

/**
 * Takes it out of this process, and so out of all that it starts: what only works on an emulator and a temporary folder
 * must neither talk to their account, nor keep its state in their backend, nor be slowed down by their limit.
 */
export function forgetOwnSettings() {
    for (const name of Object.keys(process.env)) {
        if (/^(TEMPORAL_CLOUD_(?!TEST_)|TEMPORAL_API_KEY|PULUMI_)/.test(name)) {
            delete process.env[name];
        }
    }
}
