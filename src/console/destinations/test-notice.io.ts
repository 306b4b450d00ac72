import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import type { DestinationRecord } from "../../delivery/destination";
import { Refusal } from "../../http/refusal";
import { sendTest } from "../../operations/destinations/test.io";
import type { Notice } from "../page";

/** Sends a test, and says how it was answered. */
export async function testNotice(c: Context<AskerEnv>, record: DestinationRecord): Promise<Notice> {
  try {
    const { status, error, durationMs } = await sendTest(c, record, undefined);
    if (status === null) return { tone: "bad", text: `The test got no answer: ${error}` };
    const tone = status >= 200 && status < 300 ? "good" : "bad";
    return { tone, text: `The test was answered with ${status} in ${durationMs} ms.` };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { tone: "bad", text: error.message };
  }
}
