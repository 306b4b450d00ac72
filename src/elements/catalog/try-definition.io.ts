import type { Connector } from "../../connectors/definition";
import { planList } from "../../hub/list";
import { readList } from "../../hub/read-list";
import { failureText } from "../../hub/answer";
import { buildRequest, findResource, type VendorRequest } from "../../hub/request";
import { type HubDoors, send } from "../../hub/request.client";
import { maskedDefinition } from "../../connectors/sealed-definition";
import { maskedConfiguration } from "./dry-run";
import type { Knowing, Previewed } from "./knowing";

/** So many records are asked for, where the vendor lets one say how many. */
const RECORDS = 5;
/** As much of the answer is shown, in UTF-16 units. */
const MOST_SHOWN = 20_000;

export type Tried =
  /** `field`: of what was given to try it with. */
  | { kind: "not-sent"; message: string; field: "resource" | "configuration" }
  | {
      kind: "sent";
      /** Its secrets masked. */
      request: VendorRequest;
      /** The beginning of what the vendor answered. */
      answer: string;
      isWhole: boolean;
      outcome:
        | { kind: "failed"; message: string }
        | { kind: "listed"; records: number; hasMore: boolean; events: Previewed[] };
    };

/**
 * Asks the vendor's API for the first page of a resource, as an instance with this configuration would: through the
 * egress guard, bounded in time and size. Nothing is stored.
 */
export async function tryDefinition(
  connector: Connector,
  given: { configuration: Record<string, string>; resource: string },
  { preview }: Pick<Knowing, "preview">,
  doors: Pick<HubDoors, "config">,
): Promise<Tried> {
  const { configuration, resource } = given;
  if (findResource(connector, resource)?.resource.list === undefined)
    return { kind: "not-sent", message: `'${resource}' cannot be listed`, field: "resource" };
  const planned = planList(connector, resource, { pageSize: RECORDS }, configuration);
  if (!planned.ok) return { kind: "not-sent", message: planned.message, field: "configuration" };
  const { plan } = planned;
  const built = buildRequest({ connector, configuration }, plan.operation, plan.given);
  if (!built.ok) return { kind: "not-sent", message: built.message, field: "configuration" };
  const masked = buildRequest(
    {
      connector: maskedDefinition(connector),
      configuration: maskedConfiguration(connector, configuration),
    },
    plan.operation,
    plan.given,
  );
  const { answer, text } = await send(connector, built.request, doors);
  const sent = {
    kind: "sent" as const,
    request: masked.ok ? masked.request : { method: built.request.method, url: "", headers: {} },
    answer: text.slice(0, MOST_SHOWN),
    isWhole: text.length <= MOST_SHOWN,
  };
  if (answer.kind !== "json")
    return { ...sent, outcome: { kind: "failed", message: failureText(answer) } };
  const page = readList(plan, answer.value, answer.headers);
  if (!page.ok) return { ...sent, outcome: { kind: "failed", message: page.message } };
  const { records, next } = page;
  const events = preview(connector, resource, records);
  return {
    ...sent,
    outcome: { kind: "listed", records: records.length, hasMore: next !== null, events },
  };
}
