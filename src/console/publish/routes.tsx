import { type Context, Hono } from "hono";
import { findEventType } from "../../event-types/find.io";
import { faultsOf } from "../../http/faults";
import { conflict, notFound, Refusal, type Violation } from "../../http/refusal";
import { streamOfSource } from "../../operations/streams/lookup.io";
import { EVENT_BYTES } from "../../publish/payload";
import {
  delayFault,
  type Publication,
  publication,
  publishedSource,
  storedIds,
} from "../../publish/publication";
import {
  cancel,
  check,
  type Checked,
  publish,
  type Publisher,
  publisherTo,
} from "../../publish/publish.io";
import { utf8Length } from "../../values/bytes";
import { digitsAlong } from "../../values/digits";
import { eventAddress, eventsAddress } from "../events/search";
import { offersOf } from "../fields/offers.io";
import { changesIn, faultsIn, type Typed, typedIn, typedOf } from "../fields/typed";
import { formOf, leave } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import type { Faults } from "../settings/faults";
import { FIELDS } from "./fields";
import { PublishPage } from "./form";

/** As much as the largest event may hold, as a form sends it. */
const FORM_BYTES = 3 * EVENT_BYTES + 64 * 1024;
const NOTHING = typedOf({}, FIELDS);

/** Events, published as an app does it, and what is told later cancelled. */
export const publishPages = new Hono<ConsoleEnv>()
  .get("/publish", async (c) => {
    const { type = "", tenant = "" } = c.req.query();
    return show(c, await withExample(c, { ...NOTHING, type, tenant }));
  })
  .post("/publish", async (c) => {
    const form = await formOf(c, FORM_BYTES);
    const typed = { ...NOTHING, ...typedIn(form, FIELDS) };
    if (form.has("fill")) return show(c, await withExample(c, typed));
    const asked = await read(c, typed);
    if ("faults" in asked) return show(c, typed, asked.faults);
    const { publisher, checked } = asked;
    const [told] = await publish(doorsOf(c), publisher, [checked]);
    if (told === undefined) throw new Error("An event is told as one");
    const { destinations } = told;
    const hear = destinations === 1 ? "1 destination hears" : `${destinations} destinations hear`;
    const text = `Published as ${told.id}: ${hear} of it.`;
    return leave(c, await pageOf(c, publisher, told.id), { tone: "good", text });
  })
  .post("/publish/cancel", async (c) => {
    const form = await formOf(c);
    const [id, tenant] = [form.get("id") ?? "", form.get("tenant") || null];
    const publisher = await publisherOf(c, tenant);
    const cancelled = await cancel(doorsOf(c), publisher, id);
    if (cancelled === "unknown") throw notFound(`No event '${id.slice(0, 256)}'`);
    if (cancelled === "left") throw conflict("The event has left already");
    c.set("subject", id);
    const text = `Cancelled: ${cancelled === 1 ? "1 destination does" : `${cancelled} destinations do`} not hear of it.`;
    return leave(c, await pageOf(c, publisher, id), { tone: "good", text });
  });

const doorsOf = ({ env }: Context<ConsoleEnv>) => ({ db: env.DB, streams: env.EVENT_STREAMS });

const publisherOf = (c: Context<ConsoleEnv>, tenant: string | null): Promise<Publisher> =>
  publisherTo(c.env.DB, c.var.asker.organizationId, tenant, 0);

/** What was typed, ready to be published, or all that is wrong with it. */
async function read(
  c: Context<ConsoleEnv>,
  typed: Typed,
): Promise<{ publisher: Publisher; checked: Checked } | { faults: Faults }> {
  const { tenant: _, ...given } = changesIn(typed, NOTHING, FIELDS);
  const to = await publisherOf(c, typed["tenant"] || null).catch(refusalOf);
  const parsed = publication.safeParse(given);
  const checked = parsed.success
    ? await checkedOf(c, digitsAlong(given, parsed.data))
    : { faults: faultsOf(parsed.error) };
  const violations = [
    ...(to instanceof Refusal ? [{ field: "tenant", message: to.message }] : []),
    ...("faults" in checked ? checked.faults : []),
  ];
  const faults = faultsIn(violations, typed, FIELDS);
  if (Object.keys(faults).length > 0 || to instanceof Refusal || "faults" in checked)
    return { faults };
  return { publisher: to, checked };
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  throw error;
}

async function checkedOf(
  c: Context<ConsoleEnv>,
  given: Publication,
): Promise<Checked | { faults: Violation[] }> {
  const late = delayFault(given.deliverAt, Date.now());
  const checked = await check(c.env.DB, { organizationId: c.var.asker.organizationId }, given);
  const faults = [
    ...(late === undefined ? [] : [{ field: "deliverAt", message: late }]),
    ...("faults" in checked ? checked.faults : []),
    ...(utf8Length(JSON.stringify(given)) > EVENT_BYTES
      ? [{ field: "data", message: `Expected at most ${EVENT_BYTES} bytes` }]
      : []),
  ];
  return faults.length > 0 || "faults" in checked ? { faults } : checked;
}

/** What is typed, with the example of its type as data, where that has one. */
async function withExample(c: Context<ConsoleEnv>, typed: Typed): Promise<Typed> {
  const { organizationId } = c.var.asker;
  const type = typed["type"] ? await findEventType(c.env.DB, organizationId, typed["type"]) : null;
  const example = type?.example ?? null;
  return example === null ? typed : { ...typed, data: JSON.stringify(example, null, 2) };
}

/** The page of an event that is in its stream by now. */
async function pageOf(
  c: Context<ConsoleEnv>,
  { tenant }: Pick<Publisher, "tenant">,
  id: string,
): Promise<string> {
  const source = publishedSource(tenant?.id ?? null);
  const { stub } = streamOfSource(c, source);
  const found = await Promise.all(storedIds(source, id).map((one) => stub.event(one)));
  const event = found.find((one) => one !== null);
  return event ? eventAddress(source, event.seq) : eventsAddress({ source });
}

async function show(c: Context<ConsoleEnv>, typed: Typed, faults: Faults = {}): Promise<Response> {
  if (Object.keys(faults).length > 0) c.status(400);
  const { organizationId } = c.var.asker;
  return c.render(
    <PublishPage {...{ organizationId, typed, faults }} offers={await offersOf(c)} />,
    { title: "Publish an event", here: "events" },
  );
}
