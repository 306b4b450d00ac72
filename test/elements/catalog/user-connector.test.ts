import { describe, expect, it } from "vitest";
import { Refusal } from "../../../src/http/refusal";
import { parse } from "../../../src/http/body";
import { checkedDefinition } from "../../../src/elements/catalog/checked-definition";
import { ownDefinition } from "../../../src/elements/catalog/user-connector";
import { extractionFault } from "../../../src/inbound/extract";
import { pollingFaults } from "../../../src/polling/settings";
import directus from "./described/directus.json";
import gitea from "./described/gitea.json";
import github from "./described/github.json";
import stripe from "./described/stripe.json";
import wordpress from "./described/wordpress.json";

type Step = string | number;

/** The path of every text, number and boolean in a value. */
function* leaves(value: unknown, path: Step[] = []): Generator<Step[]> {
  if (typeof value !== "object" || value === null) {
    yield path;
    return;
  }
  for (const [name, member] of Object.entries(value))
    yield* leaves(member, [...path, Array.isArray(value) ? Number(name) : name]);
}

/** `value` with what stands at `path` replaced. */
function replaced(value: any, [first, ...rest]: Step[], by: unknown): any {
  if (first === undefined) return by;
  const copy: any = Array.isArray(value) ? [...value] : { ...value };
  copy[first] = replaced(value[first], rest, by);
  return copy;
}

const messageOf = (definition: unknown): string | undefined => {
  try {
    parse(ownDefinition, definition);
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.message;
  }
};

describe.each([
  ["wordpress", wordpress],
  ["github", github],
  ["gitea", gitea],
  ["stripe", stripe],
  ["directus", directus],
])("the definition of %s", (_, definition) => {
  it("is refused with the very path of whatever in it is of a wrong kind", () => {
    for (const path of leaves(definition)) {
      // What a poll configuration holds is checked by the poller's own rules.
      if (path[0] === "events" && path[1] === "polling") continue;
      // Any value may mark a record as deleted.
      if (path.at(-1) === "equals") continue;
      const message = messageOf(replaced(definition, path, [{ wrong: true }]));
      expect(message, path.join(".")).toMatch(
        new RegExp(`^${path.join("\\.").replace(/[{}]/g, "\\$&")}: `),
      );
    }
  });
});

describe("a definition", () => {
  const knowing = {
    pollingFaults,
    extractionFault,
    extract: async () => ({ kind: "unreadable" as const, message: "" }),
    preview: () => [],
  };
  const check = (given: unknown) =>
    checkedDefinition(
      given,
      { allow: [], allowHttp: false, ownHost: undefined, resolver: undefined },
      knowing,
    );
  const fieldsOf = (given: unknown): string[] => {
    const checked = check(given);
    return checked.ok ? [] : checked.faults.map(({ field }) => field).toSorted();
  };

  it("is told everything that is wrong at once, in its own paths", () => {
    const { description: _, name: __, ...rest } = gitea;
    const wrong = {
      ...rest,
      key: "Bad Key",
      one: 1,
      two: 2,
      baseUrl: "http://127.0.0.1:1/api",
      authentication: { type: "apiKey", name: "X", configurationKey: "gitea.address" },
      resources: { issues: { idField: "id", paging: { style: "page", sizeParameter: 1 } } },
      webhook: {
        signatures: [{ header: "X-Upper", encoding: "none" }],
        extraction: { by: "jsonata", expression: "{(" },
      },
    };
    expect(fieldsOf(wrong)).toEqual([
      "authentication.configurationKey",
      "baseUrl",
      "key",
      "name",
      "one",
      "resources.issues.paging.pageParameter",
      "resources.issues.paging.sizeParameter",
      "two",
      "webhook.signatures.0.encoding",
      "webhook.signatures.0.header",
    ]);
  });

  it.each([
    ["a list", []],
    ["nothing", undefined],
  ])("that is %s is one fault of the whole", (_, given) => expect(fieldsOf(given)).toEqual([""]));

  it("that names webhooks needs their rules, and is told so beside other faults", () => {
    const { webhook: _, ...without } = gitea;
    expect(fieldsOf({ ...without, hub: 1 })).toEqual(["hub", "webhook"]);
    expect(fieldsOf({ ...without, webhook: { wrong: 1 } })).not.toContain("webhook");
  });

  it("that is right comes out whole", () => {
    for (const one of [directus, gitea, github, stripe, wordpress])
      expect(check(one)).toMatchObject({ ok: true, definition: { key: one.key } });
  });
});
