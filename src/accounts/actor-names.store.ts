/**
 * What actors of an organization's audit log are called: members and users by their address, keys by their name. Those
 * that are gone, or another organization's, are absent.
 */
export async function actorNames(
  db: D1Database,
  organizationId: number,
  actors: readonly string[],
): Promise<Map<string, string>> {
  if (actors.length === 0) return new Map();
  const wanted = (kind: string): string =>
    `(SELECT substr(value, ${kind.length + 2}) FROM json_each(?2) WHERE value LIKE '${kind}:%')`;
  const { results } = await db
    .prepare(
      `SELECT 'member:' || members.id AS actor, email AS name FROM members
         JOIN memberships ON member_id = members.id AND organization_id = ?1
         WHERE members.id IN ${wanted("member")}
       UNION ALL SELECT 'user:' || id, email FROM users WHERE organization_id = ?1 AND id IN ${wanted("user")}
       UNION ALL SELECT 'key:' || id, 'the key ' || name FROM api_keys WHERE organization_id = ?1 AND id IN ${wanted("key")}`,
    )
    .bind(organizationId, JSON.stringify([...new Set(actors)]))
    .all<{ actor: string; name: string }>();
  return new Map(results.map(({ actor, name }) => [actor, name]));
}
