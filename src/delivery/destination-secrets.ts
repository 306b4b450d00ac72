import type { DestinationPolicy, destinations, SignatureProfile } from "../db/delivery";
import { type Keyring, seal, unseal } from "../db/sealed";
import { openText, sealSpans } from "../db/sealed-text";
import { urlSecrets } from "../values/secret-text";
import { MASK } from "../values/secret-name";
import type { Millis } from "../values/instant";
import { type Auth, storedAuth, unmaskedAuth } from "./auth";
import type { Destination } from "./destination";
import type { OwnSignature } from "./signature-profile";
import { headersOf, packed, type RequestParts, storedParts, unpacked } from "./packing";

/** A destination's secrets as its row holds them: each sealed for its own place. */

type Row = typeof destinations.$inferSelect;
/** A row, with what its tenant says. */
type WithTerms = Row & Pick<Destination, "terms">;

/** What a sealed value is bound to; `field`: `headers`, `legacy_key`, `signature`, `auth` or the id of a signing key. */
export const sealedPlace = (id: string, field: string): string => `destinations/${id}/${field}`;

export function openParts(
  ring: Keyring,
  { id, headersSealed }: Pick<Row, "id" | "headersSealed">,
): RequestParts {
  if (headersSealed === null) return unpacked({});
  return unpacked(storedParts.read(unseal(ring, headersSealed, sealedPlace(id, "headers"))));
}

export const sealParts = (ring: Keyring, id: string, parts: RequestParts): string =>
  seal(ring, storedParts.write(packed(parts)), sealedPlace(id, "headers"));

/** A URL as its row holds it: what proves something in it (`?token=`) is sealed where it stands. */
export const sealUrl = (ring: Keyring, id: string, url: string): string =>
  sealSpans(ring, sealedPlace(id, "url"), url, urlSecrets(url));

/** A signature's profile as it is sent; a mask as its secret keeps the stored one. */
export type GivenSignature = SignatureProfile & { secret?: string | undefined };

/** What a change says of how calls are signed, and prove who makes them; `null` takes it away. */
export type GivenSending = {
  signature?: GivenSignature | null | undefined;
  auth?: Auth | null | undefined;
};

/** How that is stored; what is not sent stays as it is. */
export function sealSending(
  ring: Keyring,
  { id, policy, auth }: Pick<Destination, "id" | "policy" | "auth">,
  given: GivenSending,
): { signature?: DestinationPolicy["signature"] | null; auth?: string | null } {
  return {
    ...(given.signature === undefined
      ? {}
      : { signature: given.signature && sealSignature(ring, id, given.signature, policy) }),
    ...(given.auth === undefined
      ? {}
      : { auth: given.auth && sealAuth(ring, id, unmaskedAuth(given.auth, auth)) }),
  };
}

const sealAuth = (ring: Keyring, id: string, auth: Auth): string =>
  seal(ring, storedAuth.write(auth), sealedPlace(id, "auth"));

function sealSignature(
  ring: Keyring,
  id: string,
  { secret, ...profile }: GivenSignature,
  stored: DestinationPolicy,
): NonNullable<DestinationPolicy["signature"]> {
  const place = sealedPlace(id, "signature");
  return { ...profile, ...sealAgain(ring, secret, place, stored.signature?.sealed) };
}

function sealAgain(
  ring: Keyring,
  secret: string | undefined,
  place: string,
  stored: string | undefined,
): { sealed?: string } {
  if (secret === undefined) return {};
  if (secret !== MASK) return { sealed: seal(ring, secret, place) };
  return stored === undefined ? {} : { sealed: stored };
}

function openSignature(
  ring: Keyring,
  { id, policy }: Pick<Row, "id" | "policy">,
): { signature?: OwnSignature } {
  if (policy.signature === undefined) return {};
  const { sealed, ...profile } = policy.signature;
  const secret = sealed === undefined ? null : unseal(ring, sealed, sealedPlace(id, "signature"));
  return { signature: { ...profile, secret } };
}

/** A destination as deliveries need it: secrets open, without signing keys that have expired at `now`. */
export function openDestination(row: WithTerms, ring: Keyring, now: Millis): Destination {
  const {
    id,
    organizationId,
    kind,
    ownerId,
    tenantId,
    terms,
    url,
    enabled,
    active,
    paused,
    failing,
    policy,
  } = row;
  const { legacyKeySealed, signingKeys } = row;
  const parts = openParts(ring, row);
  return {
    id,
    organizationId,
    kind,
    ownerId,
    tenant: tenantId,
    terms,
    url: url === null ? null : openText(ring, sealedPlace(id, "url"), url),
    enabled,
    active,
    paused,
    failing,
    policy,
    headers: headersOf(parts),
    query: parts.query,
    legacyKey:
      legacyKeySealed === null
        ? null
        : unseal(ring, legacyKeySealed, sealedPlace(id, "legacy_key")),
    signers: signingKeys
      .filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
      .map(({ id: keyId, algorithm, sealed }) => ({
        algorithm,
        secret: unseal(ring, sealed, sealedPlace(id, keyId)),
      })),
    ...openSignature(ring, row),
    ...(policy.auth === undefined
      ? {}
      : { auth: storedAuth.read(unseal(ring, policy.auth, sealedPlace(id, "auth"))) }),
  };
}
