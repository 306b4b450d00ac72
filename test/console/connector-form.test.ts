import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Document, shownIn, type Values, withTyped } from "../../src/console/connectors/form";
import { definitionMembers } from "../../src/console/connectors/members";
import { STARTER } from "../../src/console/connectors/starter";
import { ownDefinition } from "../../src/elements/catalog/user-connector";
import { pollingFaults } from "../../src/polling/settings";
import directus from "../elements/catalog/described/directus.json";
import gitea from "../elements/catalog/described/gitea.json";
import github from "../elements/catalog/described/github.json";
import stripe from "../elements/catalog/described/stripe.json";
import wordpress from "../elements/catalog/described/wordpress.json";

const DESCRIBED: [string, Document][] = Object.entries({
  directus,
  gitea,
  github,
  stripe,
  wordpress,
});

/** The document after somebody typed this into its form. */
const after = (document: Document, typed: Values): any =>
  withTyped(document, { ...shownIn(document), ...typed }, shownIn(document));

describe("the form of a connector", () => {
  it.each(DESCRIBED)("sent as it was shown leaves the document of %s as it is", (_, document) => {
    expect(after(document, {})).toEqual(document);
  });

  it("makes a definition that can be polled of an empty one", () => {
    const document = after(STARTER, {
      name: "Tickets",
      key: "tickets",
      hub: "helpdesk",
      baseUrl: "https://api.tickets.example",
      "resources.0.name": "issues",
      "resources.0.path": "/v2/issues",
      "resources.0.root": "data",
      "resources.0.id": "id",
      "resources.0.updated": "updated_at",
      "resources.0.created": "created_at",
      "resources.0.format": "yyyy-MM-dd'T'HH:mm:ssXXX",
      "resources.0.since": "updated_since",
      "resources.0.style": "page",
      "resources.0.parameter": "page",
      "resources.0.size": "limit",
    });
    const definition = ownDefinition.parse(document);
    expect(pollingFaults({ connector: { ...definition, id: 1 }, configuration: {} })).toEqual([]);
    expect(document.events.polling.issues.url).toBe(
      "/hubs/helpdesk/issues?where=updated_at>='${date}'",
    );
    expect(document.resources.issues).toMatchObject({
      paging: { style: "page", pageParameter: "page", sizeParameter: "limit" },
      where: { updated_at: { parameter: "updated_since", operators: [">", ">="] } },
    });
  });

  it.each([
    ["a resource's new name", { "resources.0.name": "tickets" }, ["tickets"], ["tickets"]],
    ["a resource without a name", { "resources.0.name": "" }, [], []],
    ["a resource that is no longer polled", { "resources.0.format": "" }, ["issues"], []],
  ])("carries %s through the document", (_, typed, resources, polled) => {
    const document = after(gitea, typed);
    expect(Object.keys(document.resources)).toEqual(resources);
    expect(Object.keys(document.events.polling)).toEqual(polled);
  });

  it("changes the way to sign in without members of the other", () => {
    const document = after(gitea, { "authentication.type": "basic" });
    expect(document.authentication).toEqual({ type: "basic" });
  });

  it("asks for one thing more, and for one less", () => {
    const more = after(gitea, { "configuration.3.key": "gitea.team" });
    expect(more.configuration[3]).toEqual({
      key: "gitea.team",
      name: "gitea.team",
      type: "PASSWORD",
    });
    const less = after(gitea, { "configuration.1.key": "" });
    expect(less.configuration.map(({ key }: any) => key)).toEqual([
      "gitea.token",
      "gitea.repository",
    ]);
  });

  it("keeps of a webhook's rule what it can't show", () => {
    const { webhook } = after(gitea, {
      "webhook.list": "events",
      "webhook.created": "made, opened",
    });
    expect(webhook.extraction).toMatchObject({
      list: "events",
      objectType: gitea.webhook.extraction.objectType,
      eventType: { map: { made: "CREATED", opened: "CREATED", deleted: "DELETED" } },
      version: gitea.webhook.extraction.version,
    });
    expect(after(stripe, { "webhook.prefix": "v1=" }).webhook.extraction).toEqual(
      stripe.webhook.extraction,
    );
  });

  it("survives any document", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(gitea)), fc.jsonValue()), (any) => {
        const shown = shownIn(any as Document);
        const typed = Object.fromEntries(Object.keys(shown).map((name) => [name, "typed"]));
        withTyped(any as Document, typed, shown);
      }),
    );
  });
});

it("every member that the described connectors have is among those that are offered", () => {
  const known = definitionMembers().map(({ path }) => path.split("."));
  const isKnown = (path: string[]): boolean =>
    known.some(
      (one) =>
        one.length === path.length && one.every((name, at) => name === "*" || name === path[at]),
    );
  const FREE =
    /^(headers\.|events\.polling|resources\.[^.]+\.(list|get|create)\.(query|body)|.*\.map|.*\.where)\b/;
  const unknown = (value: unknown, path: string[]): string[] =>
    typeof value !== "object" || value === null
      ? []
      : Object.entries(value).flatMap(([name, member]) => {
          const here = [...path, name];
          const isNumbered = Array.isArray(value) || path.at(-1) === "resources";
          if (FREE.test(here.join("."))) return [];
          return [
            ...(isNumbered || isKnown(here) ? [] : [here.join(".")]),
            ...unknown(member, here),
          ];
        });
  for (const [, document] of DESCRIBED) expect(unknown(document, [])).toEqual([]);
});
