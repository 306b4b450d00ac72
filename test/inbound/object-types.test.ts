import { describe, expect, it } from "vitest";
import { builtIn, findConnector } from "../../src/connectors/catalog";
import { objectTypes } from "../../src/inbound/outcome";
import { polledResources } from "../../src/polling/settings";
import { polledAs } from "../../src/polling/touched";

/** Events call an object the same, whether a poll or a webhook told of it. */

const typesOf = (key: string, configuration: Record<string, string> = {}) => {
  const connector = findConnector(key);
  if (connector === undefined) throw new Error(`No connector '${key}'`);
  return objectTypes({ connector, configuration }, polledAs);
};

describe("the type of object that an event gives", () => {
  const people = JSON.stringify({ people: { url: "/hubs/crm/contacts", idField: "id" } });

  it.each<[key: string, vendors: string, configuration: Record<string, string>, events: string]>([
    ["quickbooks", "Customer", {}, "customers"],
    ["quickbooks", "Account", {}, "ledger-accounts"],
    ["quickbooks", "Item", {}, "products"],
    ["quickbooks", "TimeActivity", {}, "time-activities"],
    ["quickbooks", "Estimate", {}, "Estimate"],
    ["hubspot", "companies", {}, "accounts"],
    ["hubspot", "deals", {}, "deals"],
    ["hubspotcrm", "deals", {}, "opportunities"],
    ["hubspot", "tickets", {}, "tickets"],
    ["hubspot", "products", {}, "products"],
    ["hubspot", "companies", { "event.objects": "contacts" }, "accounts"],
    ["hubspot", "contacts", { "event.poller.configuration": people }, "people"],
    ["sfdc", "Contact", {}, "Contact"],
    ["sfdc", "Contact", { "event.objects": "contacts,Lead" }, "contacts"],
    ["sfdc", "Contact", { "event.objects": "contacts,Contact" }, "Contact"],
    ["sfdc", "Invoice__c", {}, "Invoice__c"],
    ["concur", "reports", {}, "reports"],
    ["github", "issues", {}, "issues"],
    ["box", "files", {}, "files"],
    ["box", "comment", {}, "comment"],
    ["hubspot", "constructor", {}, "constructor"],
  ])(
    "of %s for what the vendor calls %s, with %j, is %s",
    (key, vendors, configuration, events) => {
      expect(typesOf(key, configuration)(vendors)).toBe(events);
    },
  );

  it.each(builtIn.map(({ key }) => key))("of %s is never only the vendor's", (key) => {
    const connector = findConnector(key)!;
    const typeOf = typesOf(key);
    const polled = polledResources({ connector, configuration: {} });
    if (!polled.ok) throw new Error(polled.message);
    for (const { resource } of polled.resources) expect(typeOf(resource)).toBe(resource);
    for (const { objectType } of Object.values(connector.resources))
      if (objectType !== undefined) {
        const name = typeOf(objectType);
        expect(connector.resources[name]?.objectType ?? name, name).toBe(objectType);
      }
  });
});
