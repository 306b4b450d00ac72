import type { EgressPolicy } from "../../http/egress";
import { faultsOf } from "../../http/faults";
import type { Violation } from "../../http/refusal";
import { digitsAlong } from "../../values/digits";
import { isObject } from "../../values/record";
import { addressFaults } from "./address-fault";
import type { Knowing } from "./knowing";
import { membersOf, type OwnDefinition, ownDefinition, ruleFaults } from "./user-connector";

export type CheckedDefinition =
  | { ok: true; definition: OwnDefinition }
  /** Everything that is wrong, in the document's own paths. */
  | { ok: false; faults: Violation[] };

/** A connector's definition as somebody sent it. */
export function checkedDefinition(
  given: unknown,
  policy: EgressPolicy,
  knowing: Knowing,
): CheckedDefinition {
  const parsed = ownDefinition.safeParse(given);
  const members = parsed.success ? parsed.data : membersOf(given);
  const shape = parsed.success ? [] : faultsOf(parsed.error);
  const extraction = members.webhook?.extraction;
  const unreadable = extraction && knowing.extractionFault(extraction);
  const all = [
    ...shape,
    ...ruleFaults(members, isObject(given) && given["webhook"] !== undefined),
    ...addressFaults(members, policy),
    ...(parsed.success ? pollingFaults(parsed.data, knowing) : []),
    ...(unreadable === undefined ? [] : [{ field: "webhook.extraction", message: unreadable }]),
  ];
  // The schema's own rules are among those of a whole definition already.
  const faults = [...new Map(all.map((one) => [`${one.field}\n${one.message}`, one])).values()];
  return parsed.success && faults.length === 0
    ? { ok: true, definition: digitsAlong(given, parsed.data) }
    : { ok: false, faults };
}

const INSTANCES = "configuration.event.poller.configuration";

/** The poller names a member as an instance has it. */
function pollingFaults(definition: OwnDefinition, knowing: Knowing): Violation[] {
  const connector = { ...definition, id: 1 };
  return knowing.pollingFaults({ connector, configuration: {} }).map(({ field, message }) => {
    const prefix = `${field.replace(/^configuration\./, "")}: `;
    return {
      field: field.replace(INSTANCES, "events.polling"),
      message: message.startsWith(prefix) ? message.slice(prefix.length) : message,
    };
  });
}
