import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { startCluster } from "./cluster.ts";
import { buildPrevious, hasPrevious } from "./previous.ts";
import { appEvents, polls, resources } from "./scenario.ts";
import { builtBundle } from "./services.ts";

/**
 * After a deploy objects keep their old code for minutes, and isolates of both versions call them, and one another by
 * the queues. So each version's callers work with the other's objects and messages. `npm test` replays what the version
 * before said (`contract/form.ts`); the long form builds it as well (`previous.json` names it), where the checkout has its history.
 */

const DEPLOYS: [string, (previous: string) => { bundles: string[]; objectsBundle: string }][] = [
  [
    "today's callers and the objects of the version before",
    (previous) => ({ bundles: [builtBundle()], objectsBundle: previous }),
  ],
  [
    "callers and messages of both versions and today's objects",
    (previous) => ({ bundles: [previous, builtBundle()], objectsBundle: builtBundle() }),
  ],
];

describe.runIf(inject("isLong") && hasPrevious())("two versions side by side", () => {
  let previous: ReturnType<typeof buildPrevious>;
  beforeAll(() => {
    previous = buildPrevious();
  });
  afterAll(() => rmSync(previous.folder, { recursive: true, force: true }));

  it.concurrent.each(DEPLOYS)("%s understand each other", async (_, deploy) => {
    const versions = deploy(previous.bundle);
    const cluster = await startCluster({
      isolates: 2,
      spares: 0,
      seed: 17,
      batchSize: 1,
      ...versions,
    });
    try {
      await appEvents(cluster, 12);
      await resources(cluster, 12, 4);
      await polls(cluster, 4);
      const { failures } = await cluster.counts();
      expect(failures).toEqual([]);
      expect(cluster.errors).toEqual([]);
    } finally {
      await cluster.stop();
    }
  });
});
