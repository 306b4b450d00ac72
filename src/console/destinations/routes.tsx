import { Hono } from "hono";
import { listDestinationRecords } from "../../delivery/destinations.store";
import { cancelWaiting } from "../../operations/destinations/cancel.io";
import { destinationOfPath, withHealth } from "../../operations/destinations/lookup.io";
import { recover } from "../../operations/destinations/recovery.io";
import { revive } from "../../operations/destinations/revive.io";
import { sendTest } from "../../operations/destinations/test.io";
import { readInstant } from "../../http/instant-field";
import { conflict, Refusal } from "../../http/refusal";
import { doorsOf } from "../../instances/lookup.io";
import { eventsAddress } from "../events/search";
import { nextPage } from "../session/next-page";
import { leave, readForm } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { DestinationList, RECOVER } from "./page";

const PAGE = 50;
const HOUR_MS = 3_600_000;

export const destinationPages = new Hono<ConsoleEnv>()
  .get("/destinations", async (c) => {
    const { db, ring } = doorsOf(c);
    const after = c.req.query("after") ?? null;
    const filter = { kind: undefined, after, limit: PAGE };
    const records = await listDestinationRecords(db, ring, c.var.asker.organizationId, filter);
    const last = records.at(-1)?.destination.id;
    const next =
      last === undefined || records.length < PAGE
        ? null
        : `/console/destinations?after=${encodeURIComponent(last)}`;
    return c.render(
      <DestinationList items={await withHealth(c, records)} next={next} now={Date.now()} />,
      { title: "Destinations", here: "destinations", live: true },
    );
  })
  .post("/destinations/:id/test", async (c) => {
    const record = await destinationOfPath(c);
    if (record.destination.url === null) throw conflict("The destination has no URL");
    const next = (await readForm(c)).get("next");
    const there = next === null ? "/console/destinations" : nextPage(next);
    try {
      const { status, error, durationMs } = await sendTest(c, record, undefined);
      const well = status !== null && status >= 200 && status < 300;
      return await leave(c, there, {
        tone: well ? "good" : "bad",
        text:
          status === null
            ? `The test got no answer: ${error}`
            : `The test was answered with ${status} in ${durationMs} ms.`,
      });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return leave(c, there, { tone: "bad", text: error.message });
    }
  })
  .post("/destinations/:id/recover", async (c) => {
    const record = await destinationOfPath(c);
    const form = await readForm(c);
    const { total, because } = await recover(c, record, sinceOf(form));
    const text = because ?? `${notifications(total)} delivered again.`;
    const source = form.get("source");
    const back = source === null ? "/console/destinations" : eventsAddress({ source });
    return leave(c, back, { tone: because === null ? "good" : "bad", text });
  })
  .post("/destinations/:id/cancel", async (c) => {
    const record = await destinationOfPath(c);
    await cancelWaiting(c, record, sinceOf(await readForm(c)));
    const text = "What waits for it is being cancelled: none of it is sent unless you resend it.";
    return leave(c, "/console/destinations", { tone: "good", text });
  })
  .post("/destinations/:id/enable", async (c) => {
    const { destination } = await destinationOfPath(c);
    const total = await revive(c, destination);
    const left = total === 0 ? "Nothing had waited." : `${notifications(total)} delivered now.`;
    return leave(c, "/console/destinations", { tone: "good", text: `Enabled. ${left}` });
  });

/** Since when: an instant that was typed, in UTC, or so many hours ago. @throws Refusal for what is no instant. */
function sinceOf(form: URLSearchParams): number {
  const typed = readInstant(form.get("since") ?? undefined, "since");
  const chosen = form.get("hours");
  const [hours] = RECOVER.find(([choice]) => String(choice) === chosen) ?? RECOVER[1];
  return typed ?? Date.now() - hours * HOUR_MS;
}

const notifications = (n: number): string =>
  n === 1 ? "1 notification is being" : `${n} notifications are being`;
