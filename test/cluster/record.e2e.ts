import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, it } from "vitest";
import type { TickPart } from "../../src/db/tick-parts.ts";
import type { Binding, Given, MethodOf } from "../contract/form.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { type Example, type Recording, shapeOf } from "./recording.ts";
import { appEvents, polls, resources } from "./scenario.ts";

/**
 * Writes `contract/recorded.ts`: what this version says to objects and queues. It runs when it is asked for, at a release
 * (`npm run contract`).
 */

const FILE = join(import.meta.dirname, "../contract/recorded.ts");
const STREAM = "1/scope:management/Environment/both-0";
const LATEST = 4e12;
/** One of each kind; a tick of this little needs none. */
const PARTS: TickPart[] = [
  { kind: "flows", minute: 1, after: null, upTo: { minute: 1, row: 0 } },
  { kind: "logs", logs: [] },
  { kind: "aged-logs", before: 0, organizationIds: [] },
];

it.runIf(inject("isRecording"))("what isolates, objects and queues say is recorded", async () => {
  const cluster = await startCluster({ isolates: 1, spares: 0, seed: 17, isRecorded: true });
  try {
    await appEvents(cluster, 3);
    await resources(cluster, 3, 1);
    await polls(cluster, 1);
    await rest(cluster);
    writeFileSync(FILE, fileOf(await cluster.recorded()));
    expect(cluster.errors).toEqual([]);
  } finally {
    await cluster.stop();
  }
});

/** What the others don't come to ask. */
async function rest(cluster: Cluster): Promise<void> {
  const asker =
    <B extends Binding>(binding: B, name: string) =>
    <M extends MethodOf<B>>(method: M, ...given: Given<B, M>) =>
      cluster.ask({ on: [binding, name], method, given });
  await askStream(asker("EVENT_STREAMS", STREAM));
  const budget = asker("VENDOR_BUDGETS", "1/dropbox");
  const one = { account: "a", wanted: 2, ratePerSecond: 5, again: false };
  await budget("reserve", [one]);
  await budget("spend", "a", 5);
  await budget("pause", "a", cluster.now() + 60_000);
  await budget("enter", "a", "poll-1");
  await budget("enter", "a", "poll-2", { name: "line", again: false });
  await budget("leave", "a", "poll-1");
  await budget("wait", [1, 2], cluster.now() + 2_000, false);
  await budget("upkeep");
  await budget("erase");
  const endpoint = asker("ENDPOINTS", "1/http://127.0.0.1:1/held");
  await endpoint("hold", { id: "isolate", busy: 1, turn: 1 });
  await endpoint("parkedStreams", "webhook");
  await endpoint("leave", "webhook");
  await endpoint("upkeep");
  await endpoint("erase");
}

type AskStream = <M extends MethodOf<"EVENT_STREAMS">>(
  method: M,
  ...given: Given<"EVENT_STREAMS", M>
) => Promise<void>;
async function askStream(stream: AskStream): Promise<void> {
  await stream("renew", "a-lease");
  await stream("inspect");
  await stream("readState", ["a"]);
  await stream("readStatePage", "a", "", 10);
  await stream("bodies", 1, [1]);
  await stream("notificationBodies", [1, 2]);
  await stream("total");
  await stream("notificationsAt", { offset: 0, limit: 2 });
  await stream("createdAt", [0]);
  await stream("eventsBefore", { before: null, limit: 2, withDeliveries: true });
  await stream("eventAt", 1);
  await stream("event", "unknown");
  await stream("tally", { from: 0, to: LATEST, intervalMs: LATEST });
  await stream("meter");
  await stream("extendLeases", [{ bundle: 1, leaseUntil: LATEST }]);
  await stream("acknowledge", 1, { hides: true });
  await stream("resume", "webhook", null);
  await stream("cancel", 999);
  const trace = {
    at: 1,
    outcome: "refused",
    reason: "Unknown",
    isProved: true,
    request: "",
  } as const;
  await stream("noteTrace", trace, 1);
  await stream("traces");
  await stream("untaken");
  await stream("keptTrace", 1);
  await stream("markReplayed", 1);
  await stream("expunge", "APIService", "both-0");
  await stream("upkeep", { isOwnerless: false });
  await stream("erase");
}

/** The module, one call a line. */
function fileOf({ asked, messages }: Recording): string {
  const ordered = asked.toSorted((a, b) => a.at - b.at);
  const calls: Record<string, Record<string, unknown[]>> = {};
  const objects = telling(ordered);
  for (const [order, { on, method, given, answer = null }] of ordered.entries()) {
    const [binding, name] = on;
    if (objects.has(on.join(" ")))
      ((calls[binding] ??= {})[method] ??= []).push({ on: name, order, given, answer });
  }
  const onQueues = (name: string) =>
    Object.entries(messages).flatMap(([queue, bodies]) =>
      queue.startsWith(`tributary-${name}`) ? bodies : [],
    );
  return `import type { Recorded } from "./form.ts";

/** Written by \`npm run contract\`. */
export const recorded: Recorded = {
  at: ${ordered[0]?.at ?? 0},
  calls: {
${Object.entries(calls)
  .map(([binding, methods]) => `    ${binding}: {\n${listed(methods)}    },\n`)
  .join("")}  },
  messages: {
${listed({ polls: onQueues("polls"), deliveries: onQueues("deliveries"), ticks: PARTS })}  },
};
`;
}

/** The objects of which a call has a shape that none before has: what others were asked says nothing more. */
function telling(asked: readonly Example[]): Set<string> {
  const byObject = Map.groupBy(asked, ({ on }) => on.join(" "));
  const seen = new Set<string>();
  const kept = new Set<string>();
  for (const [name, calls] of [...byObject].toSorted(([, a], [, b]) => b.length - a.length))
    for (const { on, method, given, answer } of calls) {
      const shape = `${on[0]} ${method} ${shapeOf(given)} ${shapeOf(answer)}`;
      if (seen.has(shape)) continue;
      seen.add(shape);
      kept.add(name);
    }
  return kept;
}

const listed = (lists: Record<string, unknown[]>): string =>
  Object.entries(lists)
    .map(([name, list]) => {
      const lines = list.map((one) => `        ${JSON.stringify(one)},\n`);
      return `      ${name}: [\n${lines.join("")}      ],\n`;
    })
    .join("");
