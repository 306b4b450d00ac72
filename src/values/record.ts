/** An object with named members, as JSON has them: neither null nor a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value when it is an object, else one without members. */
export function recordOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}
