import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { described } from "../../http/route-description";
import { forbidden, notFound } from "../../http/refusal";
import { isoText } from "../../values/instant";
import { type AskerEnv, withKey } from "../asker.io";
import { watchChange } from "../watch.io";
import { idOf, unknown } from "./routes";
import { endOf } from "./session";
import { endSessions, listSessions, type SessionRow } from "./sessions.store";
import { isMemberOf } from "./store";

/** Where members are is for administrators to know, not for every key that reads. */
const withAdmin = createMiddleware<AskerEnv>(async (c, next) => {
  if (!c.var.asker.scopes.includes("admin")) throw forbidden("The key lacks the scope 'admin'");
  await next();
});

const SESSION = {
  id: "5d0f9a4e-…",
  address: "203.0.113.7",
  userAgent: "Mozilla/5.0 …",
  createdAt: "2026-11-21T08:00:00.000Z",
  seenAt: "2026-11-21T09:30:00.000Z",
  endsAt: "2026-11-21T21:30:00.000Z",
};

/** Where a member is signed in to the console (reference v1-api.md). */
export const memberSessionRoutes = new Hono<AskerEnv>()
  .use("/members/:id/sessions/*", withKey("admin"), withAdmin)
  .get(
    "/members/:id/sessions",
    described("A member's sessions in the console", {
      tag: "operations",
      answer: { items: [SESSION], next: null },
    }),
    async (c) => {
      const rows = await listSessions(c.env.DB, await knownMember(c), Date.now());
      return c.json({ items: rows.map(sessionView), next: null });
    },
  )
  .delete(
    "/members/:id/sessions",
    described("Sign a member out everywhere", {
      tag: "operations",
      answer: { items: [SESSION], next: null },
    }),
    async (c) => {
      const rows = await endSessions(c.env.DB, await watchedMember(c));
      return c.json({ items: rows.map(sessionView), next: null });
    },
  )
  .delete(
    "/members/:id/sessions/:session",
    described("End one of a member's sessions", { tag: "operations", answer: SESSION }),
    async (c) => {
      const only = c.req.param("session");
      const [row] = await endSessions(c.env.DB, await watchedMember(c), { only });
      if (row === undefined) throw notFound(`No session '${only}'`);
      return c.json(sessionView(row));
    },
  );

async function knownMember(c: Context<AskerEnv>): Promise<number> {
  const id = idOf(c);
  if (!(await isMemberOf(c.env.DB, c.var.asker.organizationId, id))) throw unknown(c);
  return id;
}

/** The member that the path names, whose sessions the audit log is told of. */
async function watchedMember(c: Context<AskerEnv>): Promise<number> {
  const id = await knownMember(c);
  const read = async () => {
    const rows = await listSessions(c.env.DB, id, Date.now());
    return Object.fromEntries(
      rows.map(({ id: session, address, createdAt }) => [
        session,
        { address, createdAt: isoText(createdAt) },
      ]),
    );
  };
  const before = await read();
  watchChange(c, () => before, read);
  return id;
}

const sessionView = ({ id, address, userAgent, createdAt, seenAt }: SessionRow) => ({
  id,
  address,
  userAgent,
  createdAt: isoText(createdAt),
  seenAt: isoText(seenAt),
  endsAt: isoText(endOf({ createdAt, seenAt })),
});
