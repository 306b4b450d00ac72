import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { readConfig } from "../../src/config";
import { keyring } from "../../src/db/sealed";
import { readDestinations } from "../../src/delivery/destinations.store";
import { destination } from "./build";

it("finds a destination that it knows beside new ones, whatever it has to forget for them", async () => {
  const ring = keyring(readConfig(env).masterKeys);
  const now = Date.now();
  const known = await destination();
  const lost: number[] = [];
  // More than an isolate keeps in mind.
  for (let batch = 0; batch < 120; batch += 1) {
    const strangers = Array.from({ length: 90 }, (_, index) => `nobody-${batch}-${index}`);
    const fresh = await (batch % 40 === 39 ? destination() : undefined);
    const ids = [known.id, ...strangers, ...(fresh === undefined ? [] : [fresh.id])];
    const named = ids.map((id) => ({ organizationId: 1, id }));
    const found = await readDestinations(env.DB, ring, named, now);
    if (!found.has(known.id) || (fresh !== undefined && !found.has(fresh.id))) lost.push(batch);
    expect(found.size).toBeLessThanOrEqual(2);
  }
  expect(lost).toEqual([]);
});
