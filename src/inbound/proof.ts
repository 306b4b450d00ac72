import type { Sender } from "../delivery/own-address";
import type { Instance } from "../instances/instance";
import { type Signed, verifySignature } from "../values/signature/verify";
import { equalInConstantTime } from "../values/bytes";

/** A delivery as it came over HTTP: signatures are over `body`, its bytes as sent; `content` is it inflated, or the query. */
export type Arrived = Signed & {
  content: Uint8Array;
  headers: Headers;
  token: string | undefined;
  contentType: string | null;
  /** The instance of ours whose callback it is, which we signed: proved to all of its organization. */
  sender: Sender | undefined;
};

export type Proof = { kind: "proved" } | { kind: "unproved"; reason: string };

export type Prove = (instance: Instance) => Proof;

/**
 * Whether the vendor made this delivery for an instance; the reason holds no secret. A signature costs a hash of the whole
 * body: instances that share rules and keys, as those of one app do, share the verdict.
 */
export function prover(arrived: Arrived, now: number): Prove {
  const verdicts = new Map<string, Proof>();
  return ({ organizationId, connector: { webhook }, configuration }) => {
    if (webhook === undefined) return { kind: "unproved", reason: "has no webhooks" };
    if (arrived.sender?.organizationId === organizationId) return { kind: "proved" };
    const value = (key: string): string | null => configuration[key] ?? null;
    if (webhook.signatures.length === 0) return proofByToken(value("event.vendor.token"), arrived);
    const fallback = webhook.defaultKey === undefined ? null : value(webhook.defaultKey);
    const keys = {
      primary: value("event.vendor.signature.key") ?? fallback,
      secondary: value("event.vendor.signature.key.secondary"),
      algorithm: value("event.vendor.signature.algorithm"),
    };
    const name = JSON.stringify([webhook.signatures, keys]);
    const proof = verdicts.get(name) ?? proofBySignature(webhook.signatures, arrived, keys, now);
    verdicts.set(name, proof);
    return proof;
  };
}

function proofByToken(token: string | null, arrived: Arrived): Proof {
  const fits =
    token !== null && arrived.token !== undefined && equalInConstantTime(token, arrived.token);
  return fits ? { kind: "proved" } : { kind: "unproved", reason: "wrong token" };
}

function proofBySignature(...given: Parameters<typeof verifySignature>): Proof {
  const verdict = verifySignature(...given);
  return verdict.kind === "valid"
    ? { kind: "proved" }
    : { kind: "unproved", reason: verdict.reason };
}
