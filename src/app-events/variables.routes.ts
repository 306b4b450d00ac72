import { Hono } from "hono";
import * as z from "zod";
import { type UserEnv, withUser } from "../accounts/users/routes";
import { triggerKind } from "../flows/components";
import { type Component, type Descriptor, readDescriptor } from "../flows/descriptor";
import { visibleFlow } from "../flows/routes";
import { faulty } from "../flows/validation/refusals";
import { parse, readTypedJson } from "../http/body";
import { exampleSchema, flatVariables, portOptions } from "./example-schema";

const BODY_BYTES = 1_048_576;

const optionsRequest = z.object({
  properties: z.object({ eventDataExample: z.unknown().optional() }).default({}),
});
const fetchRequest = z.object({
  flow: z.record(z.string(), z.unknown()).optional(),
  components: z.object({ IDs: z.array(z.string()).optional() }).optional(),
});

/** What steps may use of an event, told by its example (reference app-events-api.md §4). */
export const variableRoutes = new Hono<UserEnv>()
  .post("/component/appmixer/utils/appevents/OnAppEvent", withUser, async (c) => {
    const { properties } = parse(optionsRequest, (await readTypedJson(c, BODY_BYTES)).value ?? {});
    return c.json(portOptions(properties.eventDataExample));
  })
  .post("/variables/:flowId/fetch", withUser, async (c) => {
    const asked = parse(fetchRequest, (await readTypedJson(c, BODY_BYTES)).value ?? {});
    const flow = await visibleFlow(c.env.DB, c.var.user, c.req.param("flowId"));
    const read = readDescriptor(asked.flow ?? flow.flow);
    if (!read.ok) throw faulty(read.faults);
    const wanted = asked.components?.IDs;
    const components = [...read.descriptor.values()]
      .filter(({ id }) => wanted === undefined || wanted.includes(id))
      .map((component) => [component.id, { links: linksOf(component, read.descriptor) }] as const);
    return c.json({ components: Object.fromEntries(components) });
  });

/** In port → upstream component → out port → its variables, of all components above. */
function linksOf(component: Component, descriptor: Descriptor): Record<string, unknown> {
  const links: Record<string, Record<string, Record<string, unknown>>> = {};
  for (const { inPort, from, outPort } of component.inputs) {
    const senders = (links[inPort] ??= {});
    const ports = (senders[from] ??= {});
    const above = ancestors(from, descriptor);
    const offers = above.map((one) => offerOf(one, one.id === from ? outPort : undefined));
    ports[outPort] = {
      variables: {
        dynamic: offers.flatMap(({ dynamic }) => dynamic),
        flat: offers[0]?.flat ?? [],
      },
    };
  }
  return links;
}

/** A component and all that come before it, nearest first. */
function ancestors(id: string, descriptor: Descriptor): Component[] {
  const found = new Map<string, Component>();
  const visit = (current: string): void => {
    const component = descriptor.get(current);
    if (component === undefined || found.has(current)) return;
    found.set(current, component);
    for (const { from } of component.inputs) visit(from);
  };
  visit(id);
  return [...found.values()];
}

type Offer = { dynamic: unknown[]; flat: unknown[] };

function offerOf({ id, type, properties }: Component, outPort: string | undefined): Offer {
  const kind = triggerKind(type);
  const port = outPort ?? (kind === undefined ? "response" : "out");
  if (kind === "app-event") {
    const example = properties["eventDataExample"];
    return {
      dynamic: portOptions(example).map(({ label, value, schema }) => ({
        componentId: id,
        label,
        port,
        value: `{{{$.${id}.${port}.${value}}}}`,
        ...(schema === undefined ? {} : { schema }),
      })),
      flat: flatVariables(exampleSchema(example)),
    };
  }
  const members = kind === undefined ? RESPONSE : kind === "instance" ? RECORD : CONTENT;
  return {
    dynamic: members.map(([label, value]) => ({
      componentId: id,
      label,
      port,
      value: `{{{$.${id}.${port}.${value}}}}`,
    })),
    flat: [],
  };
}

const RESPONSE = [
  ["Status Code", "statusCode"],
  ["Headers", "headers"],
  ["Body", "body"],
  ["Request", "request"],
] as const;
const CONTENT = [
  ["Data", "data"],
  ["Query", "query"],
  ["Headers", "headers"],
  ["Method", "method"],
] as const;
const RECORD = [
  ["Object Type", "objectType"],
  ["Object Id", "objectId"],
  ["Event Type", "eventType"],
  ["Date", "date"],
  ["Data", "data"],
] as const;
