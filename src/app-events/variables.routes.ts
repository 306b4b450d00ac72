import { Hono } from "hono";
import * as z from "zod";
import { type UserEnv, withUser } from "../accounts/users/routes";
import { readDescriptor } from "../flows/descriptor";
import { visibleFlow } from "../flows/routes";
import { faulty } from "../flows/validation/refusals";
import { parse, readTypedJson } from "../http/body";
import { portOptions } from "./example-schema";
import { linksOf } from "./variables";

const BODY_BYTES = 1_048_576;

/** The client that this is made for sends `false` for what it doesn't have. */
const absentOr = <T extends z.ZodType>(schema: T) =>
  z.preprocess(
    (value) => (value === false || value === null ? undefined : value),
    schema.optional(),
  );

const optionsRequest = z.object({
  properties: z.object({ eventDataExample: z.unknown().optional() }).default({}),
});
const fetchRequest = z.object({
  flow: absentOr(z.record(z.string(), z.unknown())),
  components: absentOr(z.object({ IDs: absentOr(z.array(z.string())) })),
});

/** The variables that steps may use of an event, derived from its example (reference app-events-api.md §4). */
export const variableRoutes = new Hono<UserEnv>()
  .post("/component/appmixer/utils/appevents/OnAppEvent", withUser, async (c) => {
    const { properties } = parse(optionsRequest, (await readTypedJson(c, BODY_BYTES)).value ?? {});
    return c.json(portOptions(properties.eventDataExample));
  })
  .post("/variables/:flowId/fetch", withUser, async (c) => {
    const request = parse(fetchRequest, (await readTypedJson(c, BODY_BYTES)).value ?? {});
    const flow = await visibleFlow(c.env.DB, c.var.user, c.req.param("flowId"));
    const read = readDescriptor(request.flow ?? flow.flow);
    if (!read.ok) throw faulty(read.faults);
    const wanted = request.components?.IDs;
    const components = [...read.descriptor.values()]
      .filter(({ id }) => wanted === undefined || wanted.includes(id))
      .map((component) => [component.id, { links: linksOf(component, read.descriptor) }] as const);
    return c.json({ components: Object.fromEntries(components) });
  });
