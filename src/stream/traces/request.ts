import * as z from "zod";
import { decoded } from "../../values/body/charset";
import { isoText } from "../../values/instant";
import { maskedHeaders } from "../../values/secret-text";
import { storedJson } from "../../values/stored-json";
import type { Signed } from "../../values/signature/verify";
import type { KeptTrace } from "./trace";

/** As much of a delivery's body as its trace keeps, in bytes. */
export const KEPT_BYTES = 4_096;
const MOST_HEADERS = 100;
const MOST_HEADER = 2_048;
const MOST_URL = 4_096;

/** Prove who somebody is to us: never kept. Signatures are, since a replay checks them; they aren't shown. */
const DROPPED = /^(?:authorization|proxy-authorization|cookie|cookie2|x-api-key|cf-connecting-ip)$/;

/** A delivery as its trace keeps it: the bytes as sent, from the first on, in base64. */
export const keptRequest = storedJson(
  z.object({
    method: z.string(),
    /** Without its token. */
    url: z.string(),
    headers: z.array(z.tuple([z.string(), z.string()])),
    body: z.string(),
    bytes: z.number(),
    /** Whether nothing is missing: then it can be replayed. */
    isWhole: z.boolean(),
  }),
);
export type KeptRequest = ReturnType<typeof keptRequest.read>;

/** What a trace keeps of a delivery. @param headers all of them. */
export function requestOf(
  { method, url, body }: Signed,
  headers: Iterable<[string, string]>,
): KeptRequest {
  const sent = [...headers].filter(([name]) => !DROPPED.test(name.toLowerCase()));
  const kept = sent
    .slice(0, MOST_HEADERS)
    .filter(([name, value]) => name.length + value.length <= MOST_HEADER);
  const address = withoutToken(url);
  return {
    method,
    url: address.slice(0, MOST_URL),
    headers: kept,
    body: Buffer.from(body.subarray(0, KEPT_BYTES)).toString("base64"),
    bytes: body.byteLength,
    isWhole:
      body.byteLength <= KEPT_BYTES && kept.length === sent.length && address.length <= MOST_URL,
  };
}

function withoutToken(url: string): string {
  const address = new URL(url);
  if (!address.searchParams.has("token")) return url;
  address.searchParams.delete("token");
  return address.href;
}

/** A trace as `/v1` shows it. */
export function traceView({ id, at, outcome, reason, replayedAt, request }: KeptTrace) {
  const { method, url, headers, body, bytes, isWhole } = keptRequest.read(request);
  const raw = Buffer.from(body, "base64");
  const type = headers.find(([name]) => name === "content-type")?.[1] ?? null;
  const text = decoded(raw, type);
  const isText = !text.slice(0, -3).includes("\ufffd");
  return {
    id: String(id),
    at: isoText(at),
    outcome,
    reason,
    replayable: isWhole,
    replayedAt: replayedAt === null ? null : isoText(replayedAt),
    request: {
      method,
      url,
      headers: maskedHeaders(Object.fromEntries(headers)),
      body: isText ? text : body,
      bodyEncoding: isText ? "text" : "base64",
      bytes,
    },
  };
}
