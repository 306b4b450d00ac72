import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, vi } from "vitest";
import { forgetAskers } from "../../src/accounts/store";
import { hashSecret } from "../../src/accounts/secret";
import { app } from "../../src/app";
import { firstOrganization } from "../organization";
import { WAIT_MS } from "../patience";

export const V1 = "/apis/management/v1";

export type Reply = { status: number; headers: Headers; body: any; text: string };
export type Client = {
  organizationId: number;
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Reply>;
  /** POST that must succeed. */
  make(path: string, body: unknown): Promise<any>;
};

let organizations = 0;

/** A new organization with its administrator and key. */
export async function freshClient(): Promise<Client> {
  const id = (organizations += 1) + 5_000 + Math.floor(Math.random() * 1e9);
  const key = `key-of-organization-${id}`;
  await firstOrganization();
  await env.DB.batch([
    env.DB.prepare(
      "INSERT INTO organizations (id, name, secret_hash, created_at) VALUES (?, 'o', ?, 0)",
    ).bind(id, `hash-${id}`),
    env.DB.prepare(
      `INSERT INTO users (organization_id, email, secret_hash, password_hash, role, created_at)
       VALUES (?, ?, ?, '', 'admin', 0)`,
    ).bind(id, `${id}@example.com`, `hash-${id}`),
    env.DB.prepare(
      `INSERT INTO api_keys (id, organization_id, name, key_hash, scopes, created_at)
       VALUES (?, ?, 'k', ?, '["read","write","admin"]', 0)`,
    ).bind(`k${id}`, id, hashSecret(key)),
  ]);
  forgetAskers();
  const call: Client["call"] = async (method, path, body, headers = {}) => {
    const context = createExecutionContext();
    const request = new Request(`http://tributary.test${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const response = await app.fetch(request, env, context);
    const text = await response.text();
    await waitOnExecutionContext(context);
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : undefined,
    };
  };
  return {
    organizationId: id,
    call,
    async make(path, body) {
      const reply = await call("POST", path, body);
      if (reply.status !== 201) throw new Error(`POST ${path}: ${reply.status} ${reply.text}`);
      return reply.body;
    },
  };
}

/** The log of an organization, oldest first. */
export async function logOf({ organizationId }: Client): Promise<any[]> {
  const { results } = await env.DB.prepare(
    "SELECT body, targets FROM resource_changes WHERE organization_id = ? ORDER BY seq",
  )
    .bind(organizationId)
    .all<{ body: string; targets: string }>();
  return results.map(({ body, targets }) => ({
    ...JSON.parse(body),
    targets: JSON.parse(targets),
  }));
}

export type Post = { url: string; headers: Headers; text: string };

/** Takes every callback and keeps what it was; the file ends only when no more come. */
export function takeCallbacks(): Post[] {
  const posts: Post[] = [];
  let lastAt = Date.now();
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    posts.push({ url: request.url, headers: request.headers, text: await request.text() });
    lastAt = Date.now();
    return new Response();
  };
  afterAll(() => vi.waitUntil(() => Date.now() - lastAt > 1_000, { timeout: WAIT_MS }));
  return posts;
}

/** In how many transactions a task writes. */
export async function countWrites(task: () => Promise<unknown>): Promise<number> {
  const batches = await usedBy(task);
  return batches.filter(({ written }) => written > 0).length;
}

/** Rows that each batch of a task read and wrote. */
export async function usedBy(
  task: () => Promise<unknown>,
): Promise<{ read: number; written: number }[]> {
  const batches: { read: number; written: number }[] = [];
  const { DB } = env;
  const counting = Object.create(DB, {
    batch: {
      value: async (statements: D1PreparedStatement[]) => {
        const results = await DB.batch(statements);
        const sum = (key: "rows_read" | "rows_written") =>
          results.reduce((total, { meta }) => total + (meta[key] ?? 0), 0);
        batches.push({ read: sum("rows_read"), written: sum("rows_written") });
        return results;
      },
    },
  });
  Object.assign(env, { DB: counting });
  try {
    await task();
  } finally {
    Object.assign(env, { DB });
  }
  return batches;
}

/** How often a task asks the database: a batch is one question, whatever it holds. */
export async function countQuestions(task: () => Promise<unknown>): Promise<number> {
  const { DB } = env;
  let questions = 0;
  const asked = <T>(question: () => T): T => {
    questions += 1;
    return question();
  };
  const counted = (statement: D1PreparedStatement): D1PreparedStatement =>
    Object.create(statement, {
      all: { value: () => asked(() => statement.all()) },
      first: { value: (column: string) => asked(() => statement.first(column)) },
      raw: { value: () => asked(() => statement.raw()) },
      run: { value: () => asked(() => statement.run()) },
      bind: { value: (...values: unknown[]) => counted(statement.bind(...values)) },
    });
  const counting = Object.create(DB, {
    prepare: { value: (sql: string) => counted(DB.prepare(sql)) },
    batch: {
      value: (statements: D1PreparedStatement[]) => asked(() => DB.batch(statements)),
    },
  });
  Object.assign(env, { DB: counting });
  try {
    await task();
  } finally {
    Object.assign(env, { DB });
  }
  return questions;
}
