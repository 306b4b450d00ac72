import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { newUser, type SignedIn } from "../accounts/ask";
import { FIRST, firstOrganization, MINE } from "../organization";

let user: SignedIn;
beforeAll(async () => {
  await firstOrganization();
  user = await newUser();
});

/** Stands for a text of 3,000 characters. */
const LONG = "LONG";
const E2 = "/elements/api-v2";
const V1 = "/apis/management/v1alpha1";
const instance = (name: string, value: string) => ({
  element: { key: "sandbox" },
  configuration: { [name]: value },
});

/** What is asked for on each surface, with a long text that is refused. */
const REFUSED: [method: string, path: string, body?: unknown][] = [
  ["GET", `${E2}/instances/${LONG}`],
  ["GET", `${E2}/elements/${LONG}`],
  ["GET", `${E2}/instances?pageSize=${LONG}`],
  ["GET", `${E2}/instances?nextPage=${LONG}`],
  ["GET", `${E2}/notifications/${LONG}`],
  ["GET", `${E2}/notifications/subscriptions/${LONG}`],
  ["GET", `${E2}/instances/events/analytics?interval=${LONG}`],
  ["POST", `${E2}/events/${LONG}`],
  ["POST", `${E2}/events/sandbox/${LONG}`],
  ["POST", `${E2}/instances`, { element: { key: LONG } }],
  ["POST", `${E2}/instances`, instance("event.objects", LONG)],
  ["POST", `${E2}/instances`, instance("event.poller.since", LONG)],
  ["POST", `${E2}/instances`, instance("vendor.rate", LONG)],
  ["POST", `${E2}/instances`, instance("base.url", LONG)],
  ["POST", `${E2}/instances`, instance("event.notification.callback.url", LONG)],
  ["POST", `${E2}/instances`, instance("event.notification.callback.headers", `{"${LONG}":"1"}`)],
  ["POST", `${E2}/instances`, instance("event.notification.filter", `("${LONG}`)],
  ["POST", `${E2}/instances`, instance("event.notification.filter", `\`${LONG}\` \`${LONG}\``)],
  ["POST", `${E2}/instances`, instance("event.poller.configuration", `{"${LONG}":{}}`)],
  ["GET", `/v1/deliveries/${LONG}`],
  ["GET", `/v1/destinations/${LONG}`],
  ["GET", `/v1/deliveries?cursor=${LONG}`],
  ["GET", `/v1/deliveries?from=${LONG}`],
  ["GET", `/v1/deliveries?limit=${LONG}`],
  ["GET", `/v1/streams/${LONG}/events`],
  ["PATCH", "/v1/organization", { [LONG]: 1 }],
  ["GET", `/v1/${LONG}`],
  ["GET", `${V1}/environments/${LONG}`],
  ["GET", `${V1}/${LONG}`],
  ["GET", `${V1}/environments?query=${LONG}%3D%3D1`],
  ["GET", `${V1}/environments?query=name~${LONG}`],
  ["GET", `${V1}/environments?sort=${LONG}`],
  ["GET", `${V1}/environments?pageSize=${LONG}`],
  ["POST", `${V1}/environments`, { name: `-${LONG}` }],
  [
    "POST",
    `${V1}/environments?unknownFields=error`,
    { name: "refused-texts", spec: { [LONG]: 1 } },
  ],
  ["GET", `/flows/${LONG}`],
  ["GET", `/flows?filter=${LONG}`],
  ["GET", `/flows?filter=${LONG}:1`],
  ["GET", `/flows?sort=${LONG}`],
  ["POST", "/flows", { flow: { T: { type: "x", source: LONG } }, [LONG]: 1 }],
  ["GET", `/app-events?cursor=${LONG}`],
  ["GET", `/unprocessed-messages/${LONG}`],
  ["GET", `/logs?sort=${LONG}`],
  ["GET", `/nothing/${LONG}`],
];

const tokenOf = (path: string): string => {
  if (path.startsWith(E2)) return MINE;
  return `Bearer ${/^\/(v1|apis|events)\b/.test(path) ? FIRST.apiKey : user.token}`;
};

describe("an error", () => {
  it.each(REFUSED)("quotes at most 200 characters of what it refuses: %s %s", async (...asked) => {
    const [method, path, body] = asked;
    const long = (text: string): string => text.replaceAll(LONG, "q".repeat(3_000));
    const response = await exports.default.fetch(`https://tributary.example${long(path)}`, {
      method,
      headers: { authorization: tokenOf(path), "content-type": "application/json" },
      ...(body === undefined ? {} : { body: long(JSON.stringify(body)) }),
    });
    const text = await response.text();
    const runs = (text.match(/q+/g) ?? []).map((run) => run.length);
    expect({ status: response.status, longest: Math.max(0, ...runs) }).toEqual({
      status: expect.toSatisfy((status: number) => status >= 400 && status < 500),
      longest: expect.toSatisfy((longest: number) => longest <= 200),
    });
  });
});
