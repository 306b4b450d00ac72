import { type Context, Hono } from "hono";
import { keyOf, makeKey, newKey, revokeKey } from "../../accounts/keys.io";
import { listKeys } from "../../accounts/keys.store";
import { formOf, leave } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { type Faults, faultOf, faultsOf } from "./faults";
import { KeysPage, type TypedKey } from "./keys";
import { onlyOwners } from "./routes";

const DAY_MS = 86_400_000;
const HERE = "/console/settings/keys";
const FIELDS = { name: "name", scopes: "scopes", limits: "sources", expiresAt: "days" };
const NOTHING: TypedKey = { name: "", scopes: ["read"], sources: "", days: "" };

/** API keys, for owners. */
export const keyPages = new Hono<ConsoleEnv>()
  .use("/settings/keys", onlyOwners)
  .use("/settings/keys/*", onlyOwners)
  .get("/settings/keys", (c) => show(c, NOTHING))
  .post("/settings/keys", async (c) => {
    const typed = typedOf(await formOf(c));
    const now = Date.now();
    const input = newKey.safeParse(inputOf(typed, now));
    if (!input.success) return show(c, typed, { faults: faultsOf(input.error, FIELDS) });
    try {
      const { row, key } = await makeKey(c.env.DB, c.var.asker.organizationId, input.data, now);
      c.set("subject", row.id);
      return await show(c, NOTHING, { made: { name: row.name, key } });
    } catch (error) {
      return show(c, typed, { faults: faultOf(error, FIELDS) });
    }
  })
  .post("/settings/keys/:id/revoke", async (c) => {
    const found = await keyOf(c);
    await formOf(c);
    const { name } = await revokeKey(c, found);
    return leave(c, HERE, {
      tone: "good",
      text: `${name} is revoked, and opens nothing any more.`,
    });
  });

const typedOf = (form: URLSearchParams): TypedKey => ({
  name: (form.get("name") ?? "").trim(),
  scopes: form.getAll("scopes"),
  sources: (form.get("sources") ?? "").trim(),
  days: (form.get("days") ?? "").trim(),
});

function inputOf({ name, scopes, sources, days }: TypedKey, now: number): unknown {
  const named = sources.split(/[\s,]+/).filter((source) => source !== "");
  return {
    name,
    scopes,
    ...(named.length === 0 ? {} : { limits: { sources: named } }),
    ...(days === "" ? {} : { expiresAt: /^\d{1,5}$/.test(days) ? isoIn(Number(days), now) : days }),
  };
}

const isoIn = (days: number, now: number): string => new Date(now + days * DAY_MS).toISOString();

async function show(
  c: Context<ConsoleEnv>,
  typed: TypedKey,
  { faults = {}, made }: { faults?: Faults; made?: { name: string; key: string } } = {},
): Promise<Response> {
  const { organizationId } = c.var.asker;
  if (Object.keys(faults).length > 0) c.status(400);
  return c.render(
    <KeysPage
      keys={await listKeys(c.env.DB, organizationId)}
      organizationId={organizationId}
      typed={typed}
      faults={faults}
      now={Date.now()}
      {...(made === undefined ? {} : { made })}
    />,
    { title: "API keys", here: "settings" },
  );
}
