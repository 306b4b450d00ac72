import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { watchChange } from "../../accounts/watch.io";
import { builtIn, findConnector } from "../../connectors/catalog";
import type { Connector } from "../../connectors/definition";
import {
  isUnreadable,
  openedDefinition,
  unmaskedDefinition,
} from "../../connectors/sealed-definition";
import {
  connectorOf,
  countConnectors,
  deleteConnector,
  insertConnector,
  updateConnector,
} from "../../connectors/store";
import { conflict, forbidden, invalid, notFound, Refusal } from "../../http/refusal";
import { doorsOf } from "../../instances/lookup.io";
import { rerouteInstances } from "../../instances/reroute.store";
import { noInstanceOf } from "../../instances/store";
import { MASK } from "../../values/secret-name";
import { quoted } from "../../values/text";
import { checkedDefinition } from "./checked-definition";
import type { Knowing } from "./knowing";
import type { OwnDefinition } from "./user-connector";

/** Making, changing and deleting connectors that an organization describes itself, for every surface. */

const MOST_CONNECTORS = 200;

export const isOwn = (connector: Connector): boolean => !builtIn.includes(connector);

/** @throws Refusal `invalid` with everything that is wrong, `conflict` for a key that is taken. */
export async function createConnector(
  c: Context<AskerEnv>,
  given: unknown,
  knowing: Knowing,
): Promise<Connector> {
  const { organizationId } = c.var.asker;
  const { db, ring } = doorsOf(c);
  const definition = definitionIn(c, given, knowing);
  refuseMasks(definition);
  if (findConnector(definition.key) !== undefined)
    throw conflict(`key: '${definition.key}' is a built-in connector`, "key");
  if ((await countConnectors(db, organizationId)) >= MOST_CONNECTORS)
    throw conflict(`An organization has at most ${MOST_CONNECTORS} connectors`);
  const made = await insertConnector(db, ring, organizationId, definition, Date.now());
  if (made === undefined) throw conflict(`key: '${definition.key}' exists`, "key");
  return made;
}

/** @param connector As `ownConnectorOf` found it. @throws Refusal `invalid` with everything that is wrong. */
export async function changeConnector(
  c: Context<AskerEnv>,
  connector: Connector,
  shown: unknown,
  knowing: Knowing,
): Promise<Connector> {
  const { organizationId } = c.var.asker;
  const { db, ring } = doorsOf(c);
  const given = definitionIn(c, shown, knowing);
  if (JSON.stringify(given).includes("~sealed.")) refuseMasks(given);
  const definition = unmaskedDefinition(given, connector);
  if (definition.key !== connector.key)
    throw invalid(`key: A connector keeps its key '${connector.key}'`, "key");
  const changed = { ...definition, id: connector.id };
  refuseMasks(openedDefinition(ring, changed));
  await updateConnector(db, ring, organizationId, changed, Date.now());
  const [before, after] = [connector, changed].map(({ webhook }) => webhook?.route);
  if (JSON.stringify(before) !== JSON.stringify(after))
    await rerouteInstances(db, ring, organizationId, changed);
  return changed;
}

/** @throws Refusal `conflict` while it has instances. */
export async function removeConnector(c: Context<AskerEnv>, connector: Connector): Promise<void> {
  const { organizationId } = c.var.asker;
  const unused = noInstanceOf(organizationId, connector.key);
  if (!(await deleteConnector(c.env.DB, organizationId, connector, unused)))
    throw conflict(`Connector '${connector.key}' has instances`);
}

/** The connector that a path names, which the organization made itself. @throws Refusal `forbidden` for a built-in one. */
export async function ownConnectorOf(c: Context<AskerEnv>): Promise<Connector> {
  const name = c.req.param("element") ?? "";
  const { organizationId } = c.var.asker;
  const connector = await connectorOf(c.env.DB, organizationId, name);
  if (connector === undefined) throw notFound(`No element '${name}'`);
  if (!isOwn(connector)) throw forbidden("Built-in connectors can't be changed");
  const { DB } = c.env;
  watchChange(
    c,
    () => connector,
    () => connectorOf(DB, organizationId, connector.key),
  );
  return connector;
}

/**
 * A definition that somebody sent. @param prefix Where in the request it stood: `definition`.
 * @throws Refusal `invalid` with everything that is wrong, in the document's own paths.
 */
export function definitionIn(
  c: Context<AskerEnv>,
  given: unknown,
  knowing: Knowing,
  prefix = "",
): OwnDefinition {
  const checked = checkedDefinition(given, doorsOf(c).config.egress, knowing);
  if (checked.ok) return checked.definition;
  const violations = checked.faults.map(({ field, message }) => ({
    field: [prefix, field].filter((part) => part !== "").join("."),
    message,
  }));
  const { field = "", message = "" } = violations[0] ?? {};
  throw new Refusal({
    kind: "invalid",
    message: `${field === "" ? "Body" : quoted(field)}: ${message}`,
    violations,
    ...(field === "" ? {} : { field }),
  });
}

/** @throws Refusal `invalid` for a mask where nothing is stored. */
function refuseMasks(definition: OwnDefinition): void {
  if (isUnreadable(definition))
    throw invalid(`'${MASK}' keeps a stored value, and there is none`, "headers");
}
