import { concur } from "./concur";
import type { Connector } from "./definition";
import { sandbox } from "./sandbox";

/** The built-in connectors. Adding one is adding its file and its name here. */
export const builtIn: readonly Connector[] = [concur, sandbox];

/** The connector of a key or numeric id. */
export function findConnector(keyOrId: string | number): Connector | undefined {
  const text = String(keyOrId);
  return builtIn.find(({ key, id }) => key === text.toLowerCase() || String(id) === text);
}
