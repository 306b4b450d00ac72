import type { Instance } from "../instances/instance";
import { type Signed, verifySignature } from "./verify";
import { equalInConstantTime } from "../values/bytes";

/** A delivery as it came over HTTP: signatures are over `body`, its bytes as sent; `content` is it inflated, or the query. */
export type Arrived = Signed & {
  content: Uint8Array;
  headers: Headers;
  token: string | undefined;
  contentType: string | null;
};

export type Proof = { kind: "proved" } | { kind: "unproved"; reason: string };

/** Whether the vendor made this delivery for this instance; the reason holds no secret. */
export function proofOf(
  { connector: { webhook }, configuration }: Instance,
  arrived: Arrived,
  now: number,
): Proof {
  if (webhook === undefined) return { kind: "unproved", reason: "has no webhooks" };
  const value = (key: string): string | null => configuration[key] ?? null;
  if (webhook.signatures.length === 0) {
    const token = value("event.vendor.token");
    const fits =
      token !== null && arrived.token !== undefined && equalInConstantTime(token, arrived.token);
    return fits ? { kind: "proved" } : { kind: "unproved", reason: "wrong token" };
  }
  const fallback = webhook.defaultKey === undefined ? null : value(webhook.defaultKey);
  const keys = {
    primary: value("event.vendor.signature.key") ?? fallback,
    secondary: value("event.vendor.signature.key.secondary"),
    algorithm: value("event.vendor.signature.algorithm"),
  };
  const verdict = verifySignature(webhook.signatures, arrived, keys, now);
  return verdict.kind === "valid"
    ? { kind: "proved" }
    : { kind: "unproved", reason: verdict.reason };
}
