import { type Context, Hono } from "hono";
import { forbidden } from "../../http/refusal";
import { changeDestination } from "../../operations/destinations/endpoint.io";
import { recover } from "../../operations/destinations/recovery.io";
import { revive } from "../../operations/destinations/revive.io";
import { rotate } from "../../operations/destinations/rotate.io";
import { RECOVER } from "../destinations/page";
import { testNotice } from "../destinations/test-notice.io";
import { addressOf } from "./endpoints";
import { endpointOfPath } from "./lookup.io";
import { OVERLAPS, SecretPage } from "./secret";
import { formOf, type PortalEnv, portalOf } from "./session.io";
import { leave } from "../visitors/show.io";
import { show } from "./show.io";

const HOUR_MS = 3_600_000;

/** How an endpoint is served: its secret, a test, off and on, and what died sent again. */
export const servingPages = new Hono<PortalEnv>()
  .get("/endpoints/:id/signing-secret", async (c) => {
    const record = await endpointOfPath(c);
    if (portalOf(c).access !== "write")
      throw forbidden("Whoever has the secret can forge messages: you may only look");
    return show(c, <SecretPage record={record} now={Date.now()} />, {
      title: "Signing secret",
      here: "endpoints",
    });
  })
  .post("/endpoints/:id/rotate", async (c) => {
    const record = await endpointOfPath(c);
    const chosen = formOf(c).get("overlap");
    const [overlapSeconds, words] =
      OVERLAPS.find(([seconds]) => String(seconds) === chosen) ?? OVERLAPS[1];
    await rotate(c, {}, record, { overlapSeconds, algorithm: "v1" });
    const text = `The secret is renewed; the old one ${words}.`;
    return leave(c, `${addressOf(record.destination.id)}/signing-secret`, { tone: "good", text });
  })
  .post("/endpoints/:id/test", async (c) => {
    const record = await endpointOfPath(c);
    return back(c, await testNotice(c, record));
  })
  .post("/endpoints/:id/enable", async (c) => {
    const { destination } = await endpointOfPath(c);
    const total = await revive(c, destination);
    const left = total === 0 ? "Nothing had waited." : `${messages(total)} sent now.`;
    return back(c, { tone: "good", text: `It is on. ${left}` });
  })
  .post("/endpoints/:id/disable", async (c) => {
    await changeDestination(c, await endpointOfPath(c), { enabled: false });
    return back(c, { tone: "good", text: "It is off: nothing is sent to it." });
  })
  .post("/endpoints/:id/recover", async (c) => {
    const record = await endpointOfPath(c);
    const chosen = formOf(c).get("hours");
    const [hours] = RECOVER.find(([choice]) => String(choice) === chosen) ?? RECOVER[1];
    const { total, because } = await recover(c, record, Date.now() - hours * HOUR_MS);
    const text = because ?? `${messages(total)} sent again.`;
    return back(c, { tone: because === null ? "good" : "bad", text });
  });

const back = (c: Context<PortalEnv>, notice: Parameters<typeof leave>[2]): Promise<Response> =>
  leave(c, addressOf(c.req.param("id") ?? ""), notice);

const messages = (n: number): string => (n === 1 ? "1 message is" : `${n} messages are`);
