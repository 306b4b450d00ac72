import { waitUntil } from "cloudflare:workers";
import { type Keyring, keyring } from "../db/sealed";
import { announceEvent } from "../stream/announce.io";
import {
  markRefused,
  releaseRefreshLease,
  saveGrant,
  takeRefreshLease,
} from "../instances/grants.store";
import type { Instance } from "../instances/instance";
import { readInstance } from "../instances/store";
import { type HubFailure, readTokenAnswer } from "./answer";
import { grantIn, isRefusedForGood, readGrant, tokenRequest } from "./oauth";
import { type HubDoors, send } from "./request.client";
import { applicationFault } from "./applications/choice.io";
import { parseExactly } from "../values/json";

type Renewed = { kind: "renewed"; grant: Record<string, string> } | HubFailure;

/**
 * How a token is refreshed, so that an instance never loses its grant.
 *
 * Refreshes of one instance never run at the same time, because many vendors replace the refresh token at each
 * use: the second of two simultaneous requests would present a token that is spent. Callers in one isolate share
 * the promise of one refresh (`renewals`); isolates exclude each other by a lease in the instance's row.
 *
 * The new grant is stored before anybody uses it, and only if the row still holds the grant that was refreshed.
 * Example: a customer authenticates again while a refresh is under way. The refresh finds another grant in the row
 * when it wants to store its own, drops what it got, and its callers go on with the customer's.
 *
 * A holder that dies leaves its lease behind. Then the vendor may have answered with a new refresh token that
 * nobody stored. The next caller tries the old token once more; if the vendor refuses it, the instance is marked
 * as needing authentication, with exactly that reason.
 */

/** Longer than a token request may take, so that a lease runs out only when its holder is gone. */
const LEASE_MS = 45_000;
const LEASE_LOOK_MS = 200;

/**
 * Refreshes under way in this isolate. A promise whose request was cut off stays pending for ever; it counts
 * until `until`.
 */
const renewals = new Map<number, { promise: Promise<Renewed>; until: number }>();

/** Gives the instance a newer grant than it has. @returns undefined, or why there is none. */
export async function renew(instance: Instance, doors: HubDoors): Promise<HubFailure | undefined> {
  const renewed = await joinRenewal(instance, doors);
  if (renewed.kind !== "renewed") return renewed;
  instance.configuration = { ...instance.configuration, ...renewed.grant };
  return undefined;
}

function joinRenewal(instance: Instance, doors: HubDoors): Promise<Renewed> {
  const running = renewals.get(instance.id);
  const now = Date.now();
  if (running !== undefined && running.until > now)
    return Promise.race([running.promise, tooSlow(running.until - now)]);
  const promise = renewUnderLease(instance, doors).finally(() => {
    if (renewals.get(instance.id)?.promise === promise) renewals.delete(instance.id);
  });
  renewals.set(instance.id, { promise, until: now + 2 * LEASE_MS });
  // Goes on when the caller is gone: the vendor may have replaced the refresh token already.
  waitUntil(promise.catch(() => undefined));
  return promise;
}

async function tooSlow(ms: number): Promise<Renewed> {
  await scheduler.wait(ms);
  return { kind: "unreachable", message: "The token refresh takes too long", isSilent: true };
}

/** Refreshes under the lease; while another isolate has it, waits for the grant which that one stores. */
async function renewUnderLease(instance: Instance, doors: HubDoors): Promise<Renewed> {
  const { db, config } = doors;
  const ring = keyring(config.masterKeys);
  const giveUpAt = Date.now() + 2 * LEASE_MS;
  for (;;) {
    const now = Date.now();
    const lease = await takeRefreshLease(db, instance.id, now + LEASE_MS, now);
    const current = await readInstance(db, ring, instance.id);
    if (current === undefined) return unauthorized(instance, "It was deleted");
    const grant = newerGrant(instance, current);
    if (lease !== "held") {
      if (grant === undefined)
        return requestGrant(current, { ring, doors, isCutOff: lease === "abandoned" });
      await releaseRefreshLease(db, instance.id, "finished");
    }
    if (grant !== undefined) return { kind: "renewed", grant };
    if (!current.valid)
      return unauthorized(instance, current.invalidReason ?? "It is not authenticated");
    if (now > giveUpAt) return tooSlow(0);
    await scheduler.wait(LEASE_LOOK_MS);
  }
}

/** The stored grant, if it is not the one that `instance` was read with. */
function newerGrant(instance: Instance, current: Instance): Record<string, string> | undefined {
  const [old, now] = [instance, current].map((it) => grantIn(it.connector, it.configuration));
  return now?.["oauth.user.token"] === old?.["oauth.user.token"] ? undefined : now;
}

/** `isCutOff`: the refresh before this one was never finished; the vendor may have answered it. */
type Renewal = { ring: Keyring; doors: HubDoors; isCutOff: boolean };

/** The token request itself. The caller has the lease. */
async function requestGrant(instance: Instance, renewal: Renewal): Promise<Renewed> {
  const { ring, doors } = renewal;
  const { db } = doors;
  const { connector, configuration } = instance;
  if (!instance.valid) {
    await releaseRefreshLease(db, instance.id, "finished");
    return unauthorized(instance, instance.invalidReason ?? "");
  }
  const refreshToken = configuration["oauth.user.refresh_token"] ?? "";
  if (refreshToken === "")
    return refused(instance, "The token has ended and there is no refresh token", renewal);
  const fault = await applicationFault(instance.organizationId, instance, doors);
  if (fault !== undefined) return refused(instance, fault, renewal);
  const built = tokenRequest(instance, { type: "refresh_token", refreshToken });
  if (!built.ok) return refused(instance, built.message, renewal);
  const { answer: sent, text } = await send(connector, built.request, doors);
  const answer = readTokenAnswer(sent, text, connector.name);
  if (answer.kind === "vendor-error") {
    const parsed = parseExactly(text);
    if (parsed.ok && isRefusedForGood(answer.status, parsed.value))
      return refused(instance, reasonOf(answer.providerMessage, renewal), renewal);
    await releaseRefreshLease(db, instance.id, renewal.isCutOff ? "cut-off" : "finished");
    return answer;
  }
  if (answer.kind === "unreachable") {
    await releaseRefreshLease(db, instance.id, "cut-off");
    return answer;
  }
  const read = readGrant(instance, answer.value, Date.now());
  if (!read.ok) {
    await releaseRefreshLease(db, instance.id, "cut-off");
    return { kind: "unreachable", message: read.message };
  }
  const saved = await saveSurely(() =>
    saveGrant(db, ring, instance, read.configuration, Date.now()),
  );
  if (saved)
    return {
      kind: "renewed",
      grant: { ...grantIn(connector, configuration), ...read.configuration },
    };
  const current = await readInstance(db, ring, instance.id);
  return current === undefined
    ? unauthorized(instance, "It was deleted")
    : { kind: "renewed", grant: grantIn(current.connector, current.configuration) };
}

/** Tells people whether we may have spent the token ourselves, or the customer took back the consent. */
function reasonOf(message: string, { isCutOff }: Renewal): string {
  return isCutOff
    ? `${message}: a token refresh was cut off before its answer was stored, which may have spent the refresh token`
    : message;
}

/** Marks the instance as needing authentication, unless somebody stored another grant meanwhile. */
async function refused(
  instance: Instance,
  reason: string,
  { ring, doors }: Renewal,
): Promise<Renewed> {
  const { db } = doors;
  const marked = await markRefused(db, ring, instance, reason, Date.now());
  if (!marked) {
    const current = await readInstance(db, ring, instance.id);
    return current === undefined
      ? unauthorized(instance, "It was deleted")
      : { kind: "renewed", grant: grantIn(current.connector, current.configuration) };
  }
  await announceEvent(doors, instance.organizationId, {
    type: "instance.invalid",
    subject: String(instance.id),
    data: { instanceId: instance.id, reason },
  });
  return unauthorized(instance, reason);
}

const SAVE_TRIES = 4;

/** Tries again when the database fails: a new refresh token that is not stored is lost. */
async function saveSurely<T>(save: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await save();
    } catch (error) {
      if (tries === SAVE_TRIES) throw error;
      await scheduler.wait(tries * 250);
    }
  }
}

export function unauthorized({ connector }: Instance, reason: string): HubFailure {
  return {
    kind: "unauthorized",
    message: `The instance must be authenticated with ${connector.name} again: ${reason}`,
  };
}
