import { type Context, Hono } from "hono";
import { organizationKey, withToken } from "../accounts/asker.io";
import { readOrganization } from "../accounts/organization.store";
import { readBytes } from "../http/body";
import { limitFailures } from "../http/failure-limit";
import { invalid, unauthenticated } from "../http/refusal";
import { teamsNamed, tokenRequestOf } from "./agents";
import type { ApisEnv } from "./read.io";

const MOST_BYTES = 64 * 1024;
/** When an agent asks for its token anew. A revoked key is refused at once all the same. */
const TOKEN_SECONDS = 3_600;

/** What agents ask beside `/apis` and `/events` (reference resource-api.md §14). */
export const agentRoutes = new Hono<ApisEnv>()
  .get("/api/v1/platformTeams", limitFailures, withToken, async (c) => {
    const { organizationId } = c.var.asker;
    const { name } = await readOrganization(c.env.DB, organizationId);
    const teams = teamsNamed(
      [{ guid: String(organizationId), name, default: true }],
      c.req.query("query"),
    );
    if (!teams.ok) throw invalid(teams.message, "query");
    return c.json(teams.teams);
  })
  .post("/realms/Broker/protocol/openid-connect/token", limitFailures, async (c) => {
    const key = await keyOf(c);
    await organizationKey(c, key);
    c.header("Cache-Control", "no-store");
    return c.json({ access_token: key, token_type: "Bearer", expires_in: TOKEN_SECONDS });
  });

async function keyOf(c: Context): Promise<string> {
  const text = new TextDecoder().decode(await readBytes(c.req.raw, MOST_BYTES));
  const request = tokenRequestOf(new URLSearchParams(text));
  if (request.ok) return request.key;
  if (request.field === undefined) throw unauthenticated(request.message);
  throw invalid(request.message, request.field);
}
