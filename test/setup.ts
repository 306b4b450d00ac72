import { type D1Migration, listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";

declare global {
  /** Ids of the streams whose alarms were taken from them. */
  var silencedStreams: Set<string> | undefined;
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

// What other files of this runtime left behind is not tried again in the middle of this one.
const silenced = (globalThis.silencedStreams ??= new Set<string>());
for (const id of await listDurableObjectIds(env.EVENT_STREAMS)) {
  if (silenced.has(id.toString())) continue;
  silenced.add(id.toString());
  await runInDurableObject(env.EVENT_STREAMS.get(id), (_, { storage }) => storage.deleteAlarm());
}
// They move its clock, too: what vendors' budgets noted under another one is forgotten.
for (const id of await listDurableObjectIds(env.VENDOR_BUDGETS))
  await runInDurableObject(env.VENDOR_BUDGETS.get(id), (budget) => {
    for (const notes of ["paces", "pauses", "waiting", "serialPolls", "waitingMessages"])
      Reflect.get(budget, notes).clear();
  });
