import type { Config } from "../config";
import type { Connector } from "../connectors/definition";
import { request } from "../http/client";
import type { RateSlots } from "./budget/limit";
import { readAnswer, type ReadAnswer } from "./answer";
import type { VendorRequest } from "./request";

/**
 * `streams` takes the news that an instance must be authenticated again; `slots` is what each request of the
 * vendor waits for, where the vendor limits them.
 */
export type HubDoors = {
  db: D1Database;
  config: Config;
  streams: Env["EVENT_STREAMS"];
  slots?: RateSlots | undefined;
};

const TIMEOUT_MS = 30_000;
const MOST_BYTES = 10 * 1024 * 1024;

/** One request of a vendor's API, through the egress guard; `text` is its answer as it came. */
export async function send(
  connector: Connector,
  { url, method, headers, body }: VendorRequest,
  { config }: Pick<HubDoors, "config">,
): Promise<{ answer: ReadAnswer; text: string }> {
  const answer = await request(
    {
      url,
      method,
      headers,
      timeoutMs: TIMEOUT_MS,
      mostBytes: MOST_BYTES,
      ...(body === undefined ? {} : { body }),
    },
    config.egress,
  );
  const text = answer.kind === "answered" ? answer.text : "";
  return { answer: readAnswer(answer, connector.name, Date.now()), text };
}
