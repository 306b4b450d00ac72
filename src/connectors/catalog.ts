import { box } from "./box";
import { concur } from "./concur";
import type { Connector } from "./definition";
import { dropbox } from "./dropbox";
import { github } from "./github";
import { hubspot, hubspotcrm } from "./hubspot";
import { quickbooks } from "./quickbooks";
import { sandbox } from "./sandbox";
import { sfdc } from "./sfdc";

/** The built-in connectors. Adding one is adding its file and its name here. */
export const builtIn: readonly Connector[] = [
  box,
  concur,
  dropbox,
  github,
  hubspot,
  hubspotcrm,
  quickbooks,
  sandbox,
  sfdc,
];

const byName = new Map(
  builtIn.flatMap((connector): [string, Connector][] => [
    [connector.key, connector],
    [String(connector.id), connector],
  ]),
);

/** The built-in connector of a key or numeric id. */
export function findConnector(keyOrId: string | number): Connector | undefined {
  return byName.get(String(keyOrId).toLowerCase());
}
