import { convert } from "../event-types/convert";
import { findEventType } from "../event-types/find.io";
import { type Transformed, transformBody } from "../expressions/transform";
import { memberJson } from "../values/digits";
import { parseStored } from "../values/json";
import { isObject } from "../values/record";
import type { Destination } from "./destination";
import { formatted } from "./format";

/** What is sent, and the headers that its form asks for; or why nothing can be. */
export type Presented =
  | (Extract<Transformed, { ok: true }> & { headers: Record<string, string> })
  | Extract<Transformed, { ok: false }>;

/**
 * What a destination gets for a notification's body: its data in the version that the destination knows, in the format it
 * wants, after its transform. All of it is done when the call is made, so a change holds for the next try.
 */
export async function present(
  db: D1Database,
  { organizationId, policy }: Pick<Destination, "organizationId" | "policy">,
  body: string,
): Promise<Presented> {
  const { schemaVersion, format, transform } = policy;
  const converted =
    schemaVersion === undefined
      ? ({ ok: true, text: body } as const)
      : await inVersion(db, organizationId, body, schemaVersion);
  if (!converted.ok) return converted;
  const { text, headers } = formatted(format, converted.text);
  const transformed = await transformBody(transform, text);
  return transformed.ok ? { ...transformed, headers } : transformed;
}

/** A body, or a list of such, with data of a later version made into that of an older one. */
async function inVersion(
  db: D1Database,
  organizationId: number,
  body: string,
  version: number,
): Promise<Transformed> {
  const told = parseStored(body);
  const isList = Array.isArray(told);
  const texts: string[] = [];
  for (const one of isList ? told : [told]) {
    const made = await convertedBody(db, organizationId, one, version);
    if (!made.ok) return made;
    texts.push(made.text);
  }
  return { ok: true, text: isList ? `[${texts.join(",")}]` : (texts[0] ?? body) };
}

async function convertedBody(
  db: D1Database,
  organizationId: number,
  told: unknown,
  version: number,
): Promise<Transformed> {
  const unchanged = { ok: true, text: JSON.stringify(told) } as const;
  if (!isObject(told) || typeof told["version"] !== "number" || told["version"] <= version)
    return unchanged;
  const type = await findEventType(db, organizationId, String(told["type"]));
  if (type === undefined) return unchanged;
  const made = await convert(type, told["data"], version, told["version"]);
  if (!made.ok) return { ok: false, reason: "transform-failed", message: made.message };
  const { data: _data, ...about } = told;
  const head = JSON.stringify({ ...about, version });
  return {
    ok: true,
    text: `${head.slice(0, -1)},"data":${memberJson({ data: made.value }, "data")}}`,
  };
}
