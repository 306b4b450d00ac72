import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Things } from "../../accounts/things.ts";
import { type Phase, short } from "../phase.ts";
import { serve } from "../../vendors/server.ts";
import { type Arena, eventually } from "../world.ts";
import { SETTINGS, webhookFlow } from "./settings.ts";
import { hidingUrls, hostileUrls } from "./urls.ts";

const AT_ONCE = 6;

/** Hostile addresses at every setting and every outbound request; a listener on this machine must not be reached. */
export const urls: Phase = async (arena) => {
  const holes: string[] = [];
  const listener = await listen();
  const all = hostileUrls(listener.port);
  if (all.length < 270) holes.push(`Only ${all.length} hostile addresses`);
  const things = arena.ours.things();
  const figures: Record<string, string | number>[] = [];
  const reached = (what: string) => {
    if (listener.calls.length > 0)
      holes.push(`${what}: the listener was reached: ${listener.calls.join()}`);
    listener.calls.length = 0;
  };
  for (const [name, set] of Object.entries(SETTINGS)) {
    let refused = 0;
    for (let from = 0; from < all.length; from += AT_ONCE)
      await Promise.all(
        all.slice(from, from + AT_ONCE).map(async (url) => {
          const { status, body } = await set(things, url);
          if (status === 400) refused += 1;
          else holes.push(`${name} takes ${url}: ${status} ${short(JSON.stringify(body))}`);
        }),
      );
    figures.push({ where: name, addresses: all.length, refused });
    reached(name);
  }
  const called = await outbound(arena, things, all, holes);
  figures.push({
    where: "a step's address from its event",
    addresses: all.length,
    refused: called,
  });
  reached("a step's address from its event");
  const names = hidingUrls();
  const hidden = await resolved(arena, things, names, holes);
  figures.push({ where: "names at hidden addresses", addresses: names.length, refused: hidden });
  reached("names");
  const redirects = await redirected(arena, things, listener.port, holes);
  figures.push({ where: "redirects", addresses: redirects, refused: redirects });
  reached("redirects");
  listener.close();
  return { figures, holes };
};

type Listener = { port: number; calls: string[]; close(): void };

/** Hears whatever comes to any address of this machine. */
async function listen(): Promise<Listener> {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    calls.push(`${request.method} ${request.headers.host}${request.url}`);
    response.end("secret");
  });
  await new Promise<void>((listening) => {
    server.once("error", () => server.listen(0, "0.0.0.0"));
    server.once("listening", listening).listen(0, "::");
  });
  const { port } = server.address() as AddressInfo;
  return { port, calls, close: () => void server.close() };
}

/** A running flow whose step's address comes with its event: how many ended refused. */
async function outbound(
  arena: Arena,
  things: Things,
  all: string[],
  holes: string[],
): Promise<number> {
  const body = { name: "F", flow: webhookFlow("{{{$.W.out.data.url}}}") };
  const { flowId } = (await things.ask("POST", "/flows", body)).body;
  await things.start(flowId);
  const sent = all.map((url) =>
    arena.send({
      method: "POST",
      path: `/flows/${flowId}/components/W`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ url }),
    }),
  );
  await Promise.all(sent);
  const count = async (): Promise<number> => {
    for (let offset = 0; ; offset += 100) {
      const page = `/unprocessed-messages?flowId=${flowId}&limit=100&offset=${offset}`;
      const messages = (await things.ask("GET", page)).body as unknown[];
      if (messages.length < 100) return offset + messages.length;
    }
  };
  await eventually(async () => (await count()) >= all.length).catch(() => undefined);
  const ended = await count();
  if (ended < all.length)
    holes.push(`${all.length - ended} messages to hostile addresses did not end as refused`);
  return ended;
}

/** A callback whose name resolves to where nobody may call. */
async function resolved(
  arena: Arena,
  things: Things,
  names: string[],
  holes: string[],
): Promise<number> {
  let refused = 0;
  for (const url of names) {
    const { id } = await things.create({ "event.notification.callback.url": url });
    const { status, body } = await things.v1("POST", `/destinations/instance-${id}/test`, {});
    if (status === 200 && /resolves to/.test(body.error ?? "")) refused += 1;
    else holes.push(`${url}: ${status} ${short(JSON.stringify(body))}`);
  }
  if (arena.resolver.requests.length === 0) holes.push("The resolver was not asked");
  return refused;
}

/** Callbacks, vendors and a page's `next` that lead to the listener: nobody goes there. */
async function redirected(
  arena: Arena,
  things: Things,
  port: number,
  holes: string[],
): Promise<number> {
  const statuses = [301, 302, 303, 307, 308];
  const places = [`http://127.0.0.2:${port}/`, `http://localhost:${port}/`, `//[::1]:${port}/`];
  for (const status of statuses)
    for (const location of places) {
      const server = await serve(() => ({ status, headers: { location } }));
      const callback = { "event.notification.callback.url": `${server.url}/hook` };
      const { id } = await things.create(callback);
      const tested = await things.v1("POST", `/destinations/instance-${id}/test`, {});
      if (tested.body.status !== status)
        holes.push(
          `A callback's redirect ${status} is told as ${short(JSON.stringify(tested.body))}`,
        );
      const polled = await things.create({ "base.url": server.url });
      await things.v1("POST", `/instances/${polled.id}/poll`);
      const hub = `/elements/api-v2/hubs/crm/accounts`;
      const headers = { authorization: `${things.world.mine}, Element ${polled.token}` };
      await arena.send({ method: "GET", path: hub, headers });
      await server.close();
    }
  await sleep(500);
  return statuses.length * places.length;
}
