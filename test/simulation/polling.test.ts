import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { call, callV1, createOrganizations, draft } from "../elements/build";
import { cases } from "../cases";

beforeAll(createOrganizations);
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** What happens between two looks: a record changes, perhaps indexed late; or a poll runs, perhaps failing. */
type Step =
  | { kind: "change"; id: number; secondsAgo: number; lateSeconds: number }
  | { kind: "poll"; failingPage: number | null; afterSeconds: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("change" as const),
    id: fc.integer({ min: 0, max: 6 }),
    // Few distinct instants, so that many records share one.
    secondsAgo: fc.integer({ min: 0, max: 3 }),
    lateSeconds: fc.constantFrom(0, 0, 30, 120),
  }),
  fc.record({
    kind: fc.constant("poll" as const),
    failingPage: fc.constantFrom(null, null, 1, 2),
    afterSeconds: fc.constantFrom(1, 20, 61),
  }),
);

type Version = { updated: number; visibleAt: number };

/** A vendor whose lists come in numbered pages of two, sorted by date, and whose index lags. */
function vendor(): { versions: Map<string, Version[]>; failing: { page: number | null } } {
  const versions = new Map<string, Version[]>();
  const failing: { page: number | null } = { page: null };
  vi.stubGlobal("fetch", async (input: URL | string) => {
    const { searchParams } = new URL(input);
    const page = Number(searchParams.get("page") ?? 1);
    if (page === failing.page) return new Response("no", { status: 500 });
    const since = Date.parse(searchParams.get("updated_since") ?? "1970-01-01T00:00:00Z");
    const now = Date.now();
    const rows = [...versions].flatMap(([id, all]) => {
      const seen = all.filter(({ visibleAt }) => visibleAt <= now).at(-1);
      return seen === undefined || seen.updated < since ? [] : { id, updated: seen.updated };
    });
    rows.sort((a, b) => a.updated - b.updated || a.id.localeCompare(b.id));
    const iso = (at: number): string => new Date(at).toISOString();
    const data = rows.slice((page - 1) * 2, page * 2).map(({ id, updated }) => ({
      id,
      createdDate: iso(1),
      updatedDate: iso(updated),
      deleted: false,
    }));
    return Response.json({ data });
  });
  return { versions, failing };
}

it("promise 2, cursor and events move together: emits every change once, whatever the pages, equal instants, late indexing and failures in the middle", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const start = Date.UTC(2026, 10, 1);
      vi.useFakeTimers({ toFake: ["Date"], now: start });
      const { versions, failing } = vendor();
      const { body } = await call(
        "POST",
        "/instances",
        draft({ "event.notification.callback.url": "", "pagination.max": "2" }),
      );
      const poll = () => callV1("POST", `/instances/${body.id}/poll`);
      for (const one of steps) {
        if (one.kind === "change") {
          const now = Date.now();
          const all = versions.get(`r${one.id}`) ?? [];
          const updated = Math.max(
            now - one.secondsAgo * SECOND,
            start + 1,
            (all.at(-1)?.updated ?? 0) + SECOND,
          );
          all.push({ updated, visibleAt: now + one.lateSeconds * SECOND });
          versions.set(`r${one.id}`, all);
        } else {
          vi.setSystemTime(Date.now() + one.afterSeconds * SECOND);
          failing.page = one.failingPage;
          await poll();
          failing.page = null;
        }
      }
      for (let round = 0; round < 3; round += 1) {
        vi.setSystemTime(Date.now() + 2 * MINUTE);
        await poll();
      }
      const { events } = await env.EVENT_STREAMS.getByName(`1/instance:${body.id}`).events({
        after: 0,
        limit: 1_000,
      });
      const emitted = events.map(({ objectId, date }) => `${objectId}@${date}`);
      expect(new Set(emitted).size).toBe(emitted.length);
      const existed = new Set(
        [...versions].flatMap(([id, all]) => all.map(({ updated }) => `${id}@${updated}`)),
      );
      for (const one of emitted) expect(existed).toContain(one);
      for (const [id, all] of versions) expect(emitted).toContain(`${id}@${all.at(-1)?.updated}`);
    }),
    { numRuns: cases(8, 10_000) },
  );
});
