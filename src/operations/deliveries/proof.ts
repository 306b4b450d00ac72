import type { SentRequest } from "../../delivery/attempt";
import type { Destination } from "../../delivery/destination";
import { publicKeyOf, standardHeaders } from "../../delivery/signature";

/** One signature of a request: what it was made of, and with which key. */
export type Proof = {
  header: "webhook-signature" | "elements-webhook-signature";
  algorithm: "v1" | "v1a" | "sha256";
  /** A secret by its last four characters; a public key as a whole. */
  key: string;
  /** Seconds since 1970, as they were signed; null: no time is. */
  timestamp: string | null;
  signature: string;
  /** What stands before the body in the signed content. */
  prefix: string;
};

/**
 * The signatures of a request, each with the key of the destination that makes it. One that no present key makes is left
 * out, and all are where the body isn't kept as a whole.
 */
export function proofsOf(
  request: Omit<SentRequest, "url" | "method"> | null,
  destination: Pick<Destination, "signers" | "legacyKey"> | undefined,
): Proof[] {
  if (request === null || destination === undefined || request.truncated) return [];
  const headers = new Map(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const id = headers.get("webhook-id") ?? "";
  const timestamp = headers.get("webhook-timestamp") ?? "";
  const body = Buffer.from(request.body, request.encoding === "text" ? "utf8" : "base64");
  const made = new Map(
    destination.signers.map((signer) => {
      const signed = standardHeaders(id, Number(timestamp) * 1000, body, [signer]);
      return [signed["webhook-signature"], signer];
    }),
  );
  const standard = (headers.get("webhook-signature") ?? "").split(" ").flatMap((text): Proof[] => {
    const signer = made.get(text);
    if (signer === undefined) return [];
    const { algorithm, secret } = signer;
    return [
      {
        header: "webhook-signature",
        algorithm,
        key: algorithm === "v1a" ? publicKeyOf(secret) : ending(secret, "whsec_"),
        timestamp,
        signature: text.slice(text.indexOf(",") + 1),
        prefix: `${id}.${timestamp}.`,
      },
    ];
  });
  const legacy = headers.get("elements-webhook-signature");
  if (legacy === undefined || destination.legacyKey === null) return standard;
  return [
    ...standard,
    {
      header: "elements-webhook-signature",
      algorithm: "sha256",
      key: ending(destination.legacyKey, ""),
      timestamp: null,
      signature: legacy,
      prefix: "",
    },
  ];
}

/** The end of a secret: as much as tells it from another, and nothing of a short one. */
const ending = (secret: string, prefix: string): string =>
  `${prefix}…${secret.length < 16 ? "" : secret.slice(-4)}`;
