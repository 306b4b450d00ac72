import { Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { changePolicy } from "../../delivery/policy.store";
import { listDestinationRecords } from "../../delivery/destinations.store";
import { parse, readJson } from "../../http/body";
import { described, PAGE } from "../../http/route-description";
import { readLimit, readListCursor, writeListCursor } from "../../http/cursor-page";
import { BODY_BYTES, destinationOfPath, ringOf, withHealth } from "./lookup.io";
import { changeRequest, checkChangeable, EXAMPLE, kindField, statusField } from "./fields";
import { rotationRoutes, signingSecretRoutes } from "./signing-keys.routes";
import { reachOf } from "../reach";
import type { OwnerUpdates } from "./owner-update";
import { recoveryRoutes } from "./recovery.routes";
import { revive } from "./revive.io";
import { testRoutes } from "./test.routes";

const listRoutes = new Hono<AskerEnv>()
  .get(
    "/destinations",
    described("Destinations and their health", {
      tag: "destinations",
      query: {
        ...PAGE,
        kind: "instance, webhook or flow-step",
        status: "healthy, degraded, open or disabled",
      },
      answer: { items: [EXAMPLE], next: null },
    }),
    async (c) => {
      const limit = readLimit(c.req.query("limit"));
      const kind = parse(kindField, c.req.query("kind"), "kind");
      const status = parse(statusField, c.req.query("status"), "status");
      const after =
        readListCursor(c.req.query("cursor"), z.strictObject({ id: z.string() }))?.id ?? null;
      const records = await listDestinationRecords(
        c.env.DB,
        ringOf(c),
        c.var.asker.organizationId,
        { kind, after, limit, ids: reachOf(c.var.asker)?.destinations },
      );
      const views = await withHealth(c, records);
      const last = records.at(-1);
      return c.json({
        items: views.filter((view) => status === undefined || view.status === status),
        next:
          last === undefined || records.length < limit
            ? null
            : writeListCursor({ id: last.destination.id }),
      });
    },
  )
  .get(
    "/destinations/:id",
    described("One destination", { tag: "destinations", answer: EXAMPLE }),
    async (c) => c.json((await withHealth(c, [await destinationOfPath(c)]))[0]),
  );

const changeRoutes = (ownerUpdates: OwnerUpdates): Hono<AskerEnv> =>
  new Hono<AskerEnv>().patch(
    "/destinations/:id",
    described("Change how a destination is served", {
      tag: "destinations",
      body: changeRequest,
      bodyExample: { rate: 10, ordering: "object" },
      answer: EXAMPLE,
    }),
    async (c) => {
      const record = await destinationOfPath(c);
      const changes = parse(changeRequest, await readJson(c, BODY_BYTES));
      checkChangeable(record.destination.kind, changes);
      await changePolicy(c.env.DB, ringOf(c), record.destination, changes, Date.now());
      await ownerUpdates[record.destination.kind]?.(c, record, changes);
      if (changes.enabled === true) await revive(c, record.destination);
      return c.json((await withHealth(c, [await destinationOfPath(c)]))[0]);
    },
  );

const enableRoutes = new Hono<AskerEnv>().post(
  "/destinations/:id/enable",
  described("Switch a destination on, and deliver what is held or died while it was off", {
    tag: "destinations",
    answer: EXAMPLE,
  }),
  async (c) => {
    const { destination } = await destinationOfPath(c);
    await revive(c, destination);
    return c.json((await withHealth(c, [await destinationOfPath(c)]))[0]);
  },
);

/** Destinations, their health, signing keys and policies (reference v1-api.md). */
export const destinationRoutes = (ownerUpdates: OwnerUpdates): Hono<AskerEnv> =>
  new Hono<AskerEnv>()
    // A key that may read secrets needn't have the scope that all else here asks for.
    .route("/", signingSecretRoutes)
    .use("/destinations", withKey("write", { limits: "kept" }))
    .use("/destinations/*", withKey("write", { limits: "kept" }))
    .route("/", listRoutes)
    .route("/", changeRoutes(ownerUpdates))
    .route("/", enableRoutes)
    .route("/", rotationRoutes(ownerUpdates))
    .route("/", testRoutes)
    .route("/", recoveryRoutes);
