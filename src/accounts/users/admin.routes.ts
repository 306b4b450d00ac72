import { type Context, Hono } from "hono";
import * as z from "zod";
import { parse, readJson } from "../../http/body";
import { readLimit, readListCursor, writeListCursor } from "../../http/cursor-page";
import { described, PAGE } from "../../http/route-description";
import { conflict, notFound, type Refusal } from "../../http/refusal";
import { isoText } from "../../values/instant";
import { type AskerEnv, withKey } from "../asker.io";
import { watchChange } from "../watch.io";
import {
  beginUserDeletion,
  changeEndUser,
  type EndUser,
  listEndUsers,
  readEndUser,
  type UserChange,
} from "./admin.store";
import { requireTenant } from "../tenants/required.io";
import { tenantId } from "../tenants/tenant";
import { numericId } from "../../values/whole-number";

const BODY_BYTES = 64 * 1024;
const change = z.strictObject({
  isActive: z.boolean("Expected true or false").optional(),
  plan: z.string("Expected a plan").min(1, "Expected a plan").max(100).optional(),
  metadata: z.record(z.string(), z.unknown()).nullable().optional(),
  tenant: tenantId.nullable().optional(),
});
const idCursor = z.strictObject({ id: z.number() });

const USER = {
  id: "7",
  username: "u7@yourapp.example",
  email: "u7@yourapp.example",
  isActive: true,
  state: "active",
  plan: "free",
  metadata: {},
  tenant: null,
  createdAt: "2026-11-21T20:00:00.000Z",
};

/** The users of the app surface, for whoever runs the organization (reference v1-api.md). */
export const endUserRoutes = new Hono<AskerEnv>()
  .use("/users", withKey("write"))
  .use("/users/:id", withKey("write"))
  .get(
    "/users",
    described("End users of the organization", {
      tag: "operations",
      query: { ...PAGE, tenant: "Of this tenant" },
      answer: { items: [USER], next: null },
    }),
    async (c) => {
      const limit = readLimit(c.req.query("limit"));
      const after = readListCursor(c.req.query("cursor"), idCursor)?.id ?? 0;
      const rows = await listEndUsers(c.env.DB, c.var.asker.organizationId, {
        after,
        limit,
        tenant: c.req.query("tenant"),
      });
      const last = rows.at(-1);
      const next =
        last === undefined || rows.length < limit ? null : writeListCursor({ id: last.id });
      return c.json({ items: rows.map(userView), next });
    },
  )
  .get("/users/:id", described("An end user", { tag: "operations", answer: USER }), async (c) => {
    const user = await readEndUser(c.env.DB, c.var.asker.organizationId, idOf(c));
    if (user === undefined) throw unknown(c);
    return c.json(userView(user));
  })
  .patch(
    "/users/:id",
    described("Switch an end user off or on, or change what is known of them", {
      tag: "operations",
      body: change,
      bodyExample: { isActive: false },
      answer: { ...USER, isActive: false, state: "disabled" },
    }),
    async (c) => {
      const input = parse(change, await readJson(c, BODY_BYTES));
      const { organizationId } = c.var.asker;
      await watchUser(c);
      if (typeof input.tenant === "string")
        await requireTenant(c.env.DB, organizationId, input.tenant);
      return c.json(
        userView(changed(c, await changeEndUser(c.env.DB, organizationId, idOf(c), input))),
      );
    },
  )
  .delete(
    "/users/:id",
    described("Delete an end user with their flows, tokens and streams, in the background", {
      tag: "operations",
      status: 202,
      answer: { ...USER, isActive: false, state: "deleting" },
    }),
    async (c) => {
      const { organizationId } = c.var.asker;
      const done = await beginUserDeletion(c.env.DB, organizationId, idOf(c), Date.now());
      return c.json(userView(changed(c, done)), 202);
    },
  );

/** Tells the audit log that a request may change the user that the path names. @throws Refusal `not-found`. */
async function watchUser(c: Context<AskerEnv>): Promise<void> {
  const read = async () => readEndUser(c.env.DB, c.var.asker.organizationId, idOf(c));
  const before = await read();
  if (before === undefined) throw unknown(c);
  const after = async () => {
    const now = await read();
    return now && userView(now);
  };
  watchChange(c, () => userView(before), after, before.tenant);
}

/** @throws Refusal `not-found` for what is no id. */
function idOf(c: Context<AskerEnv>): number {
  const id = numericId(c.req.param("id") ?? "");
  if (id === undefined) throw unknown(c);
  return id;
}

const unknown = (c: Context<AskerEnv>): Refusal => notFound(`No user '${c.req.param("id") ?? ""}'`);

function changed(c: Context<AskerEnv>, change: UserChange): EndUser {
  switch (change.kind) {
    case "done":
      return change.user;
    case "first":
      throw conflict("The organization's keys act in the name of this user");
    case "unknown":
      throw unknown(c);
  }
}

const userView = ({
  id,
  username,
  email,
  isActive,
  plan,
  metadata,
  tenant,
  createdAt,
  deletingAt,
}: EndUser) => ({
  id: String(id),
  username: username ?? email,
  email,
  isActive,
  state: deletingAt !== null ? "deleting" : isActive ? "active" : "disabled",
  plan,
  metadata: metadata ?? {},
  tenant,
  createdAt: isoText(createdAt),
});
