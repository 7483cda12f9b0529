/** A set-up that cannot go on. Its message says all there is to say: no stack is shown. */
export class SetupError extends Error {}
