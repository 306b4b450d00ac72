/** What a poll URL asks of the hub. */
export type HubRequest = {
  resource: string;
  where?: string;
  orderBy?: string;
  fields?: string;
  pageSize?: number;
};

/**
 * Reads `/hubs/{hub}/{resource}?where=…&orderBy=…` or `/{resource}?…`, templates already expanded. The
 * text is as the user wrote it, not URL-encoded: `+` is a plus, and only whole `%XX` forms are decoded.
 */
export function parseHubUrl(
  url: string,
): { ok: true; request: HubRequest } | { ok: false; message: string } {
  const path = url.replace(/^https?:\/\/[^/]+/i, "").replace(/^\/elements\/api-v2/, "");
  const question = path.indexOf("?");
  const route = question === -1 ? path : path.slice(0, question);
  const [first, ...rest] = route.split("/").filter((part) => part !== "");
  const resource = first === "hubs" ? rest.slice(1).join("/") : [first, ...rest].join("/");
  if (first === undefined || resource === "")
    return { ok: false, message: `'${url}' names no hub resource` };
  const request: HubRequest = { resource: decoded(resource) };
  for (const pair of question === -1 ? [] : splitQuery(path.slice(question + 1))) {
    const equals = pair.indexOf("=");
    const name = equals === -1 ? pair : pair.slice(0, equals);
    const value = equals === -1 ? "" : decoded(pair.slice(equals + 1));
    switch (name.toLowerCase()) {
      case "where":
        request.where = value;
        break;
      case "orderby":
        request.orderBy = value;
        break;
      case "fields":
        request.fields = value;
        break;
      case "pagesize":
        if (Number.isInteger(Number(value)) && Number(value) > 0) request.pageSize = Number(value);
        break;
      case "":
        break;
      default:
        return { ok: false, message: `'${name}' is not a parameter of a hub list` };
    }
  }
  return { ok: true, request };
}

/** Splits at `&` outside quotes: a value in a `where` may hold one. */
function splitQuery(query: string): string[] {
  const pairs: string[] = [];
  let start = 0;
  for (let at = 0; at < query.length; at += 1) {
    if (query[at] === "&") {
      pairs.push(query.slice(start, at));
      start = at + 1;
    } else if (query[at] === "'") {
      const end = query.indexOf("'", at + 1);
      // The quote is never closed: what stands before and behind it are pairs of their own.
      if (end === -1) {
        pairs.push(query.slice(start, at), "'");
        start = at + 1;
        break;
      }
      at = end;
    }
  }
  return [...pairs, ...query.slice(start).split("&")].filter((pair) => pair !== "");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
