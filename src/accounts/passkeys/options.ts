import { addressOf } from "../../http/egress";

/** What browsers are asked for (WebAuthn Level 3, sections 5.4 and 5.5), as JSON: bytes are base64url. */

/** Where keys are good: on one origin, and for one relying party, its host. */
export type Site = { origin: string; rpId: string };

/**
 * Keys belong to the deployment's public name. A stack on one's own machine has an address instead, for which browsers make
 * no keys: there the name counts that was asked for, `localhost`.
 */
export function siteOf(publicUrl: string | undefined, asked: string): Site {
  const named = publicUrl !== undefined && addressOf(new URL(publicUrl).hostname) === undefined;
  const { origin, hostname } = new URL(named ? publicUrl : asked);
  return { origin, rpId: hostname };
}

/** Whoever was asked has this long: 5 minutes. */
export const CHALLENGE_MS = 300_000;

/** EdDSA, ECDSA and RSA with SHA-256: what authenticators know. */
export const ALGORITHMS = [-8, -7, -257];

/** How authenticators name a member. */
export const handleOf = (memberId: number): string =>
  Buffer.from(`member ${memberId}`).toString("base64url");

/** To make a key that needs no name typed and makes sure that it is its owner who signs. */
export const creation = (
  { rpId }: Site,
  member: { id: number; email: string },
  known: readonly string[],
  challenge: string,
) => ({
  challenge,
  rp: { id: rpId, name: "Tributary" },
  user: { id: handleOf(member.id), name: member.email, displayName: member.email },
  pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: "public-key", alg })),
  excludeCredentials: known.map((id) => ({ type: "public-key", id })),
  authenticatorSelection: {
    residentKey: "required",
    requireResidentKey: true,
    userVerification: "required",
  },
  attestation: "none",
  timeout: CHALLENGE_MS,
});

/** To sign in with whichever key somebody has for us. */
export const request = ({ rpId }: Site, challenge: string) => ({
  challenge,
  rpId,
  userVerification: "required",
  timeout: CHALLENGE_MS,
});

/** What a page asks its browser for, and what it sends back with the answer. */
export type Asked = { options: object; state: string };
