import { env } from "cloudflare:workers";
import { hashPassword, hashSecret } from "../src/accounts/secret";
import { bootstrap } from "../src/accounts/bootstrap.store";

/** The first organization, its administrator and key: the same in every file, so that files can share a runtime. */
export const FIRST = {
  organizationName: "Mine",
  organizationSecret: "organization-secret-of-mine",
  userSecret: "user-secret-of-mine",
  apiKey: "api-key-of-mine",
  email: "anna@mine.example",
  password: "password",
};

/** `Authorization` of its administrator, on the connector surface. */
export const MINE = `User ${FIRST.userSecret}, Organization ${FIRST.organizationSecret}`;

/** `Authorization` of another organization's administrator. */
export const THEIRS = "User user-secret-of-theirs, Organization organization-secret-of-theirs";

/** Of another organization's owner, `otto@theirs.example`. */
export const THEIR_PASSWORD = "password-of-otto";

const hashes = new Map<string, string>();

/** The hash of a password, made once: it takes longer than most tests. */
export function hashOnce(password: string): string {
  const hash = hashes.get(password) ?? hashPassword(password, new Uint8Array(16));
  hashes.set(password, hash);
  return hash;
}

/** The statements that make somebody a member of an organization, who has joined it; those who are there stay as they are. */
export function memberOf(
  organizationId: number,
  member: { email: string; password: string; id?: number; role?: string },
): [D1PreparedStatement, D1PreparedStatement] {
  const { email, password, id = null, role = "owner" } = member;
  return [
    env.DB.prepare(
      "INSERT OR IGNORE INTO members (id, email, password_hash, created_at) VALUES (?, ?, ?, 1)",
    ).bind(id, email, hashOnce(password)),
    env.DB.prepare(
      "INSERT OR IGNORE INTO memberships (organization_id, member_id, role, joined_at, created_at) SELECT ?, id, ?, 1, 1 FROM members WHERE email = ?",
    ).bind(organizationId, role, email),
  ];
}

/** Made by whoever comes first: this organization, its owner and first user have id 1, another's id 2. */
export async function firstOrganization(): Promise<void> {
  await bootstrap(env.DB, FIRST, { at: Date.now(), address: null, requestId: "" });
  await env.DB.batch([
    env.DB.prepare(
      "INSERT OR IGNORE INTO organizations (id, name, secret_hash, settings, created_at) VALUES (2, 'Theirs', ?, '{}', 1)",
    ).bind(hashSecret("organization-secret-of-theirs")),
    env.DB.prepare(
      "INSERT OR IGNORE INTO users (id, organization_id, email, secret_hash, password_hash, role, created_at) VALUES (2, 2, 'otto@theirs.example', ?, '', 'admin', 1)",
    ).bind(hashSecret("user-secret-of-theirs")),
    ...memberOf(2, { email: "otto@theirs.example", password: THEIR_PASSWORD, id: 2 }),
  ]);
}

export type Own = { id: number; authorization: string; email: string; password: string };

/** An organization nobody else has anything in: for lists that show all there is. */
export async function ownOrganization(): Promise<Own> {
  const own = crypto.randomUUID();
  const [email, password] = [`admin@${own}.example`, "password-of-its-admin"];
  const made = await env.DB.prepare(
    "INSERT INTO organizations (name, secret_hash, settings, created_at) VALUES (?, ?, '{}', 1) RETURNING id",
  )
    .bind(own, hashSecret(`organization-${own}`))
    .first<{ id: number }>();
  const id = made?.id ?? 0;
  await env.DB.batch([
    env.DB.prepare(
      "INSERT INTO users (organization_id, email, secret_hash, password_hash, role, created_at) VALUES (?, ?, ?, '', 'admin', 1)",
    ).bind(id, email, hashSecret(`user-${own}`)),
    ...memberOf(id, { email, password }),
  ]);
  return {
    id,
    authorization: `User user-${own}, Organization organization-${own}`,
    email,
    password,
  };
}
