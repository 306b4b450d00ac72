import type { Connector, Operation, Resource } from "../connectors/definition";
import { authenticationOf } from "../instances/configuration";
import { fillTemplate, type Instance, rebase } from "../instances/instance";
import { foreignHost } from "./vendor-host";
import { copyDigits } from "../values/digits";

/** How an operation of a connector becomes a request of the vendor's API. */

export type VendorRequest = {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string;
};
export type Built = { ok: true; request: VendorRequest } | { ok: false; message: string };

export type Caller = Pick<Instance, "connector" | "configuration">;
export type Parameters = Record<string, string | number>;

/** What an operation is called with. `url`, an address that the vendor gave, replaces path and query. */
export type Given = {
  pathValues?: Record<string, string>;
  parameters?: Parameters;
  /** Members of the JSON body, laid over the operation's own. */
  body?: Record<string, unknown>;
  url?: string;
};

export type FoundResource = {
  name: string;
  resource: Resource;
  /** What the placeholders of a name like `calendars/{calendarId}/events` stand for. */
  pathValues: Record<string, string>;
};

/** The resource of a path: one of exactly this name, else one whose name with `{placeholders}` matches. */
export function findResource(connector: Connector, path: string): FoundResource | undefined {
  const literal = Object.hasOwn(connector.resources, path) ? connector.resources[path] : undefined;
  if (literal !== undefined) return { name: path, resource: literal, pathValues: {} };
  const segments = path.split("/");
  for (const [name, resource] of Object.entries(connector.resources)) {
    const pathValues = matchName(name.split("/"), segments);
    if (pathValues !== undefined) return { name, resource, pathValues };
  }
  return undefined;
}

function matchName(
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined {
  if (pattern.length !== segments.length || pattern.length === 1) return undefined;
  const values: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? "";
    const placeholder = /^\{(\w+)\}$/.exec(part)?.[1];
    if (placeholder === undefined ? part !== segment : segment === "") return undefined;
    if (placeholder !== undefined) values[placeholder] = segment;
  }
  return values;
}

/** The configuration, completed by the connector's defaults. */
export function valuesOf({ connector, configuration }: Caller): Record<string, string | null> {
  const values: Record<string, string | null> = {};
  for (const { key, defaultValue } of connector.configuration) values[key] = defaultValue;
  for (const [key, value] of Object.entries(configuration)) if (value !== null) values[key] = value;
  return values;
}

/**
 * `template`, an address of the connector's, filled and put on the host that the configuration key `baseKey` names. If
 * it names none, the host must be one of the connector's.
 */
export function addressOf(
  connector: Connector,
  template: string,
  values: Readonly<Record<string, string | null>>,
  baseKey: "base.url" | "oauth.base.url",
): { ok: true; url: string } | { ok: false; message: string } {
  const filled = fillTemplate(template, values);
  if (filled === undefined) {
    const missing = [...template.matchAll(/\$\{([\w.]+)\}/g)].find(([, key = ""]) => !values[key]);
    return { ok: false, message: `Missing configuration '${missing?.[1]}'` };
  }
  const base = values[baseKey];
  if (!URL.canParse(filled)) return { ok: false, message: `'${filled}' is not a URL` };
  if (base !== undefined && base !== null && base !== "" && !URL.canParse(base))
    return { ok: false, message: `${baseKey}: '${base}' is not a URL` };
  const foreign = base ? undefined : foreignHost(connector, template, filled);
  if (foreign !== undefined) return { ok: false, message: foreign };
  return { ok: true, url: rebase(filled, base) };
}

export function buildRequest(
  caller: Caller,
  operation: Pick<Operation, "method" | "path" | "query" | "body">,
  given: Given = {},
): Built {
  const values = valuesOf(caller);
  const { connector } = caller;
  const path = fillPath(operation.path, given.pathValues ?? {});
  if (!path.ok) return path;
  const address = addressOf(connector, `${connector.baseUrl}${path.path}`, values, "base.url");
  if (!address.ok) return address;
  const followed = given.url === undefined ? address.url : follow(given.url, address.url, values);
  if (followed === undefined)
    return { ok: false, message: `The next page '${given.url}' is not on the vendor's host` };

  const url = new URL(followed);
  const headers: Record<string, string> = { ...connector.headers };
  const unproven = authenticate(connector, values, url, headers);
  if (unproven !== undefined) return { ok: false, message: unproven };
  const { method } = operation;
  const body =
    operation.body === undefined && given.body === undefined
      ? undefined
      : copyDigits(given.body ?? {}, {
          ...filledBody(operation.body ?? {}, given.pathValues ?? {}),
          ...given.body,
        });
  const parameters = given.url === undefined ? (given.parameters ?? {}) : {};
  if (given.url === undefined)
    addQuery(url, { ...operation.query, ...(operation.body === undefined ? parameters : {}) });
  if (body === undefined) return { ok: true, request: { method, url: url.href, headers } };
  headers["Content-Type"] ??= "application/json";
  const named = operation.body === undefined ? {} : parameters;
  const text = JSON.stringify(copyDigits(body, { ...body, ...named }));
  return { ok: true, request: { method, url: url.href, headers, body: text } };
}

function fillPath(
  template: string,
  pathValues: Readonly<Record<string, string>>,
): { ok: true; path: string } | { ok: false; message: string } {
  let fault: string | undefined;
  const path = template.replace(/(?<!\$)\{(\w+)\}/g, (_, name: string) => {
    const value = pathValues[name] ?? "";
    // A URL parser would read `.` and `..` as steps in the path.
    if (/^\.{0,2}$/.test(value)) fault = `Invalid ${name} '${value}'`;
    return encodeURIComponent(value.toWellFormed());
  });
  return fault === undefined ? { ok: true, path } : { ok: false, message: fault };
}

/** A body's texts with their `{placeholders}` filled. */
function filledBody(
  body: Record<string, unknown>,
  pathValues: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      typeof value === "string"
        ? value.replace(/\{(\w+)\}/g, (whole, key: string) => pathValues[key] ?? whole)
        : value,
    ]),
  );
}

/**
 * An address given by the vendor; undefined unless it is on the connector's host, since the instance's credentials go
 * there.
 */
function follow(
  url: string,
  operationUrl: string,
  values: Readonly<Record<string, string | null>>,
): string | undefined {
  const { origin, host } = new URL(operationUrl);
  if (!URL.canParse(url, operationUrl)) return undefined;
  const target = new URL(url, operationUrl);
  if (target.protocol !== "https:" && target.protocol !== "http:") return undefined;
  const moved = rebase(target.href, values["base.url"] ?? origin);
  return new URL(moved).host === host ? moved : undefined;
}

/** Spaces as `%20`: not every vendor reads `+`. */
function addQuery(url: URL, parameters: Parameters): void {
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, String(value));
  url.search = url.search.replaceAll("+", "%20");
}

/** Adds the instance's credentials to URL or headers. @returns a message if one is missing. */
function authenticate(
  connector: Connector,
  values: Readonly<Record<string, string | null>>,
  url: URL,
  headers: Record<string, string>,
): string | undefined {
  const missing = (key: string): string => `Missing configuration '${key}'`;
  const authentication = authenticationOf(connector, values);
  switch (authentication.type) {
    case "oauth2": {
      const token = values["oauth.user.token"] ?? "";
      if (token === "") return missing("oauth.user.token");
      headers[authentication.header] = `${authentication.prefix}${token}`;
      return undefined;
    }
    case "apiKey": {
      const { configurationKey, name, prefix } = authentication;
      const secret = values[configurationKey] ?? "";
      if (secret === "") return missing(configurationKey);
      if (authentication.in === "header") headers[name] = `${prefix}${secret}`;
      else url.searchParams.set(name, `${prefix}${secret}`);
      return undefined;
    }
    case "basic": {
      const [username, password] = [
        values[authentication.usernameKey] ?? "",
        values[authentication.passwordKey] ?? "",
      ];
      if (username === "") return missing(authentication.usernameKey);
      headers["Authorization"] = basicCredentials(username, password);
      return undefined;
    }
  }
}

export function basicCredentials(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
