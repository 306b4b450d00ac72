import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The Worker's variables as the text of an `.env` file: what a local stack needs, `keys`, and of our own environment
 * every variable that one of these or `wrangler.toml` names.
 */
export function workerVariables(
  root: string,
  keys: Readonly<Record<string, string>>,
  publicUrl: string,
): string {
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
  const declared = readFileSync(join(root, "wrangler.toml"), "utf8").matchAll(/^([A-Z_]+) = /gm);
  const names = Array.from(declared, (match) => match[1] ?? "");
  for (const name of [...Object.keys(variables), ...names]) {
    const value = process.env[name];
    if (value !== undefined) variables[name] = value;
  }
  return Object.entries(variables)
    .map(([name, value]) => `${name}='${value}'\n`)
    .join("");
}
