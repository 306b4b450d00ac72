import { describe, expect, it } from "vitest";
import { type Hook, type HookedWebhook, targetsOf } from "../../src/resources/hooks";
import { type Changed, matches, type Trigger } from "../../src/resources/match";

const A = { kind: "Environment", name: "azure-apiman-service" };
const ALL: Trigger["type"] = ["created", "updated", "deleted"];

const trigger = (kind: string, change: Partial<Trigger> = {}): Trigger => ({
  group: "management",
  kind,
  name: "*",
  type: ALL,
  ...change,
});

const T1 = trigger("APIServiceRevision", { scope: A });
const T2 = trigger("Environment");
const T3a = trigger("Environment", { name: "azure-apiman-service" });
const T3b = trigger("*", { scope: A });
const T4 = trigger("APIService", { group: "*", scope: { kind: "*", name: "*" } });
const T5 = trigger("Asset", { group: "catalog", type: ["updated"] });
const T6 = trigger("APIService", { type: ["created"] });

const change = (
  type: Changed["type"],
  kind: string,
  name: string,
  scope: Changed["scope"] = null,
  group = "management",
): Changed => ({ type, kind, name, scope, group });

const other = { kind: "Environment", name: "other" };
const table: [string, Trigger, Changed, boolean][] = [
  ["T1: revision created in A", T1, change("ResourceCreated", "APIServiceRevision", "r", A), true],
  [
    "T1: revision created in another environment",
    T1,
    change("ResourceCreated", "APIServiceRevision", "r", other),
    false,
  ],
  ["T1: APIService created in A", T1, change("ResourceCreated", "APIService", "s", A), false],
  [
    "T1: subresource of a revision in A",
    T1,
    change("SubResourceUpdated", "APIServiceRevision", "r", A),
    true,
  ],
  ["T2: Environment created", T2, change("ResourceCreated", "Environment", "e9"), true],
  [
    "T2: APIService created in an environment",
    T2,
    change("ResourceCreated", "APIService", "s", { kind: "Environment", name: "e9" }),
    false,
  ],
  ["T3a: A updated", T3a, change("ResourceUpdated", "Environment", A.name), true],
  ["T3b: A itself updated", T3b, change("ResourceUpdated", "Environment", A.name), false],
  ["T3b: Webhook deleted in A", T3b, change("ResourceDeleted", "Webhook", "w", A), true],
  [
    "T4: APIService updated anywhere",
    T4,
    change("ResourceUpdated", "APIService", "s", other),
    true,
  ],
  [
    "T4 with kind *: Asset created, unscoped",
    { ...T4, kind: "*" },
    change("ResourceCreated", "Asset", "a", null, "catalog"),
    false,
  ],
  [
    "T5: Asset subresource state set",
    T5,
    change("SubResourceUpdated", "Asset", "a", null, "catalog"),
    true,
  ],
  ["T5: Asset created", T5, change("ResourceCreated", "Asset", "a", null, "catalog"), false],
  [
    "T6: APIService created anywhere",
    T6,
    change("ResourceCreated", "APIService", "s", other),
    true,
  ],
  ["T6: APIService updated", T6, change("ResourceUpdated", "APIService", "s", other), false],
  [
    "T2 with scope A: A updated",
    { ...T2, scope: A },
    change("ResourceUpdated", "Environment", A.name),
    false,
  ],
  ["case matters", T2, change("ResourceCreated", "environment", "e"), false],
];

describe("matches", () => {
  it.each(table)("%s → %s", (_title, wanted, changed, expected) => {
    expect(matches(wanted, changed)).toBe(expected);
  });
});

const hook = (triggers: Trigger[], more: Partial<Hook> = {}): Hook => ({
  name: "h",
  scope: null,
  triggers,
  webhooks: ["w"],
  ...more,
});
const webhook = (id: string, more: Partial<HookedWebhook> = {}): HookedWebhook => ({
  id,
  name: "w",
  scope: null,
  enabled: true,
  secretFound: true,
  ...more,
});

describe("targetsOf", () => {
  it("fires no hook for a Secret", () => {
    const secret = change("ResourceCreated", "Secret", "s", A);
    expect(targetsOf(secret, { hooks: [hook([T3b])], webhooks: [webhook("1")] })).toEqual([]);
  });

  it("invokes a webhook once, however many triggers and hooks match", () => {
    const created = change("ResourceCreated", "APIServiceRevision", "r", A);
    const hooks = [hook([T1, T3b]), hook([T3b], { name: "other" })];
    expect(targetsOf(created, { hooks, webhooks: [webhook("1")] })).toEqual([
      { destinationId: "webhook-1", warnings: [] },
    ]);
  });

  it("seeks a webhook in the hook's scope, the trigger's, unscoped, then as the only one", () => {
    const created = change("ResourceCreated", "APIServiceRevision", "r", A);
    const integration = { kind: "Integration", name: "i" };
    const hooks = [hook([T1], { scope: integration })];
    const found = (...webhooks: HookedWebhook[]) =>
      targetsOf(created, { hooks, webhooks }).map(({ destinationId }) => destinationId);
    const own = webhook("own", { scope: integration });
    const inA = webhook("in-a", { scope: A });
    const free = webhook("free");
    const far = webhook("far", { scope: other });
    expect(found(far, free, inA, own)).toEqual(["webhook-own"]);
    expect(found(far, free, inA)).toEqual(["webhook-in-a"]);
    expect(found(far, free)).toEqual(["webhook-free"]);
    expect(found(far)).toEqual(["webhook-far"]);
    expect(found(far, webhook("farther", { scope: { kind: "Environment", name: "x" } }))).toEqual([
      null,
    ]);
  });

  it("logs a disabled webhook as skipped, and says what it could not find", () => {
    const created = change("ResourceCreated", "Environment", "e");
    expect(
      targetsOf(created, {
        hooks: [hook([T2], { webhooks: ["w", "none"] })],
        webhooks: [webhook("1", { enabled: false, secretFound: false })],
      }),
    ).toEqual([
      {
        destinationId: "webhook-1",
        skipped: true,
        warnings: ["Webhook 'w' is sent without its secret, which does not exist"],
      },
      {
        destinationId: null,
        warnings: ["Webhook 'none' of ResourceHook 'h' does not exist"],
      },
    ]);
  });
});
