import { type Context, Hono } from "hono";
import { listDestinationRecords } from "../../delivery/destinations.store";
import { cancelWaiting } from "../../operations/destinations/cancel.io";
import { enabledField, kindField } from "../../operations/destinations/fields";
import { destinationOfPath, withHealth } from "../../operations/destinations/lookup.io";
import { recover } from "../../operations/destinations/recovery.io";
import { revive } from "../../operations/destinations/revive.io";
import { readInstant } from "../../http/instant-field";
import { doorsOf } from "../../instances/lookup.io";
import { eventsAddress } from "../events/search";
import { leave, readForm } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { backOf, LIST } from "./back";
import { DestinationList, RECOVER, SEARCH, type Searched } from "./page";
import { testNotice } from "./test-notice.io";

const PAGE = 50;
const HOUR_MS = 3_600_000;

/** Where notifications go: looked for, tested, switched on, and given again what they missed. */
export const destinationPages = new Hono<ConsoleEnv>()
  .get("/destinations", async (c) => {
    const { db, ring } = doorsOf(c);
    const searched = searchedIn(c);
    const after = c.req.query("after") ?? null;
    const records = await listDestinationRecords(db, ring, c.var.asker.organizationId, {
      kind: kindField.catch(undefined).parse(searched.kind || undefined),
      enabled: ENABLED[enabledField.catch(undefined).parse(searched.enabled || undefined) ?? ""],
      tenant: searched.tenant || undefined,
      text: searched.text || undefined,
      after,
      limit: PAGE,
    });
    const last = records.length < PAGE ? undefined : records.at(-1)?.destination.id;
    const next = new URLSearchParams({ ...searched, after: last ?? "" });
    return c.render(
      <DestinationList
        items={await withHealth(c, records)}
        searched={searched}
        next={last === undefined ? null : `${LIST}?${next.toString()}`}
        now={Date.now()}
      />,
      { title: "Destinations", here: "destinations", live: true },
    );
  })
  .post("/destinations/:id/test", async (c) => {
    const record = await destinationOfPath(c);
    const there = backOf(await readForm(c), record.destination.id);
    return leave(c, there, await testNotice(c, record));
  })
  .post("/destinations/:id/recover", async (c) => {
    const record = await destinationOfPath(c);
    const form = await readForm(c);
    const { total, because } = await recover(c, record, sinceOf(form));
    const text = because ?? `${notifications(total)} delivered again.`;
    const source = form.get("source");
    const back = source === null ? backOf(form, record.destination.id) : eventsAddress({ source });
    return leave(c, back, { tone: because === null ? "good" : "bad", text });
  })
  .post("/destinations/:id/cancel", async (c) => {
    const record = await destinationOfPath(c);
    const form = await readForm(c);
    await cancelWaiting(c, record, sinceOf(form));
    const text = "What waits for it is being cancelled: none of it is sent unless you resend it.";
    return leave(c, backOf(form, record.destination.id), { tone: "good", text });
  })
  .post("/destinations/:id/enable", async (c) => {
    const { destination } = await destinationOfPath(c);
    const form = await readForm(c);
    const total = await revive(c, destination);
    const left = total === 0 ? "Nothing had waited." : `${notifications(total)} delivered now.`;
    return leave(c, backOf(form, destination.id), { tone: "good", text: `Enabled. ${left}` });
  });

const ENABLED: Partial<Record<string, boolean>> = { true: true, false: false };

/** What is looked for, as somebody typed it. */
const searchedIn = (c: Context<ConsoleEnv>): Searched =>
  Object.fromEntries(
    SEARCH.map((name) => [name, (c.req.query(name) ?? "").trim().slice(0, 256)]),
  ) as Searched;

/** Since when: an instant that was typed, in UTC, or so many hours ago. @throws Refusal for what is no instant. */
function sinceOf(form: URLSearchParams): number {
  const typed = readInstant(form.get("since") ?? undefined, "since");
  const chosen = form.get("hours");
  const [hours] = RECOVER.find(([choice]) => String(choice) === chosen) ?? RECOVER[1];
  return typed ?? Date.now() - hours * HOUR_MS;
}

const notifications = (n: number): string =>
  n === 1 ? "1 notification is being" : `${n} notifications are being`;
