import { type D1Migration, listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { EventStream } from "../src/index";
import { moveVendor } from "./platform";

declare global {
  /** The class that this runtime's streams were made of last. */
  var streamClass: unknown;
  /** Ids of the streams whose alarms were taken from them. */
  var silencedStreams: Set<string> | undefined;
  namespace Cloudflare {
    interface Env {
      /** What `test/vitest.config.ts` read from `migrations/`. */
      MIGRATIONS: D1Migration[];
      BOOTSTRAP_KEY: string;
      EMPTY: D1Database;
      NEW: D1Database;
    }
  }
}

moveVendor();

const isMigrated = await env.DB.prepare("SELECT 1 FROM sqlite_master WHERE name = 'users'").first();
// The real migrations, each in one transaction: statement by statement they take seconds a file.
if (isMigrated === null)
  for (const { queries } of env.MIGRATIONS)
    await env.DB.batch(queries.map((query) => env.DB.prepare(query)));

// Loads the whole Worker, so that no test waits for it.
await exports.default.fetch("http://tributary.example/health");

/** A test that made itself another isolate (`flows/isolate.ts`) leaves classes anew: an object of the old ones fails once. */
async function reach<T extends Rpc.DurableObjectBranded>(
  stubOf: () => DurableObjectStub<T>,
  work: (instance: T, state: DurableObjectState) => unknown,
): Promise<void> {
  const again = async (error: unknown) => {
    if (!String(error).includes("invalidating this Durable Object")) throw error;
    // What can't be made anew was broken on purpose, by the test it belongs to.
    await runInDurableObject(stubOf(), work).catch(() => undefined);
  };
  await runInDurableObject(stubOf(), work).catch(again);
}
const isRenewed = globalThis.streamClass !== undefined && globalThis.streamClass !== EventStream;
globalThis.streamClass = EventStream;

// What other files of this runtime left behind is not tried again in the middle of this one.
const silenced = (globalThis.silencedStreams ??= new Set<string>());
for (const id of await listDurableObjectIds(env.EVENT_STREAMS)) {
  if (silenced.has(id.toString()) && !isRenewed) continue;
  silenced.add(id.toString());
  await reach(
    () => env.EVENT_STREAMS.get(id),
    (_, { storage }) => storage.deleteAlarm(),
  );
}
if (isRenewed) {
  for (const id of await listDurableObjectIds(env.ENDPOINTS))
    await reach(
      () => env.ENDPOINTS.get(id),
      () => undefined,
    );
  for (const id of await listDurableObjectIds(env.DIRECTORY))
    await reach(
      () => env.DIRECTORY.get(id),
      () => undefined,
    );
}
// They move its clock, too: what vendors' budgets noted under another one is forgotten.
for (const id of await listDurableObjectIds(env.VENDOR_BUDGETS))
  await reach(
    () => env.VENDOR_BUDGETS.get(id),
    (budget) => {
      for (const notes of ["paces", "pauses", "waiting", "serialPolls", "waitingMessages"])
        Reflect.get(budget, notes).clear();
    },
  );
