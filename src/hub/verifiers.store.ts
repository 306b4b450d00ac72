import { and, desc, eq, gt, lte } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { oauthChallenges, oauthVerifiers } from "../db/hub";
import { type Keyring, seal, unseal } from "../db/sealed";
import { sha256 } from "../values/bytes";

/**
 * Verifiers that wait for their code (PKCE, RFC 7636).
 *
 * Every authorize URL that we build carries the challenge of a fresh verifier. The verifier is kept here, sealed,
 * until its code is exchanged: for an hour at most, and at most a thousand of one client and callback. The code
 * comes back in another request, with the URL's `state` or without it. With the state its verifier is found
 * exactly. Without, any verifier of this client and callback may be the right one; the newest is tried first,
 * because somebody who opens the vendor's page twice finishes on the later one.
 *
 * A wrong guess can cost the code: some vendors refuse it for good after one wrong verifier. So an application
 * that sends several people to a vendor at the same time gives each a `state` of its own when it asks for the
 * URL, and sends it back as `providerData.state`. Example: Anna is sent off with state `a`, Bert with `b`;
 * Anna's code comes back with `a` and goes to the vendor with her verifier, although Bert's is newer.
 */

const LIFETIME_MS = 60 * 60_000;
/** Of one client and callback; the oldest go when there are more. */
const MOST_WAITING = 1_000;
/** Vendors see a refused code this often, and once more without a verifier. */
const MOST_GUESSES = 3;

export async function keepVerifier(
  db: D1Database,
  ring: Keyring,
  request: { client: string; state: string; verifier: string },
  now: number,
): Promise<void> {
  const { client, state, verifier } = request;
  const orm = drizzle(db);
  const oldest = orm
    .select({ id: oauthVerifiers.id })
    .from(oauthVerifiers)
    .where(eq(oauthVerifiers.client, client))
    .orderBy(desc(oauthVerifiers.id))
    .limit(1)
    .offset(MOST_WAITING);
  await orm.batch([
    orm.delete(oauthVerifiers).where(lte(oauthVerifiers.createdAt, now - LIFETIME_MS)),
    orm.insert(oauthVerifiers).values({
      client,
      state: sha256(state, "hex"),
      sealed: seal(ring, verifier, rowOf(client)),
      createdAt: now,
    }),
    orm
      .delete(oauthVerifiers)
      .where(and(eq(oauthVerifiers.client, client), lte(oauthVerifiers.id, oldest))),
  ]);
}

export type WaitingVerifier = { id: number; verifier: string };

/** Those that a code of this client may be bound by, the likeliest first. */
export async function waitingVerifiers(
  db: D1Database,
  ring: Keyring,
  { client, state }: { client: string; state: string | undefined },
  now: number,
): Promise<WaitingVerifier[]> {
  const rows = await drizzle(db)
    .select({ id: oauthVerifiers.id, sealed: oauthVerifiers.sealed })
    .from(oauthVerifiers)
    .where(
      and(
        eq(oauthVerifiers.client, client),
        state === undefined ? undefined : eq(oauthVerifiers.state, sha256(state, "hex")),
        gt(oauthVerifiers.createdAt, now - LIFETIME_MS),
      ),
    )
    .orderBy(desc(oauthVerifiers.id))
    .limit(MOST_GUESSES);
  return rows.map(({ id, sealed }) => ({ id, verifier: unseal(ring, sealed, rowOf(client)) }));
}

/** Its code was exchanged. */
export async function dropVerifier(db: D1Database, id: number): Promise<void> {
  await drizzle(db).delete(oauthVerifiers).where(eq(oauthVerifiers.id, id));
}

/** Whether an authorize URL with the client's constant verifier may still be on its way. */
export async function hadConstantVerifier(
  db: D1Database,
  client: string,
  now: number,
): Promise<boolean> {
  const { name, createdAt } = oauthChallenges;
  const rows = await drizzle(db)
    .select({ name })
    .from(oauthChallenges)
    .where(and(eq(name, client), gt(createdAt, now - LIFETIME_MS)));
  return rows.length === 1;
}

const rowOf = (client: string): string => `oauth_verifiers/${client}`;
