import type { TextAnswer } from "../http/client";
import { readPath } from "../values/path";
import { parseExactly } from "../values/json";
import { waitUntil } from "../values/wait";

/** What a vendor's HTTP answer means. */

export type VendorError = {
  kind: "vendor-error";
  status: number;
  message: string;
  providerMessage: string;
  /** The vendor's error code (`INVALID_SESSION_ID`). */
  code?: string;
  /** Refused for a rate limit: the same request may succeed later. */
  limited?: true;
  /** From when on to try again, epoch ms; absent for `Retry-After: 0` and values that cannot be read. */
  retryAt?: number;
};
/** `isSilent`: no answer came, or none that ended; otherwise what came was of no use. */
export type Unreachable = { kind: "unreachable"; message: string; isSilent?: true };
export type ReadAnswer =
  | { kind: "json"; value: unknown; headers: Pick<Headers, "get"> }
  | VendorError
  | Unreachable;

export type HubFailure =
  /** The caller's fault: `where`, `orderBy`, paging, resource, configuration. */
  | { kind: "bad-request"; message: string }
  | VendorError
  /** Network, timeout, egress refusal, not JSON, too large. */
  | Unreachable
  /** No request was made, because the rate budget, or the poll's message, allows none before `until`, epoch ms. */
  | { kind: "crowded"; message: string; until: number }
  /** The token cannot be refreshed: somebody must authenticate the instance again. */
  | { kind: "unauthorized"; message: string };

/** What went wrong, with the vendor's own words if it said any. */
export function failureText(failure: HubFailure): string {
  return failure.kind === "vendor-error" && failure.providerMessage !== ""
    ? `${failure.message}: ${failure.providerMessage}`
    : failure.message;
}

const LONGEST_PROVIDER_MESSAGE = 1_000;

/** @param vendor Its display name. An empty 2xx answer and a 304 have the value `undefined`. */
export function readAnswer(answer: TextAnswer, vendor: string, now: number): ReadAnswer {
  if (answer.kind !== "answered") {
    const message = `${vendor} cannot be reached: ${answer.error}`;
    return { kind: "unreachable", message, ...(answer.kind === "failed" && { isSilent: true }) };
  }
  const { status, headers, text } = answer;
  if (status === 304) return { kind: "json", value: undefined, headers };
  if (status < 200 || status > 299) {
    const retryAt = retryInstant(answer, now);
    return {
      kind: "vendor-error",
      status,
      message: `${vendor} answered with status ${status}`,
      ...providerError(text),
      ...(retryAt === undefined ? {} : { retryAt }),
    };
  }
  if (answer.fault !== undefined) {
    const message = `${vendor} cannot be reached: ${answer.fault}`;
    return { kind: "unreachable", message, isSilent: true };
  }
  if (answer.truncated)
    return { kind: "unreachable", message: `The answer of ${vendor} is too large` };
  if (text.trim() === "") return { kind: "json", value: undefined, headers };
  const parsed = parseExactly(text);
  if (!parsed.ok) return { kind: "unreachable", message: `The answer of ${vendor} is not JSON` };
  return { kind: "json", value: parsed.value, headers };
}

/**
 * The answer of a token endpoint with the body `text`. Some vendors answer 200 with an OAuth error (GitHub, Slack): it
 * counts as in the 400 that RFC 6749 §5.2 asks for.
 */
export function readTokenAnswer(answer: ReadAnswer, text: string, vendor: string): ReadAnswer {
  if (answer.kind !== "json") return answer;
  const [token, error] = ["access_token", "error"].map((field) => readPath(answer.value, field));
  if (Boolean(token) || typeof error !== "string" || error === "") return answer;
  const message = `${vendor} answered with an error in status 2xx`;
  return { kind: "vendor-error", status: 400, message, ...providerError(text) };
}

/** Members of a refusal's body that say how long to wait (Dropbox). */
const WAIT_FIELDS = ["error.retry_after", "retry_after"];

/**
 * From when on to try again. A 429 may name several waits, and the longest one holds: `Retry-After`, a member of
 * the body, and the reset of each rate limit that has nothing left.
 */
function retryInstant(
  { status, headers, text }: Extract<TextAnswer, { kind: "answered" }>,
  now: number,
): number | undefined {
  const retryAfter = waitUntil(headers.get("retry-after"), now);
  if (status !== 429) return retryAfter;
  const resets = ["ratelimit", "x-ratelimit", "x-rate-limit"].flatMap((name) => {
    const isUsedUp = Number(headers.get(`${name}-remaining`) ?? 0) === 0;
    return (isUsedUp ? waitUntil(headers.get(`${name}-reset`), now) : undefined) ?? [];
  });
  const parsed = parseExactly(text);
  const waits = WAIT_FIELDS.flatMap((field) => {
    const value = readPath(parsed.ok ? parsed.value : undefined, field);
    const isText = typeof value === "number" || typeof value === "string";
    return (isText ? waitUntil(String(value), now) : undefined) ?? [];
  });
  const all = [...(retryAfter === undefined ? [] : [retryAfter]), ...resets, ...waits];
  return all.length === 0 ? undefined : Math.max(...all);
}

/** Where vendors put an error message, the most useful place first. */
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

/** Where vendors put an error code. */
const CODE_FIELDS = ["0.errorCode", "errorCode"];

function providerError(text: string): Pick<VendorError, "providerMessage" | "code"> {
  const parsed = parseExactly(text);
  const value = parsed.ok ? parsed.value : undefined;
  const providerMessage = (firstText(value, MESSAGE_FIELDS) ?? text.trim()).slice(
    0,
    LONGEST_PROVIDER_MESSAGE,
  );
  const code = firstText(value, CODE_FIELDS)?.slice(0, 100);
  return { providerMessage, ...(code === undefined ? {} : { code }) };
}

function firstText(value: unknown, fields: readonly string[]): string | undefined {
  const found = fields.map((field) => readPath(value, field));
  return found.find((one): one is string => typeof one === "string" && one !== "");
}
