import * as z from "zod";
import { readConfig } from "../../config";
import { keyring, seal, unseal } from "../../db/sealed";
import type { Millis } from "../../values/instant";
import { hashSecret } from "../secret";
import { type Asserted, type Created, readAsserted, readCreated } from "./credential";
import {
  ALGORITHMS,
  type Asked,
  CHALLENGE_MS,
  creation,
  handleOf,
  request,
  type Site,
} from "./options";
import { findPasskey, insertPasskey, listPasskeys, noteUse, useChallenge } from "./store";

/** The library is large: it is read when the first key comes. */
const library = () => import("@simplewebauthn/server");

/** What comes back with an answer: sealed, so that nobody makes a challenge of their own. */
const state = z.object({
  challenge: z.string(),
  /** Whose new key is awaited; absent: whoever signs in. */
  memberId: z.number().optional(),
  until: z.number(),
});
type State = z.infer<typeof state>;
const PLACE = "passkey challenge";

const ringOf = (env: Env) => keyring(readConfig(env).masterKeys);

function begin(env: Env, now: Millis, memberId?: number): { challenge: string; sealed: string } {
  const challenge = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  const whose = memberId === undefined ? {} : { memberId };
  const begun: State = { challenge, until: now + CHALLENGE_MS, ...whose };
  return { challenge, sealed: seal(ringOf(env), JSON.stringify(begun), PLACE) };
}

/** What was begun, while it may be answered; undefined for what is over, or was made up. */
function begun(env: Env, sealed: string, now: Millis): State | undefined {
  try {
    const opened = state.parse(JSON.parse(unseal(ringOf(env), sealed, PLACE)));
    return opened.until > now ? opened : undefined;
  } catch {
    return undefined;
  }
}

/** Asks a member's browser to make a key. */
export async function askForKey(
  env: Env,
  site: Site,
  member: { id: number; email: string },
  now: Millis,
): Promise<Asked> {
  const known = await listPasskeys(env.DB, member.id);
  const { challenge, sealed } = begin(env, now, member.id);
  const ids = known.map(({ credentialId }) => credentialId);
  return { options: creation(site, member, ids, challenge), state: sealed };
}

/** Asks a browser to sign in. */
export function askToSignIn(env: Env, site: Site, now: Millis): Asked {
  const { challenge, sealed } = begin(env, now);
  return { options: request(site, challenge), state: sealed };
}

export type Refused = { kind: "refused"; because: string };
const refused = (because: string): Refused => ({ kind: "refused", because });
const OVER = "This took too long, or was done before. Try again.";

/** Takes a new key of a member. @returns its id. */
export async function takeKey(
  env: Env,
  site: Site,
  answer: { memberId: number; name: string; state: string; credential: string },
  now: Millis,
): Promise<{ kind: "taken"; id: string } | Refused> {
  const { memberId, name } = answer;
  const awaited = begun(env, answer.state, now);
  const created = readCreated(answer.credential);
  if (awaited?.memberId !== memberId || created === undefined) return refused(OVER);
  if (!(await useChallenge(env.DB, hashSecret(awaited.challenge), awaited.until)))
    return refused(OVER);
  const key = await verifiedKey(site, awaited.challenge, created);
  if (key === undefined) return refused("This browser’s answer could not be verified.");
  const id = crypto.randomUUID();
  const row = { id, memberId, name, createdAt: now, ...key };
  return (await insertPasskey(env.DB, row))
    ? { kind: "taken", id }
    : refused("This key is in use already, or you have too many.");
}

async function verifiedKey(site: Site, challenge: string, { id, response }: Created) {
  try {
    const { verifyRegistrationResponse } = await library();
    if (!(await isPlain(response.attestationObject))) return undefined;
    const { registrationInfo } = await verifyRegistrationResponse({
      response: { id, rawId: id, type: "public-key", clientExtensionResults: {}, response },
      expectedChallenge: challenge,
      expectedOrigin: site.origin,
      expectedRPID: site.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    if (registrationInfo === undefined) return undefined;
    const { credential } = registrationInfo;
    return {
      credentialId: credential.id,
      publicKey: Buffer.from(credential.publicKey).toString("base64url"),
      counter: credential.counter,
    };
  } catch {
    return undefined;
  }
}

/**
 * Whether a key comes without certificates. We ask for none, and the library would fetch revocation lists from addresses
 * that they name.
 */
async function isPlain(attestationObject: string): Promise<boolean> {
  const { decodeAttestationObject } = await import("@simplewebauthn/server/helpers");
  const object = decodeAttestationObject(
    new Uint8Array(Buffer.from(attestationObject, "base64url")),
  );
  const format = object.get("fmt");
  return (
    format === "none" || (format === "packed" && object.get("attStmt").get("x5c") === undefined)
  );
}

/** Whose key answered a challenge. Each is answered once. */
export async function memberByKey(
  env: Env,
  site: Site,
  answer: { state: string; credential: string },
  now: Millis,
): Promise<{ kind: "member"; memberId: number } | Refused> {
  const awaited = begun(env, answer.state, now);
  const asserted = readAsserted(answer.credential);
  if (awaited === undefined || awaited.memberId !== undefined || asserted === undefined)
    return refused(OVER);
  const passkey = await findPasskey(env.DB, asserted.id);
  if (passkey === undefined) return refused("This passkey is not known here.");
  if (!(await useChallenge(env.DB, hashSecret(awaited.challenge), awaited.until)))
    return refused(OVER);
  const counter = await verifiedCount(site, awaited.challenge, asserted, passkey);
  if (counter === undefined || !(await noteUse(env.DB, passkey.id, counter, now)))
    return refused("This passkey’s answer could not be verified.");
  return { kind: "member", memberId: passkey.memberId };
}

/** The count that an authenticator signed; undefined when its answer is not one of this key. */
async function verifiedCount(
  site: Site,
  challenge: string,
  { id, response }: Asserted,
  passkey: { memberId: number; publicKey: string; counter: number },
): Promise<number | undefined> {
  const { userHandle, ...signed } = response;
  if (userHandle !== undefined && userHandle !== null && userHandle !== handleOf(passkey.memberId))
    return undefined;
  try {
    const { verifyAuthenticationResponse } = await library();
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { id, rawId: id, type: "public-key", clientExtensionResults: {}, response: signed },
      expectedChallenge: challenge,
      expectedOrigin: site.origin,
      expectedRPID: site.rpId,
      requireUserVerification: true,
      credential: {
        id,
        publicKey: new Uint8Array(Buffer.from(passkey.publicKey, "base64url")),
        counter: passkey.counter,
      },
    });
    return verified ? authenticationInfo.newCounter : undefined;
  } catch {
    return undefined;
  }
}
