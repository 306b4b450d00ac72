import { parseRetryAfter } from "../../delivery/backoff";
import type { Answer } from "../../http/client";
import { isObject, readField } from "./field";

/** What a vendor's HTTP answer means. */

export type VendorError = {
  kind: "vendor-error";
  status: number;
  message: string;
  providerMessage: string;
  /** When the vendor wants to be asked again; `Retry-After: 0` and unreadable ones are absent. */
  retryAt?: number;
};
export type Unreachable = { kind: "unreachable"; message: string };
export type ReadAnswer =
  | { kind: "json"; value: unknown; headers: Pick<Headers, "get"> }
  | VendorError
  | Unreachable;

const LONGEST_PROVIDER_MESSAGE = 1_000;

/** `vendor` is its name for people. An empty 2xx is `undefined`. */
export function readAnswer(answer: Answer, vendor: string, now: number): ReadAnswer {
  if (answer.kind !== "answered")
    return { kind: "unreachable", message: `${vendor} cannot be reached: ${answer.error}` };
  const { status, headers, text } = answer;
  if (status < 200 || status > 299) {
    const retryAt = parseRetryAfter(headers.get("retry-after"), now);
    return {
      kind: "vendor-error",
      status,
      message: `${vendor} answered with status ${status}`,
      providerMessage: providerMessage(text),
      ...(retryAt === undefined ? {} : { retryAt }),
    };
  }
  if (answer.truncated)
    return { kind: "unreachable", message: `The answer of ${vendor} is too large` };
  if (text.trim() === "") return { kind: "json", value: undefined, headers };
  const parsed = parseExactly(text);
  if (!parsed.ok) return { kind: "unreachable", message: `The answer of ${vendor} is not JSON` };
  return { kind: "json", value: parsed.value, headers };
}

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;
/** With source text access, which TypeScript's library doesn't know yet. */
const parseJson = JSON.parse as (text: string, reviver?: Reviver) => unknown;

/** JSON whose whole numbers above 2^53 become texts, so that ids and cursors keep their digits. */
export function parseExactly(text: string): { ok: true; value: unknown } | { ok: false } {
  try {
    // A reviver is slow; most answers have no number that long.
    return { ok: true, value: /\d{16}/.test(text) ? parseJson(text, keepDigits) : parseJson(text) };
  } catch {
    return { ok: false };
  }
}

const keepDigits: Reviver = (_, value, { source }) =>
  typeof value === "number" &&
  !Number.isSafeInteger(value) &&
  source !== undefined &&
  /^-?\d+$/.test(source)
    ? source
    : value;

/** Where vendors put their word for people, most telling first. */
const MESSAGE_FIELDS = [
  "error_description",
  "error.message",
  "Message",
  "message",
  "error_summary",
  "Error.Message",
  "Fault.Error.0.Message",
  "errors.0.message",
  "0.message",
  "error",
];

function providerMessage(text: string): string {
  const parsed = parseExactly(text);
  const told = parsed.ok && isObject(parsed.value) ? firstText(parsed.value) : undefined;
  return (told ?? text.trim()).slice(0, LONGEST_PROVIDER_MESSAGE);
}

function firstText(value: unknown): string | undefined {
  return MESSAGE_FIELDS.map((field) => readField(value, field)).find(
    (found) => typeof found === "string" && found !== "",
  ) as string | undefined;
}
