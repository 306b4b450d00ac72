import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import worker from "../../src/index";
import { ownOrganization } from "../organization.ts";
import type { Binding } from "./form.ts";
import { recorded } from "./recorded.ts";

type Replayed = { method: string; on: string; order: number; given: unknown[]; answer: unknown };

/** Instants, in epoch ms, are as far from now as they were from when they were recorded. */
const laterMs = Date.now() - recorded.at;
const LEAST_INSTANT = 1.5e12;
const MOST_INSTANT = 3e12;
/** Texts of this length are ids; shorter ones are words. */
const SHORTEST_ID = 20;
/** An instance that isn't there. */
const NOBODY = 2 ** 40;

let organizationId: number;
/** Texts that an object made up at the time, and what it made up now. */
const madeUp = new Map<string, string>();

beforeEach(async () => {
  ({ id: organizationId } = await ownOrganization());
});

/** An object of its own: what belongs to no organization has a name beside those that are in use. */
const nameOf = (on: string): string =>
  on.startsWith("1/") ? String(today(on)) : `${on} of ${organizationId}`;

/** As it would be said today. */
function today(value: unknown): unknown {
  if (typeof value === "number")
    return value > LEAST_INSTANT && value < MOST_INSTANT ? value + laterMs : value;
  if (typeof value === "string")
    return madeUp.get(value) ?? value.replace(/^1(?=\/)/, String(organizationId));
  if (Array.isArray(value)) return value.map(today);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, today(member)]));
}

/** What today's answer lacks of the one before. What lies deeper depends on what became of deliveries; TypeScript holds it. */
function lacking(before: unknown, now: unknown): string[] {
  if (typeof before !== "object" || before === null || Array.isArray(before))
    return typeof before === typeof now && Array.isArray(before) === Array.isArray(now)
      ? []
      : [`was ${JSON.stringify(before)}, is ${JSON.stringify(now)}`];
  return Object.entries(before).flatMap(([name, member]) => {
    const it: unknown = Object(now)[name];
    if (typeof member === "string" && member.length >= SHORTEST_ID) madeUp.set(member, String(it));
    const isLike = name === "kind" ? it === member : it !== undefined;
    return isLike ? [] : [`${name} was ${JSON.stringify(member)}, is ${JSON.stringify(it)}`];
  });
}

it.each(Object.keys(recorded.calls) as Binding[])(
  "%s answers what the version before asks, with all that it reads",
  async (binding) => {
    const calls: Replayed[] = Object.entries(recorded.calls[binding]).flatMap(([method, some]) =>
      some === "new" ? [] : (some as Omit<Replayed, "method">[]).map((one) => ({ ...one, method })),
    );
    const objects: DurableObjectNamespace = Reflect.get(env, binding);
    const faults: string[] = [];
    for (const { method, on, order, given, answer } of calls.toSorted(
      (a, b) => a.order - b.order,
    )) {
      const object: any = objects.getByName(nameOf(on));
      const now: unknown = await object[method](...(today(given) as unknown[]));
      faults.push(...lacking(answer, now ?? null).map((fault) => `${order} ${method}: ${fault}`));
    }
    expect(faults).toEqual([]);
  },
);

it.each(Object.entries(recorded.messages))(
  "a message of the version before on the queue of %s is read",
  async (queue, bodies) => {
    const timestamp = new Date();
    const messages = bodies.map((body, index) => ({
      id: `${queue}-${index}`,
      timestamp,
      attempts: 1,
      body: { ...(today(body) as object), ...("ids" in body && { ids: [NOBODY] }) },
    }));
    const batch = createMessageBatch(`tributary-${queue}`, messages);
    const context = createExecutionContext();
    await worker.queue(batch as any, env, context);
    const result = await getQueueResult(batch, context);
    expect(messages).not.toEqual([]);
    // What is not read is tried again.
    expect(result).toMatchObject({
      outcome: "ok",
      retryMessages: [],
      retryBatch: { retry: false },
    });
  },
);
