import type { Resource } from "../connectors/definition";
import { instantOfValue } from "./date-bounds";
import type { Expression, Value } from "./where";
import { quoted } from "../values/text";

export type MappedWhere =
  | { ok: true; parameters: Record<string, string> }
  | { ok: false; message: string };

/** Only comparisons joined by AND can become request parameters. */
export function mapWhere(expression: Expression, resource: Pick<Resource, "where">): MappedWhere {
  const parameters = new Map<string, string>();
  for (const condition of expression.kind === "and" ? expression.parts : [expression]) {
    const mapped = mapCondition(condition, resource);
    if ("unsupported" in mapped) {
      return {
        ok: false,
        message: `Unsupported ${mapped.unsupported} in where; ${supported(resource)}`,
      };
    }
    const { parameter, field, text } = mapped;
    if (parameter === undefined) continue;
    if (parameters.has(parameter)) {
      return { ok: false, message: `Repeated condition on "${field}" in where` };
    }
    parameters.set(parameter, text);
  }
  return { ok: true, parameters: Object.fromEntries(parameters) };
}

function mapCondition(
  condition: Expression,
  resource: Pick<Resource, "where">,
): { parameter: string | undefined; field: string; text: string } | { unsupported: string } {
  switch (condition.kind) {
    case "and":
    case "or": {
      const fields = [...new Set(fieldsOf(condition))].map((field) => `"${field}"`);
      return { unsupported: `${condition.kind.toUpperCase()} of ${fields.join(", ")}` };
    }
    case "like":
      return { unsupported: `operator "LIKE" of "${condition.field}"` };
    case "in":
      return { unsupported: `operator "IN" of "${condition.field}"` };
    case "null":
      return {
        unsupported: `operator "IS ${condition.not ? "NOT " : ""}NULL" of "${condition.field}"`,
      };
    case "compare": {
      const { field, operator, value } = condition;
      const rule = Object.hasOwn(resource.where, field) ? resource.where[field] : undefined;
      if (!rule) return { unsupported: `field "${quoted(field)}"` };
      if (!rule.operators.includes(operator)) {
        return { unsupported: `operator "${operator}" of "${field}"` };
      }
      if (rule.checks !== undefined && instantOfValue(value.text) === undefined)
        return { unsupported: `date "${quoted(value.text)}" of "${field}"` };
      return { parameter: rule.parameter, field, text: sentText(value, rule.day) };
    }
  }
}

const DAY_NS = 86_400_000_000_000n;

/** The value as the parameter takes it: as it is written, or as the day beside it. */
function sentText({ text }: Value, day: "before" | "after" | undefined): string {
  const instant = day === undefined ? undefined : instantOfValue(text);
  if (instant === undefined) return text;
  const beside = instant.nanoseconds + (day === "before" ? -DAY_NS : DAY_NS);
  return new Date(Number(beside / 1_000_000n)).toISOString().slice(0, 10);
}

const fieldsOf = (expression: Expression): string[] =>
  "parts" in expression ? expression.parts.flatMap(fieldsOf) : [expression.field];

function supported(resource: Pick<Resource, "where">): string {
  const fields = Object.entries(resource.where).map(
    ([field, { operators }]) => `"${field}" (${operators.join(" ")})`,
  );
  return fields.length === 0
    ? "it supports no conditions"
    : `it supports ${fields.join(", ")}, joined by AND`;
}
