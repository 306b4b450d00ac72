import { type D1Migration, listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";

declare global {
  namespace Cloudflare {
    interface Env {
      /** What `test/vitest.config.ts` read from `migrations/`. */
      MIGRATIONS: D1Migration[];
      BOOTSTRAP_KEY: string;
    }
  }
}

const isMigrated = await env.DB.prepare("SELECT 1 FROM sqlite_master WHERE name = 'users'").first();
// The real migrations, each in one transaction: statement by statement they take seconds a file.
if (isMigrated === null)
  for (const { queries } of env.MIGRATIONS)
    await env.DB.batch(queries.map((query) => env.DB.prepare(query)));

// Loads the whole Worker, so that no test waits for it.
await exports.default.fetch("http://tributary.example/health");

// Files that share a runtime move its clock: what vendors' budgets noted under another one is forgotten.
for (const id of await listDurableObjectIds(env.VENDOR_BUDGETS))
  await runInDurableObject(env.VENDOR_BUDGETS.get(id), (budget) => {
    for (const notes of ["paces", "pauses"]) Reflect.get(budget, notes).clear();
  });
