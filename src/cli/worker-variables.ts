/** The Worker's variables that are no secrets. All of them may be absent. */
export const VARIABLES = [
  "TRIBUTARY_PUBLIC_URL",
  "EGRESS_ALLOW",
  "CORS_ORIGINS",
  "SIGNUP",
  "ORGANIZATIONS",
  "DOH_URL",
  "TRIBUTARY_PRODUCT",
  "LOG_SAMPLING",
  "PUBLISH_QUEUES",
] as const;

/**
 * The Worker's variables as the text of an `.env` file: what a local stack needs, `keys`, and of our own environment
 * every variable that is one of these or of `VARIABLES`.
 */
export function workerVariables(keys: Readonly<Record<string, string>>, publicUrl: string): string {
  const variables: Record<string, string> = {
    ...keys,
    ENVIRONMENT: "local",
    SCHEDULE: "ticks",
    EGRESS_ALLOW: "127.0.0.1,localhost",
    CORS_ORIGINS: "*",
    SIGNUP: "open",
    ORGANIZATIONS: "owners",
    TRIBUTARY_PUBLIC_URL: publicUrl,
  };
  for (const name of [...Object.keys(variables), ...VARIABLES]) {
    const value = process.env[name];
    if (value !== undefined) variables[name] = value;
  }
  return Object.entries(variables)
    .map(([name, value]) => `${name}='${value}'\n`)
    .join("");
}
