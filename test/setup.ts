import type { D1Migration } from "cloudflare:test";
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
