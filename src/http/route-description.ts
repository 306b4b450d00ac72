import { describeRoute } from "hono-openapi";
import type { MiddlewareHandler } from "hono";
import * as z from "zod";
import { quoted } from "../values/text";
import { invalid } from "./refusal";

/**
 * Describes a route in `/openapi.json`: a line of text, its body's schema, and an example of its answer. A query parameter
 * that isn't described is refused: a misspelt filter must not answer with everything.
 */
export function described(
  summary: string,
  about: {
    tag: string;
    answer: unknown;
    status?: 200 | 201 | 202;
    body?: z.ZodType;
    bodyExample?: unknown;
    /** Query parameters by name, and what they are. */
    query?: Readonly<Record<string, string>>;
  },
): MiddlewareHandler {
  const { tag, answer, status = 200, body, bodyExample, query = {} } = about;
  const description = describeRoute({
    summary,
    tags: [tag],
    parameters: Object.entries(query).map(([name, description]) => ({
      name,
      in: "query",
      required: false,
      description,
      schema: name === "limit" ? { type: "integer", minimum: 1, maximum: 200 } : { type: "string" },
    })),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: {
              "application/json": {
                schema: jsonSchema(body),
                ...(bodyExample === undefined ? {} : { example: bodyExample }),
              },
            },
          },
        }),
    responses: {
      [status]: { description: "Done", content: { "application/json": { example: answer } } },
      ...REFUSALS,
    },
  });
  // The description is a property of the handler.
  return Object.assign(knownQuery(query), description);
}

/** How every route refuses. */
const REFUSALS = {
  400: { description: "A field is wrong; `error.field` names it, `error.faults` all of several" },
  401: { description: "Missing or invalid credentials" },
  403: {
    description:
      "The key's scopes are too small, or it is limited to some sources, destinations or tenants",
  },
  404: { description: "Unknown, another organization's, or beyond the key's limits" },
  409: {
    description: "It does not fit what is there: a name that is taken, too many live keys",
  },
  429: { description: "Too many requests; `Retry-After` says when to try again" },
};

/** @throws Refusal naming the first query parameter that isn't described. */
const knownQuery =
  (query: Readonly<Record<string, string>>): MiddlewareHandler =>
  async (c, next) => {
    const unknown = Object.keys(c.req.query()).find((name) => !Object.hasOwn(query, name));
    if (unknown !== undefined)
      throw invalid(`${quoted(unknown)}: ${expected(Object.keys(query))}`, unknown);
    await next();
  };

const expected = (names: readonly string[]): string =>
  names.length === 0
    ? "No query parameter is known here"
    : `The query parameters here are ${names.join(", ")}`;

/** Query parameters of every list. */
export const PAGE = {
  limit: "Items a page, 1 to 200; 50 if absent",
  cursor: "`next` of the page before",
} as const;

/** Query parameters of a span of time. */
export const SPAN = {
  from: "ISO 8601 instant, included",
  to: "ISO 8601 instant, included",
} as const;

/** Plain JSON: what the library takes for a schema object. */
type JsonSchema = Record<string, never>;

function jsonSchema(schema: z.ZodType): JsonSchema {
  return JSON.parse(
    JSON.stringify(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" })),
  );
}
