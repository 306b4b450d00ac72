/** Something the person at the terminal can act on: shown without a stack trace, exit code 1. */
export class Failure extends Error {}
