import { type Context, Hono } from "hono";
import * as z from "zod";
import { type UserEnv, withUser } from "../accounts/users/routes";
import type { StoredEvent } from "../stream/event";
import { parse, readTypedJson } from "../http/body";
import { readWholeNumber } from "../http/numbered-page";
import { conflict, invalid, notFound } from "../http/refusal";
import { APP_EVENT, historyView, recordIn, sentAnswer } from "./record";
import { publish, streamOf } from "./publish.io";
import { BODY_BYTES } from "./routes";
import { copyDigits, memberJson } from "../values/digits";

/** One page of the history looks through so many pages of the stream at most. */
const PAGES = 20;
const PAGE = 100;
/** An event may be of 1 MB: a page ends once the events it looked through have so many characters together. */
const MOST_CHARACTERS = 4_000_000;

/** What a user's app sent in the last seven days (reference app-events-api.md §3). */
export const historyRoutes = new Hono<UserEnv>()
  .get("/app-events", withUser, async (c) => {
    const { event, flowId, matched, cursor } = c.req.query();
    if (matched !== undefined && matched !== "true" && matched !== "false")
      throw invalid(`matched: Expected true or false, got '${matched}'`, "matched");
    if (cursor !== undefined && !/^[1-9]\d{0,14}$/.test(cursor))
      throw invalid(`cursor: '${cursor}' is not a cursor of the previous page`, "cursor");
    const limit = readWholeNumber(c.req.query("limit"), "limit", 50, 200);
    const page = await history(
      c,
      { before: cursor === undefined ? null : Number(cursor), limit },
      event,
      (one) => {
        const { flowId: limitedTo, triggers = [] } = recordIn(one) ?? {};
        const concerns = triggers.some((trigger) => trigger.flowId === flowId);
        return (
          (flowId === undefined || limitedTo === flowId || concerns) &&
          (matched === undefined || String(triggers.length > 0) === matched)
        );
      },
    );
    return c.json({
      items: page.events.map(historyView),
      ...(page.next === null ? {} : { next: String(page.next) }),
    });
  })
  .get("/app-events/:eventId", withUser, async (c) => {
    const event = await storedEvent(c, c.req.param("eventId"));
    const content = recordIn(event)?.content;
    if (content === undefined) return c.json(historyView(event));
    return c.json(copyDigits(content, { ...historyView(event), data: content.data }));
  })
  .post("/app-events/:eventId/replay", withUser, async (c) => {
    const { value } = await readTypedJson(c, BODY_BYTES);
    const { flowId } = parse(z.object({ flowId: z.string().optional() }), value ?? {});
    const original = await storedEvent(c, c.req.param("eventId"));
    const content = recordIn(original)?.content;
    if (content === undefined) throw conflict(`The event with id '${original.id}' cannot be read`);
    const limited = flowId === undefined ? {} : { flowId };
    const doors = { db: c.env.DB, streams: c.env.EVENT_STREAMS };
    const published = await publish(doors, c.var.user, {
      name: original.objectId,
      body: memberJson(content, "data"),
      record: { content, ...limited, replayOf: original.id },
      idempotencyKey: undefined,
    });
    c.header("X-Event-Id", published.event.id);
    return c.json(sentAnswer(c.var.user.id, published));
  });

/** App events below a number, newest first. A page looks through 2,000 events or 4 MB at most; `next` goes on from there. */
async function history(
  c: Context<UserEnv>,
  { before, limit }: { before: number | null; limit: number },
  name: string | undefined,
  wanted: (event: StoredEvent) => boolean,
): Promise<{ events: StoredEvent[]; next: number | null }> {
  const stream = streamOf(c.env.EVENT_STREAMS, c.var.user);
  const events: StoredEvent[] = [];
  const filter = { objectType: APP_EVENT, ...(name === undefined ? {} : { objectId: name }) };
  let below = before;
  let characters = 0;
  for (let pages = 0; pages < PAGES; pages += 1) {
    const page = await stream.eventsBefore({ before: below, limit: PAGE, filter });
    for (const event of page.events) {
      if (characters > MOST_CHARACTERS) return { events, next: below };
      characters += event.data.length;
      if (wanted(event)) {
        if (events.length === limit) return { events, next: below };
        events.push(event);
      }
      below = event.seq;
    }
    below = page.next;
    if (page.next === null || page.events.length === 0) break;
  }
  return { events, next: below };
}

async function storedEvent(c: Context<UserEnv>, id: string): Promise<StoredEvent> {
  const event = await streamOf(c.env.EVENT_STREAMS, c.var.user).event(id);
  if (event === null || event.objectType !== APP_EVENT) throw notFound(`No event with id '${id}'`);
  return event;
}
