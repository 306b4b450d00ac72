import { and, eq, isNotNull } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { members, memberships, organizations } from "../../db/accounts";
import { foldEmail } from "../email";
import type { Link } from "../members/invitations.store";
import { hasEmail } from "../members/store";
import { SCOPES } from "../scope";
import { hashSecret } from "../secret";

export type NewOrganization = {
  name: string;
  /** Of its first owner. */
  email: string;
  /** Null: the owner takes the invitation. */
  passwordHash: string | null;
  link: Link;
  secrets: { organizationSecret: string; userSecret: string; apiKey: string };
};

type Asked = { at: number; actor: string; address: string | null; requestId: string };

/** Whether somebody with this e-mail address has a password already. */
export async function hasPassword(db: D1Database, email: string): Promise<boolean> {
  return (
    (await drizzle(db).$count(members, and(hasEmail(email), isNotNull(members.passwordHash)))) > 0
  );
}

/**
 * An organization with its owner, its first user, in whose name keys act, and its first key, in one transaction.
 * @returns its id, and whether the owner has joined by the password that was given.
 */
export async function createOrganization(
  db: D1Database,
  draft: NewOrganization,
  asked: Asked,
): Promise<{ id: number; ownerId: number; hasJoined: boolean }> {
  const orm = drizzle(db);
  const [known] = await orm
    .select({ email: members.email })
    .from(members)
    .where(hasEmail(draft.email))
    .limit(1);
  const email = known?.email ?? foldEmail(draft.email);
  const secretHash = hashSecret(draft.secrets.organizationSecret);
  await db.batch(statementsOf(db, { ...draft, email, secretHash }, asked));
  const [row] = await orm
    .select({
      id: organizations.id,
      ownerId: memberships.memberId,
      joinedAt: memberships.joinedAt,
    })
    .from(organizations)
    .innerJoin(memberships, eq(memberships.organizationId, organizations.id))
    .where(eq(organizations.secretHash, secretHash));
  if (row === undefined) throw new Error("An organization that was made is gone");
  return { id: row.id, ownerId: row.ownerId, hasJoined: row.joinedAt !== null };
}

/** The statements that write an organization, which its secret's digest names. */
function statementsOf(
  db: D1Database,
  draft: NewOrganization & { email: string; secretHash: string },
  asked: Asked,
): D1PreparedStatement[] {
  const { secretHash } = draft;
  const { userSecret, apiKey } = draft.secrets;
  const { at } = asked;
  const made = `FROM organizations WHERE secret_hash = ?1`;
  const run = (sql: string, ...values: unknown[]) => db.prepare(sql).bind(secretHash, ...values);
  return [
    run(
      "INSERT INTO organizations (name, secret_hash, settings, created_at) VALUES (?2, ?1, '{}', ?3)",
      draft.name,
      at,
    ),
    // Nobody signs in as its first user, and its address is nobody's (RFC 2606).
    run(
      `INSERT INTO users (organization_id, email, first_name, secret_hash, password_hash, role, created_at)
       SELECT id, 'admin@organization-' || id || '.invalid', 'Admin', ?2, '', 'admin', ?3 ${made}`,
      hashSecret(userSecret),
      at,
    ),
    run(
      `INSERT INTO api_keys (id, organization_id, name, key_hash, scopes, created_at)
       SELECT ?2, id, 'first key', ?3, ?4, ?5 ${made}`,
      crypto.randomUUID(),
      hashSecret(apiKey),
      JSON.stringify(SCOPES),
      at,
    ),
    ...ownerStatements(db, draft, at),
    run(
      `INSERT INTO audit (organization_id, at, actor, address, action, target, route, request_id, changes)
       SELECT id, ?2, ?3, ?4, 'organization.create', id, 'POST /v1/organizations', ?5, '[]' ${made}`,
      at,
      asked.actor,
      asked.address,
      asked.requestId,
    ),
  ];
}

/** With a password the owner has joined, unless somebody of this address was faster; else the link is theirs. */
const ownerStatements = (
  db: D1Database,
  {
    email,
    secretHash,
    passwordHash,
    link,
  }: NewOrganization & { email: string; secretHash: string },
  at: number,
): D1PreparedStatement[] => [
  db
    .prepare(
      "INSERT INTO members (email, password_hash, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )
    .bind(email, passwordHash, at),
  db
    .prepare(
      `INSERT INTO memberships (organization_id, member_id, role, joined_at, invitation_hash, invitation_expires_at, created_at)
       SELECT organizations.id, m.id, 'owner', iif(m.password_hash = ?3, ?4, NULL), iif(m.password_hash = ?3, NULL, ?5),
         iif(m.password_hash = ?3, NULL, ?6), ?4 FROM organizations JOIN members AS m ON m.email = ?2 WHERE secret_hash = ?1`,
    )
    .bind(secretHash, email, passwordHash, at, link.hash, link.expiresAt),
];
