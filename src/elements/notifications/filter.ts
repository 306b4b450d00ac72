import { invalid } from "../../http/refusal";
import { type Expression, parseWhere } from "../../hub/where";

/** The fields that a `where` over deliveries may name, and the one value that each may have; `undefined`: any. */
const FIELDS: Readonly<Record<string, string | undefined>> = {
  channel: "webhook",
  status: "queued",
  "config.url": undefined,
};

/**
 * `channel='webhook' and status='queued' and config.url='…'`: which deliveries that wait to be released.
 * @returns the callback URL, undefined for all. @throws Refusal when the `where` says anything else.
 */
export function queuedUrl(where: string | undefined): string | undefined {
  const parsed = parseWhere(where ?? "");
  if (!parsed.ok) throw invalid(`where: ${parsed.message}`, "where");
  const values = new Map(equalities(parsed.expression));
  for (const [field, expected] of Object.entries(FIELDS)) {
    const value = values.get(field);
    if (value !== undefined && expected !== undefined && value !== expected)
      throw invalid(`where: Expected ${field}='${expected}', got '${value}'`, "where");
  }
  return values.get("config.url");
}

function equalities(expression: Expression): [string, string][] {
  if (expression.kind === "and") return expression.parts.flatMap(equalities);
  if (
    expression.kind === "compare" &&
    expression.operator === "=" &&
    Object.hasOwn(FIELDS, expression.field)
  )
    return [[expression.field, expression.value.text]];
  throw invalid(
    "where: Expected channel, status and config.url, each with =, joined by AND",
    "where",
  );
}
