import { Hono } from "hono";
import { endOf } from "../../accounts/members/session";
import { endSessions, listSessions } from "../../accounts/members/sessions.store";
import { SessionsPage } from "./own-sessions";
import { leave } from "./routes";
import type { SignedInEnv } from "./session.io";

const HERE = "/console/sessions";

/** Every member's own sessions: whoever only reads ends them too. */
export const ownSessionRoutes = new Hono<SignedInEnv>()
  .get("/sessions", async (c) => {
    const now = Date.now();
    const rows = await listSessions(c.env.DB, c.var.member.id, now);
    const sessions = rows.map((row) => ({
      ...row,
      endsAt: endOf(row),
      isThis: row.id === c.var.sessionId,
    }));
    return c.render(<SessionsPage sessions={sessions} now={now} />, {
      title: "Sessions",
      here: "security",
    });
  })
  .post("/sessions/end-others", async (c) => {
    const ended = await endSessions(c.env.DB, c.var.member.id, { except: c.var.sessionId });
    const text = `Signed out elsewhere: ${ended.length}`;
    return leave(c, HERE, { tone: "good", text });
  })
  .post("/sessions/:id/end", async (c) => {
    // One that is over, or another's, is left alone: the outcome is the same.
    await endSessions(c.env.DB, c.var.member.id, { only: c.req.param("id") });
    return leave(c, HERE, { tone: "good", text: "That session is over" });
  });
