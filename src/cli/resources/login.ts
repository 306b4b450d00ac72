import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Api, type Connection } from "./api.ts";
import { Failure } from "./failure.ts";
import { isObject } from "../../values/record.ts";

const file = (): string =>
  join(process.env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "tributary", "login.json");

/** Checks the key and keeps it, readable by its owner only. */
export async function logIn(connection: Connection): Promise<string> {
  if (!URL.canParse(connection.url)) throw new Failure(`'${connection.url}' is not a URL`);
  await new Api(connection).call("GET", "/definitions/v1alpha1/groups?pageSize=1");
  const path = file();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(connection, null, 2)}\n`, { mode: 0o600 });
  return path;
}

/**
 * Where to, and with which key: TRIBUTARY_URL and TRIBUTARY_TOKEN, else the last login, else the
 * `.tributary/local.json` of a local stack in this folder or one above.
 */
export function connection(): Connection {
  const { TRIBUTARY_URL: url, TRIBUTARY_TOKEN: token, TRIBUTARY_TENANT: tenant } = process.env;
  if (url && token) return { url: bare(url), token, ...(tenant ? { tenant } : {}) };
  const saved = read(file());
  if (saved !== undefined && typeof saved["url"] === "string" && typeof saved["token"] === "string")
    return {
      url: bare(saved["url"]),
      token: saved["token"],
      ...(typeof saved["tenant"] === "string" ? { tenant: saved["tenant"] } : {}),
    };
  for (let folder = resolve("."); ; folder = dirname(folder)) {
    const local = read(join(folder, ".tributary", "local.json"));
    if (local !== undefined)
      return {
        url: String(local["baseUrl"]),
        token: String(local["apiKey"]),
        tenant: String(local["organizationId"]),
      };
    if (folder === dirname(folder)) break;
  }
  throw new Failure("Not logged in: run 'tributary login --url URL --token KEY' first");
}

function read(path: string): Record<string, unknown> | undefined {
  if (!existsSync(path)) return undefined;
  const content: unknown = JSON.parse(readFileSync(path, "utf8"));
  return isObject(content) ? content : undefined;
}

export const bare = (url: string): string => url.replace(/\/+$/, "");
