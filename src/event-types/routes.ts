import { type Context, Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withKey } from "../accounts/asker.io";
import { readOrganization } from "../accounts/organization.store";
import { parse, readJson } from "../http/body";
import { readLimit, readListCursor, writeListCursor } from "../http/cursor-page";
import { notFound } from "../http/refusal";
import { described, PAGE } from "../http/route-description";
import { quoted } from "../values/text";
import { changedType, newType } from "./definition";
import { asyncApi } from "./documents/asyncapi";
import { openApi } from "./documents/openapi";
import { changeType, createType, removeType } from "./edit.io";
import { type BuiltInType, type EventTypeView, ownView } from "./event-type";
import { findType, pageOfTypes } from "./list.io";

const BODY_BYTES = 1024 * 1024;
const MORE_THAN_THERE_ARE = 10_000;

const EXAMPLE: EventTypeView = {
  name: "order.paid",
  description: "An order was paid",
  schema: {
    type: "object",
    required: ["orderId"],
    properties: { orderId: { type: "string" }, total: { type: "number" } },
  },
  example: { orderId: "7", total: 12.5 },
  version: 2,
  deprecated: false,
  conversions: { "1": '{"order": orderId}' },
  builtIn: false,
};
const CHANGE = { ...EXAMPLE, name: undefined, version: undefined, builtIn: undefined };

const BUILT_IN = "true: those of connectors alone; false: your own alone";
const flag = z.enum(["true", "false"], "Expected true or false").optional();
const isAsked = (text: string | undefined): boolean | undefined => {
  const asked = parse(flag, text, "builtIn");
  return asked === undefined ? undefined : asked === "true";
};

const listRoutes = (builtInTypes: readonly BuiltInType[]): Hono<AskerEnv> =>
  new Hono<AskerEnv>()
    .get(
      "/event-types",
      described("Event types: your own, and those of built-in connectors", {
        tag: "event types",
        query: { ...PAGE, search: "What the name holds", builtIn: BUILT_IN },
        answer: { items: [EXAMPLE], next: null },
      }),
      async (c) => {
        const after = readListCursor(c.req.query("cursor"), z.strictObject({ name: z.string() }));
        const { items, isMore } = await pageOfTypes(
          c.env.DB,
          c.var.asker.organizationId,
          builtInTypes,
          {
            after: after?.name ?? "",
            search: c.req.query("search") ?? "",
            builtIn: isAsked(c.req.query("builtIn")),
            limit: readLimit(c.req.query("limit")),
          },
        );
        const last = isMore ? items.at(-1) : undefined;
        const next = last === undefined ? null : writeListCursor({ name: last.name });
        return c.json({ items, next });
      },
    )
    .get(
      "/event-types/:name",
      described("One event type", { tag: "event types", answer: EXAMPLE }),
      async (c) => {
        const name = c.req.param("name");
        const found = await findType(c.env.DB, c.var.asker.organizationId, builtInTypes, name);
        if (found === undefined) throw notFound(`No event type '${quoted(name)}'`);
        return c.json(found);
      },
    );

const changeRoutes = new Hono<AskerEnv>()
  .post(
    "/event-types",
    described("Make an event type; what is published of it is checked by its schema", {
      tag: "event types",
      body: newType,
      bodyExample: { ...CHANGE, name: EXAMPLE.name, conversions: {} },
      answer: { ...EXAMPLE, version: 1, conversions: {} },
      status: 201,
    }),
    async (c) => c.json(ownView(await createType(c, await readJson(c, BODY_BYTES))), 201),
  )
  .put(
    "/event-types/:name",
    described("Replace an event type; another schema is a new version", {
      tag: "event types",
      body: changedType,
      bodyExample: CHANGE,
      answer: EXAMPLE,
    }),
    async (c) => c.json(ownView(await changeType(c, await readJson(c, BODY_BYTES)))),
  )
  .delete(
    "/event-types/:name",
    described("Delete an event type; its events can be published still, unchecked", {
      tag: "event types",
      answer: EXAMPLE,
    }),
    async (c) => c.json(ownView(await removeType(c))),
  );

/** All types in one document: at most a thousand, of a bounded size together (`edit.io.ts`). */
async function documented(
  c: Context<AskerEnv>,
  builtInTypes: readonly BuiltInType[],
  write: (title: string, types: readonly EventTypeView[]) => Record<string, unknown>,
): Promise<Response> {
  const { organizationId } = c.var.asker;
  const builtIn = isAsked(c.req.query("builtIn")) === true ? undefined : false;
  const { name } = await readOrganization(c.env.DB, organizationId);
  const { items } = await pageOfTypes(c.env.DB, organizationId, builtInTypes, {
    after: "",
    search: "",
    builtIn,
    limit: MORE_THAN_THERE_ARE,
  });
  return c.json(write(`Events of ${name}`, items));
}

const documentRoutes = (builtInTypes: readonly BuiltInType[]): Hono<AskerEnv> =>
  new Hono<AskerEnv>()
    .get(
      "/event-types.asyncapi.json",
      described("Your event types as AsyncAPI 3.0", {
        tag: "event types",
        query: { builtIn: "true: those of connectors, too" },
        answer: { asyncapi: "3.0.0" },
      }),
      async (c) => documented(c, builtInTypes, asyncApi),
    )
    .get(
      "/event-types.openapi.json",
      described("Your event types as webhooks of OpenAPI 3.1", {
        tag: "event types",
        query: { builtIn: "true: those of connectors, too" },
        answer: { openapi: "3.1.0" },
      }),
      async (c) => documented(c, builtInTypes, openApi),
    );

/** What events look like (reference v1-api.md). @param builtInTypes Those of connectors, by name. */
export const eventTypeRoutes = (builtInTypes: readonly BuiltInType[]): Hono<AskerEnv> =>
  new Hono<AskerEnv>()
    .use("/event-types", withKey("write"))
    .use("/event-types/*", withKey("write"))
    .use("/event-types.asyncapi.json", withKey())
    .use("/event-types.openapi.json", withKey())
    .route("/", documentRoutes(builtInTypes))
    .route("/", listRoutes(builtInTypes))
    .route("/", changeRoutes);
