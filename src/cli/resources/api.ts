import { isObject } from "../../values/record.ts";
import { jsonValue } from "../../values/json";

/** The platform as the command line sees it: one request at a time, no retries, no redirects, 30 s. */

export type Violation = { status: number; title: string; detail: string; parameter?: string };

/** An answer that is not 2xx, with what its body says. */
export class ApiError extends Error {
  readonly status: number;
  readonly violations: Violation[];
  constructor(status: number, violations: Violation[]) {
    super(
      violations.map(({ title, detail }) => `${title}: ${detail}`).join("; ") ||
        `The server answered ${status}`,
    );
    this.status = status;
    this.violations = violations;
  }
}

export type Answer = { status: number; body: unknown; headers: Headers };
export type Connection = { url: string; token: string; tenant?: string | undefined };

const TIMEOUT_MS = 30_000;
const PAGE = 50;

export class Api {
  private readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** @param path below `/apis`. @throws ApiError, or an Error that names the address when nobody answers there. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.send(method, `/apis${path}`, body, headers);
  }

  protected async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const { url, token, tenant } = this.connection;
    const response = await fetch(url + path, {
      method,
      redirect: "manual",
      headers: {
        authorization: `Bearer ${token}`,
        ...(tenant === undefined ? {} : { "x-axway-tenant-id": tenant }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new Error(
        `No answer from ${url}: ${cause instanceof Error ? cause.message : "failed"}`,
      );
    });
    const text = await response.text();
    const parsed = parsedOrText(text);
    if (response.ok) return { status: response.status, body: parsed, headers: response.headers };
    throw new ApiError(response.status, violationsOf(parsed, response.status));
  }

  async get(path: string): Promise<Record<string, unknown> | undefined> {
    try {
      const { body } = await this.call("GET", path);
      return isObject(body) ? body : {};
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Every page of a list, as far as X-Axway-Total-Count goes. */
  async list(path: string): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    for (let page = 1; ; page += 1) {
      const join = path.includes("?") ? "&" : "?";
      const { body, headers } = await this.call(
        "GET",
        `${path}${join}pageSize=${PAGE}&page=${page}`,
      );
      const part = Array.isArray(body) ? body.filter(isObject) : [];
      items.push(...part);
      const total = Number(headers.get("x-axway-total-count") ?? 0);
      if (part.length < PAGE || items.length >= total) return items;
    }
  }
}

function violationsOf(body: unknown, status: number): Violation[] {
  if (!isObject(body)) return [];
  const { errors, error } = body;
  if (isObject(error)) return faultsOf(error, status);
  if (!Array.isArray(errors)) return [];
  return errors.filter(isObject).map((error) => {
    const { source, title, detail } = error;
    const parameter = isObject(source) ? source["parameter"] : undefined;
    return {
      status,
      title: String(title),
      detail: String(detail),
      ...(typeof parameter === "string" ? { parameter } : {}),
    };
  });
}

const TITLES: Record<number, string> = {
  400: "Validation error",
  401: "Authentication error",
  403: "Forbidden error",
  404: "Not found error",
  409: "Conflict error",
};

/** What `/v1` has against a request, as `/apis` would say it. */
function faultsOf(error: Record<string, unknown>, status: number): Violation[] {
  const { faults } = error;
  const all = Array.isArray(faults) ? faults.filter(isObject) : [error];
  return all.map(({ field, message }) => {
    const parameter = typeof field === "string" ? field : "";
    const prefix = `${parameter}: `;
    const told = String(message);
    const detail = told.startsWith(prefix) ? told.slice(prefix.length) : told;
    const title = TITLES[status] ?? "Server error";
    return { status, title, detail, ...(parameter === "" ? {} : { parameter }) };
  });
}

function parsedOrText(text: string): unknown {
  try {
    return jsonValue(text);
  } catch {
    return text;
  }
}
