import { type Context, Hono } from "hono";
import { instanceSource, streamName } from "../../stream/stream-name";
import { conflict, notFound } from "../../http/refusal";
import { replayTrace } from "../../inbound/traces/replay.io";
import { traceView } from "../../stream/traces/request";
import { attentionOf } from "../../instances/attention";
import type { Instance } from "../../instances/instance";
import { callbackStates, doorsOf, factsOf, watchInstance } from "../../instances/lookup.io";
import { listInstances } from "../../instances/list.store";
import { readInstanceOf } from "../../instances/store";
import { pollDoors } from "../../polling/doors.io";
import { type PolledNow, pollNow } from "../../polling/poll-now.io";
import { polledAs } from "../../polling/touched";
import { edits, ownAddress } from "../connect/form.io";
import { rowOf } from "../deliveries/list";
import type { Notice } from "../page";
import { leave } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { InstanceList } from "./list";
import { InstancePage } from "./page";
import { healthOf } from "./health";

const PAGE = 50;
const ROWS = 25;
const ALL = { tags: [], searchText: undefined, elementKey: undefined };

export const instancePages = new Hono<ConsoleEnv>()
  .get("/instances", async (c) => {
    const { db, ring } = doorsOf(c);
    const offset = positive(c.req.query("after")) ?? 0;
    const page = { offset, limit: PAGE };
    const { items, total } = await listInstances(db, ring, c.var.asker.organizationId, ALL, page);
    const states = await callbackStates(c, items);
    const listed = await Promise.all(
      items.map(async (instance) => ({
        instance,
        health: healthOf(instance, await streamOf(c, instance).inspect(), states.get(instance.id)),
        attention: attentionOf({ instance, callback: states.get(instance.id), untaken: [] }).length,
      })),
    );
    const next = offset + PAGE < total ? `/console/instances?after=${offset + PAGE}` : null;
    return c.render(<InstanceList items={listed} total={total} next={next} now={Date.now()} />, {
      title: "Instances",
      here: "instances",
      live: true,
    });
  })
  .get("/instances/:id", async (c) => {
    const instance = await instanceOfPath(c);
    const stub = streamOf(c, instance);
    const before = positive(c.req.query("before")) ?? null;
    const [inspected, views, facts, { counts, kept }] = await Promise.all([
      stub.inspect(),
      stub.notifications({ before, limit: ROWS, withEvents: true }),
      factsOf(c, instance),
      stub.traces(),
    ]);
    const last = views.at(-1)?.notification.seq ?? 1;
    return c.render(
      <InstancePage
        instance={instance}
        health={healthOf(instance, inspected, facts.callback)}
        rows={views.map((view) => rowOf(view, instanceSource(instance.id), instance.name))}
        older={
          views.length < ROWS || last === 1
            ? null
            : `/console/instances/${instance.id}?before=${last}`
        }
        attention={attentionOf(facts)}
        address={ownAddress(c, instance, c.var.asker.scopes.includes("write"))}
        untaken={{ counts, traces: kept.slice(0, ROWS).map(traceView) }}
        now={Date.now()}
      />,
      { title: instance.name, here: "instances", live: before === null },
    );
  })
  .post("/instances/:id/poll", async (c) => {
    const instance = await instanceOfPath(c);
    if (instance.disabled || instance.pollerDisabled !== null)
      throw conflict("The instance is disabled");
    const report = await pollNow(instance, pollDoors(c.env));
    return leave(c, `/console/instances/${instance.id}`, noticeOf(report));
  })
  .post("/instances/:id/inbound/:traceId/replay", async (c) => {
    const instance = await instanceOfPath(c);
    const became = await replayTrace(instance, c.req.param("traceId"), { env: c.env, polledAs });
    return leave(c, `/console/instances/${instance.id}`, replayNotice(became));
  })
  .post("/instances/:id/enable", (c) => change(c, true))
  .post("/instances/:id/disable", (c) => change(c, false));

/** The instance a path names; another organization's is as unknown as none. */
export async function instanceOfPath(c: Context<ConsoleEnv>): Promise<Instance> {
  const text = c.req.param("id") ?? "";
  const { db, ring } = doorsOf(c);
  const id = positive(text);
  const { organizationId } = c.var.asker;
  const instance =
    id === undefined ? undefined : await readInstanceOf(db, ring, organizationId, id);
  if (instance === undefined || instance === "another's")
    throw notFound(`No instance '${text.slice(0, 100)}'`);
  return watchInstance(c, instance);
}

function streamOf(c: Context<ConsoleEnv>, { organizationId, id }: Instance) {
  return c.env.EVENT_STREAMS.getByName(streamName({ organizationId, source: instanceSource(id) }));
}

async function change(c: Context<ConsoleEnv>, enabled: boolean): Promise<Response> {
  const { id } = await edits.enable(c, await instanceOfPath(c), enabled);
  const text = enabled
    ? "Enabled: it goes on where it left off."
    : "Disabled: nothing is polled until it is enabled again.";
  return leave(c, `/console/instances/${id}`, { tone: "good", text });
}

function replayNotice(became: Awaited<ReturnType<typeof replayTrace>>): Notice {
  if (became.kind === "nothing")
    return { tone: "bad", text: `Still no event (${became.outcome}): ${became.reason}.` };
  const { events } = became;
  if (events === 0)
    return { tone: "good", text: "Taken: the poll that it woke finds what changed." };
  return { tone: "good", text: `Taken: ${events === 1 ? "1 event" : `${events} events`}.` };
}

function noticeOf(report: PolledNow): Notice {
  switch (report.kind) {
    case "not-polled":
      return { tone: "bad", text: report.reason };
    case "busy":
    case "postponed":
      return { tone: "bad", text: "Another poll of this instance runs; try again in a moment." };
    case "crowded":
      return { tone: "bad", text: "The vendor's rate budget has no room; try again in a moment." };
    case "polled": {
      const failed = report.resources.find(({ error }) => error !== null);
      if (failed !== undefined)
        return { tone: "bad", text: `The vendor refused ${failed.objectType}: ${failed.error}` };
      const found = report.resources.reduce(
        (total, { created, updated, deleted }) => total + created + updated + deleted,
        0,
      );
      return { tone: "good", text: `Polled: ${found === 1 ? "1 change" : `${found} changes`}.` };
    }
  }
}

function positive(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}
