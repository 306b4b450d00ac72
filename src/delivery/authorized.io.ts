import { callMs } from "./call-time";
import type { Attempt } from "./attempt";
import { type Addressee, type CallDoors, type Outgoing, post, type Tried } from "./callback.client";
import { attemptWithoutCall } from "./outcome";
import type { Isolate } from "./admission.io";

/** A token takes at most so much of the time that is left: the rest is the call's. */
const TOKENS_SHARE = 0.5;
/** With less time than this no call is made again. */
const LEAST_MS = 500;

/** One try; or the record of one for which no token came, so that no call was made. */
export type Made = Tried | { attempt: Attempt; refused: false; answer?: undefined };

/**
 * One try, with a token if its destination wants one. A token that was kept and is answered with 401 is asked for anew,
 * once, and the call made again with that. All of it takes no longer than a call of the destination may.
 */
export async function postAuthorized(
  destination: Addressee,
  item: Outgoing,
  doors: CallDoors & { isolate: Isolate },
): Promise<Made> {
  const { auth, organizationId, policy } = destination;
  if (auth?.type !== "oauth2") return post(destination, item, doors, Date.now());
  const { tokens } = doors.isolate;
  const { egress } = doors.config;
  const endsAt = Date.now() + callMs(policy);
  const within = () => ({ egress, withinMs: TOKENS_SHARE * (endsAt - Date.now()) });
  const send = (token: string) => {
    const timed = { authorization: `Bearer ${token}`, timeoutMs: endsAt - Date.now() };
    return post(destination, { ...item, ...timed }, doors, Date.now());
  };
  const noToken = (reason: string): string => `No token: ${auth.tokenUrl} ${reason}`;

  const first = await tokens.get(organizationId, auth, within());
  if (!first.ok)
    return {
      attempt: attemptWithoutCall(item.n, Date.now(), noToken(first.reason)),
      refused: false,
    };
  const tried = await send(first.token);
  if (tried.attempt.status !== 401 || first.isNew || endsAt - Date.now() < LEAST_MS) return tried;
  const next = await tokens.get(organizationId, auth, { ...within(), refused: first.token });
  return next.ok
    ? send(next.token)
    : { ...tried, attempt: { ...tried.attempt, error: noToken(next.reason) } };
}
