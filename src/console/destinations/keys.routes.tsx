import { type Context, Hono } from "hono";
import { parse } from "../../http/body";
import { rotationRequest } from "../../operations/destinations/fields";
import { destinationOfPath, withHealth } from "../../operations/destinations/lookup.io";
import { rotate } from "../../operations/destinations/rotate.io";
import { namesOfDestinations } from "../names.io";
import { readForm } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { COPY } from "../style";
import { KeysPage } from "./keys";
import { OWNERS } from "./owners.io";

/** A destination's signing keys, and their rotation. */
export const signingKeyPages = new Hono<ConsoleEnv>()
  .get("/destinations/:id/keys", (c) => show(c, undefined))
  .post("/destinations/:id/rotate", async (c) => {
    const record = await destinationOfPath(c);
    const form = await readForm(c);
    const asked = parse(rotationRequest, {
      algorithm: form.get("algorithm") ?? undefined,
      overlapSeconds: Number(form.get("overlapSeconds") ?? 86_400),
    });
    const secret = await rotate(c, OWNERS, record, asked);
    return show(c, asked.algorithm === "v1" ? secret : undefined);
  });

async function show(c: Context<ConsoleEnv>, made: string | undefined): Promise<Response> {
  const record = await destinationOfPath(c);
  const { id } = record.destination;
  const [[item], names] = await Promise.all([
    withHealth(c, [record]),
    namesOfDestinations(c, [id]),
  ]);
  if (item === undefined) throw new Error("A destination is shown as one");
  return c.render(
    <KeysPage name={names.get(id) ?? id} item={item} made={made} now={Date.now()} />,
    {
      title: "Signing keys",
      here: "destinations",
      script: COPY,
    },
  );
}
