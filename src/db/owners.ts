/**
 * `WITH RECURSIVE owners(id)`: the organizations that have rows in a table, each found by one look into an index that
 * begins with the columns of `prefix` (`step = ?1 AND`), then `organization_id`. So a purge may go on to
 * `owners CROSS JOIN table`, and reads as many rows as there are organizations and rows to delete, never the whole table.
 */
export const owners = (table: string, prefix = ""): string =>
  `WITH RECURSIVE owners(id) AS (
     SELECT min(organization_id) FROM ${table} WHERE ${prefix} organization_id > -1
     UNION ALL SELECT (SELECT min(organization_id) FROM ${table} WHERE ${prefix} organization_id > owners.id)
       FROM owners WHERE owners.id IS NOT NULL)`;
