import { readConfig } from "../../config";
import { hopsOf, senderOf } from "../../delivery/own-address";
import { inflatedBody } from "../../http/body";
import { conflict, notFound } from "../../http/refusal";
import type { PolledAs } from "../../instances/polled";
import type { Instance } from "../../instances/instance";
import type { KeptTrace } from "../../stream/traces/trace";
import { type Became, commitDelivery } from "../commit.io";
import { type Arrived, prover } from "../proof";
import { contentOf } from "../readable";
import { doorsOf } from "../registration/register.io";
import { dealt } from "../tenant-parts";
import { instanceSource, streamName } from "../../stream/stream-name";
import { numericId } from "../../values/whole-number";
import { keptRequest } from "../../stream/traces/request";

/** What a kept body may be when it is inflated, as when it came. */
const MOST_BYTES = 8 * 1024 * 1024;

type Doors = { env: Env; polledAs: PolledAs };
type Replayed = Became | { kind: "nothing"; outcome: "refused"; reason: string };

/**
 * Reads a delivery that an instance keeps again, by the connector and the configuration of now. One whose signature did
 * not fit is replayed only if it fits today, as of when it came.
 * @param text The trace's id, as it was sent.
 * @throws Refusal `not-found` when there is none, `conflict` when it was not kept whole, `invalid` when it can't be read.
 */
export async function replayTrace(
  instance: Instance,
  text: string,
  doors: Doors,
): Promise<Replayed> {
  const { organizationId } = instance;
  const source = instanceSource(instance.id);
  const stream = doors.env.EVENT_STREAMS.getByName(streamName({ organizationId, source }));
  const id = numericId(text);
  const trace = id === undefined ? null : await stream.keptTrace(id);
  if (trace === null) throw notFound(`No delivery '${text.slice(0, 100)}' is kept`);
  const became = await replay(instance, trace, doors);
  if (became.kind === "took") await stream.markReplayed(trace.id);
  return became;
}

async function replay(
  instance: Instance,
  trace: KeptTrace,
  { env, polledAs }: Doors,
): Promise<Replayed> {
  const { isWhole, ...request } = keptRequest.read(trace.request);
  if (!isWhole) throw conflict("The delivery was not kept whole");
  const { sessionKey } = readConfig(env);
  const arrived = arrivedOf(request, sessionKey);
  if (!trace.isProved) {
    const proof = prover(arrived, trace.at)(instance);
    if (proof.kind === "unproved")
      return { kind: "nothing", outcome: "refused", reason: proof.reason };
  }
  const { headers, sender } = arrived;
  const transport = { headers, hops: hopsOf(headers, sessionKey), isOwn: sender !== undefined };
  return commitDelivery(instance, dealt(contentOf(arrived)), transport, {
    ...doorsOf(env),
    polledAs,
  });
}

type Kept = Pick<ReturnType<typeof keptRequest.read>, "method" | "url" | "headers" | "body">;

function arrivedOf({ method, url, headers: pairs, body: kept }: Kept, sessionKey: string): Arrived {
  const body = new Uint8Array(Buffer.from(kept, "base64"));
  const headers = new Headers(pairs);
  const isGet = method === "GET";
  const query = new TextEncoder().encode(new URL(url).search.slice(1));
  return {
    method,
    url,
    headers,
    body,
    content: isGet ? query : inflatedBody({ headers }, body, MOST_BYTES),
    contentType: isGet ? "application/x-www-form-urlencoded" : headers.get("content-type"),
    token: undefined,
    sender: senderOf(headers, { url, body }, sessionKey),
  };
}
