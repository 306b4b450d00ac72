/**
 * What an inbound webhook costs: a delivery of 100 objects, and the CPU time of signature check and parse of
 * a body of 1 MB. `npm run bench` has it in its tables; alone: `node test/bench/inbound.ts`.
 */
import { build } from "esbuild";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { boxHeaders } from "../vendors/box.ts";
import { hubspotHeaders } from "../vendors/hubspot.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import {
  authorization,
  call,
  costOf,
  settledLedger,
  signingSecret,
  startTributary,
} from "./costs.ts";
import { type Cost, costRow, print, round } from "./report.ts";
import { removeFolder, type Running, stopAll } from "./server.ts";

const root = resolve(import.meta.dirname, "../..");
const OBJECTS = 100;
const DELIVERIES = 20;
const APP_SECRET = "the-app-secret";

/** CPU time of one signature check and parse, in milliseconds. */
export type Parsed = { what: string; bytes: number; medianMs: number; mostMs: number };
export type InboundFigures = { costs: Cost[]; answeredMs: number; parsed: Parsed[] };

/** Counts deliveries of 100 objects through the Worker's door, and measures what checks and parses them. */
export async function inboundWebhooks(
  server: Running,
  receiver: Receiver,
  folder: string,
): Promise<InboundFigures> {
  const kept = await deliveries(server, {});
  const told = await deliveries(server, {
    "event.notification.callback.url": `${receiver.url}/inbound`,
    "event.notification.webhook.secret": signingSecret,
  });
  return {
    costs: [
      costOf("object of an inbound webhook of 100", kept.before, kept.after, kept.objects),
      costOf("  delivered too, in fives", told.before, told.after, told.objects),
    ],
    answeredMs: kept.answeredMs,
    parsed: await checkAndParse(folder),
  };
}

const item = (objectId: number, change: object = {}) => ({
  eventId: objectId,
  subscriptionId: 1,
  portalId: 62515,
  occurredAt: 1705422467780,
  subscriptionType: "contact.creation",
  objectId,
  ...change,
});

/** Webhooks of HubSpot for one instance, each of 100 new objects. */
async function deliveries(server: Running, configuration: Record<string, string>) {
  const { id } = await call(server, "POST", "/elements/api-v2/instances", authorization.secrets, {
    element: { key: "hubspot" },
    configuration: {
      "event.vendor.type": "webhook",
      "oauth.api.secret": APP_SECRET,
      ...configuration,
    },
  });
  const url = `${server.url}/elements/api-v2/events/hubspot/${btoa(String(id))}`;
  const times: number[] = [];
  const deliver = async (first: number) => {
    const items = Array.from({ length: OBJECTS }, (_, index) => item(first + index));
    const body = JSON.stringify(items);
    const headers = hubspotHeaders(body, { secret: APP_SECRET, url });
    const began = performance.now();
    const answer = await fetch(url, { method: "POST", body, headers });
    times.push(performance.now() - began);
    if (answer.status !== 200) throw new Error(`The webhook was answered ${answer.status}`);
    await answer.text();
  };
  await deliver(1);
  const before = await settledLedger(server);
  for (let done = 1; done <= DELIVERIES; done += 1) await deliver(1 + done * OBJECTS);
  const after = await settledLedger(server);
  const stream = `/v1/streams/instance:${id}/events?limit=1`;
  const { head } = await call(server, "GET", stream, authorization.key);
  if (head !== OBJECTS * (DELIVERIES + 1))
    throw new Error(`Expected ${OBJECTS * (DELIVERIES + 1)} events, got ${head}`);
  const answeredMs = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
  return { before, after, objects: OBJECTS * DELIVERIES, answeredMs };
}

/**
 * The platform's own modules, bundled and run in this process: its CPU time can be read here, and in the
 * Workers runtime it can't.
 */
async function checkAndParse(folder: string): Promise<Parsed[]> {
  const outfile = join(folder, "inbound.mjs");
  await build({
    stdin: {
      contents: `
        export { findConnector } from "./src/connectors/catalog";
        export { extract } from "./src/inbound/extract";
        export { parseContent } from "./src/inbound/content";
        export { verifySignature } from "./src/values/signature/verify";`,
      resolveDir: root,
    },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "error",
    banner: {
      js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`,
    },
  });
  const inbound = await import(pathToFileURL(outfile).href);
  const url = "https://events.example.com/elements/api-v2/events/hubspot";
  const megabyte = (items: object[], member: object) => {
    const left = 1_048_576 - JSON.stringify([...items, item(0, member)]).length;
    return JSON.stringify([...items, item(0, { ...member, propertyValue: "é/".repeat(left / 3) })]);
  };
  const few = megabyte([], {});
  const many = JSON.stringify(
    Array.from({ length: 4_900 }, (_, index) => item(index + 1, { note: "x".repeat(50) })),
  );
  const escaped = JSON.stringify({
    id: "1",
    trigger: "FILE.RENAMED",
    source: { id: "7", type: "file", name: "é/".repeat(350_000) },
  });
  const signedByBox = boxHeaders(spelledByBox(escaped), APP_SECRET);
  const cases = [
    {
      what: "hubspot, one large object",
      key: "hubspot",
      body: few,
      headers: hubspotHeaders(few, { secret: APP_SECRET, url }),
    },
    {
      what: "hubspot, 4,900 objects",
      key: "hubspot",
      body: many,
      headers: hubspotHeaders(many, { secret: APP_SECRET, url }),
    },
    { what: "box, signed as escaped JSON", key: "box", body: escaped, headers: signedByBox },
  ];
  const parsed: Parsed[] = [];
  for (const { what, key, body, headers } of cases) {
    const { webhook } = inbound.findConnector(key);
    const bytes = new TextEncoder().encode(body);
    const once = async () => {
      const request = { method: "POST", url, headers: new Headers(headers), body: bytes };
      const keys = { primary: APP_SECRET, secondary: null, algorithm: null };
      const verdict = inbound.verifySignature(webhook.signatures, request, keys, Date.now());
      if (verdict.kind !== "valid") throw new Error(`${what}: ${verdict.reason}`);
      const content = inbound.parseContent(bytes, "application/json");
      const read = await inbound.extract(webhook.extraction, {
        ...content.content,
        headers: request.headers,
      });
      if (read.kind !== "extracted" || read.changes.length === 0)
        throw new Error(`${what}: nothing was read`);
    };
    for (let warm = 0; warm < 5; warm += 1) await once();
    const times: number[] = [];
    for (let run = 0; run < 30; run += 1) {
      const before = process.cpuUsage();
      await once();
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / 1000);
    }
    times.sort((a, b) => a - b);
    parsed.push({
      what,
      bytes: bytes.length,
      medianMs: times[15] ?? Number.NaN,
      mostMs: times.at(-1) ?? Number.NaN,
    });
  }
  return parsed;
}

/** As Box spells JSON before it signs it, made here by the book. */
const spelledByBox = (text: string) =>
  text
    .replaceAll("/", "\\/")
    .replace(
      /[\u007f-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );

export function parsedRow({
  what,
  bytes,
  medianMs,
  mostMs,
}: Parsed): Record<string, string | number> {
  return {
    "signature check and parse": what,
    bytes,
    "CPU ms, median": round(medianMs),
    most: round(mostMs),
  };
}

if (import.meta.main) {
  const folder = mkdtempSync(join(tmpdir(), "tributary-bench-"));
  process.once("exit", () => {
    stopAll();
    removeFolder(folder);
  });
  const server = await startTributary(join(folder, "tributary"));
  const receiver = await startReceiver({ secret: signingSecret });
  const { costs, answeredMs, parsed } = await inboundWebhooks(server, receiver, folder);
  print(costs.map(costRow));
  console.log(`a webhook of ${OBJECTS} objects is durable and answered in ${round(answeredMs)} ms`);
  print(parsed.map(parsedRow));
  process.exit(0);
}
