import type { Destination, DestinationDraft } from "./destination";

/** Secret query parameters lie with the headers, marked by a character no header name has. */
export function withQuery({ headers, query = {} }: DestinationDraft): Record<string, string> {
  const marked = Object.entries(query).map(([name, value]) => [`?${name}`, value]);
  return { ...headers, ...Object.fromEntries(marked) };
}

/** Headers and secret query parameters, apart again. */
export function splitQuery(all: Record<string, string>): Pick<Destination, "headers" | "query"> {
  const entries = Object.entries(all);
  return {
    headers: Object.fromEntries(entries.filter(([name]) => !name.startsWith("?"))),
    query: Object.fromEntries(
      entries
        .filter(([name]) => name.startsWith("?"))
        .map(([name, value]) => [name.slice(1), value]),
    ),
  };
}

/** What a destination's sealed value is bound to. */
export function sealedRow(id: string, field: string): string {
  return `destinations/${id}/${field}`;
}
