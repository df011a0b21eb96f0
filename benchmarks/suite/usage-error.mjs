/** What whoever typed the command can set right: a sentence, and no stack. */
export class UsageError extends Error {}
