import { hopsOf } from "../../delivery/own-address";
import { inflatedBody } from "../../http/body";
import { conflict } from "../../http/refusal";
import type { PolledAs } from "../../instances/polled";
import type { Instance } from "../../instances/instance";
import type { KeptTrace } from "../../stream/traces/trace";
import { type Became, commitDelivery } from "../commit.io";
import { type Arrived, prover } from "../proof";
import { contentOf } from "../readable";
import { doorsOf } from "../registration/register.io";
import { dealt } from "../tenant-parts";
import { keptRequest } from "../../stream/traces/request";

/** What a kept body may be when it is inflated, as when it came. */
const MOST_BYTES = 8 * 1024 * 1024;

/**
 * Reads a kept delivery again, by the connector and the configuration of now. One whose signature did not fit is replayed
 * only if it fits today, as of when it came.
 * @throws Refusal `conflict` when it was not kept whole; `invalid` when it can't be read.
 */
export async function replayTrace(
  instance: Instance,
  trace: KeptTrace,
  { env, sessionKey, polledAs }: { env: Env; sessionKey: string; polledAs: PolledAs },
): Promise<Became | { kind: "nothing"; outcome: "refused"; reason: string }> {
  const { isWhole, ...request } = keptRequest.read(trace.request);
  if (!isWhole) throw conflict("The delivery was not kept whole");
  const arrived = arrivedOf(request);
  if (!trace.isProved) {
    const proof = prover(arrived, trace.at)(instance);
    if (proof.kind === "unproved")
      return { kind: "nothing", outcome: "refused", reason: proof.reason };
  }
  const transport = { headers: arrived.headers, hops: hopsOf(arrived.headers, sessionKey) };
  return commitDelivery(instance, dealt(contentOf(arrived)), transport, {
    ...doorsOf(env),
    polledAs,
  });
}

function arrivedOf({
  method,
  url,
  headers: pairs,
  body: kept,
}: Pick<ReturnType<typeof keptRequest.read>, "method" | "url" | "headers" | "body">): Arrived {
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
  };
}
