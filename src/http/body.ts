import type { Context } from "hono";
import type { z } from "zod";
import { DEEPEST, nestsDeeper } from "../values/depth";
import { faultsOf, firstFault } from "./faults";
import { invalid, Refusal, type Violation } from "./refusal";
import { decoded } from "../values/body/charset";
import { inflated } from "../values/body/inflate";
import { concatenate } from "../values/bytes";
import { digitsAlong } from "../values/digits";
import { jsonValue } from "../values/json";
import { quoted } from "../values/text";

/**
 * The request's bytes, at most `limit` of them.
 * @throws Refusal `too-large` as soon as the limit is passed, whatever Content-Length says; `more`: what it says besides.
 */
export async function readBytes(request: Request, limit: number, more = ""): Promise<Uint8Array> {
  const tooLarge = (): Refusal =>
    new Refusal({ kind: "too-large", message: `The body is larger than ${limit} bytes${more}` });
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return concatenate(chunks, size);
}

/**
 * A request's body without its compression (`values/body/inflate.ts`).
 * @throws Refusal `too-large` when it inflates to more than `limit` bytes, `invalid` when it can't be inflated.
 */
export function inflatedBody(
  { headers }: Pick<Request, "headers">,
  bytes: Uint8Array,
  limit: number,
): Uint8Array {
  const result = inflated(bytes, headers.get("content-encoding"), limit);
  switch (result.kind) {
    case "inflated":
      return result.bytes;
    case "too-large":
      throw new Refusal({
        kind: "too-large",
        message: `The body is larger than ${limit} bytes when inflated`,
      });
    case "broken":
      throw invalid(result.message);
  }
}

/** The text of a request's body: inflated, and in its declared charset. */
async function readText({ req }: Context, limit: number): Promise<string> {
  const bytes = inflatedBody(req.raw, await readBytes(req.raw, limit), limit);
  return decoded(bytes, req.header("content-type") ?? null);
}

/**
 * The request's JSON body. An empty body is `undefined`.
 * @throws Refusal `invalid` when it is not JSON or too deep, `too-large` above `limit` bytes.
 */
export async function readJson(context: Context, limit: number): Promise<unknown> {
  const text = await readText(context, limit);
  return text.trim() === "" ? undefined : parseJson(text);
}

/** @throws Refusal `invalid` for what is not JSON or has more than 500 levels. */
export function parseJson(text: string): unknown {
  if (nestsDeeper(text)) throw invalid(`The body is nested deeper than ${DEEPEST} levels`);
  try {
    return jsonValue(text);
  } catch (error) {
    throw invalid(
      `The body is not valid JSON: ${error instanceof Error ? error.message : "unreadable"}`,
    );
  }
}

/**
 * The request's JSON body as text and value, on a surface that insists on its content type. An empty
 * body is `undefined`.
 * @throws Refusal `not-json` for another content type, `invalid` when it is not JSON or too deep, `too-large`.
 */
export async function readTypedJson(
  context: Context,
  limit: number,
): Promise<{ text: string; value: unknown }> {
  const text = await readText(context, limit);
  if (text.trim() === "") return { text: "", value: undefined };
  const type = context.req.header("content-type") ?? "application/json";
  if (!/^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(type.trim()))
    throw new Refusal({ kind: "not-json", message: `Expected application/json, got '${type}'` });
  return { text, value: parseJson(text) };
}

/**
 * A value as its schema has it. @param more what else is wrong with it.
 * @throws Refusal `invalid` naming the first wrong field and what was expected, with all of them when there are more.
 */
export function parse<T>(
  schema: z.ZodType<T>,
  value: unknown,
  prefix = "",
  more: readonly Violation[] = [],
): T {
  const result = schema.safeParse(value);
  if (result.success && more.length === 0) return digitsAlong(value, result.data);
  const told = ({ field: inside, message }: Violation): Violation => {
    const field = [prefix, inside].filter((part) => part !== "").join(".");
    return { field, message: `${field === "" ? "Body" : quoted(field)}: ${message}` };
  };
  const error = result.success ? undefined : result.error;
  const all = [...(error === undefined ? [] : faultsOf(error)), ...more].map(told);
  const first = error === undefined ? all[0] : told(firstFault(error));
  const violations = all.length > 1 ? { violations: all } : {};
  const { field, message = "" } = first ?? {};
  throw new Refusal({ kind: "invalid", message, field: field || undefined, ...violations });
}
