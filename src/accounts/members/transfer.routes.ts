import { Hono } from "hono";
import * as z from "zod";
import { parse, readJson } from "../../http/body";
import { conflict } from "../../http/refusal";
import { described } from "../../http/route-description";
import { type AskerEnv, withKey } from "../asker.io";
import { transferOwnership } from "./change.store";

const ID = "Expected the id of a member";
const memberId = z
  .string(ID)
  .regex(/^[1-9]\d{0,14}$/, ID)
  .transform(Number);
const transfer = z.strictObject({ from: memberId, to: memberId });

/** Ownership goes from one member to another in one step (reference v1-api.md). */
export const transferRoutes = new Hono<AskerEnv>()
  .use("/organization/transfer", withKey("admin"))
  .post(
    "/organization/transfer",
    described("Make a member owner in the place of another, who becomes editor", {
      tag: "operations",
      body: transfer,
      bodyExample: { from: "2", to: "7" },
      answer: { id: "7", role: "owner", from: { id: "2", role: "editor" } },
    }),
    async (c) => {
      const { from, to } = parse(transfer, await readJson(c, 64 * 1024));
      const done = await transferOwnership(c.env.DB, c.var.asker.organizationId, { from, to });
      switch (done.kind) {
        case "done":
          return c.json({
            id: String(to),
            role: "owner",
            from: { id: String(from), role: "editor" },
          });
        case "not-owner":
          throw conflict(`Member '${from}' is no owner of this organization`, "from");
        case "not-joined":
          throw conflict(`'${to}' is no other member who has joined this organization`, "to");
      }
    },
  );
