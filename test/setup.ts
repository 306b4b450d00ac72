import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";

declare global {
  namespace Cloudflare {
    interface Env {
      /** What `test/vitest.config.ts` read from `migrations/`. */
      MIGRATIONS: D1Migration[];
      BOOTSTRAP_KEY: string;
    }
  }
}

await applyD1Migrations(env.DB, env.MIGRATIONS);
