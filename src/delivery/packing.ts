import { membersOf, storedJson } from "../values/stored-json";

/** What is sent along with every callback: as its owner says, and as operators say, who have the last word. */
export type Along = Record<"headers" | "query" | "operators", Record<string, string>>;

/** Characters no header name has. */
const MARKS = { headers: "", query: "?", operators: "=" } as const;

/** What `packed` made, as it is sealed. */
export const storedAlong = storedJson(membersOf<string>());

/** One sealed value holds it all: secret query parameters and operators' headers are marked. */
export function packed(along: Along): Record<string, string> {
  const marked = (part: keyof Along) =>
    Object.entries(along[part]).map(([name, value]) => [MARKS[part] + name, value]);
  return Object.fromEntries([...marked("headers"), ...marked("query"), ...marked("operators")]);
}

export function unpacked(all: Record<string, string>): Along {
  const along: Along = { headers: {}, query: {}, operators: {} };
  for (const [name, value] of Object.entries(all))
    if (name.startsWith(MARKS.query)) along.query[name.slice(1)] = value;
    else if (name.startsWith(MARKS.operators)) along.operators[name.slice(1)] = value;
    else along.headers[name] = value;
  return along;
}

/** The headers that are sent: an operator's takes the place of the owner's of the same name. */
export function headersOf({ headers, operators }: Along): Record<string, string> {
  const replaced = new Set(Object.keys(operators).map((name) => name.toLowerCase()));
  const own = Object.entries(headers).filter(([name]) => !replaced.has(name.toLowerCase()));
  return { ...Object.fromEntries(own), ...operators };
}

/** What a destination's sealed value is bound to. */
export function sealedRow(id: string, field: string): string {
  return `destinations/${id}/${field}`;
}
