import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { app } from "../../src/app";
import { streamName } from "../../src/stream/stream-name";
import { API_KEY, ask, foundation, newUser, type SignedIn } from "../accounts/ask";
import { create } from "../elements/build";
import { CASES, lists, objects } from "./nested";
import { emitted, poll, QUIET, vendor } from "../polling/build";
import { commit, event } from "../stream/build";
import { MINE } from "../organization";

let user: SignedIn;
beforeAll(async () => {
  await foundation();
  user = await newUser();
});

/** Sends text as it is: nobody could stringify what lies this deep. */
async function send(
  method: string,
  path: string,
  body: string,
  headers: Record<string, string> = {},
) {
  const response = await app.request(
    path,
    { method, body, headers: { "content-type": "application/json", ...headers } },
    env,
    { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} },
  );
  const text = await response.text();
  return { status: response.status, text };
}

/** Every route that takes a body, with the credentials of its surface. */
const routes = [
  ...new Set(
    app.routes
      .filter(({ method }) => ["POST", "PUT", "PATCH", "DELETE"].includes(method))
      .map(({ method, path }) => `${method} ${path}`),
  ),
].map((line) => {
  const [method = "", path = ""] = line.split(" ");
  // The organization of these tests stays, and who is in it.
  const id = /^\/v1\/(organizations|members|users)\//.test(path) ? "4000000" : "1";
  return { method, path: path.replaceAll(/:\w+(\{[^}]*\})?\??/g, id).replaceAll("*", "x") };
});

const credentials = (path: string): Record<string, string> =>
  path.startsWith("/elements")
    ? { authorization: MINE }
    : path.startsWith("/v1") || path.startsWith("/apis") || path.startsWith("/events")
      ? { authorization: `Bearer ${API_KEY}` }
      : { authorization: `Bearer ${user.token}` };

describe("promise 11, no request keeps others waiting, depth at most 500: bodies of any depth", () => {
  it.each(routes)("get no 5xx from $method $path", async ({ method, path }) => {
    for (const levels of [499, 501, 6_000, 100_000])
      for (const body of [lists(levels), objects(levels)]) {
        const { status, text } = await send(method, path, body, credentials(path));
        expect({ levels, text, isOurs: status < 500 || status === 501 }).toMatchObject({
          isOurs: true,
        });
      }
  });

  const doors: [name: string, send: (body: string) => Promise<{ status: number; text: string }>][] =
    [
      [
        "app event",
        (body) =>
          send("POST", "/plugins/appmixer/utils/appevents/events/deep", body, credentials("/")),
      ],
      [
        "resource",
        (body) =>
          send(
            "POST",
            "/apis/management/v1/environments",
            `{"name":"deep-${crypto.randomUUID()}","x-deep":${body}}`,
            credentials("/apis"),
          ),
      ],
      [
        "flow",
        (body) =>
          send("POST", "/flows", `{"name":"deep","customFields":${body}}`, credentials("/")),
      ],
    ];
  it("are refused beyond 500 levels where vendors deliver, before anybody looks for whom", async () => {
    for (const levels of [501, 6_000, 100_000]) {
      const { status, text } = await send("POST", "/elements/api-v2/events/hubspot", lists(levels));
      expect(status).toBe(400);
      expect(text).toContain("nested deeper than 500 levels");
    }
  });

  it.each(doors)("are taken up to 500 levels as an %s, and refused beyond", async (_, door) => {
    expect((await door(objects(497))).status).toBeLessThan(300);
    for (const levels of [501, 6_000, 100_000]) {
      const { status, text } = await door(lists(levels));
      expect(status).toBe(400);
      expect(text).toContain("nested deeper than 500 levels");
    }
  });
});

describe("a flow's webhook", () => {
  it("takes 499 levels, refuses more, and its user's stream stays readable", async () => {
    const token = user.token;
    const flow = { W: { type: "appmixer.utils.http.Webhook", source: {} } };
    const made = await ask("POST", "/flows", { token, body: { name: "hook", flow } });
    const id: string = made.body.flowId;
    await ask("POST", `/flows/${id}/coordinator`, { token, body: { command: "start" } });
    const path = `/flows/${id}/components/W`;
    expect((await send("POST", path, lists(499))).status).toBe(202);
    for (const levels of [501, 6_000, 100_000])
      expect((await send("POST", path, lists(levels))).status).toBe(400);
  });
});

describe("what lies in a stream already", () => {
  it.each(CASES)(
    "of $levels levels is read with its depths as text, and its neighbours as they are",
    async ({ text }) => {
      const source = `user:deep-${crypto.randomUUID()}`;
      const stream = env.EVENT_STREAMS.getByName(streamName({ organizationId: 1, source }));
      await stream.commit(
        commit({
          events: [event("before"), event("deep", { data: text }), event("after")],
          targets: [],
        }),
      );
      const path = `/v1/streams/${source}/events?limit=10`;
      const { status, body } = await ask("GET", path, { token: API_KEY });
      expect(status).toBe(200);
      expect(body.items.map(({ id }: { id: string }) => id)).toEqual(["before", "deep", "after"]);
      expect(body).toHaveProperty("next");
    },
  );
});

describe("a vendor's record", () => {
  it.each(CASES)(
    "of $levels levels is taken with its depths as text, and its neighbours as they are",
    async ({ text }) => {
      const at = new Date(Date.now() + 60_000).toISOString();
      const contact = (id: string, deep: string) =>
        `{"id":"${id}","createdDate":"${at}","updatedDate":"${at}","deep":${deep}}`;
      const records = [contact("1", "1"), contact("2", text), contact("3", "3")].join();
      vendor(() => new Response(`{"data":[${records}],"paging":{"next":null}}`));
      const instance = await create({ ...QUIET, "event.objects": "contacts" });
      expect(await poll(instance)).toMatchObject({ status: 200 });
      expect((await emitted(instance)).map((line) => line.split(" ")[1])).toEqual(["1", "2", "3"]);
    },
  );
});
