import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type About, selects } from "../../src/subscriptions/selectors";
import { eventTypeOf } from "../../src/stream/event-type";
import { wildcard } from "../../src/values/wildcard";

const contact: About = {
  source: "instance:27",
  tenant: "acme",
  connector: "box",
  type: "contacts.CREATED",
};
const order: About = { source: "user:7", tenant: null, type: "order-paid" };
const change: About = {
  source: "scope:management/Environment/prod",
  tenant: null,
  type: "APIService.UPDATED",
};
const published: About = {
  source: "tenant:acme",
  tenant: "acme",
  type: "invoice.paid",
  channels: ["eu", "billing"],
};

describe("selects", () => {
  it.each<[string, About[]]>([
    ["instance:27", [contact]],
    ["instance:2", []],
    ["instance:*", [contact]],
    ["connector:box", [contact]],
    ["connector:*", []],
    ["tenant:acme", [contact, published]],
    ["tenant:other", []],
    ["user:7", [order]],
    ["user:*", [order]],
    ["scope:management/Environment/prod", [change]],
    ["scope:*", [change]],
    ["publish", [published]],
  ])("of the source %s", (source, heard) => {
    const selectors = { sources: [source], eventTypes: [], channels: [] };
    const all = [contact, order, change, published];
    expect(all.filter((about) => selects(selectors, about))).toEqual(heard);
  });

  it.each<[string[], string[], boolean]>([
    [[], [], true],
    [["invoice.*"], [], true],
    [["*.DELETED", "*.paid"], [], true],
    [["invoice"], [], false],
    [[], ["eu"], true],
    [[], ["us"], false],
    [["contacts.*"], ["eu"], false],
  ])("types %j on channels %j", (eventTypes, channels, hears) => {
    expect(selects({ sources: ["publish"], eventTypes, channels }, published)).toBe(hears);
  });

  it("lets an endpoint that names channels hear of no event without any", () => {
    const selectors = { sources: ["instance:*"], eventTypes: [], channels: ["eu"] };
    expect(selects(selectors, contact)).toBe(false);
  });
});

describe("eventTypeOf", () => {
  it.each([
    [
      "instance:1",
      { objectType: "contacts", objectId: "1", eventType: "CREATED" },
      "contacts.CREATED",
    ],
    [
      "scope:-",
      { objectType: "APIService", objectId: "x", eventType: "ResourceUpdated" },
      "APIService.UPDATED",
    ],
    [
      "scope:-",
      { objectType: "APIService", objectId: "x", eventType: "SubResourceUpdated" },
      "APIService.UPDATED",
    ],
    [
      "user:1",
      { objectType: "app-event", objectId: "order-paid", eventType: "SENT" },
      "order-paid",
    ],
    [
      "tenant:acme",
      { objectType: "published", objectId: "invoice.paid", eventType: "invoice.paid" },
      "invoice.paid",
    ],
  ])("of %s %j", (source, event, type) => {
    expect(eventTypeOf(source, event)).toBe(type);
  });
});

describe("wildcard", () => {
  it("agrees with a regular expression of the same meaning", () => {
    const few = fc.string({ unit: fc.constantFrom("a", "b", ".", "*"), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 10 });
    fc.assert(
      fc.property(few, text, (pattern, given) => {
        const parts = pattern.split("*").map((part) => part.replaceAll(".", "\\."));
        expect(wildcard(pattern)(given)).toBe(new RegExp(`^${parts.join("[^]*")}$`).test(given));
      }),
    );
  });
});
