/** A setup that cannot continue. Its message is complete: no stack trace is shown. */
export class SetupError extends Error {}
