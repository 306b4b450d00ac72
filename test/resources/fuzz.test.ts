import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type Client, freshClient, takeCallbacks, V1 } from "./build";
import { cases } from "../cases";

/** Whatever is written, the answer is never a failure of ours, and what was taken can be read again. */

takeCallbacks();

let client: Client;
beforeAll(async () => {
  client = await freshClient();
  await client.make(`${V1}/environments`, { name: "e" });
  await client.make(`${V1}/environments/e/apiservices`, { name: "svc" });
});

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom(
    "",
    "svc",
    "e",
    "__proto__",
    "constructor",
    "\0",
    "\ud800",
    "a\u0000b",
    "********",
  ),
);
/** As it comes through JSON: without -0. */
const value = fc.jsonValue({ maxDepth: 3 }).map((one) => JSON.parse(JSON.stringify(one)));
const json = fc.oneof(value, text);
/** Mostly what is asked for. */
const rarely = (arbitrary: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 12, arbitrary }, { weight: 1, arbitrary: json });
const texts = fc.dictionary(text, text);

const specs: [string, fc.Arbitrary<unknown>][] = [
  [
    "environments",
    fc.record({ description: text, variables: texts, compliance: json }, { requiredKeys: [] }),
  ],
  ["environments/e/apiservices", fc.record({ categories: fc.array(text) }, { requiredKeys: [] })],
  [
    "environments/e/apiservicerevisions",
    fc.record({ apiService: fc.constant("svc"), definition: fc.record({ value: text }) }),
  ],
  ["environments/e/secrets", fc.record({ data: texts })],
  ["webhooks", fc.record({ url: fc.webUrl() })],
  ["watchtopics", fc.record({ filters: fc.constant([]), description: text })],
];
const place = fc.constantFrom(...specs);

const documentOf = (spec: fc.Arbitrary<unknown>) =>
  fc.record(
    {
      title: rarely(text),
      attributes: rarely(texts),
      tags: rarely(fc.array(text)),
      finalizers: rarely(fc.array(fc.record({ name: fc.string({ minLength: 1 }) }))),
      owner: rarely(fc.record({ type: fc.constant("team"), id: fc.string({ minLength: 1 }) })),
      metadata: rarely(fc.constant({})),
      spec: rarely(spec),
      "x-any": json,
      "any other": json,
    },
    { requiredKeys: ["spec"] },
  );

/** As `fc.assert`, with a report in ASCII: no half of a surrogate pair breaks the reporter. */
async function holds<T>(property: fc.IAsyncProperty<T>, numRuns: number): Promise<void> {
  const { counterexample, errorInstance } = await fc.check(property, { numRuns });
  const told =
    counterexample === null ? "" : JSON.stringify([counterexample, String(errorInstance)]);
  const ascii = told.replaceAll(
    /[^ -~]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  expect(ascii).toBe("");
}

describe("any JSON", () => {
  it("posted and put is taken and read again as it was answered, or refused", async () => {
    let taken = 0;
    const written = place.chain(([path, spec]) =>
      fc.tuple(fc.constant(path), documentOf(spec), documentOf(spec)),
    );
    await holds(
      fc.asyncProperty(written, async ([path, first, second]) => {
        const made = await client.call("POST", `${V1}/${path}`, first);
        expect([201, 400]).toContain(made.status);
        if (made.status === 400) return;
        taken += 1;
        const item = `/apis${made.body.metadata.selfLink}`;
        const { body } = await client.call("GET", item);
        const { warnings: _told, ...metadata } = made.body.metadata;
        expect(body).toEqual({ ...made.body, metadata });
        const put = await client.call("PUT", item, second);
        expect([200, 400, 428]).toContain(put.status);
        const sub = await client.call("PUT", `${item}/x-any`, { "x-any": second });
        expect([sub.status, sub.body["x-any"]]).toEqual([200, second]);
        const forced = await client.call("DELETE", `${item}?forceDelete=true`);
        expect(forced.status).toBe(204);
      }),
      cases(60, 10_000),
    );
    expect(taken).toBeGreaterThan(15);
  });

  it("as a patch is applied or refused", async () => {
    const pointer = fc
      .array(fc.oneof(fc.constantFrom("spec", "tags", "attributes", "x-a", "0", "-", "name"), text))
      .map((parts) => parts.map((part) => `/${part}`).join(""));
    const operation = fc.oneof(
      fc.record({
        op: fc.constantFrom("add", "replace", "remove", "x-build-object-tree"),
        path: pointer,
        value: json,
      }),
      json,
    );
    await holds(
      fc.asyncProperty(fc.array(operation, { maxLength: 5 }), async (operations) => {
        const { status } = await client.call(
          "PATCH",
          `${V1}/environments/e/apiservices/svc`,
          operations,
          { "content-type": "application/json-patch+json" },
        );
        expect([200, 400, 404]).toContain(status);
      }),
      cases(80, 10_000),
    );
    expect((await client.call("GET", `${V1}/environments/e/apiservices/svc`)).status).toBe(200);
  });
});
