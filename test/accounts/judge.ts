import { type Actor, TABLE } from "./routes-by-role.ts";
import type { Things } from "./things.ts";

/** What the table of routes means: who asks with what, and whether an answer let them in. */

/** `METHOD path` of each route with whom it lets in; of a catch-all, what is sent to it. */
export const LINES = Object.entries(TABLE).flatMap(([route, audience]) =>
  typeof audience === "string"
    ? [[route.replace(/^ALL/, "GET"), audience] as const]
    : Object.entries(audience),
);

/** What the actors hold, beside what belongs to the things that they ask for. */
export type Holders = {
  /** Of who is signed in to the console, each a `Cookie`. */
  readonly cookies: Record<"viewer" | "editor" | "owner" | "stranger", string>;
  /** API keys with one scope each. */
  readonly keys: Record<"read" | "write" | "admin" | "secrets", string>;
  readonly theirs: { authorization: string; key: string; userToken: string };
  readonly expired: string;
  /** Has the instance that "another source" and "another tenant" may see. */
  readonly elsewhere: Things;
};

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

/** Headers with which an actor asks for a path. */
export async function credentialsOf(
  actor: Actor,
  path: string,
  things: Things,
  { cookies, keys, theirs, expired, elsewhere }: Holders,
): Promise<Record<string, string>> {
  const { mine } = things.world;
  switch (actor) {
    case "nobody":
      return {};
    case "user":
      return bearer(things.user.token);
    case "viewer":
    case "editor":
    case "owner":
      return { cookie: cookies[actor] };
    case "secrets":
      return { authorization: `${mine}, Element ${(await things.instance()).token}` };
    case "read":
    case "write":
    case "admin":
      return bearer(keys[actor]);
    case "secrets key":
      return bearer(keys.secrets);
    case "one source":
      return bearer(await things.limitedKey());
    case "another source":
      return bearer(await elsewhere.limitedKey());
    case "one tenant":
      return bearer(await things.tenantKey());
    case "another tenant":
      return bearer(await elsewhere.tenantKey());
    case "expired":
      return bearer(expired);
    case "portal":
      return { cookie: (await things.portal()).cookie };
    case "connect":
      return { cookie: (await things.connecting()).cookie };
    case "stranger":
      if (path.startsWith("/console")) return { cookie: cookies.stranger };
      if (path.startsWith("/elements"))
        return {
          authorization: `${theirs.authorization}, Element ${(await things.theirInstance()).token}`,
        };
      return bearer(/^\/(v1|apis|events|api)\//.test(path) ? theirs.key : theirs.userToken);
  }
}

/** How a surface wants its bodies: forms in the console and on pages for people of tenants, patches of resources as such, else JSON. */
export function encode(
  method: string,
  path: string,
  body: unknown,
): { body: string; headers: { "content-type": string } } {
  const of = (type: string) => ({ "content-type": `application/${type}` });
  if (/^\/(console|portal|connect)/.test(path)) {
    const form = new URLSearchParams(body as Record<string, string>).toString();
    return { body: form, headers: of("x-www-form-urlencoded") };
  }
  const isPatch = method === "PATCH" && path.startsWith("/apis/");
  return { body: JSON.stringify(body), headers: of(isPatch ? "json-patch+json" : "json") };
}

/** Any answer but 401, 403, 404 and, in the console, the way to the sign-in. */
export function isIn(path: string, status: number, location: string | null): boolean {
  const sentAway =
    path !== "/console/sign-out" && (location?.startsWith("/console/sign-in") ?? false);
  return ![401, 403, 404].includes(status) && !sentAway;
}

export const OUTSIDERS = new Set<Actor>(["stranger", "another source", "another tenant"]);

/**
 * Elsewhere what is another's looks like what isn't there. The connector surface says 403 by contract, and
 * `PUT /flows/:id` makes a flow whose id is new.
 */
export const TELLING = /^\w+ \/elements\/|^PUT \/flows\/:id$/;

/** An id like another one, of nothing. */
export const strange = (id: string): string => `${id.slice(0, -1)}99999`;

/** An answer without what differs from request to request: ids, the nonce of a page, and what it asks a passkey to sign. */
export const neutral = ({ status, text }: { status: number; text: string }) => ({
  status,
  text: text.replaceAll(
    /nonce="[^"]*"|name="state" value="[^"]*"|&quot;challenge&quot;:&quot;[\w-]*|'[^']*'|&#39;[^&]*&#39;|"(requestId|transactionId)":"[^"]*"|[et]-[0-9a-f-]{36,}/g,
    "",
  ),
});
