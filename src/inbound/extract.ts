import { RE2JS } from "re2js";
import { parsers } from "../connectors/parsers";
import { readXml } from "../connectors/xml";
import { textOf } from "../connectors/read";
import type { Change, Delivery, Extracted, Extraction, Pick } from "../connectors/webhook";
import { evaluate } from "../expressions/evaluate";
import { expressionFault } from "../expressions/syntax";
import { isObject } from "../values/record";
import { readPath } from "../values/path";
import { toInstant } from "../values/instant";
import { sha256 } from "../values/bytes";
import { once } from "../values/cache";

/** The most changes in one delivery. */
const MOST_CHANGES = 5_000;

/** Reads the changes of a delivery by its connector's rule. */
export async function extract(extraction: Extraction, delivery: Delivery): Promise<Extracted> {
  const extracted = await read(extraction, delivery);
  return extracted.kind === "extracted" && extracted.changes.length > MOST_CHANGES
    ? { kind: "unreadable", message: `More than ${MOST_CHANGES} changes in one delivery` }
    : extracted;
}

/** What is wrong with a rule that its schema cannot see; undefined when nothing is. */
export function extractionFault(extraction: Extraction): string | undefined {
  return extraction.by === "jsonata" ? expressionFault(extraction.expression) : undefined;
}

/** Of a rule of paths: what the first change of a delivery lacks to be an event. */
export function lackingIn(extraction: Extraction, delivery: Delivery): string[] {
  const structured = structuredBody(delivery);
  if (extraction.by !== "paths" || !structured.ok) return [];
  const listed = readPath(structured.body, extraction.list ?? "");
  const item: unknown = Array.isArray(listed) ? listed[0] : structured.body;
  const lacks = (["objectType", "objectId", "eventType"] as const).filter((member) => {
    const text = picked(extraction[member], item, delivery);
    return member === "eventType"
      ? !EVENT_TYPES.some((type) => type === text)
      : textOf(text) === undefined;
  });
  return Array.isArray(listed) && listed.length === 0 ? ["changes"] : lacks;
}

type PathsRule = Extract<Extraction, { by: "paths" }>;

const hashes = () => once((data) => sha256(JSON.stringify(data ?? null), "hex"));

async function read(extraction: Extraction, delivery: Delivery): Promise<Extracted> {
  switch (extraction.by) {
    case "parser":
      return parsers[extraction.parser](delivery);
    case "feed":
      return { kind: "extracted", changes: [], controls: [{ kind: "resync", objectTypes: [] }] };
    case "paths":
    case "jsonata": {
      const structured = structuredBody(delivery);
      if (!structured.ok) return { kind: "unreadable", message: structured.message };
      const { body } = structured;
      return extraction.by === "paths"
        ? { kind: "extracted", changes: byPaths(extraction, delivery, body), controls: [] }
        : byExpression(extraction, body);
    }
  }
}

/** A delivery's body as objects and lists; XML becomes such (`connectors/xml.ts`). */
function structuredBody({
  body,
}: Delivery): { ok: true; body: unknown } | { ok: false; message: string } {
  if (typeof body !== "string" || !body.trimStart().startsWith("<")) return { ok: true, body };
  const xml = readXml(body, []);
  return xml.ok ? { ok: true, body: xml.value } : xml;
}

/** A body that is a list, of a rule that names none and finds nothing in the whole, is a list of changes. */
function byPaths(extraction: PathsRule, delivery: Delivery, body: unknown): Change[] {
  const listed = extraction.list === undefined ? undefined : readPath(body, extraction.list);
  // In XML, one element is a list of one.
  const isOne = typeof delivery.body === "string" && listed !== undefined;
  const items: unknown[] = Array.isArray(listed) ? listed : [isOne ? listed : body];
  const hashOf = hashes();
  const changesIn = (list: unknown[]) =>
    list.flatMap((item) => changeAt(extraction, item, delivery, hashOf));
  const changes = changesIn(items);
  return changes.length === 0 && !Array.isArray(listed) && Array.isArray(body)
    ? changesIn(body)
    : changes;
}

function changeAt(
  extraction: PathsRule,
  item: unknown,
  delivery: Delivery,
  hashOf: (data: unknown) => string,
): Change[] {
  const pick = (rule: Pick): string | undefined => picked(rule, item, delivery);
  return changeOf(hashOf, {
    objectType: pick(extraction.objectType),
    objectId: pick(extraction.objectId),
    eventType: pick(extraction.eventType),
    date:
      extraction.date === undefined
        ? undefined
        : toInstant(pick(extraction.date), extraction.dateUnit),
    version: extraction.version === undefined ? undefined : pick(extraction.version),
    data: item,
  });
}

async function byExpression(
  { expression }: Extract<Extraction, { by: "jsonata" }>,
  body: unknown,
): Promise<Extracted> {
  const result = await evaluate(expression, body);
  if (!result.ok) return { kind: "unreadable", message: result.message };
  const items: unknown[] = Array.isArray(result.value) ? result.value : [result.value];
  const hashOf = hashes();
  const changes = items.flatMap((item) =>
    isObject(item) ? changeOf(hashOf, { data: body, ...item, date: toInstant(item["date"]) }) : [],
  );
  return { kind: "extracted", changes, controls: [] };
}

/** `hashOf` makes the version of a change that has none of its own. */
function changeOf(
  hashOf: (data: unknown) => string,
  fields: Record<string, unknown> & { date: number | undefined },
): Change[] {
  const objectType = textOf(fields["objectType"]);
  const objectId = textOf(fields["objectId"]);
  const eventType = EVENT_TYPES.find((type) => type === fields["eventType"]);
  if (objectType === undefined || objectId === undefined || eventType === undefined) return [];
  const { data } = fields;
  return [
    {
      objectType,
      objectId,
      eventType,
      date: fields.date,
      version: textOf(fields["version"]) ?? hashOf(data),
      data,
    },
  ];
}

export const EVENT_TYPES = ["CREATED", "UPDATED", "DELETED"] as const;

function picked(rule: Pick, item: unknown, { headers }: Delivery): string | undefined {
  if ("value" in rule) return rule.value;
  const { path, header, pattern, map, otherwise } = rule;
  let text =
    header === undefined ? textOf(readPath(item, path ?? "")) : (headers.get(header) ?? undefined);
  if (text !== undefined && pattern !== undefined) text = firstGroup(pattern, text);
  if (text !== undefined && map !== undefined)
    text = Object.hasOwn(map, text) ? map[text] : undefined;
  return text ?? otherwise;
}

/** Matched in linear time: patterns of user-made connectors are not to be trusted. */
function firstGroup(pattern: string, text: string): string | undefined {
  const matcher = RE2JS.compile(pattern).matcher(text);
  if (!matcher.find()) return undefined;
  return (matcher.groupCount() > 0 ? matcher.group(1) : matcher.group(0)) ?? undefined;
}
