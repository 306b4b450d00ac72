import type { Config } from "../config";
import type { Connector } from "../connectors/definition";
import { requestText } from "../http/client";
import { Held } from "./memory.io";
import type { RateSlots } from "./budget/limit";
import type { Course } from "./course";
import { readAnswer, type ReadAnswer } from "./answer";
import type { VendorRequest } from "./request";

/**
 * What a call of a vendor needs of the platform. `streams`: operators are told through one when an instance must be
 * authenticated again. `slots`: paces the requests where the vendor has a rate limit. `course`: a poll's.
 */
export type HubDoors = {
  db: D1Database;
  config: Config;
  streams: Env["EVENT_STREAMS"];
  slots?: RateSlots | undefined;
  course?: Course;
};

const TIMEOUT_MS = 30_000;
const MOST_BYTES = 10 * 1024 * 1024;

/**
 * One request of a vendor's API, through the egress guard. `text` is the answer's unparsed body. A large one holds a part of
 * the isolate's memory until it is parsed, or a poll until it has committed it (`Course.hold`).
 */
export async function send(
  connector: Connector,
  { url, method, headers, body }: VendorRequest,
  { config, course }: Pick<HubDoors, "config" | "course">,
): Promise<{ answer: ReadAnswer; text: string }> {
  const held = new Held();
  const outbound = {
    url,
    method,
    headers,
    timeoutMs: TIMEOUT_MS,
    mostBytes: MOST_BYTES,
    ...(body === undefined ? {} : { body }),
  };
  try {
    const answer = await requestText(outbound, config.egress, (bytes) => held.makeRoom(bytes));
    const text = answer.kind === "answered" ? answer.text : "";
    held.shrink(text.length);
    return { answer: readAnswer(answer, connector.name, Date.now()), text };
  } finally {
    if (course === undefined) held.release();
    else course.hold(held);
  }
}
