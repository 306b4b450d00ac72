import { isUtf8 } from "node:buffer";
import type { Context } from "hono";
import { inflatedBody, parse, parseJson, readBytes } from "../http/body";
import { invalid, limited, Refusal } from "../http/refusal";
import { decoded } from "../values/body/charset";
import { ByteBudget } from "../values/byte-budget";
import { concatenate } from "../values/bytes";
import { JsonScan } from "../values/json-scan";
import { EVENT_BYTES, LARGE_BYTES } from "./payload";
import { type Publication, publication } from "./publication";

/** An event as it was sent. `data`: JSON of one that is too large for a stream, whose publication has null in its place. */
export type Sent = { publication: Publication; data?: Uint8Array };

/** Large bodies that an isolate holds at a time, of its 128 MB: each is there twice while it is read. */
const memory = new ByteBudget(32 * 1_048_576);
const ROOM_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 50;
/** So much of a large body is looked at before others have their turn: some 10 ms. */
const PIECE_BYTES = 524_288;

/**
 * Does `work` with the event that a request publishes. Where a bucket is bound (`takesLarge`), one of more than a mebibyte
 * is taken apart without making a value of its data.
 * @throws Refusal `too-large`, `invalid`; `limited` when other large ones take up the isolate's memory for long.
 */
export async function withSent<T>(
  { req }: Context,
  takesLarge: boolean,
  work: (sent: Sent) => Promise<T>,
): Promise<T> {
  const length = Number(req.header("content-length") ?? 0);
  const limit = takesLarge ? LARGE_BYTES : EVENT_BYTES;
  const isLong = length > EVENT_BYTES && length <= limit;
  let held = isLong ? await room(length) : undefined;
  try {
    const sent = isLong
      ? new Uint8Array(await req.arrayBuffer())
      : await readBytes(req.raw, length > limit ? limit : EVENT_BYTES, more(takesLarge, length));
    const bytes = inflatedBody(req.raw, sent, limit);
    if (bytes.byteLength <= EVENT_BYTES) {
      const text = decoded(bytes, req.header("content-type") ?? null);
      const value = text.trim() === "" ? undefined : parseJson(text);
      return await work({ publication: parse(publication, value) });
    }
    held ??= await room(bytes.byteLength);
    return await work(await takenApart(bytes));
  } finally {
    if (held !== undefined) memory.release(held);
  }
}

/** Waits until there is room for so many bytes. */
async function room(bytes: number): Promise<symbol> {
  for (const until = Date.now() + ROOM_WITHIN_MS; ;) {
    const held = memory.take(bytes, Date.now());
    if (held !== undefined) return held;
    if (Date.now() > until) throw limited("Other large events are being taken: try again", 5);
    await scheduler.wait(LOOK_EVERY_MS);
  }
}

/** What a body that is refused for its size would have to be. */
function more(takesLarge: boolean, length: number): string {
  if (!takesLarge)
    return `: up to ${LARGE_BYTES} are taken where an R2 bucket is bound as PAYLOADS`;
  return length > LARGE_BYTES
    ? ""
    : `: of more, up to ${LARGE_BYTES}, its Content-Length must tell`;
}

/** @throws Refusal unless it is JSON in UTF-8 with one `data`, and all else has at most a mebibyte. */
async function takenApart(bytes: Uint8Array): Promise<Required<Sent>> {
  if (!isUtf8(bytes)) throw invalid("The body is larger than 1 MiB, and not UTF-8");
  const scan = new JsonScan(bytes);
  try {
    for (let until = PIECE_BYTES; scan.read(until); until += PIECE_BYTES) await scheduler.wait(0);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalid(`The body is not valid JSON: ${error.message}`);
  }
  const [member, second] = scan.members.filter(({ name }) => name === "data");
  if (second !== undefined) throw invalid("'data': Expected once", "data");
  const { from, to } = member ?? { from: 0, to: 0 };
  if (bytes.byteLength - (to - from) > EVENT_BYTES)
    throw new Refusal({
      kind: "too-large",
      message: `All but 'data' is larger than ${EVENT_BYTES} bytes`,
    });
  const parts = [bytes.subarray(0, from), Buffer.from("null"), bytes.subarray(to)];
  const rest = concatenate(
    parts,
    parts.reduce((sum, part) => sum + part.byteLength, 0),
  );
  const value = parseJson(new TextDecoder().decode(rest));
  return { publication: parse(publication, value), data: bytes.subarray(from, to) };
}
