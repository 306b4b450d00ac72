import { beforeAll, expect, it, vi } from "vitest";
import { ask, foundation, newUser } from "../accounts/ask";
import { eventually, receiver } from "../delivery/build";
import { step } from "./components";

beforeAll(foundation);

it.each(["webhook-id", "idempotency-key"])(
  "takes a call that comes again with its %s once, at each of a flow's webhooks",
  async (name) => {
    const user = await newUser();
    const url = `http://127.0.0.1:9/repeated-${crypto.randomUUID()}`;
    const hook = { type: "appmixer.utils.http.Webhook", source: {} };
    const flow = { T: hook, P: step({ url, body: "{{{$.T.out.data}}}" }) };
    const { flowId } = (
      await ask("POST", "/flows", { token: user.token, body: { name: "F", flow } })
    ).body;
    await ask("POST", `/flows/${flowId}/coordinator`, {
      token: user.token,
      body: { command: "start" },
    });
    const received = receiver(() => new Response());
    const call = async (id: string | undefined, n: number) => {
      const headers: Record<string, string> = id === undefined ? {} : { [name]: id };
      const { status, body } = await ask("POST", `/flows/${flowId}/components/T`, {
        headers,
        body: { n },
      });
      expect(status).toBe(202);
      return body.correlationId as string;
    };
    const first = await call("msg_1", 1);
    expect(await call("msg_1", 2)).toBe(first);
    expect(await call("msg_2", 3)).not.toBe(first);
    expect(await call(undefined, 4)).not.toBe(await call(undefined, 5));
    const bodies = await eventually(async () => {
      const mine = received.filter((one) => one.url === url).map(({ body }) => body);
      return mine.length >= 4 && mine.toSorted();
    });
    expect(bodies).toEqual([1, 3, 4, 5].map((n) => `{"n":${n}}`));
    vi.unstubAllGlobals();
  },
);
