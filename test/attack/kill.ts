import { setTimeout as sleep } from "node:timers/promises";
import { step, trigger } from "../flows/components.ts";
import type { Phase } from "./phase.ts";
import { type Arena, eventually } from "./world.ts";

const SENDERS = 6;
const BEFORE_MS = 2_000;

type Accepted = { events: string[]; environments: string[] };

/** `kill -9` of everything in the middle: what was accepted is there, and arrives (the project `kill` has the long forms). */
export const kill: Phase = async (arena) => {
  const { stack, receiver, ours } = arena;
  const things = ours.things();
  const name = `kill-${crypto.randomUUID()}`;
  const told = step({ url: `${receiver.url}/${name}`, body: "{{{$.T.out.data}}}" });
  await things.start(await things.makeFlow({ T: trigger(name), P: told }));
  const accepted: Accepted = { events: [], environments: [] };
  const stop = new AbortController();
  const senders = Array.from({ length: SENDERS }, () =>
    sendUntil(arena, name, accepted, stop.signal),
  );
  await sleep(BEFORE_MS);
  await stack.kill9();
  stop.abort();
  await Promise.all(senders);
  await stack.restart();
  const holes: string[] = [];
  for (const id of accepted.environments) {
    const { status } = await things.apis("GET", `management/v1alpha1/environments/${id}`);
    if (status !== 200) holes.push(`The environment ${id} was accepted and answers ${status}`);
  }
  const arrived = () =>
    new Set(
      receiver.deliveries.filter(({ path }) => path === `/${name}`).map(({ body }) => body?.id),
    );
  const missing = () => accepted.events.filter((id) => !arrived().has(id));
  await eventually(async () => missing().length === 0).catch(() => undefined);
  if (missing().length > 0)
    holes.push(`${missing().length} of ${accepted.events.length} accepted events did not arrive`);
  if (accepted.events.length === 0 || accepted.environments.length === 0)
    holes.push("Nothing was accepted before the kill");
  const figures = [
    {
      "accepted events": accepted.events.length,
      "accepted resources": accepted.environments.length,
      arrived: arrived().size,
      lost: missing().length,
    },
  ];
  return { figures, holes };
};

/** Sends events and makes resources, one after the other; notes what was accepted. */
async function sendUntil(
  { send, ours }: Arena,
  name: string,
  accepted: Accepted,
  signal: AbortSignal,
): Promise<void> {
  const post = (path: string, token: string, body: object) =>
    send({
      method: "POST",
      path,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  while (!signal.aborted) {
    const id = `k-${crypto.randomUUID()}`;
    const event = await post(`/plugins/appmixer/utils/appevents/events/${name}`, ours.user.token, {
      id,
    });
    if (event.status === 200 || event.status === 202) accepted.events.push(id);
    const path = "/apis/management/v1alpha1/environments";
    const made = await post(path, ours.world.apiKey, { name: id });
    if (made.status === 201) accepted.environments.push(id);
    if (event.status === 0) return;
  }
}
