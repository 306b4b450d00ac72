import type { Context } from "hono";
import { readConfig } from "../../config";
import type { Attempt } from "../../delivery/attempt";
import { post } from "../../delivery/callback.client";
import { transformBody } from "../../expressions/transform";
import { addressLimit } from "../../http/address-limit";
import { destinationOf } from "../../instances/destination";
import { isoText } from "../../values/instant";
import type { ConsoleEnv } from "../session/session.io";
import type { Sent, Subject } from "./form.io";

const URL_KEY = "event.notification.callback.url";
/** Tests of one member in a minute, as in `wrangler.toml`. */
const MOST_TESTS = 10;
const countTest = addressLimit(MOST_TESTS);

/** What a test came to; or what is wrong, and with which setting. */
export type Tested = { ok: true; attempt: Attempt } | { ok: false; key: string; message: string };

/**
 * Sends a sample to the callback of an instance as it stands in its form, as a delivery is sent: guarded, transformed and
 * signed with the keys that were typed. Nothing is stored, and nothing is tried again.
 */
export async function tryCallback(
  c: Context<ConsoleEnv>,
  { instance }: Subject,
  { merged }: Sent,
): Promise<Tested> {
  const { asker } = c.var;
  const config = readConfig(c.env);
  const { organizationId } = asker;
  const destination = destinationOf(
    { id: instance?.id ?? 0, organizationId, configuration: merged },
    config.egress,
  );
  if (!destination.ok) return fault(destination.field.replace(/^configuration\./, ""), destination);
  const { draft } = destination;
  const { url } = draft;
  if (url === null) return fault(URL_KEY, { message: "Expected an address to send the test to" });
  const now = Date.now();
  const seconds = await countTest(c.env.CALLBACK_TESTS, asker.name, now);
  if (seconds !== undefined)
    return fault(URL_KEY, { message: `Too many tests: again in ${seconds} seconds` });
  const sample = JSON.stringify({ type: "test", timestamp: isoText(now) });
  const body = await transformBody(draft.policy?.transform, sample);
  if (!body.ok) return fault("event.notification.transform", body);
  const item = {
    seq: 1,
    n: 1,
    tries: 0,
    destinationId: draft.id,
    id: `test_${crypto.randomUUID()}`,
    createdAt: now,
    parked: false,
    forced: true,
    noted: false,
    body: body.text,
  };
  const { signingSecret: secret } = draft;
  const signers = secret === undefined ? [] : [{ algorithm: "v1" as const, secret }];
  const { attempt } = await post({ ...draft, url, query: {}, signers }, item, { config }, now);
  return { ok: true, attempt };
}

const fault = (key: string, { message }: { message: string }): Tested => ({
  ok: false,
  key,
  message,
});
