import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { matchedRoutes, routePath } from "hono/route";
import * as z from "zod";
import type { RequestIdEnv } from "../http/surface";
import { recordAudit } from "./audit.store";
import { deedOf } from "./audited-action";
import { parsedJson } from "../values/json";
import type { AskerEnv } from "./asker.io";
import { type Differences, differences } from "./audited-values";
import type { UserEnv } from "./users/routes";
import type { Watched, WatchEnv } from "./watch.io";

/** Routes of changes that are traffic rather than administration, and reads that happen to be posted. */
const TRAFFIC =
  /\/(poll|test|consent|oauth\/url|bootstrap|api-v2\/notifications|v1\/(tenants\/:tenant\/)?events(\/batch)?|console\/publish)$/;
const READABLE_SECRET = /\/(signing-secret|authentication\/secrets)$/;
/** Resources that decide where data goes and with what; changes of all others are in the resources' own log. */
const OUTLETS = /\/(webhooks|resourcehooks|secrets)(\/|$)/;
/** What users of an app make or send again, but not what runs through it. */
const USERS_OWN = /^\/(flows|integrations|drafts|user|app-events|unprocessed-messages)(\/|$)/;
const READS = new Set(["GET", "HEAD", "OPTIONS"]);
const MOST_BODY = 256 * 1024;

/**
 * What only a handler finds out: who a request is from, when somebody signs up or takes an invitation, and its
 * `subject`, the id of the instance that an Element token names.
 */
export type ActorEnv = { Variables: { actor?: Actor; subject?: string } };
const namesItself = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  key: z.string().optional(),
  flowId: z.string().optional(),
  name: z.string().nullish(),
});

type Audited = { Bindings: Env } & RequestIdEnv & ActorEnv & WatchEnv;
type Actor = { organizationId: number; name: string };

/**
 * Writes every granted change, and every look at a secret, into the audit log: who, what, on what, and
 * the names of the members that were sent, and what differs since (`watch.io.ts`). A request is told by its route, never by its path, since a connector may
 * have the key `poll`.
 */
const auditing = <E extends Audited>(
  isNoted: (method: string, route: string) => boolean,
  actorOf: (c: Context<E>) => Actor | undefined,
) =>
  createMiddleware<E>(async (c, next) => {
    const { method, path } = c.req;
    // Only after the handlers ran is it known which of the matching routes answered.
    if (!routesOf(c).some((route) => isNoted(method, route))) return next();
    const copy =
      Number(c.req.header("content-length") ?? 0) <= MOST_BODY ? c.req.raw.clone() : undefined;
    await next();
    const found: Actor | undefined = c.get("actor");
    const actor = found ?? actorOf(c);
    if (actor === undefined || c.res.status >= 400) return;
    const answered = routePath(c);
    const route = answered.endsWith("*") ? path : answered;
    if (!isNoted(method, route)) return;
    const sent = copy === undefined ? undefined : await sentBy(copy);
    await recordAudit(c.env.DB, {
      organizationId: actor.organizationId,
      at: Date.now(),
      actor: actor.name,
      address: c.req.header("cf-connecting-ip") ?? null,
      ...deedOf(
        { method, route, path, subject: c.get("subject") },
        c.req.param(),
        await madeId(c.res, route),
      ),
      tenantId: c.get("watched")?.tenant ?? null,
      route: `${method} ${route}`,
      requestId: c.get("requestId"),
      changes: memberNames(sent),
      differences: await differencesOf(c.get("watched"), sent),
    });
  });

/** The patterns of the routes that match a request; its path when only a catch-all does. */
function routesOf(c: Context): string[] {
  const routes = matchedRoutes(c).filter(
    ({ method, path }) => method !== "ALL" && !path.endsWith("*"),
  );
  return routes.length === 0 ? [c.req.path] : routes.map(({ path }) => path);
}

/** Absent where nobody asked in their own name. */
const asker = (c: Context<AskerEnv & RequestIdEnv & ActorEnv>): Actor | undefined => c.var.asker;

/** On our own surface, the connectors' and the console. */
export const audited = auditing<AskerEnv & RequestIdEnv & ActorEnv>(
  (method, route) =>
    READS.has(method) ? method === "GET" && READABLE_SECRET.test(route) : !TRAFFIC.test(route),
  asker,
);

/** On the surface of resources: whatever is removed may take outlets that are in it along. */
export const auditedOutlets = auditing<AskerEnv & RequestIdEnv & ActorEnv>(
  (method, route) => method === "DELETE" || (!READS.has(method) && OUTLETS.test(route)),
  asker,
);

/** On the app surface, in the name of its users. */
export const auditedUsers = auditing<UserEnv & RequestIdEnv & ActorEnv>(
  (method, route) => !READS.has(method) && USERS_OWN.test(route) && !route.includes("/components/"),
  (c) => {
    const user: UserEnv["Variables"]["user"] | undefined = c.var.user;
    return user && { organizationId: user.organizationId, name: `user:${user.id}` };
  },
);

/** The id of what was made, where the answer tells it. */
async function madeId(answer: Response, route: string): Promise<string | undefined> {
  if (!(answer.headers.get("content-type") ?? "").includes("json")) return undefined;
  const body: unknown = await answer
    .clone()
    .json()
    .catch(() => undefined);
  const { data } = namesItself.safeParse(body);
  // Connectors go by their keys; the key of an API key is a secret.
  const isConnector = route.endsWith("/elements");
  const id = (isConnector ? data?.key : undefined) ?? data?.id ?? data?.flowId ?? data?.name;
  return id === undefined ? undefined : String(id);
}

/** The JSON object that a request sent, if it did; one that is too deep was read by nobody. */
async function sentBy(request: Request): Promise<Record<string, unknown> | undefined> {
  const text = await request.text().catch(() => "");
  const body = parsedJson(text)?.value;
  return typeof body === "object" && body !== null ? { ...body } : undefined;
}

function memberNames(sent: Record<string, unknown> = {}): string[] {
  return Object.entries(sent).flatMap(([name, value]) =>
    name === "configuration" && typeof value === "object" && value !== null
      ? Object.keys(value).map((key) => `configuration.${key}`)
      : name,
  );
}

/** What a request changed; of one that made something, or changed nothing that is kept, what it sent. */
async function differencesOf(
  watched: Watched | undefined,
  sent: Record<string, unknown> | undefined,
): Promise<Differences> {
  const found =
    watched === undefined
      ? undefined
      : await watched.read().then(
          (after) => differences(watched.before(), after),
          (error: unknown) => {
            // What was done is recorded though it can't be read any more.
            console.error(JSON.stringify({ at: "audit", error: String(error) }));
            return undefined;
          },
        );
  const isChange =
    found !== undefined && Object.keys(found.before).length + Object.keys(found.after).length > 0;
  return isChange ? found : differences(undefined, sent);
}
