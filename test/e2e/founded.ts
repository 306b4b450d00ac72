import { memberOf, signUp, worldOf } from "../attack/world.ts";
import { send } from "../attack/client.ts";
import { Things, type World } from "../accounts/things.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { startSandbox } from "../vendors/sandbox.ts";
import type { Platform } from "./stack.ts";

type Person = { email: string; password: string };

/** An organization of its own on the shared stack, and things in it that are made when they are asked for. */
export type Founded = {
  things: Things;
  /** Where its callbacks arrive. */
  receiver: Receiver;
  owner: Person;
  viewer: Person;
  /** Makes so many accounts of which nothing can be heard that the overview doesn't show them all. */
  trouble: () => Promise<void>;
  close: () => Promise<void>;
};

export async function found(stack: Platform): Promise<Founded> {
  const [receiver, sandbox] = await Promise.all([
    startReceiver({
      respond: ({ path }) => ({ status: path.startsWith("/refused") ? 422 : 200 }),
    }),
    startSandbox({ rateLimitPerMinute: Infinity }),
  ]);
  const owner = {
    email: `ada-${crypto.randomUUID().slice(0, 8)}@engines.example`,
    password: "a-good-password-of-ada",
  };
  const { body } = await stack.call("POST", "/v1/organizations", {
    name: "Analytical Engines",
    ...owner,
  });
  const post = (sent: Parameters<typeof send>[1]) =>
    send(stack.baseUrl, { ...sent, headers: { origin: stack.baseUrl, ...sent.headers } });
  const mine = `User ${body.userSecret}, Organization ${body.organizationSecret}`;
  const world: World = {
    ...worldOf({ post, receiver, sandbox }, mine, mine),
    apiKey: body.apiKey,
    owner,
  };
  const things = new Things(await signUp(world), world);
  return {
    things,
    receiver,
    owner,
    viewer: await memberOf(world, "viewer"),
    async trouble() {
      const draft = (_: unknown, at: number) => ({
        element: { key: "github" },
        configuration: { "event.vendor.type": "webhook" },
        name: `Issues of a customer with quite a long name, number ${at}`,
      });
      const drafts = Array.from({ length: 7 }, draft);
      await Promise.all(drafts.map((one) => things.elements("POST", "/instances", one)));
    },
    async close() {
      await Promise.all([receiver.close(), sandbox.close()]);
    },
  };
}
