import { type Context, Hono } from "hono";
import { type AskerEnv, withSecrets } from "../../accounts/asker.io";
import { watchChange } from "../../accounts/watch.io";
import { builtIn, findConnector } from "../../connectors/catalog";
import type { Connector } from "../../connectors/definition";
import {
  isUnreadable,
  maskedDefinition,
  openedDefinition,
  unmaskedDefinition,
} from "../../connectors/sealed-definition";
import type { Delivery, Extracted, Extraction, Webhook } from "../../connectors/webhook";
import { parse, readJson } from "../../http/body";
import { conflict, forbidden, invalid, notFound } from "../../http/refusal";
import type { Fault } from "../../instances/value-checks";
import { MASK } from "../../values/secret-name";
import { entriesOf } from "../../instances/entries";
import { planList } from "../../hub/list";
import { readList } from "../../hub/read-list";
import { buildRequest, findResource, type VendorRequest } from "../../hub/request";
import type { Instance } from "../../instances/instance";
import {
  connectorOf,
  countConnectors,
  deleteConnector,
  insertConnector,
  updateConnector,
} from "../../connectors/store";
import { rerouteInstances } from "../../instances/reroute.store";
import { doorsOf } from "../../instances/lookup.io";
import { noInstanceOf } from "../../instances/store";
import { addressFault } from "./address-fault";
import { dryRun, type DryRun, type OwnDefinition, ownDefinition } from "./user-connector";

const MOST_BYTES = 1024 * 1024;
const MOST_CONNECTORS = 200;

/** What the rooms `polling` and `inbound`, above this one, say about a definition. */
export type Knowing = {
  /** What is wrong with its poll configuration. */
  pollingFault: (instance: Pick<Instance, "connector" | "configuration">) => Fault | undefined;
  /** What is wrong with its way of reading webhooks. */
  extractionFault: (extraction: Extraction) => string | undefined;
  /** What a delivery of a connector's webhook says, its objects called as events call them. */
  extract: (connector: Connector, webhook: Webhook, delivery: Delivery) => Promise<Extracted>;
  /** The events that a poll of these records would make. */
  preview: (connector: Connector, resource: string, records: readonly unknown[]) => object[];
};

/**
 * Connectors that an organization describes itself, as data; nobody else sees them
 * (reference connector-events-api.md §3).
 */
export function ownConnectorRoutes(knowing: Knowing): Hono<AskerEnv> {
  return new Hono<AskerEnv>()
    .post("/elements", withSecrets, async (c) => {
      const { organizationId } = c.var.asker;
      const definition = await readDefinition(c, knowing);
      refuseMasks(definition);
      if (findConnector(definition.key) !== undefined)
        throw conflict(`key: '${definition.key}' is a built-in connector`, "key");
      if ((await countConnectors(c.env.DB, organizationId)) >= MOST_CONNECTORS)
        throw conflict(`An organization has at most ${MOST_CONNECTORS} connectors`);
      const made = await insertConnector(
        c.env.DB,
        doorsOf(c).ring,
        organizationId,
        definition,
        Date.now(),
      );
      if (made === undefined) throw conflict(`key: '${definition.key}' exists`, "key");
      return c.json(maskedDefinition(made));
    })
    .post("/elements/test", withSecrets, async (c) => {
      const dryRunRequest = parse(dryRun, await readJson(c, MOST_BYTES));
      checkDefinition(c, dryRunRequest.definition, knowing, "definition.");
      return c.json(await dryRunResult(dryRunRequest, knowing));
    })
    .put("/elements/:element", withSecrets, async (c) => {
      const connector = await ownOf(c);
      const given = await readDefinition(c, knowing);
      if (JSON.stringify(given).includes("~sealed.")) refuseMasks(given);
      const definition = unmaskedDefinition(given, connector);
      if (definition.key !== connector.key)
        throw invalid(`key: A connector keeps its key '${connector.key}'`, "key");
      const changed = { ...definition, id: connector.id };
      const { organizationId } = c.var.asker;
      refuseMasks(openedDefinition(doorsOf(c).ring, changed));
      await updateConnector(c.env.DB, doorsOf(c).ring, organizationId, changed, Date.now());
      const [before, after] = [connector, changed].map(({ webhook }) => webhook?.route);
      if (JSON.stringify(before) !== JSON.stringify(after))
        await rerouteInstances(c.env.DB, doorsOf(c).ring, organizationId, changed);
      return c.json(maskedDefinition(changed));
    })
    .delete("/elements/:element", withSecrets, async (c) => {
      const connector = await ownOf(c);
      const { organizationId } = c.var.asker;
      const unused = noInstanceOf(organizationId, connector.key);
      if (!(await deleteConnector(c.env.DB, organizationId, connector, unused)))
        throw conflict(`Connector '${connector.key}' has instances`);
      return c.body(null, 200);
    });
}

/** @throws Refusal `invalid` for a mask where nothing is stored. */
function refuseMasks(definition: OwnDefinition): void {
  if (isUnreadable(definition))
    throw invalid(`'${MASK}' keeps a stored value, and there is none`, "headers");
}

async function readDefinition(c: Context<AskerEnv>, knowing: Knowing): Promise<OwnDefinition> {
  const definition = parse(ownDefinition, await readJson(c, MOST_BYTES));
  checkDefinition(c, definition, knowing, "");
  return definition;
}

function checkDefinition(
  c: Context<AskerEnv>,
  definition: OwnDefinition,
  knowing: Knowing,
  prefix: string,
): void {
  const address = addressFault(definition, doorsOf(c).config.egress);
  if (address !== undefined) {
    const named = `${prefix}${address.field}`;
    throw invalid(`${named}: ${address.message}`, named);
  }
  const connector: Connector = { ...definition, id: 1 };
  const fault = knowing.pollingFault({ connector, configuration: {} });
  if (fault !== undefined) throw invalid(fault.message, `${prefix}events.polling`);
  const message =
    definition.webhook === undefined
      ? undefined
      : knowing.extractionFault(definition.webhook.extraction);
  const field = `${prefix}webhook.extraction`;
  if (message !== undefined) throw invalid(`${field}: ${message}`, field);
}

async function ownOf(c: Context<AskerEnv>): Promise<Connector> {
  const name = c.req.param("element") ?? "";
  const connector = await connectorOf(c.env.DB, c.var.asker.organizationId, name);
  if (connector === undefined) throw notFound(`No element '${name}'`);
  if (builtIn.includes(connector)) throw forbidden("Built-in connectors can't be changed");
  const { DB } = c.env;
  const { organizationId } = c.var.asker;
  watchChange(
    c,
    () => connector,
    () => connectorOf(DB, organizationId, connector.key),
  );
  return connector;
}

/**
 * What an instance of the definition would request, and which events the sample answers would give. Sends
 * nothing.
 */
async function dryRunResult(dryRunRequest: DryRun, { extract, preview }: Knowing): Promise<object> {
  const connector: Connector = { ...dryRunRequest.definition, id: 1 };
  const { resources, webhook } = connector;
  const name = dryRunRequest.resource ?? Object.keys(resources)[0];
  const listed = name === undefined ? {} : list(connector, name, dryRunRequest, preview);
  if (dryRunRequest.webhook === undefined || webhook === undefined) return listed;
  const { body, headers } = dryRunRequest.webhook;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const read = await extract(connector, webhook, { body, text, headers: new Headers(headers) });
  return { ...listed, webhook: read };
}

function list(
  connector: Connector,
  name: string,
  dryRunRequest: DryRun,
  preview: Knowing["preview"],
): object {
  if (findResource(connector, name)?.resource.list === undefined)
    throw invalid(`resource: '${name}' cannot be listed`, "resource");
  const configuration = maskedConfiguration(connector, dryRunRequest.configuration);
  const query = dryRunRequest.where === undefined ? {} : { where: dryRunRequest.where };
  const planned = planList(connector, name, query, configuration);
  if (!planned.ok) throw invalid(planned.message, "where");
  const { plan } = planned;
  const built = buildRequest({ connector, configuration }, plan.operation, plan.given);
  if (!built.ok) throw invalid(built.message, "configuration");
  const request: VendorRequest = built.request;
  if (dryRunRequest.sample?.answer === undefined) return { request };
  const page = readList(
    plan,
    dryRunRequest.sample.answer,
    new Headers(dryRunRequest.sample.headers),
  );
  if (!page.ok) throw invalid(`sample.answer: ${page.message}`, "sample.answer");
  const { records, next } = page;
  return { request, records, next, events: preview(connector, name, records) };
}

/** The given values with every secret masked: the result of a dry run is shown, and no request is sent. */
function maskedConfiguration(
  connector: Connector,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const secrets = entriesOf(connector).filter(({ type }) => type === "PASSWORD");
  return { ...given, ...Object.fromEntries(secrets.map(({ key }) => [key, MASK])) };
}
