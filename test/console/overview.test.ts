import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import {
  figuresOf,
  monthOf,
  type Range,
  rangeOf,
  RANGES,
  within,
} from "../../src/console/overview/range";
import { countTroubles } from "../../src/delivery/exceptions.store";
import { noCounts } from "../../src/metering/count";
import { foldFlushes } from "../../src/metering/fold.store";
import { countD1 } from "../d1-rows";
import { create } from "../elements/build";
import { memberOf, type Own, ownOrganization } from "../organization";
import { QUIET } from "../polling/build";
import { type Browser, createAccounts, signIn } from "./build";

const CALLBACK = "http://127.0.0.1:9/overview-hook";
const MINUTE = 60_000;
const DAY = 86_400_000;

let own: Own;
let browser: Browser;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
  browser = await signIn(own.email, own.password);
});

const home = async (): Promise<string> => (await browser.get("/console")).html;

/** What the list says of one thing, by what it is called: its item's HTML. */
function itemOf(html: string, name: string): string | undefined {
  return html
    .split('<li class="mend">')
    .slice(1)
    .map((item) => item.split("</li>")[0] ?? "")
    .find((item) => item.includes(name));
}

const instance = (name: string): Promise<{ id: number }> =>
  create({ ...QUIET, "event.notification.callback.url": CALLBACK }, { name }, own.authorization);

const sql = (text: string, ...values: unknown[]) =>
  env.DB.prepare(text)
    .bind(...values)
    .run();

const failing = JSON.stringify({ since: 1, because: "Answered with 503" });
const paused = (by: string) => JSON.stringify({ by, since: 1, because: "It answered with 410" });

describe("the overview says what needs attention, and mends it:", () => {
  it.each<[string, (id: number, name: string) => Promise<unknown>, (id: number) => string[]]>([
    [
      "an instance whose grant is invalid",
      (id) =>
        sql(
          "UPDATE instances SET valid = 0, invalid_reason = 'The token was refused' WHERE id = ?",
          id,
        ),
      (id) => [
        "nothing arrives",
        "not authenticated",
        "The token was refused",
        `action="/console/instances/${id}/reconnect"`,
      ],
    ],
    [
      "an instance whose poller is off",
      (id) =>
        sql(
          "UPDATE instances SET poller_disabled = ? WHERE id = ?",
          JSON.stringify({
            resource: "accounts",
            failureCount: 10,
            disabledDate: 1,
            lastError: "Answered with 500",
          }),
          id,
        ),
      (id) => ["poller off", "Answered with 500", `action="/console/instances/${id}/enable"`],
    ],
    [
      "an instance for which no webhook could be made",
      (id) =>
        sql(
          "UPDATE instances SET registration_fault = ? WHERE id = ?",
          JSON.stringify({
            since: 1,
            count: 1,
            items: [{ item: "accounts", message: "Too many webhooks" }],
          }),
          id,
        ),
      (id) => [
        "registration failed",
        "Too many webhooks",
        `action="/console/instances/${id}/enable"`,
      ],
    ],
    [
      "a callback that exhausted tries switched off",
      (id) =>
        sql(
          "UPDATE destinations SET active = 0, paused = ? WHERE id = ?",
          paused("exhaustion"),
          `instance-${id}`,
        ),
      (id) => [
        "paused by exhaustion",
        "127.0.0.1:9/overview-hook",
        `action="/console/destinations/instance-${id}/enable"`,
      ],
    ],
    [
      "a callback that the receiver switched off",
      (id) =>
        sql(
          "UPDATE destinations SET enabled = 0, paused = ? WHERE id = ?",
          paused("receiver"),
          `instance-${id}`,
        ),
      (id) => [
        "paused by receiver",
        "It answered with 410",
        `action="/console/destinations/instance-${id}/enable"`,
      ],
    ],
    [
      "a callback that fails",
      (id) => sql("UPDATE destinations SET failing = ? WHERE id = ?", failing, `instance-${id}`),
      (id) => [
        "degraded",
        "Answered with 503",
        `action="/console/destinations/instance-${id}/test"`,
      ],
    ],
    [
      "notifications that died",
      (id) => died(id, "gone", 3),
      (id) => [
        "3 dead",
        "it is gone for good (410)",
        `action="/console/destinations/instance-${id}/recover"`,
      ],
    ],
  ])("%s", async (_, trouble, expected) => {
    const name = `Trouble ${crypto.randomUUID()}`;
    const { id } = await instance(name);
    expect(itemOf(await home(), name)).toBeUndefined();
    await trouble(id, name);
    const item = itemOf(await home(), name) ?? "";
    for (const text of expected(id)) expect(item).toContain(text);
    await sql("UPDATE instances SET disabled = 1 WHERE id = ?", id);
    await sql(
      "UPDATE destinations SET enabled = 0, paused = ? WHERE id = ?",
      paused("owner"),
      `instance-${id}`,
    );
    await sql("DELETE FROM exceptions WHERE destination_id = ?", `instance-${id}`);
    expect(itemOf(await home(), name)).toBeUndefined();
  });

  it("an open circuit, which is tried at once by its button", async () => {
    const name = `Circuit ${crypto.randomUUID()}`;
    const { id } = await instance(name);
    const url = `http://127.0.0.1:9/${id}`;
    await sql(
      "UPDATE destinations SET url = ?, failing = ? WHERE id = ?",
      url,
      failing,
      `instance-${id}`,
    );
    const endpoint = env.ENDPOINTS.getByName(`${own.id}/${url}`);
    const results = Array.from({ length: 20 }, () => ({ status: 503 }));
    await endpoint.report({ results, ended: 20, unreported: 0 });
    const item = itemOf(await home(), name) ?? "";
    expect(item).toContain("circuit open");
    expect(item).toContain("Try now");
    const { location } = await browser.post(`/console/destinations/instance-${id}/enable`);
    await browser.get(location ?? "");
    expect((await endpoint.view()).state).toBe("closed");
    expect(itemOf(await home(), name)).toBeUndefined();
  });
});

/** So many dead notifications of an instance's callback, of one cause. */
async function died(id: number, reason: string, n: number): Promise<void> {
  const at = Date.now();
  await env.DB.batch(
    Array.from({ length: n }, (_, index) =>
      env.DB.prepare("INSERT INTO exceptions VALUES (?, ?, ?, ?, 'dead', ?, 1, NULL, ?, ?)").bind(
        `${id}-${reason}-${index}`,
        own.id,
        `${own.id}/instance:${id}`,
        `instance-${id}`,
        reason,
        at,
        at,
      ),
    ),
  );
}

describe("the overview", () => {
  it("shows viewers all of it and no button", async () => {
    const name = `Seen ${crypto.randomUUID()}`;
    const { id } = await instance(name);
    await died(id, "exhausted", 1);
    const email = `vic-${own.id}@own.example`;
    await env.DB.batch(memberOf(own.id, { email, role: "viewer", password: "password-of-vic" }));
    const viewer = await signIn(email, "password-of-vic");
    const { html } = await viewer.get("/console");
    expect(itemOf(html, name)).toContain("1 dead");
    expect(itemOf(html, name)).not.toContain("<form");
  });

  it("shows hostile names, reasons and addresses as the text they are", async () => {
    const evil = `"><script>alert(1)</script>`;
    const { id } = await instance("Hostile");
    await died(id, evil, 1);
    await sql(
      "UPDATE instances SET name = ?, valid = 0, invalid_reason = ? WHERE id = ?",
      evil,
      evil,
      id,
    );
    await sql(
      "UPDATE destinations SET failing = ?, url = ? WHERE id = ?",
      JSON.stringify({ since: 1, because: evil }),
      `http://127.0.0.1:9/${evil}`,
      `instance-${id}`,
    );
    const html = await home();
    expect(html.split("&lt;script&gt;alert(1)").length).toBeGreaterThan(5);
    expect(html).not.toContain("<script>alert");
    await sql("UPDATE instances SET disabled = 1 WHERE id = ?", id);
    await sql("UPDATE destinations SET failing = NULL WHERE id = ?", `instance-${id}`);
    await sql("DELETE FROM exceptions WHERE destination_id = ?", `instance-${id}`);
  });

  it("asks the database five times beside the session where all is well", async () => {
    const calm = await ownOrganization();
    await create({ ...QUIET, "event.notification.callback.url": CALLBACK }, {}, calm.authorization);
    const visitor = await signIn(calm.email, calm.password);
    await visitor.get("/console");
    // What isolates counted is folded by ticks, of which there are none here.
    while (await foldFlushes(env.DB, Date.now() + DAY)) continue;
    // The others of the runtime ask the database, too: sooner or later a visit meets nobody.
    await expect
      .poll(async () => {
        const counter = countD1();
        expect((await visitor.get("/console")).html).toContain("all well");
        counter.end();
        // Two for the session; usage of the range and of the month; troubles; instances; destinations.
        return { fewTimes: counter.asked <= 7, fewRows: counter.read < 1_000 };
      })
      .toEqual({ fewTimes: true, fewRows: true });
  });
});

describe("dead and waiting notifications", () => {
  it("are counted by cause, as far as was asked", async () => {
    const other = await ownOrganization();
    const rows = [
      ["a", "dead", "gone"],
      ["a", "dead", "gone"],
      ["a", "dead", "aborted"],
      ["b", "held", "queued"],
      ["b", "retrying", null],
    ] as const;
    await env.DB.batch(
      rows.map(([destination, status, reason], n) =>
        env.DB.prepare("INSERT INTO exceptions VALUES (?, ?, 's', ?, ?, ?, 1, NULL, ?, ?)").bind(
          `${other.id}-${n}`,
          other.id,
          destination,
          status,
          reason,
          n,
          n,
        ),
      ),
    );
    const all = await countTroubles(env.DB, other.id, { most: 10, groups: 2 });
    expect(all).toEqual({
      dead: 3,
      pending: 2,
      isMore: false,
      causes: [
        { destinationId: "a", isDead: true, reason: "gone", n: 2, last: 1 },
        { destinationId: "a", isDead: true, reason: "aborted", n: 1, last: 2 },
      ],
    });
    const { isMore } = await countTroubles(env.DB, other.id, { most: 4, groups: 2 });
    expect(isMore).toBe(true);
  });
});

describe("figures", () => {
  const NOW = Date.UTC(2026, 0, 30, 10, 32);

  it.each<[Range, number, number]>([
    ["now", 5 * MINUTE, Date.UTC(2026, 0, 30, 10, 25)],
    ["1h", 5 * MINUTE, Date.UTC(2026, 0, 30, 9, 35)],
    ["24h", 60 * MINUTE, Date.UTC(2026, 0, 29, 11)],
    ["7d", DAY / 4, Date.UTC(2026, 0, 23, 12)],
    ["30d", DAY, Date.UTC(2026, 0, 1)],
  ])("of %s have a point each %i ms, the present one last", (range, stepMs, from) => {
    const counts = { ...noCounts(), events: 2, delivered: 1, failed: 3 };
    const at = (points: number) => ({ key: from + points * stepMs, counts });
    const last = RANGES[range].points - 1;
    const { points, total } = figuresOf([at(-1), at(0), at(last)], range, NOW);
    expect(points).toHaveLength(RANGES[range].points);
    expect(points[0]).toEqual({ at: from, events: 2, delivered: 1, failed: 3 });
    expect(points[last]).toMatchObject({ at: from + last * stepMs, events: 2 });
    expect(NOW - (points[last]?.at ?? 0)).toBeLessThan(stepMs);
    expect(total).toMatchObject({ events: 4, delivered: 2, failed: 6 });
  });

  it("of a range that there isn't are those of a day", () => {
    expect(["7d", "1y", "toString", undefined].map(rangeOf)).toEqual(["7d", "24h", "24h", "24h"]);
  });

  it("of a month begin with it", () => {
    expect(monthOf(NOW)).toBe(Date.UTC(2026, 0, 1));
  });

  it("say within what time tries were answered, by the classes in which they are counted", () => {
    expect(within([0, 0, 0, 0, 0, 0, 0, 0], 0.5)).toBeNull();
    expect(within([0, 5, 0, 3, 0, 1, 0, 1], 0.5)).toBe("30 ms");
    expect(within([0, 5, 0, 3, 0, 1, 0, 1], 0.9)).toBe("3 s");
    expect(within([0, 5, 0, 3, 0, 1, 0, 1], 0.99)).toBe("over 10 s");
  });
});
