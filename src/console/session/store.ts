import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { organizations, users } from "../../db/accounts";

/** Somebody who may sign in, and where they belong. */
export type Account = {
  userId: number;
  email: string;
  role: "admin" | "user";
  passwordHash: string;
  organizationId: number;
  organizationName: string;
};

/** The account with an e-mail address, or with an id. */
export async function readAccount(
  db: D1Database,
  by: { email: string } | { userId: number },
): Promise<Account | undefined> {
  const [account] = await drizzle(db)
    .select({
      userId: users.id,
      email: users.email,
      role: users.role,
      passwordHash: users.passwordHash,
      organizationId: organizations.id,
      organizationName: organizations.name,
    })
    .from(users)
    .innerJoin(organizations, eq(organizations.id, users.organizationId))
    .where("email" in by ? eq(users.email, by.email) : eq(users.id, by.userId));
  return account;
}
