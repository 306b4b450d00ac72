import { env, exports } from "cloudflare:workers";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Browser, createAccounts, openBrowser, signIn } from "../console/build";
import { callV1, MINE } from "../elements/build";
import { FIRST } from "../organization";
import { newUser, type SignedIn } from "./ask";
import { TABLE } from "./routes-by-role";
import { DELETES_ITSELF, reopen } from "./reopen";
import { beginTwoStep, codeOf, setUpTwoStep } from "../console/two-step";
import { newPasskey } from "../console/passkeys";
import { goodBodyOf, QUERIES } from "./bodies";
import { GUESTS_PASSWORD, pathOf, Things } from "./things";
import { WORLD } from "./world";

/**
 * Every route that changes something, sent so that it succeeds: it leaves one entry in the audit log, or stands here
 * with the reason why it leaves none.
 */

const LOOKS = "a look, that is posted";
const RUNS = "what runs through, of which the log of deliveries or runs tells";
const SIGNS_IN = "sessions are listed, with when and from where";
const TOLD = "a resource tells itself who changed it, and when";
const NEVER = "answers nobody who could be named";
const UNAUDITED: Record<string, string> = {
  "POST /elements/api-v2/events/:element": RUNS,
  "POST /elements/api-v2/events/:element/": RUNS,
  "POST /elements/api-v2/events/:element/:instance": RUNS,
  "POST /elements/api-v2/events/:element/:instance/": RUNS,
  "POST /elements/api-v2/authentication": SIGNS_IN,
  "POST /elements/api-v2/notifications": RUNS,
  "POST /elements/api-v2/elements/test": LOOKS,
  "POST /elements/api-v2/elements/:element/oauth/url": LOOKS,
  "POST /v1/bootstrap": NEVER,
  "POST /v1/instances/:id/poll": RUNS,
  "POST /v1/destinations/:id/test": RUNS,
  "POST /v1/events": RUNS,
  "POST /v1/events/batch": RUNS,
  "POST /v1/tenants/:tenant/events": RUNS,
  "POST /v1/tenants/:tenant/events/batch": RUNS,
  "POST /console/new-connector/test": LOOKS,
  "POST /console/connectors/:element/test": LOOKS,
  "POST /console/event-types/:name/test": LOOKS,
  "POST /console/sign-in": SIGNS_IN,
  "POST /console/setup": NEVER,
  "POST /console/sign-in/code": SIGNS_IN,
  "POST /console/sign-in/access": SIGNS_IN,
  "POST /console/sign-in/passkey": SIGNS_IN,
  "POST /console/passkeys/new": "a look: it asks for a key, and takes none",
  "POST /console/sign-out": SIGNS_IN,
  "POST /console/instances/:id/poll": RUNS,
  "POST /console/destinations/:id/test": RUNS,
  "POST /console/settings/callback/test": RUNS,
  "POST /console/publish": RUNS,
  "POST /portal/endpoints/:id/test": RUNS,
  "POST /console/connect/:element/test": LOOKS,
  "POST /console/instances/:id/edit/test": LOOKS,
  "POST /console/connected":
    "only somebody who comes back from a vendor may: `console/connect.test.ts`",
  "POST /connect/to/:element/consent": "nothing is changed before somebody comes back",
  "POST /connect/connected": "only somebody who comes back may: `console/connect-page.test.ts`",
  "POST /apis/management/v1alpha1/environments": TOLD,
  "PUT /apis/management/v1alpha1/environments/:name": TOLD,
  "PATCH /apis/management/v1alpha1/environments/:name": TOLD,
  "POST /realms/Broker/protocol/openid-connect/token": "gives back the key it is asked with",
  "POST /events/management/:version/watchtopics/:name": NEVER,
  "POST /user/auth": SIGNS_IN,
  "POST /user/sso/refresh": NEVER,
  "POST /plugins/appmixer/utils/appevents/events/*": RUNS,
  "POST /plugins/appmixer/utils/appevents/triggers": RUNS,
  "DELETE /plugins/appmixer/utils/appevents/triggers/:componentId": RUNS,
  "POST /component/appmixer/utils/appevents/OnAppEvent": RUNS,
  "POST /variables/:flowId/fetch": LOOKS,
  "POST /flows/:flowId/components/:componentId": RUNS,
  "PUT /flows/:flowId/components/:componentId": RUNS,
  "DELETE /flows/:flowId/components/:componentId": RUNS,
  "POST /flows/:flowId/components/:componentId/": RUNS,
  "PUT /flows/:flowId/components/:componentId/": RUNS,
  "DELETE /flows/:flowId/components/:componentId/": RUNS,
  "POST /logs": LOOKS,
};

/** What names nothing, and whose answers name nothing: their target is the path. */
const WITHOUT_NAME = new Set<string>([
  "PATCH /elements/api-v2/accounts/settings",
  "PUT /elements/api-v2/notifications/subscriptions/deliveries",
  "POST /console/invitations/:token",
  "POST /console/sessions/end-others",
  "POST /console/password",
  "POST /console/two-step",
  "POST /console/two-step/confirm",
  "POST /console/two-step/recovery-codes",
  "POST /console/two-step/off",
  "POST /user",
  "POST /user/change-password",
]);

/** Nothing differs: what is sent here changes nothing, or the action alone tells what was done. */
const TELLS_NOTHING = new Set<string>([
  "DELETE /elements/api-v2/notifications/:id",
  "POST /v1/instances/:id/inbound/:traceId/replay",
  "PATCH /elements/api-v2/elements/:element/instances/:id",
  "PATCH /elements/api-v2/accounts/settings",
  "POST /elements/api-v2/accounts/:id/settings",
  "PATCH /elements/api-v2/accounts/:id/settings",
  "PATCH /elements/api-v2/instances/:id",
  "PUT /elements/api-v2/instances/:id/enabled",
  "PATCH /elements/api-v2/instances",
  "PUT /elements/api-v2/instances/enabled",
  "PUT /elements/api-v2/instances/events/:eventId/replay",
  "PUT /elements/api-v2/instances/:id/events/:eventId/replay",
  "PUT /elements/api-v2/notifications/:id/acknowledge",
  "PUT /elements/api-v2/notifications/subscriptions/deliveries",
  ...["POST", "PATCH", "PUT", "DELETE"].flatMap((method) => [
    `${method} /elements/api-v2/hubs/:hub/:path{.+}`,
    `${method} /elements/api-v2/:path{.+}`,
  ]),
  "DELETE /v1/streams/:source{.+}/objects/:objectType/:objectId",
  "POST /v1/tenants/:id/portal-sessions",
  "POST /v1/tenants/:id/connect-sessions",
  "DELETE /v1/events/:event",
  "DELETE /v1/tenants/:tenant/events/:event",
  "POST /v1/destinations/:id/enable",
  "POST /v1/deliveries/:id/resend",
  "POST /v1/deliveries/:id/cancel",
  "POST /v1/destinations/:id/cancel",
  "PATCH /v1/destinations/:id",
  "POST /v1/members/:id/password-reset",
  "DELETE /v1/members/:id/two-step",
  "DELETE /v1/members/:id/passkeys",
  "DELETE /v1/users/:id/verified-email",
  "DELETE /v1/users/:id",
  "DELETE /v1/organizations/:id",
  "PATCH /v1/organization",
  "POST /app-events/:eventId/replay",
  "POST /flows/:id/clone",
  "POST /drafts/:id/publish",
  "POST /integrations/:id/update-integration-instances",
]);
/** Forms of the console hold passwords and codes, and are not read; what they change is told where it is watched. */
const isQuiet = (line: string): boolean =>
  TELLS_NOTHING.has(line) ||
  (/^POST \/(console|portal|connect)\//.test(line) &&
    !/\/disable$|members.*\/(role|remove)$/.test(line));

let user: SignedIn;
let cookie: string;

beforeAll(async () => {
  vi.stubGlobal("fetch", async (input: URL | string) =>
    String(input).endsWith("/refused")
      ? new Response("no", { status: 422 })
      : Response.json({ id: "1", data: [] }),
  );
  await createAccounts();
  user = await newUser();
  cookie = cookieOf(await signIn(FIRST.email));
});
afterAll(() => vi.unstubAllGlobals());

const cookieOf = ({ cookies }: Browser): string =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");

/** A member of its own, signed in. */
async function guest(role = "viewer"): Promise<Browser> {
  const invitation = { email: `${crypto.randomUUID()}@mine.example`, role };
  const { body } = await callV1("POST", "/members", MINE, invitation);
  const browser = openBrowser();
  await browser.post(new URL(body.invitation).pathname, { password: GUESTS_PASSWORD });
  return browser;
}

/** Changes of a guest's own sign-in, each sent by one who is ready for it. */
const OWN: Record<string, () => Promise<{ browser: Browser; body: Record<string, string> }>> = {
  "POST /console/password": async () => ({
    browser: await guest(),
    body: { present: GUESTS_PASSWORD, password: "another-password-of-a-guest" },
  }),
  "POST /console/passkeys": async () => {
    const browser = await guest();
    return { browser, body: await newPasskey(browser, GUESTS_PASSWORD) };
  },
  "POST /console/members/:id/transfer": async () => ({
    browser: await guest("owner"),
    body: { organization: "1" },
  }),
  "POST /console/two-step": async () => ({
    browser: await guest(),
    body: { present: GUESTS_PASSWORD },
  }),
  "POST /console/two-step/confirm": async () => {
    const browser = await guest();
    const secret = await beginTwoStep(browser, GUESTS_PASSWORD);
    return { browser, body: { code: codeOf(secret, Date.now()) } };
  },
  "POST /console/two-step/recovery-codes": guestWithTwoStep,
  "POST /console/two-step/off": guestWithTwoStep,
};

async function guestWithTwoStep() {
  const browser = await guest();
  const { recoveryCodes } = await setUpTwoStep(browser, GUESTS_PASSWORD);
  return { browser, body: { present: GUESTS_PASSWORD, code: recoveryCodes[0] ?? "" } };
}

const changes = Object.entries(TABLE)
  .flatMap(([line, audience]) => (typeof audience === "string" ? line : Object.keys(audience)))
  .filter((line) => !/^(GET|HEAD|ALL) /.test(line));

it("has a reason for no route that isn't there", () => {
  expect(Object.keys(UNAUDITED).filter((line) => !changes.includes(line))).toEqual([]);
});

it.each(changes.filter((line) => UNAUDITED[line] === undefined))("%s is audited", async (line) => {
  // A password's change ends what was signed in with it.
  const things = new Things(line.endsWith("/change-password") ? await newUser() : user, WORLD);
  const { status, entries } = await send(line, things);
  expect({ status: status < 400 ? "done" : status, entries }).toEqual({
    status: "done",
    entries: [
      expect.objectContaining({
        organization_id: 1,
        action: expect.stringMatching(/^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/),
        target: expect.stringMatching(WITHOUT_NAME.has(line) ? /^\// : /^[^/]/),
        differences: isQuiet(line)
          ? expect.any(String)
          : expect.not.stringMatching(/^\{"before":\{\},"after":\{\}\}$/),
      }),
    ],
  });
});

async function send(line: string, things: Things): Promise<{ status: number; entries: unknown[] }> {
  const [method = "", route = ""] = line.split(" ");
  // Only one that still waits is cancelled, and only an endpoint is deleted by itself.
  const path = route.endsWith("/deliveries/:id/cancel")
    ? route.replace(":id", await things.waiting())
    : /^DELETE \/v1\/destinations\/:id$|^POST .*\/destinations\/:id\/delete$/.test(line)
      ? route.replace(":id", await things.endpoint())
      : await pathOf(method, route, things);
  const own = await OWN[line]?.();
  const body = own?.body ?? (await goodBodyOf(line, things));
  const headers =
    own === undefined ? await credentialsOf(route, things) : { cookie: cookieOf(own.browser) };
  const isForm = /^\/(console|portal|connect)/.test(route);
  const last = await env.DB.prepare("SELECT max(id) AS id FROM audit").first<{
    id: number | null;
  }>();
  const type =
    method === "PATCH" && route.startsWith("/apis/")
      ? "application/json-patch+json"
      : "application/json";
  const response = await exports.default.fetch(
    `https://tributary.example${path}${QUERIES[line] ?? ""}`,
    {
      method,
      redirect: "manual",
      headers: {
        origin: "https://tributary.example",
        "content-type": isForm ? "application/x-www-form-urlencoded" : type,
        ...headers,
      },
      body: isForm
        ? new URLSearchParams(body as Record<string, string>).toString()
        : JSON.stringify(body),
    },
  );
  await response.body?.cancel();
  if (line === DELETES_ITSELF) await reopen();
  const { results } = await env.DB.prepare(
    "SELECT * FROM audit WHERE id > ? AND organization_id = 1",
  )
    .bind(last?.id ?? 0)
    .all();
  return { status: response.status, entries: results };
}

async function credentialsOf(route: string, things: Things): Promise<Record<string, string>> {
  if (route.startsWith("/console")) return { cookie };
  if (route.startsWith("/portal")) return { cookie: (await things.portal()).cookie };
  if (route.startsWith("/connect")) return { cookie: (await things.connecting()).cookie };
  if (route.startsWith("/elements"))
    return { authorization: `${MINE}, Element ${(await things.instance()).token}` };
  const isOurs = /^\/(v1|apis|events)\//.test(route) || route === "/user";
  return { authorization: `Bearer ${isOurs ? FIRST.apiKey : things.user.token}` };
}
