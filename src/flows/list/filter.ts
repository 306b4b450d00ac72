/** One condition of a list: `filter=stage:running`, `filter=customFields.plan:!gold`. */
export type Filter = { field: string; path: string[]; value: string; negated: boolean };

export const FILTERED = [
  "userId",
  "flowId",
  "stage",
  "name",
  "description",
  "type",
  "btime",
  "mtime",
  "started",
  "sharedWith",
  "customFields",
  "originFlowId",
  "revision",
  "thumbnail",
  "wizard",
  "flow",
] as const;
export type Filtered = (typeof FILTERED)[number];

/** @returns undefined when the text is no `key:value`. */
export function parseFilter(text: string): Filter | undefined {
  const colon = text.indexOf(":");
  if (colon < 1) return undefined;
  const key = text.slice(0, colon);
  const value = text.slice(colon + 1);
  const negated = key.startsWith("!") || value.startsWith("!");
  const [field = "", ...path] = (key.startsWith("!") ? key.slice(1) : key).split(".");
  return { field, path, value: value.startsWith("!") ? value.slice(1) : value, negated };
}

export function isFiltered(field: string): field is Filtered {
  return FILTERED.some((name) => name === field);
}

/** Whether a field's value has members that a dotted filter may name. */
export function hasMembers(field: Filtered): boolean {
  return ["sharedWith", "customFields", "wizard", "flow"].includes(field);
}
