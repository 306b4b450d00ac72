import { checkEgress, type EgressPolicy } from "./egress";
import { noAnswer, unreachable } from "./no-answer";
import { privateAddressOf } from "./resolve.client";
import { Deadline } from "./deadline";
import { decoded } from "../values/body/charset";
import { TextSink } from "../values/body/text-sink";
import { concatenate } from "../values/bytes";

export type Outbound = {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
  timeoutMs: number;
  /** At most this much of the answer is read; the rest is dropped and flagged. */
  mostBytes: number;
  /** What sends it in the network's place: with a client certificate. */
  via?: Pick<Fetcher, "fetch">;
};

type Answered = {
  kind: "answered";
  status: number;
  headers: Headers;
  text: string;
  truncated: boolean;
  /** Why the body could not be read to its end. The status stands; the body is what came before. */
  fault?: string;
};
type NotAnswered = { kind: "failed"; error: string } | { kind: "refused"; error: string };

/** An answer as text; its bytes are not kept. */
export type TextAnswer = Answered | NotAnswered;
export type Answer = (Answered & { bytes: Uint8Array }) | NotAnswered;

/**
 * Every outbound request goes through here: the egress guard first, redirects never followed, the answer bounded in
 * time and size. Once a server's status line has come, the request is answered, whatever becomes of the body.
 */
export function request(outbound: Outbound, policy: EgressPolicy): Promise<Answer> {
  return exchange(outbound, policy, (response) => answerOf(response, outbound.mostBytes));
}

/** A body of more than this is large. */
const LARGE_BYTES = 1024 * 1024;

/**
 * A request whose answer may be large. @param makeRoom called before more than a megabyte of it is read, with the most that
 * it may be; the time it takes is none of the other side's.
 */
export function requestText(
  outbound: Outbound,
  policy: EgressPolicy,
  makeRoom: (bytes: number) => Promise<void>,
): Promise<TextAnswer> {
  const { mostBytes } = outbound;
  return exchange(outbound, policy, async ({ status, headers, body }, deadline) => {
    const sink = new TextSink(headers.get("content-type"));
    const end = await readBounded(body, mostBytes, async (chunk) => {
      const isSmall = sink.size <= LARGE_BYTES;
      sink.add(chunk);
      if (!isSmall || sink.size <= LARGE_BYTES) return;
      deadline.stop(Date.now());
      await makeRoom(expectedBytes(headers, mostBytes));
      deadline.run(Date.now());
    });
    return { kind: "answered", status, headers, text: sink.end(), ...end };
  });
}

/** As many as the answer says, unless it is compressed or says nothing. */
function expectedBytes(headers: Headers, most: number): number {
  const said = Number(headers.get("content-length") ?? most);
  return headers.has("content-encoding") || !(said > 0) ? most : Math.min(said, most);
}

type Read<Body> = (response: Response, deadline: Deadline) => Promise<Answered & Body>;

async function exchange<Body>(
  outbound: Outbound,
  policy: EgressPolicy,
  read: Read<Body>,
): Promise<(Answered & Body) | NotAnswered> {
  const verdict = checkEgress(outbound.url, policy);
  if (!verdict.ok) return { kind: "refused", error: verdict.message };
  const hidden = await privateAddressOf(verdict.url.hostname, policy);
  if (hidden !== undefined)
    return {
      kind: "refused",
      error: `Host '${verdict.url.hostname}' resolves to ${hidden}, which is not public`,
    };
  const deadline = new Deadline(outbound.timeoutMs);
  const { signal } = deadline;
  deadline.run(Date.now());
  try {
    const { via, method, headers, body } = outbound;
    const sent = body === undefined ? {} : { body };
    const init = { method, headers, redirect: "manual", signal, ...sent } as const;
    const response = await (via === undefined
      ? fetch(verdict.url, init)
      : via.fetch(verdict.url, init));
    const answer = await read(response, deadline);
    const error = unreachable(answer.status, answer.headers, answer.text);
    if (error !== undefined) return { kind: "failed", error };
    return answer.fault !== undefined && signal.aborted
      ? { ...answer, fault: `The body did not end within ${outbound.timeoutMs} ms` }
      : answer;
  } catch (error) {
    if (signal.aborted)
      return { kind: "failed", error: `No answer within ${outbound.timeoutMs} ms` };
    const message = error instanceof Error ? error.message : String(error);
    return { kind: "failed", error: noAnswer(message, verdict.url.hostname) };
  } finally {
    deadline.stop(Date.now());
  }
}

/** A response whose body is read up to `most` bytes. */
export async function answerOf(
  { body, status, headers }: Response,
  most: number,
): Promise<Extract<Answer, { kind: "answered" }>> {
  const chunks: Uint8Array[] = [];
  const end = await readBounded(body, most, (chunk) => void chunks.push(chunk));
  const size = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const bytes = concatenate(chunks, size);
  const text = decoded(bytes, headers.get("content-type"));
  return { kind: "answered", status, headers, bytes, text, ...end };
}

/** Hands the first `most` bytes of a body over, as they come. */
async function readBounded(
  body: Response["body"],
  most: number,
  take: (chunk: Uint8Array) => Promise<void> | void,
): Promise<{ truncated: boolean; fault?: string }> {
  if (body === null) return { truncated: false };
  const reader = body.getReader();
  let size = 0;
  let truncated = false;
  try {
    while (!truncated) {
      const { done, value } = await reader.read();
      if (done) break;
      const kept: Uint8Array = value.subarray(0, most - size);
      await take(kept);
      size += kept.byteLength;
      truncated = kept.byteLength < value.byteLength;
    }
    if (truncated) await reader.cancel();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { truncated, fault: `The body could not be read: ${reason}` };
  }
  return { truncated };
}
