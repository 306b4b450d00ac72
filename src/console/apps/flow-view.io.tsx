import type { Context } from "hono";
import { readEndUser } from "../../accounts/users/admin.store";
import { userNames } from "../../accounts/users/names.store";
import { streamOf } from "../../app-events/publish.io";
import { readConfig } from "../../config";
import type { Flow } from "../../flows/flow";
import { callHit } from "../../flows/logs/calls";
import { readFlowStreams } from "../../flows/logs/store";
import { countFlowsFrom, flowsFrom, instancesOf } from "../../flows/templates/store";
import { listUnprocessed, type Unprocessed } from "../../flows/unprocessed/store";
import { allFaults } from "../../flows/validation/refusals";
import { webhookUrl } from "../../flows/webhook-url";
import { numericId } from "../../values/whole-number";
import { baseUrlOf } from "../overview/routes";
import type { ConsoleEnv } from "../session/session.io";
import type { FormFault } from "../form";
import { FlowPage, type FlowShown } from "./flow";
import { type Drawn, stepsOf } from "./steps";
import type { Typed } from "./user";
import { nameOf } from "./users";

const ROWS = 25;
const MESSAGES = 25;
const ACTIVATIONS = 50;

/** The page of one flow. */
export async function showFlow(
  c: Context<ConsoleEnv>,
  flow: Flow,
  typed: { faults?: FormFault[]; shareFaults?: FormFault[] } = {},
): Promise<Response> {
  const drawn = stepsOf(flow.flow);
  const after = placeOfMessage(c.req.query("after"));
  const [owner, messages, ran, activations] = await Promise.all([
    readEndUser(c.env.DB, flow.organizationId, flow.userId),
    listUnprocessed(c.env.DB, flow.userId, {
      flowId: flow.id,
      limit: MESSAGES,
      ...(after === undefined ? {} : { after }),
    }),
    runsOf(c, flow, drawn),
    activationsOf(c, flow),
  ]);
  return c.render(
    <FlowPage
      flow={flow}
      owner={owner === undefined ? "a user who is gone" : nameOf(owner)}
      drawn={drawn}
      refused={typed.faults ?? []}
      faults={flow.stage === "running" ? [] : allFaults(flow, readConfig(c.env).egress)}
      addresses={(drawn?.steps ?? [])
        .filter(({ trigger }) => trigger === "webhook")
        .map((step) => ({ step, url: webhookUrl(baseUrlOf(c), flow.id, step.id) }))}
      messages={messages}
      nextMessages={nextMessages(flow, messages)}
      activations={activations}
      event={testEvent(drawn)}
      shareFaults={typed.shareFaults ?? []}
      now={Date.now()}
      {...ran}
    />,
    { title: flow.name === "" ? "Flow" : flow.name, here: "apps" },
  );
}

/**
 * What ran, and what was called in vain. Runs that instances and resources start lie in the streams of those; others,
 * and the traces of calls, in the user's.
 */
async function runsOf(
  c: Context<ConsoleEnv>,
  flow: Flow,
  drawn: Drawn | undefined,
): Promise<Pick<FlowShown, "views" | "older" | "calls">> {
  const before = numericId(c.req.query("before") ?? "") ?? null;
  const own = streamOf(c.env.EVENT_STREAMS, { ...flow, id: flow.userId });
  const isElsewhere = (drawn?.steps ?? []).some(
    ({ trigger }) => trigger === "instance" || trigger === "resource",
  );
  const [elsewhere] = isElsewhere ? await readFlowStreams(c.env.DB, flow.userId, flow.id) : [];
  const stream = elsewhere === undefined ? own : c.env.EVENT_STREAMS.getByName(elsewhere);
  const filter = { flowId: flow.id };
  const [{ views, next }, { kept }] = await Promise.all([
    stream.deliveries({ before, limit: ROWS, filter, withEvents: true }),
    own.traces(),
  ]);
  return {
    views,
    older: next === null ? null : `/console/apps/flows/${flow.id}?before=${next}`,
    calls: kept
      .flatMap((trace) => callHit(trace, () => "") ?? [])
      .filter(({ flowId }) => flowId === flow.id)
      .slice(0, ROWS),
  };
}

/** Who activated a template; undefined of other flows. */
async function activationsOf(
  c: Context<ConsoleEnv>,
  flow: Flow,
): Promise<FlowShown["activations"]> {
  if (flow.type !== "integration-template") return undefined;
  const after = c.req.query("activated") ?? "";
  const [made, total] = await Promise.all([
    flowsFrom(c.env.DB, instancesOf(flow), after, ACTIVATIONS),
    countFlowsFrom(c.env.DB, instancesOf(flow)),
  ]);
  const found = await userNames(
    c.env.DB,
    flow.organizationId,
    made.map(({ userId }) => userId),
  );
  const names = new Map(found.map(({ id, name }) => [id, name]));
  const last = made.at(-1);
  return {
    items: made.map(({ id, name, userId, stage }) => ({
      id,
      name,
      userId,
      stage,
      user: names.get(userId) ?? "a user who is gone",
    })),
    total,
    next:
      last === undefined || made.length < ACTIVATIONS
        ? null
        : `/console/apps/flows/${flow.id}?activated=${encodeURIComponent(last.id)}`,
  };
}

/** A first event for the form: of the flow's first trigger that listens to one, with its example. */
function testEvent(drawn: Drawn | undefined): Typed | undefined {
  const step = drawn?.steps.find(({ trigger }) => trigger === "app-event");
  const properties = step && drawn?.descriptor.get(step.id)?.properties;
  if (properties === undefined) return undefined;
  const { event, eventDataExample } = properties;
  const values = {
    event: typeof event === "string" ? event : "",
    data: typeof eventDataExample === "string" ? eventDataExample : "{}",
  };
  return { faults: [], values };
}

/** `<created at>.<id>` of the last message of the page before. */
function placeOfMessage(text = ""): Pick<Unprocessed, "createdAt" | "id"> | undefined {
  const [, createdAt, id] = /^(\d{1,15})\.(\S{1,200})$/.exec(text) ?? [];
  return createdAt === undefined || id === undefined
    ? undefined
    : { createdAt: Number(createdAt), id };
}

function nextMessages(flow: Flow, rows: readonly Unprocessed[]): string | null {
  const last = rows.at(-1);
  return last === undefined || rows.length < MESSAGES
    ? null
    : `/console/apps/flows/${flow.id}?after=${last.createdAt}.${encodeURIComponent(last.id)}`;
}
