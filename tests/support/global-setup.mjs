// Runs once before jest's workers: tells the harnesses where the Pulumi CLI is and whether dist/ is up to date. It
// installs and builds nothing, so that a single unit test stays quick; `npm test` does all set-up before it gets here.

import { forgetOwnSettings } from "../../scripts/environment.mjs";
import { findPulumi, staleBuild } from "../../scripts/setup.mjs";

export default async function globalSetup() {
    const pulumi = await findPulumi();
    if (pulumi) {
        process.env.TEMPORAL_CLOUD_TEST_PULUMI = pulumi.root ?? "PATH";
    }
    process.env.TEMPORAL_CLOUD_TEST_BUILD = staleBuild() ?? "";
    forgetOwnSettings();
}
