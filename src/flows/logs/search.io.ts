import type { User } from "../../accounts/users/store";
import {
  instanceSource,
  parseNotificationId,
  parseStreamName,
  streamName,
} from "../../stream/stream-name";
import { readKeys } from "../../values/path";
import { userSource } from "../ids";
import { stringOf } from "../modifiers/argument";
import { readOwnFlow, readUserFlows } from "../store";
import { traceView } from "../../stream/traces/request";
import { numericId } from "../../values/whole-number";
import { callHit } from "./calls";
import { type Hit, hitsOf } from "./hits";
import { type Condition, matches } from "./query";
import { readFlowStreams } from "./store";

/** One request looks through so many notifications of a stream at most. */
const MOST_SCANNED = 2_000;
const PAGE = 200;

/**
 * The lines of a user's flows that fit a query. They are made from the notifications of steps, so a log costs
 * nothing until somebody reads it. Runs that the user's app events, webhooks and schedules started lie in the user's
 * own stream, and so do the traces of calls that started none; those that an instance or a resource started lie in its
 * stream, which `flow_streams` names.
 */
export async function searchHits(
  { DB: db, EVENT_STREAMS: streams }: Pick<Env, "DB" | "EVENT_STREAMS">,
  user: User,
  named: string | undefined,
  conditions: readonly Condition[],
): Promise<Hit[]> {
  const flowId =
    named ?? conditions.find(({ field, prefix }) => field === "flowId" && !prefix)?.value;
  const flows = new Map(
    (await readUserFlows(db, user.id, flowId)).map(({ id, flow }) => [id, flow]),
  );
  const own = streamName({ organizationId: user.organizationId, source: userSource(user.id) });
  const found: Hit[] = [];
  for (const name of [own, ...(await readFlowStreams(db, user.id, flowId))]) {
    const stream = streams.getByName(name);
    let before: number | null = null;
    for (let scanned = 0; scanned < MOST_SCANNED; scanned += PAGE) {
      const filter = flowId === undefined ? {} : { flowId };
      const page = await stream.deliveries({ before, limit: PAGE, filter, withEvents: false });
      for (const { notification, id } of page.views) {
        const { envelope } = notification;
        if (envelope.format === "flow-step" && flows.has(envelope.flowId))
          found.push(...hitsOf(notification, id, typesOf(flows)));
      }
      if (page.next === null) break;
      before = page.next;
    }
  }
  const { kept } = await streams.getByName(own).traces();
  const calls = kept.flatMap((trace) => callHit(trace, typesOf(flows)) ?? []);
  found.push(...calls.filter((hit) => flows.has(hit.flowId)));
  return found.filter((hit) => matches(hit, conditions));
}

/** A call of a webhook that started no run, with what was sent. */
export async function readCall(
  { DB: db, EVENT_STREAMS: streams }: Pick<Env, "DB" | "EVENT_STREAMS">,
  { id: userId, organizationId }: User,
  id: string,
): Promise<(Hit & { request: unknown }) | undefined> {
  const traceId = numericId(id);
  if (traceId === undefined) return undefined;
  const stream = streams.getByName(streamName({ organizationId, source: userSource(userId) }));
  const trace = await stream.keptTrace(traceId);
  const flowId = trace === null ? undefined : callHit(trace, () => "")?.flowId;
  const flow = flowId === undefined ? undefined : await readOwnFlow(db, userId, flowId);
  if (trace === null || flow === undefined) return undefined;
  const hit = callHit(trace, typesOf(new Map([[flow.id, flow.flow]])));
  return hit && { ...hit, request: traceView(trace).request };
}

/** One line of a user's flows. Its id is that of the step's notification and which of its lines it is (`in`, `out`). */
export async function readHit(
  { DB: db, EVENT_STREAMS: streams }: Pick<Env, "DB" | "EVENT_STREAMS">,
  { id: userId, organizationId }: User,
  id: string,
): Promise<Hit | undefined> {
  const address = parseNotificationId(id.replace(/\.(in|out)$/, ""));
  if (address === undefined) return undefined;
  const name =
    address.kind === "stream"
      ? address.stream
      : streamName({ organizationId, source: instanceSource(address.instanceId) });
  if (parseStreamName(name).organizationId !== organizationId) return undefined;
  const view = await streams.getByName(name).notification(address.seq);
  const envelope = view?.notification.envelope;
  if (view === null || envelope?.format !== "flow-step") return undefined;
  const flow = await readOwnFlow(db, userId, envelope.flowId);
  if (flow === undefined) return undefined;
  const lines = hitsOf(view.notification, view.id, typesOf(new Map([[flow.id, flow.flow]])));
  return lines.find(({ _id }) => _id === id);
}

/** The type of a component, by the descriptors of these flows. */
const typesOf =
  (flows: ReadonlyMap<string, Record<string, unknown>>) =>
  (flowId: string, componentId: string): string =>
    stringOf(readKeys(flows.get(flowId), [componentId, "type"]));
