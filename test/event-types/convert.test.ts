import { expect, it } from "vitest";
import { convert } from "../../src/event-types/convert";
import { jsonValue } from "../../src/values/json";

const type = {
  version: 4,
  conversions: { "1": '{"n": name}', "3": '{"name": first & " " & last, "more": more}' },
};
const latest = { first: "Ada", last: "L", more: { id: 7 } };

it("data goes down version by version, each by its conversion, to the one that a destination takes", async () => {
  const table: [to: number, from: number | undefined, expected: unknown][] = [
    [4, undefined, latest],
    [9, undefined, latest],
    [3, undefined, { name: "Ada L", more: { id: 7 } }],
    // Version 2 is like version 3.
    [2, undefined, { name: "Ada L", more: { id: 7 } }],
    [1, undefined, { n: "Ada L" }],
    [1, 2, {}],
    [1, 1, latest],
    [2, 1, latest],
  ];
  for (const [to, from, expected] of table)
    expect(await convert(type, latest, to, from), `${from} to ${to}`).toEqual({
      ok: true,
      value: expected,
    });
});

it("a conversion that fails, or gives nothing, says which one, and numbers keep their digits", async () => {
  const failing = { version: 3, conversions: { "1": "$number(x)", "2": "y" } };
  expect(await convert(failing, { y: { x: "no" } }, 2)).toEqual({ ok: true, value: { x: "no" } });
  expect(await convert(failing, { y: { x: "no" } }, 1)).toEqual({
    ok: false,
    message: expect.stringMatching(/^Conversion to version 1: /),
  });
  expect(await convert(failing, {}, 2)).toEqual({
    ok: false,
    message: "Conversion to version 2: The expression gave nothing",
  });
  const made = await convert(
    { version: 2, conversions: { "1": "a" } },
    jsonValue('{"a":{"n":9130350000000000001}}'),
    1,
  );
  expect(JSON.stringify(made)).toBe('{"ok":true,"value":{"n":9130350000000000001}}');
});
