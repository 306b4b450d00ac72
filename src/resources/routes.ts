import { Hono } from "hono";
import { withToken } from "../accounts/asker.io";
import { notFound, Refusal } from "../http/refusal";
import { type Address, parseAddress } from "./address";
import { type ApisContext, type ApisEnv, count, list, show } from "./read.io";
import { create, patch, remove, replace } from "./writes/handlers.io";

/** Resources of every kind: `/apis/{group}/{version}/…` (reference resource-api.md §1 to §5). */
export const resourceRoutes = new Hono<ApisEnv>().all("*", withToken, async (c) => {
  const address = addressOf(c);
  switch (c.req.method) {
    case "GET":
      return address.at === "collection" ? list(c, address) : show(c, address);
    case "HEAD":
      if (address.at === "collection") return count(c, address);
      break;
    case "POST":
      if (address.at === "collection" && (address.scope !== "all" || address.kind.unscoped))
        return create(c, address);
      break;
    case "PUT":
      if (address.at === "item") return replace(c, address);
      break;
    case "PATCH":
      if (address.at === "item") return patch(c, address);
      break;
    case "DELETE":
      if (address.at === "item" && address.sub === undefined) return remove(c, address);
      break;
    default:
      break;
  }
  const allow = allowed(address);
  throw new Refusal({
    kind: "method",
    message: `${c.req.method} is not allowed here. Supported: [${allow}]`,
    allow,
  });
});

function allowed(address: Address): string {
  if (address.at === "collection")
    return address.scope !== "all" || address.kind.unscoped ? "GET, HEAD, POST" : "GET, HEAD";
  return address.sub === undefined ? "GET, PUT, PATCH, DELETE" : "GET, PUT, PATCH";
}

function addressOf(c: ApisContext): Address {
  const path = new URL(c.req.url).pathname.replace(/^\/+apis\//, "").replace(/\/$/, "");
  const address = parseAddress(path.split("/").map(decoded));
  if (address === undefined) throw notFound(`Unknown path '${c.req.path}'`);
  return address;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw notFound(`Unknown path segment '${segment}'`);
  }
}
