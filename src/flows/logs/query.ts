import type { Hit } from "./hits";

export type Condition = { field: string; value: string; prefix: boolean };

const TERM = /([@\w.]+):(?:"([^"]*)"|([^\s":]+))/y;
const AND = /\s+AND\s+/y;

/** `field:value AND field:"two words" AND field:val*`; undefined when it is anything else. */
export function parseQuery(text: string): Condition[] | undefined {
  const query = text.trim();
  const conditions: Condition[] = [];
  for (let at = 0; at < query.length; at = AND.lastIndex) {
    TERM.lastIndex = at;
    const match = TERM.exec(query);
    if (match === null) return undefined;
    AND.lastIndex = TERM.lastIndex;
    if (TERM.lastIndex === query.length) AND.lastIndex = query.length;
    else if (!AND.test(query)) return undefined;
    const value = match[2] ?? match[3] ?? "";
    const prefix = match[2] === undefined && value.endsWith("*");
    conditions.push({ field: match[1] ?? "", value: prefix ? value.slice(0, -1) : value, prefix });
  }
  return conditions;
}

export function matches(hit: Hit, conditions: readonly Condition[]): boolean {
  const entries = new Map(Object.entries(hit));
  return conditions.every(({ field, value, prefix }) => {
    const found = entries.get(field);
    if (found === undefined) return false;
    return prefix ? found.startsWith(value) : found === value;
  });
}

/** How many hits have each value of a field, most first. */
export function countBy(hits: readonly Hit[], field: string): { key: string; doc_count: number }[] {
  const counts = new Map<string, number>();
  for (const hit of hits) {
    const value = new Map(Object.entries(hit)).get(field);
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts]
    .map(([key, count]) => ({ key, doc_count: count }))
    .toSorted((left, right) => right.doc_count - left.doc_count);
}
