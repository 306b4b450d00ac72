import { Hono } from "hono";
import { type AskerEnv, withSecrets } from "../../accounts/asker.io";
import { maskedDefinition } from "../../connectors/sealed-definition";
import { parse, readJson } from "../../http/body";
import { dryRunResult } from "./dry-run";
import type { Knowing } from "./knowing";
import {
  changeConnector,
  createConnector,
  definitionIn,
  ownConnectorOf,
  removeConnector,
} from "./own-connectors.io";
import { dryRun } from "./user-connector";

const MOST_BYTES = 1024 * 1024;

/**
 * Connectors that an organization describes itself, as data; nobody else sees them
 * (reference connector-events-api.md §3).
 */
export function ownConnectorRoutes(knowing: Knowing): Hono<AskerEnv> {
  return new Hono<AskerEnv>()
    .post("/elements", withSecrets, async (c) => {
      const given = await readJson(c, MOST_BYTES);
      return c.json(maskedDefinition(await createConnector(c, given, knowing)));
    })
    .post("/elements/test", withSecrets, async (c) => {
      const { definition, ...samples } = parse(dryRun, await readJson(c, MOST_BYTES));
      const checked = definitionIn(c, definition, knowing, "definition");
      return c.json(await dryRunResult({ ...samples, definition: checked }, knowing));
    })
    .put("/elements/:element", withSecrets, async (c) => {
      const connector = await ownConnectorOf(c);
      const given = await readJson(c, MOST_BYTES);
      return c.json(maskedDefinition(await changeConnector(c, connector, given, knowing)));
    })
    .delete("/elements/:element", withSecrets, async (c) => {
      await removeConnector(c, await ownConnectorOf(c));
      return c.body(null, 200);
    });
}
