import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { builtIn, findConnector } from "../../src/connectors/catalog";
import { attentionOf, CIRCLE, type Facts, UNHEARD } from "../../src/instances/attention";
import type { Instance } from "../../src/instances/instance";
import type { Untaken } from "../../src/stream/traces/trace";

/** From the facts of an instance to what keeps it from getting or telling events. */

const ON = {
  "event.notification.enabled": "true",
  "event.notification.callback.url": "https://app.example/hook",
  "event.vendor.token": "a-token",
};
const GRANT = { "oauth.user.token": "t" };
const KEY = "event.vendor.signature.key";

function facts(
  key: string,
  configuration: Record<string, string | null> = {},
  change: Partial<Instance> = {},
  more: Partial<Facts> = {},
): Facts {
  const connector = findConnector(key);
  if (connector === undefined) throw new Error(`No connector '${key}'`);
  const instance: Instance = {
    id: 7,
    organizationId: 1,
    userId: 1,
    connector,
    name: "A",
    tenant: null,
    tags: [],
    token: "",
    configuration: { ...ON, ...GRANT, ...configuration },
    externalAuthentication: "none",
    valid: true,
    invalidReason: null,
    disabled: false,
    pollerDisabled: null,
    registrationFault: null,
    pollsUntil: null,
    baseline: 0,
    enabledAt: 0,
    createdAt: 0,
    updatedAt: 0,
    ...change,
  };
  return { instance, callback: undefined, untaken: [], ...more };
}

const untaken = (outcome: Untaken["outcome"], reason: string): Partial<Facts> => ({
  untaken: [{ outcome, reason, count: 3, first: 1_000, last: 2_000 }],
});
const BOX = { [KEY]: "k", "events.list.ids": "file:7", "box.webhook.ids": "100" };
const WEBHOOK = { "event.vendor.type": "webhook" };
const REFUSED = {
  since: 5_000,
  count: 1,
  items: [{ item: "file:8", message: "Box answered with status 403: insufficient scope" }],
};
const OFF = { resource: "contacts", failureCount: 100, disabledDate: 9_000, lastError: "Gone" };

describe("what needs attention", () => {
  it.each<[string, Facts, string[], string[]]>([
    ["an instance that is polled", facts("sfdc"), [], []],
    ["one whose webhooks work", facts("box", BOX), [], []],
    [
      "one by its vendor's feed",
      facts("dropbox", { "oauth.api.secret": "s", "oauth.user.id": "d" }),
      [],
      [],
    ],
    ["one whose events are off", facts("box", { "event.notification.enabled": "false" }), [], []],
    [
      "Box by the letter of its documents",
      facts("box", {}),
      ["no-webhook-made", "no-signature-key"],
      ["`events.list.ids` is empty", `\`${KEY}\` is not set`, "meanwhile it is polled"],
    ],
    [
      "the same by webhook alone",
      facts("box", WEBHOOK),
      ["nothing-arrives", "no-webhook-made", "no-signature-key"],
      ["Nothing can arrive"],
    ],
    [
      "one whose webhooks were refused by the vendor",
      facts("box", { ...BOX, "box.webhook.ids": null }, { registrationFault: REFUSED }),
      ["registration-failed"],
      ["'file:8': Box answered with status 403: insufficient scope"],
    ],
    [
      "one of whose webhooks some were",
      facts("box", BOX, { registrationFault: REFUSED }),
      ["registration-failed"],
      ["1 of what `events.list.ids` lists"],
    ],
    [
      "one whose webhooks nobody tried to make",
      facts("box", { ...BOX, "box.webhook.ids": null }),
      ["no-webhook-made"],
      ["save the instance"],
    ],
    [
      "one whose deliveries lack a key to be proved with",
      facts("hubspot", { ...WEBHOOK, "hubspot.portal.id": "1" }, {}, untaken("refused", "no-key")),
      ["nothing-arrives", "no-signature-key"],
      ["3 in the last day"],
    ],
    [
      "one whose deliveries don't fit the key",
      facts("quickbooks", { [KEY]: "k" }, {}, untaken("refused", "wrong-signature")),
      ["deliveries-refused"],
      ["wrong-signature", `compare \`${KEY}\``],
    ],
    [
      "one whose deliveries don't have the token",
      facts("sfdc", {}, {}, untaken("refused", "wrong token")),
      ["deliveries-refused"],
      ["`event.vendor.token`"],
    ],
    [
      "one that a circle of ours leads to",
      facts("sfdc", {}, {}, untaken("refused", CIRCLE)),
      [],
      [],
    ],
    [
      "one that is only polled, though webhooks come",
      facts("sfdc", { "event.vendor.type": "polling" }, {}, untaken("ignored", UNHEARD)),
      ["deliveries-ignored"],
      ["add webhook"],
    ],
    [
      "one whose token is gone",
      facts("sfdc", { ...WEBHOOK, "event.vendor.token": null, "sfdc.organization.id": "0" }),
      ["nothing-arrives", "no-token"],
      ["?token="],
    ],
    [
      "one that no shared address leads to",
      facts("hubspot", { ...WEBHOOK, [KEY]: "k" }),
      ["no-tenant"],
      ["`hubspot.portal.id` is not set", "/events/hubspot/Nw=="],
    ],
    [
      "one that wants webhooks of a connector that has none",
      facts("sandbox", { ...WEBHOOK, "sandbox.api.key": "k" }),
      ["nothing-arrives", "no-webhooks"],
      ["`event.vendor.type` to polling"],
    ],
    [
      "one that is disabled",
      facts("sfdc", {}, { disabled: true }),
      ["nothing-arrives", "disabled"],
      ["PUT /instances/7/enabled"],
    ],
    [
      "one whose grant was refused",
      facts("hubspot", {}, { valid: false, invalidReason: "invalid_grant" }),
      ["nothing-arrives", "not-authenticated"],
      ["invalid_grant", "PATCH /instances/7"],
    ],
    [
      "one without credentials that can hear webhooks",
      facts(
        "sfdc",
        { "oauth.user.token": null },
        { valid: false, invalidReason: "No credentials yet" },
      ),
      ["not-authenticated"],
      ["No credentials yet"],
    ],
    [
      "one whose poller was switched off",
      facts("sfdc", {}, { pollerDisabled: OFF }),
      ["nothing-arrives", "poller-off"],
      ["100 failures in a row of 'contacts' (Gone)"],
    ],
    [
      "one that calls nobody",
      facts("sfdc", { "event.notification.callback.url": null }),
      ["no-callback"],
      ["`event.notification.callback.url`"],
    ],
    [
      "one whose callback is paused",
      facts(
        "sfdc",
        {},
        {},
        {
          callback: { name: "paused by exhaustion", since: 3_000, because: "Answered with 500" },
        },
      ),
      ["callback-paused"],
      ["Answered with 500", "/v1/destinations/instance-7/enable"],
    ],
  ])("of %s", (_, given, codes, texts) => {
    const attention = attentionOf(given);
    expect(attention.map(({ code }) => code)).toEqual(codes);
    const all = attention.map(({ message }) => message).join("\n");
    for (const text of texts) expect(all).toContain(text);
  });

  it("says since when, where that is known", () => {
    const since = (given: Facts) =>
      attentionOf(given).find((one) => one.since !== undefined)?.since;
    expect(since(facts("box", BOX, { registrationFault: REFUSED }))).toBe(5_000);
    expect(since(facts("sfdc", {}, { pollerDisabled: OFF }))).toBe(9_000);
    expect(since(facts("box", {}, {}, untaken("refused", "no-key")))).toBe(1_000);
    expect(since(facts("box", {}))).toBeUndefined();
  });

  it("of a connector without anything to poll is said, unless the instance names resources", () => {
    const given = facts("github", { "event.vendor.type": "polling", "github.token": "t" });
    const { instance } = given;
    const connector = {
      ...instance.connector,
      events: { ...instance.connector.events, polling: {} },
    };
    const codes = (configuration: Instance["configuration"]) =>
      attentionOf({ ...given, instance: { ...instance, connector, configuration } }).map(
        ({ code }) => code,
      );
    expect(codes(instance.configuration)).toEqual(["nothing-arrives", "nothing-to-poll"]);
    expect(codes({ ...instance.configuration, "event.poller.configuration": "{ }" })).toEqual([
      "nothing-arrives",
      "nothing-to-poll",
    ]);
    const named = { issues: { url: "/issues", idField: "id" } };
    expect(
      codes({ ...instance.configuration, "event.poller.configuration": JSON.stringify(named) }),
    ).toEqual([]);
  });

  it("is never nothing where nothing can arrive, and tells no secret", () => {
    const value = fc.option(fc.constantFrom("s3cret", "file:7", "polling", "webhook", "true", ""));
    const keys = [KEY, "event.vendor.token", "events.list.ids"];
    const more = ["box.webhook.ids", "oauth.user.token", "oauth.api.secret", "event.objects"];
    const configuration = fc.record(
      {
        ...Object.fromEntries([...keys, ...more].map((key) => [key, value])),
        "event.vendor.type": fc.constantFrom("polling", "webhook", "polling,webhook", null),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...builtIn.map(({ key }) => key)),
        configuration,
        fc.boolean(),
        (key, given, valid) => {
          const attention = attentionOf(facts(key, given, { valid }));
          const [first, ...others] = attention;
          if (first?.code === "nothing-arrives") expect(others).not.toEqual([]);
          expect(JSON.stringify(attention)).not.toContain("s3cret");
          for (const { code, message } of attention) {
            expect(code).toMatch(/^[a-z-]+$/);
            expect(message.length).toBeGreaterThan(20);
          }
        },
      ),
    );
  });
});
