import { Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, refuseLimits, withKey } from "../../accounts/asker.io";
import { listDestinationRecords } from "../../delivery/destinations.store";
import { parse, readJson } from "../../http/body";
import { described, PAGE } from "../../http/route-description";
import { readLimit, readListCursor, writeListCursor } from "../../http/cursor-page";
import { cancelRoutes } from "./cancel.routes";
import {
  BODY_BYTES,
  destinationOf,
  destinationOfPath,
  isSame,
  ringOf,
  withHealth,
} from "./lookup.io";
import { changeDestination, makeEndpoint, removeEndpoint } from "./endpoint.io";
import {
  changeRequest,
  enabledField,
  ENDPOINT,
  endpointRequest,
  EXAMPLE,
  kindField,
  statusField,
  textField,
} from "./fields";
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
        kind: "instance, subscription, webhook, flow-step or endpoint",
        status: "healthy, degraded, open or disabled",
        tenant: "Those of this tenant; -: those of none",
        name: "The one of each tenant that has this name",
        enabled: "true or false",
        text: "In the name, description, URL or id, in whatever case",
      },
      answer: { items: [EXAMPLE], next: null },
    }),
    async (c) => {
      const limit = readLimit(c.req.query("limit"));
      const kind = parse(kindField, c.req.query("kind"), "kind");
      const status = parse(statusField, c.req.query("status"), "status");
      const enabled = parse(enabledField, c.req.query("enabled"), "enabled");
      const text = parse(textField, c.req.query("text"), "text");
      const after =
        readListCursor(c.req.query("cursor"), z.strictObject({ id: z.string() }))?.id ?? null;
      const records = await listDestinationRecords(
        c.env.DB,
        ringOf(c),
        c.var.asker.organizationId,
        {
          kind,
          tenant: c.req.query("tenant"),
          name: c.req.query("name"),
          enabled: enabled && enabled === "true",
          text,
          after,
          limit,
          ids: reachOf(c.var.asker)?.destinations,
        },
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
      const changes = await changeDestination(c, record, await readJson(c, BODY_BYTES));
      await ownerUpdates[record.destination.kind]?.(c, record, changes);
      if (changes.enabled === true) await revive(c, record.destination);
      const after = await destinationOfPath(c);
      if (isSame(record, after)) c.header("x-tributary-unchanged", "true");
      return c.json((await withHealth(c, [after]))[0]);
    },
  );

const switchRoutes = (ownerUpdates: OwnerUpdates): Hono<AskerEnv> =>
  new Hono<AskerEnv>()
    .post(
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
    )
    .post(
      "/destinations/:id/disable",
      described("Switch a destination off: what comes for it dies until it is enabled", {
        tag: "destinations",
        answer: EXAMPLE,
      }),
      async (c) => {
        const record = await destinationOfPath(c);
        const change = await changeDestination(c, record, { enabled: false });
        await ownerUpdates[record.destination.kind]?.(c, record, change);
        return c.json((await withHealth(c, [await destinationOfPath(c)]))[0]);
      },
    );

const endpointRoutes = new Hono<AskerEnv>()
  .post(
    "/destinations",
    described("Make a destination that hears of what it selects", {
      tag: "destinations",
      body: endpointRequest,
      bodyExample: {
        url: "https://app.example/hook",
        tenant: "acme",
        eventTypes: ["order.*"],
        headers: { "x-team": "billing" },
      },
      status: 201,
      answer: ENDPOINT,
    }),
    async (c) => {
      // What it made, a key that is limited to no tenant could not see.
      if (c.var.asker.limits?.tenants.length === 0) refuseLimits(c.var.asker);
      const id = await makeEndpoint(c, await readJson(c, BODY_BYTES));
      return c.json((await withHealth(c, [await destinationOf(c, id)]))[0], 201);
    },
  )
  .delete(
    "/destinations/:id",
    described("Delete a destination that was made here: what waits for it dies", {
      tag: "destinations",
      answer: ENDPOINT,
    }),
    async (c) => {
      const record = await destinationOfPath(c);
      const [view] = await withHealth(c, [record]);
      await removeEndpoint(c, record);
      return c.json(view);
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
    .route("/", endpointRoutes)
    .route("/", switchRoutes(ownerUpdates))
    .route("/", rotationRoutes(ownerUpdates))
    .route("/", testRoutes)
    .route("/", recoveryRoutes)
    .route("/", cancelRoutes);
