import type { Connector } from "../../connectors/definition";
import type { Extracted } from "../../connectors/webhook";
import { planList } from "../../hub/list";
import { readList } from "../../hub/read-list";
import { buildRequest, findResource, type VendorRequest } from "../../hub/request";
import { invalid } from "../../http/refusal";
import { entriesOf } from "../../instances/entries";
import { MASK } from "../../values/secret-name";
import type { Knowing } from "./knowing";
import type { DryRun } from "./user-connector";

/**
 * What an instance of the definition would request, and which events the sample answers would give. Sends
 * nothing.
 */
export async function dryRunResult(
  dryRunRequest: DryRun,
  { extract, preview }: Knowing,
): Promise<object> {
  const connector: Connector = { ...dryRunRequest.definition, id: 1 };
  const name = dryRunRequest.resource ?? Object.keys(connector.resources)[0];
  const listed = name === undefined ? {} : list(connector, name, dryRunRequest, preview);
  if (dryRunRequest.webhook === undefined) return listed;
  const webhook = await readSample(connector, dryRunRequest.webhook, extract);
  return webhook === undefined ? listed : { ...listed, webhook };
}

/** What a webhook that was pasted in says; undefined of a connector that has none. */
export async function readSample(
  connector: Connector,
  { body, headers }: NonNullable<DryRun["webhook"]>,
  extract: Knowing["extract"],
): Promise<Extracted | undefined> {
  const { webhook } = connector;
  if (webhook === undefined) return undefined;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return extract(connector, webhook, { body, text, headers: new Headers(headers) });
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
export function maskedConfiguration(
  connector: Connector,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const secrets = entriesOf(connector).filter(({ type }) => type === "PASSWORD");
  return { ...given, ...Object.fromEntries(secrets.map(({ key }) => [key, MASK])) };
}
