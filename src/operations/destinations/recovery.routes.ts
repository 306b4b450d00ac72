import { type Context, Hono } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { troubledStreams } from "../../delivery/exceptions.store";
import { parse, readJson } from "../../http/body";
import { described } from "../../http/described";
import { start } from "../streams.routes";
import { BODY_BYTES, found } from "./lookup.io";
import { since } from "./fields";

/** What could not be delivered, delivered again. */
export const recoveryRoutes = new Hono<AskerEnv>().post(
  "/destinations/:id/recover",
  described("Deliver its dead notifications since an instant again", {
    tag: "destinations",
    body: since,
    bodyExample: { since: "2026-11-20T00:00:00.000Z" },
    status: 202,
    answer: { jobId: "job_1" },
  }),
  async (c) => {
    const { destination } = await found(c);
    const { since: from } = parse(since, await readJson(c, BODY_BYTES));
    return c.json(
      { jobId: await overTroubledStreams(c, destination.id, { kind: "recover", from }) },
      202,
    );
  },
);

/** Paged work over every stream in which a destination has dead or held notifications. */
export async function overTroubledStreams(
  c: Context<AskerEnv>,
  destinationId: string,
  { kind, from }: { kind: "recover" | "release"; from: number },
): Promise<string> {
  const streams = await troubledStreams(c.env.DB, c.var.asker.organizationId, destinationId);
  return start(
    c,
    streams.map(({ stream }) => ({ name: stream, stub: c.env.EVENT_STREAMS.getByName(stream) })),
    {
      kind,
      from,
      to: Date.now(),
      destinationId,
      objectType: null,
      eventType: null,
      fallbackId: null,
    },
    streams.reduce((sum, { n }) => sum + n, 0),
  );
}
