import { describe, expect, it } from "vitest";
import { Refusal } from "../../../src/http/refusal";
import { parse } from "../../../src/http/body";
import { ownDefinition } from "../../../src/elements/catalog/user-connector";
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
