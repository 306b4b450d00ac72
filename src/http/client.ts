import { checkEgress, type EgressPolicy } from "./egress";
import { noAnswer, unreachable } from "./no-answer";
import { privateAddressOf } from "./resolve.client";
import { decoded } from "../values/body/charset";
import { concatenate } from "../values/bytes";

export type Outbound = {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
  timeoutMs: number;
  /** At most this much of the answer is read; the rest is dropped and flagged. */
  mostBytes: number;
};

export type Answer =
  | {
      kind: "answered";
      status: number;
      headers: Headers;
      bytes: Uint8Array;
      text: string;
      truncated: boolean;
      /** Why the body could not be read to its end. The status stands; `bytes` is what came before. */
      fault?: string;
    }
  | { kind: "failed"; error: string }
  | { kind: "refused"; error: string };

/**
 * Every outbound request goes through here: the egress guard first, redirects never followed, the answer bounded in
 * time and size. Once a server's status line has come, the request is answered, whatever becomes of the body.
 */
export async function request(outbound: Outbound, policy: EgressPolicy): Promise<Answer> {
  const verdict = checkEgress(outbound.url, policy);
  if (!verdict.ok) return { kind: "refused", error: verdict.message };
  const hidden = await privateAddressOf(verdict.url.hostname, policy);
  if (hidden !== undefined)
    return {
      kind: "refused",
      error: `Host '${verdict.url.hostname}' resolves to ${hidden}, which is not public`,
    };
  const signal = AbortSignal.timeout(outbound.timeoutMs);
  try {
    const response = await fetch(verdict.url, {
      method: outbound.method,
      headers: outbound.headers,
      redirect: "manual",
      signal,
      ...(outbound.body === undefined ? {} : { body: outbound.body }),
    });
    const answer = await answerOf(response, outbound.mostBytes);
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
  }
}

/** A response whose body is read up to `most` bytes. */
export async function answerOf(
  response: Response,
  most: number,
): Promise<Extract<Answer, { kind: "answered" }>> {
  const { bytes, ...end } = await readBounded(response, most);
  const { status, headers } = response;
  return {
    kind: "answered",
    status,
    headers,
    bytes,
    text: decoded(bytes, headers.get("content-type")),
    ...end,
  };
}

async function readBounded(
  response: Response,
  most: number,
): Promise<{ bytes: Uint8Array; truncated: boolean; fault?: string }> {
  if (response.body === null) return { bytes: new Uint8Array(), truncated: false };
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let truncated = false;
  try {
    while (!truncated) {
      const { done, value } = await reader.read();
      if (done) break;
      const kept: Uint8Array = value.subarray(0, most - size);
      chunks.push(kept);
      size += kept.byteLength;
      truncated = kept.byteLength < value.byteLength;
    }
    if (truncated) await reader.cancel();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const fault = `The body could not be read: ${reason}`;
    return { bytes: concatenate(chunks, size), truncated, fault };
  }
  return { bytes: concatenate(chunks, size), truncated };
}
