/** What a deployment needs that it lacks, and how to set it. */
export type Lack = { name: string; reason: string };

const BINDINGS: Readonly<Record<string, readonly string[]>> = {
  d1_databases: ["DB"],
  "durable_objects.bindings": ["EVENT_STREAMS", "ENDPOINTS", "VENDOR_BUDGETS", "DIRECTORY"],
  "queues.producers": ["POLLS", "POLLS_SLOW", "TICKS", "DELIVERIES", "DELIVERIES_SLOW"],
};

/** The bindings of `wrangler.toml` that a Worker was deployed without. */
export function lackingBindings(env: object): Lack[] {
  return Object.entries(BINDINGS).flatMap(([section, names]) =>
    names
      .filter((name) => Reflect.get(env, name) === undefined)
      .map((name) => ({
        name,
        reason: `Expected a binding of this name in [[${section}]] of wrangler.toml`,
      })),
  );
}

/** What everything answers while tables or columns are missing. */
export const UNMIGRATED: Lack = {
  name: "migrations",
  reason:
    "The database lacks tables. Run: npx wrangler d1 migrations apply DB --remote (--local for a local one); npm run deploy does",
};

/** Whether a query failed because the database has not had all migrations. */
export function isUnmigrated(error: unknown): boolean {
  for (let at = error, steps = 0; at instanceof Error && steps < 5; steps += 1) {
    if (/D1_ERROR: no such (table|column)/.test(at.message)) return true;
    at = at.cause;
  }
  return false;
}

/** All that is lacking, in one text for people. */
export const sayLacks = (lacks: readonly Lack[]): string =>
  `This deployment is not set up. ${lacks.map(({ name, reason }) => `${name}: ${reason}`).join(". ")}.`;
