/// <reference types="vite/types/importMeta.d.ts" />
import { describe, expect, inject, it, vi } from "vitest";
import { readSfdcWebhook } from "../src/connectors/sfdc-events";
import { requestOf } from "../src/flows/steps/request";
import { nextPosition } from "../src/hub/paging";
import { partsOf } from "../src/inbound/tenant-parts";
import { newInstance } from "../src/instances/draft";

// Some of what is called here says in the log what it was given.
vi.spyOn(console, "error").mockImplementation(() => undefined);

/** Texts on which careless reading takes quadratic time: each is repeated to a size, between a start and an end. */
const SHAPES: [start: string, repeated: string, end: string][] = [
  ["", '"', ""],
  ['"', '\\"', ""],
  ["", "\\", ""],
  ["", "<OrganizationId ", ""],
  ["", "<OrganizationId>", ""],
  ["<a ", 'b="', ">"],
  ["", "[", ""],
  ["", '{"a":', ""],
  ["[", "1,", "x"],
  ["", " ", "!"],
  ["a", "\n", "!"],
  ["", "{{{", ""],
  ["$.", "${", "x"],
  ["a='", "''", ""],
  ["", "(", ""],
  ["a eq ", "1", "x"],
  ["http://", "/", "x"],
  ["a", ".a", "!"],
  ["a:", '"b" AND ', "AND"],
  ["", "a=b and ", "c"],
  ["a", ",", "é"],
  ["application/", "a+", "x"],
  ["2026-01-01", "-", "T"],
  ["*", "_*", "a"],
  ["", "%41&", "%"],
];
const SIZE = (inject("isLong") ? 512 : 128) * 1024;

const CLEAR_MS = 250;

const shaped = ([start, repeated, end]: (typeof SHAPES)[number], size: number): string =>
  start + repeated.repeat(size / repeated.length) + end;

/** Milliseconds that `call` takes; what it throws is its answer, but it may not run out of stack. */
async function timeOf(call: (text: string) => unknown, text: string): Promise<number> {
  const start = performance.now();
  try {
    const result = await call(text);
    if (typeof result === "object" && result !== null && Symbol.iterator in result)
      Array.from(result as Iterable<unknown>);
  } catch (error) {
    if (error instanceof RangeError && error.message.includes("call stack")) throw error;
  }
  return performance.now() - start;
}

const best = async (call: (text: string) => unknown, text: string): Promise<number> =>
  Math.min(await timeOf(call, text), await timeOf(call, text), await timeOf(call, text));

/** How often too long a time is taken again: on a busy machine others take theirs out of it. */
const LOOKS = 5;

/**
 * Four times the text may take at most eight times as long (sixteen would be quadratic). Less than
 * `CLEAR_MS` says nothing on a busy machine; quadratic time on 128 KB is seconds.
 */
async function growth(call: (text: string) => unknown, shape: (typeof SHAPES)[number]) {
  const text = shaped(shape, SIZE);
  if ((await timeOf(call, text)) <= CLEAR_MS) return undefined;
  let told: string | undefined;
  for (let look = 0; look < LOOKS; look += 1) {
    const small = await best(call, shaped(shape, SIZE / 4));
    const large = await best(call, text);
    if (large <= CLEAR_MS || large <= 8 * small) return undefined;
    told = `${JSON.stringify(shape)}: ${SIZE} bytes in ${large} ms, a quarter of it in ${small} ms`;
  }
  return told;
}

type Module = Record<string, (...given: unknown[]) => unknown>;
const modules = import.meta.glob<Module>(["../src/**/*.ts", "!../src/**/*.d.ts", "!../src/cli/**"]);
const sources = import.meta.glob<string>(["../src/**/*.ts", "!../src/cli/**"], {
  query: "?raw",
  import: "default",
  eager: true,
});

const DOOR = /(^|[./])(routes|store|object|consumer|cron|client|io|index|app|build)\.ts$/;
const EXPORTED =
  /^export (?:async )?(?:function\*? (\w+)(?:<[^>]*>)?|const (\w+) = (?:async )?)\(([^)]*(?:\([^)]*\)[^)]*)*)\)/gm;
/** One parameter's name and type, as far as the arguments below need it. */
const PARAMETER = /(?:^|, )\s*(\{[^}]*\}|\[[^\]]*\]|[.\w]+)\??: ?([^,=]*)/g;

/** They spend a fixed time on purpose, whatever the text. */
const FIXED = new Set(["hashPassword", "verifyPassword"]);

/** Calls of a function with the text in the place of each parameter that takes any. */
function calls(run: (...given: unknown[]) => unknown, parameters: string) {
  const types = [...parameters.matchAll(PARAMETER)].map(([, , type = ""]) => type.trim());
  const takesText = (type: string): boolean => /^(string|unknown)\b/.test(type);
  return types.flatMap((type, place) =>
    takesText(type)
      ? (text: string) =>
          run(
            ...types.map((other, index) => {
              if (index === place) return text;
              if (takesText(other)) return "a";
              return other.startsWith("number") || other === "Millis" ? 1 : {};
            }),
          )
      : [],
  );
}

interface Reader {
  name: string;
  parameters: string;
}

/** The functions that a file exports, if any of them takes text. */
function readersOf(source: string): Reader[] {
  const exported = [...source.matchAll(EXPORTED)].map(
    ([, name, other = "", parameters = ""]): Reader => ({ name: name ?? other, parameters }),
  );
  return exported.some(({ parameters }) => /: (string|unknown)\b/.test(parameters))
    ? exported.filter(({ name }) => !FIXED.has(name))
    : [];
}

const readers = Object.entries(sources)
  .filter(([file]) => file in modules && !DOOR.test(file))
  .map(([file, source]): [string, Reader[]] => [file, readersOf(source)])
  .filter(([, found]) => found.length > 0);

describe("promise 11, no request keeps others waiting, time linear in its size: reading text", () => {
  it.for(readers)("%s", async ([file, found]) => {
    const module = await modules[file]?.();
    for (const { name, parameters } of found) {
      const run = module?.[name];
      if (run === undefined) continue;
      for (const call of calls(run, parameters))
        for (const shape of SHAPES) expect(await growth(call, shape), name).toBeUndefined();
    }
  });
});

const url = "https://receiver.example";

/** Those whose text lies inside another argument. */
const INSIDE: Record<string, (text: string) => unknown> = {
  "a step's base64": (body) => requestOf("POST", { url, body, bodyBase64Encode: true }),
  "a step's headers": (headers) => requestOf("POST", { url, headers }),
  "a step's query": (body) => requestOf("GET", { url, body }),
  "an Outbound Message": (text) =>
    readSfdcWebhook({ body: text, text: `<a>${text}`, headers: new Headers() }),
  "the tenant of an XML delivery": (text) =>
    partsOf({ route: { tenants: [{ element: "OrganizationId" }] } } as never, { body: text, text }),
  "an instance's name": (name) => newInstance.safeParse({ element: { key: "box" }, name }),
  "a Link header": (text) =>
    nextPosition({ style: "linkHeader" } as never, {
      position: null,
      size: 1,
      answer: [],
      records: [],
      count: 1,
      headers: { get: () => text },
    }),
};

describe("promise 11, no request keeps others waiting, time linear in its size: reading text inside something", () => {
  it.for(Object.entries(INSIDE))("%s", async ([name, call]) => {
    for (const shape of SHAPES) expect(await growth(call, shape), name).toBeUndefined();
  });
});
