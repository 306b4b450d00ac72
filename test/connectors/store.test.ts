import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { connectorsOf, insertConnector } from "../../src/connectors/store";
import { findConnector } from "../../src/connectors/catalog";
import { readConfig } from "../../src/config";
import { keyring } from "../../src/db/sealed";
import { firstOrganization } from "../organization";

it("finds a connector that it knows beside new ones, whatever it has to forget for them", async () => {
  await firstOrganization();
  const sandbox = findConnector("sandbox");
  if (sandbox === undefined) throw new Error("There is no sandbox");
  const now = Date.now();
  const key = `mine-${crypto.randomUUID().slice(0, 8)}`;
  await insertConnector(env.DB, keyring(readConfig(env).masterKeys), 1, { ...sandbox, key }, now);
  const lost: number[] = [];
  // More than an isolate keeps in mind.
  for (let batch = 0; batch < 50; batch += 1) {
    const strangers = Array.from({ length: 50 }, (_, index) => `nobody-${batch}-${index}`);
    const wanted = [key, "sandbox", ...strangers].map((name) => ({ organizationId: 1, key: name }));
    const find = await connectorsOf(env.DB, wanted, now);
    if (find(1, key)?.key !== key || find(1, "sandbox") !== sandbox) lost.push(batch);
    expect(find(1, strangers[0] ?? "")).toBeUndefined();
    expect(find(2, key)).toBeUndefined();
  }
  expect(lost).toEqual([]);
});
