import { exports } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { encode, isIn, LINES } from "../accounts/judge";
import { admits } from "../accounts/routes-by-role";
import { cases } from "../cases";
import { eventually, receiver } from "../delivery/build";
import { enter, operator } from "./portal";

afterEach(() => vi.unstubAllGlobals());

const REQUESTS = cases(300, 10_000);
const AT_ONCE = 8;
const ORIGIN = "https://tributary.example";

/** Routes that ask who somebody is, those of the portal twice as often as all others. */
const guarded = LINES.filter(([, audience]) => !admits(audience, "nobody"));
const [portals, operators] = [true, false].map((isPortal) =>
  guarded.filter(([line]) => / \/portal(\/|$)/.test(line) === isPortal),
);
const NAMES =
  "id tenant source sources destinationId destination eventTypes channels url description text from to cursor filter transform status organization user".split(
    " ",
  );

/** Two tenants of an organization, each with an endpoint that was told an event. */
async function neighbours() {
  const own = await operator();
  const side = async () => {
    const tenant = await own.tenant();
    const mark = `mark-${crypto.randomUUID()}`;
    const { id, url } = await own.endpoint({ tenant, description: mark });
    const event = `event-${crypto.randomUUID()}`;
    await own.done("POST", `/tenants/${tenant}/events`, {
      type: "order.paid",
      id: event,
      data: { mark },
    });
    const message = await eventually(async () => {
      const { items } = await own.done("GET", `/deliveries?source=tenant:${tenant}`);
      return items[0]?.status === "delivered" && items[0];
    });
    const { secret } = await own.done("GET", `/destinations/${id}/signing-secret`);
    return {
      tenant,
      url,
      /** What names it, as anybody may guess. */
      ids: [tenant, `tenant:${tenant}`, id, event, message.id, message.eventId ?? event],
      /** What is in it, and in no request. */
      marks: [mark, new URL(url).hostname, secret],
      snapshot: async () => {
        const paths = [
          `/tenants/${tenant}`,
          `/destinations/${id}`,
          `/destinations/${id}/signing-secret`,
          `/streams/tenant:${tenant}/events`,
          `/deliveries?source=tenant:${tenant}`,
          `/destinations?tenant=${tenant}`,
        ];
        const read = await Promise.all(paths.map((path) => own.done("GET", path)));
        // What was counted of its delivery is folded later.
        return JSON.stringify(read).replaceAll(/"stats":\{[^}]*\}/g, "");
      },
    };
  };
  return { own, a: await side(), b: await side() };
}

it(`a session of one tenant's portal reaches nothing of another's and no operator's route, by ${REQUESTS} requests`, async () => {
  const calls = receiver(() => new Response());
  const { own, a, b } = await neighbours();
  const before = await b.snapshot();
  const visitor = await enter(await own.link(a.tenant));
  const [session = ["", ""]] = visitor.cookies;
  const cookie = session.join("=");
  const formToken = visitor.formToken;
  const values = [
    ...b.ids,
    ...b.ids,
    ...a.ids,
    "1",
    "-1",
    "%00",
    "'",
    "*",
    "publish",
    "instance:1",
  ];
  const value = fc.constantFrom(...values);
  const pairs = fc.array(fc.tuple(fc.constantFrom(...NAMES), value), { maxLength: 4 });
  const request = fc.record({
    line: fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom(...(portals ?? [])) },
      { weight: 1, arbitrary: fc.constantFrom(...(operators ?? [])) },
    ),
    named: fc.array(value, { minLength: 4, maxLength: 4 }),
    query: pairs,
    fields: pairs,
    more: fc.constantFrom<Record<string, string>>(
      {},
      { authorization: `Bearer ${session[1]}` },
      { authorization: `User ${session[1]}, Organization ${b.tenant}` },
      { "x-axway-tenant-id": b.tenant },
      { "x-http-method-override": "DELETE" },
      { "x-forwarded-host": `${b.tenant}.example` },
      { cookie: `${cookie}; __Host-tributary_session=${session[1]}` },
    ),
  });
  const holes: string[] = [];
  const send = async ({
    line: [line, audience],
    named,
    query,
    fields,
    more,
  }: (typeof all)[number]) => {
    const [method = "", route = ""] = line.split(" ");
    let next = 0;
    const place = () => encodeURIComponent(named[(next += 1) % named.length] ?? "");
    const path = route.replaceAll(/:\w+(\{[^}]*\})?|\*$/g, place);
    const sent = encode(method, path, { formToken, ...Object.fromEntries(fields) });
    const search = query.length === 0 ? "" : `?${new URLSearchParams(query).toString()}`;
    const response = await exports.default.fetch(`${ORIGIN}${path}${search}`, {
      method,
      redirect: "manual",
      headers: { origin: ORIGIN, cookie, ...sent.headers, ...more },
      ...(["GET", "HEAD"].includes(method) ? {} : { body: sent.body }),
    });
    const text = `${await response.text()} ${[...response.headers.values()].join(" ")}`;
    const { status, headers } = response;
    const what = `${method} ${path}${search} ${JSON.stringify(more)}: ${status}`;
    if (b.marks.some((mark) => text.includes(mark))) holes.push(`${what} shows what is B's`);
    if (status >= 500 && status !== 501) holes.push(what);
    // A request may be wrong before anybody asks whose it is.
    const isWrong = [400, 405, 413, 415, 422].includes(status);
    if (!admits(audience, "portal") && !isWrong && isIn(path, status, headers.get("location")))
      holes.push(`${what} lets in`);
  };
  const all = fc.sample(request, REQUESTS);
  const following = all.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const one of following) await send(one);
    }),
  );
  expect(holes).toEqual([]);
  expect(await b.snapshot()).toBe(before);
  expect(calls.filter(({ url }) => url === b.url)).toHaveLength(1);
  const { destinations } = await own.done("POST", `/tenants/${b.tenant}/events`, {
    type: "order.paid",
    data: {},
  });
  expect(destinations).toBe(1);
});
