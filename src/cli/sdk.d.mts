/** Builds what the Worker serves of the SDK, when anything of it changed. */
export function buildSdk(): Promise<void>;
