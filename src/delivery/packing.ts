import { membersOf, storedJson } from "../values/stored-json";

/**
 * The secret parts of a destination's requests, each by name: headers and query parameters that its owner gives, and
 * headers that operators give (`PATCH /v1/destinations/{id}`). The owner is an instance's configuration, a Webhook or a
 * flow. Operators have the last word, and keep it when the owner is saved again.
 */
export type RequestParts = Record<"headers" | "query" | "operators", Record<string, string>>;

/** Characters that no header name has. */
const MARKS = { headers: "", query: "?", operators: "=" } as const;

/** The form in which the parts are sealed. */
export const storedParts = storedJson(membersOf<string>());

/** The parts as one record: `{"x-key": "1", "?token": "2", "=x-from-operators": "3"}`. */
export function packed(parts: RequestParts): Record<string, string> {
  const marked = (part: keyof RequestParts) =>
    Object.entries(parts[part]).map(([name, value]) => [MARKS[part] + name, value]);
  return Object.fromEntries([...marked("headers"), ...marked("query"), ...marked("operators")]);
}

export function unpacked(all: Record<string, string>): RequestParts {
  const parts: RequestParts = { headers: {}, query: {}, operators: {} };
  for (const [name, value] of Object.entries(all))
    if (name.startsWith(MARKS.query)) parts.query[name.slice(1)] = value;
    else if (name.startsWith(MARKS.operators)) parts.operators[name.slice(1)] = value;
    else parts.headers[name] = value;
  return parts;
}

/** The headers that are sent: an operator's takes the place of the owner's of the same name. */
export function headersOf({ headers, operators }: RequestParts): Record<string, string> {
  const replaced = new Set(Object.keys(operators).map((name) => name.toLowerCase()));
  const own = Object.entries(headers).filter(([name]) => !replaced.has(name.toLowerCase()));
  return { ...Object.fromEntries(own), ...operators };
}
