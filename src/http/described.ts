import { describeRoute } from "hono-openapi";
import type { MiddlewareHandler } from "hono";
import * as z from "zod";

/** What `/openapi.json` says of a route: a line, its body's schema, and an example of its answer. */
export function described(
  summary: string,
  about: {
    tag: string;
    answer: unknown;
    status?: 200 | 202;
    body?: z.ZodType;
    bodyExample?: unknown;
  },
): MiddlewareHandler {
  const { tag, answer, status = 200, body, bodyExample } = about;
  return describeRoute({
    summary,
    tags: [tag],
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
      400: { description: "A field is wrong; `error.field` names it" },
      401: { description: "Missing or invalid credentials" },
      404: { description: "Unknown, or another organization's" },
    },
  });
}

/** Plain JSON: what the library takes for a schema object. */
type JsonSchema = Record<string, never>;

function jsonSchema(schema: z.ZodType): JsonSchema {
  return JSON.parse(
    JSON.stringify(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" })),
  );
}
