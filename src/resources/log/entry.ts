import type * as z from "zod";
import type { topicSpec } from "../kinds/management";
import { membersOf } from "../../values/stored-json";
import { changeTypes, type Trigger, WORD } from "../match";
import type { SqlValue } from "../query";
import { type Resource } from "../resource";
import { isObject } from "../../values/record";
import { isoText } from "../../values/instant";
import { jsonValue } from "../../values/json";

/** One change in the log of a watch topic (reference resource-api.md §11). */
export function logEntry(
  change: { seq: number; at: number; body: string },
  topic: Resource,
  topicLink: string,
): Record<string, unknown> {
  const event = membersOf<unknown>().parse(jsonValue(change.body));
  const payload = isObject(event["payload"]) ? event["payload"] : {};
  const metadata = isObject(payload["metadata"]) ? payload["metadata"] : {};
  const { id, selfLink, references, scope } = metadata;
  const own = isObject(event["metadata"]) ? event["metadata"] : {};
  return {
    ...event,
    time: spacedTime(change.at),
    payload: {
      group: payload["group"],
      kind: payload["kind"],
      name: payload["name"],
      finalizers: nullWhenEmpty(payload["finalizers"]),
      attributes: payload["attributes"],
      tags: payload["tags"],
      metadata: {
        id,
        selfLink,
        references: Array.isArray(references)
          ? references.filter(isObject).map(loggedReference)
          : [],
        ...(scope === undefined ? {} : { scope }),
      },
    },
    metadata: {
      watchTopicSelfLink: topicLink,
      watchTopicID: topic.id,
      sequenceID: change.seq,
      subresource: own["subresource"] ?? null,
    },
  };
}

/** As in reference resource-api.md §3, without the group, the type in capitals. */
function loggedReference({ group: _group, ...reference }: Record<string, unknown>) {
  return { ...reference, type: String(reference["type"]).toUpperCase() };
}

const nullWhenEmpty = (list: unknown): unknown =>
  Array.isArray(list) && list.length === 0 ? null : list;

/** `2024-10-28 15:43:02.689148`. */
export const spacedTime = (at: number): string =>
  `${isoText(at).slice(0, 23).replace("T", " ")}000`;

type Filters = z.infer<typeof topicSpec>["filters"];

/** The condition a topic's filters put on rows of the log, by the rules of reference resource-api.md §9. */
export function filtersCondition(filters: Filters, bind: (value: SqlValue) => string): string {
  if (filters.length === 0) return "0";
  // One bound value for all filters: SQLite takes a hundred.
  const list = bind(
    JSON.stringify(filters.map((filter) => ({ ...filter, words: typesOf(filter) }))),
  );
  const field = (name: string): string => `json_extract(f.value, '$.${name}')`;
  const fits = (name: string, column: string): string =>
    `(${field(name)} = '*' OR ${field(name)} = c.${column})`;
  return `EXISTS (SELECT 1 FROM json_each(${list}) AS f WHERE
    ${fits("group", "group_name")} AND ${fits("kind", "kind")} AND ${fits("name", "name")}
    AND instr(${field("words")}, ',' || c.type || ',') > 0
    AND (${field("scope")} IS NULL OR (c.scope <> ''
      AND (${field("scope.kind")} = '*' OR ${field("scope.kind")} = substr(c.scope, 1, instr(c.scope, '/') - 1))
      AND (${field("scope.name")} = '*' OR ${field("scope.name")} = substr(c.scope, instr(c.scope, '/') + 1)))))`;
}

function typesOf({ type }: Trigger): string {
  return `,${changeTypes.filter((candidate) => type.includes(WORD[candidate])).join(",")},`;
}

export type Position = { after: number | undefined; direction: "ASC" | "DESC" };

/** `query=sequenceID>N` and `sort=sequenceID,ASC`; a message when they are none of that. */
export function positionOf(
  query: string | undefined,
  sort: string | undefined,
): ({ ok: true } & Position) | { ok: false; message: string; field: string } {
  const order = /^(?:sequenceID(?:,(ASC|DESC))?)?$/i.exec(sort?.trim() ?? "");
  if (order === null)
    return {
      ok: false,
      field: "sort",
      message: `Invalid 'sort' parameter '${sort}'. Expected sequenceID,ASC or sequenceID,DESC`,
    };
  const position = /^(?:sequenceID\s*(>=|>|=gt=|=ge=)\s*(\d{1,15}))?$/i.exec(query?.trim() ?? "");
  if (position === null)
    return {
      ok: false,
      field: "query",
      message: `Invalid 'query' parameter '${query}'. Expected sequenceID>N`,
    };
  const [, operator, number] = position;
  const inclusive = operator === ">=" || operator === "=ge=";
  return {
    ok: true,
    direction: order[1]?.toUpperCase() === "DESC" ? "DESC" : "ASC",
    after: number === undefined ? undefined : Number(number) - (inclusive ? 1 : 0),
  };
}
