import { describe, expect, it } from "vitest";
import { findConnector } from "../../src/connectors/catalog";
import type { Instance } from "../../src/instances/instance";
import { whyNotPolled } from "../../src/polling/settings";

const polled = (key: string, change: Partial<Instance> = {}, modes = "polling") =>
  ({
    connector: findConnector(key),
    configuration: { "event.vendor.type": modes, "event.notification.enabled": "true" },
    disabled: false,
    pollerDisabled: null,
    pollsUntil: null,
    valid: true,
    invalidReason: null,
    ...change,
  }) as unknown as Instance;

describe("whyNotPolled", () => {
  const off = "Polling is not switched on";
  const pollerDisabled = {
    resource: "contacts",
    failureCount: 100,
    disabledDate: 1,
    lastError: "",
  };
  it.each<[string, Instance, "schedule" | "wake" | "person", string | undefined]>([
    ["a healthy instance", polled("hubspot"), "schedule", undefined],
    ["a disabled one", polled("hubspot", { disabled: true }), "person", "The instance is disabled"],
    [
      "one that failed too often",
      polled("hubspot", { pollerDisabled }),
      "schedule",
      "The instance is disabled",
    ],
    ["one without events", polled("hubspot", { configuration: {} }), "person", off],
    [
      "one whose events are switched off",
      polled("hubspot", {
        configuration: { "event.vendor.type": "polling", "event.notification.enabled": "false" },
      }),
      "schedule",
      off,
    ],
    ["one that only takes webhooks", polled("hubspot", {}, "webhook"), "wake", off],
    ["one by webhooks and polls", polled("hubspot", {}, "webhook,polling"), "schedule", undefined],
    ["webhooks that wake a feed, woken", polled("dropbox", {}, "webhook"), "wake", undefined],
    ["webhooks that wake a feed, asked for", polled("dropbox", {}, "webhook"), "person", undefined],
    ["webhooks that wake a feed, by schedule", polled("dropbox", {}, "webhook"), "schedule", off],
    [
      "one whose grant was refused",
      polled("hubspot", { valid: false, invalidReason: "Refresh token revoked" }),
      "schedule",
      "Refresh token revoked",
    ],
    [
      "one without credentials",
      polled("hubspot", { valid: false }),
      "schedule",
      "The instance is not authenticated",
    ],
  ])("of %s", (_, instance, trigger, reason) => {
    expect(whyNotPolled(instance, trigger)).toBe(reason);
  });
});
