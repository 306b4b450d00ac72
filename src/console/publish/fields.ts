import type { FormField } from "../fields/as";
import * as as from "../fields/as";

const tenant: FormField = {
  name: "tenant",
  label: "Tenant",
  hint: "To whom it is published. Empty: to none",
  as: as.line,
};

/** What is typed of an event. */
export const EVENT_FIELDS: readonly FormField[] = [
  {
    name: "type",
    label: "Event type",
    hint: "One that you describe, or another: order.paid",
    as: as.line,
    isRequired: true,
  },
  { name: "data", label: "Data", hint: "JSON", as: { ...as.json, lines: 6 }, isRequired: true },
  {
    name: "channels",
    label: "Channels",
    hint: "One a line: endpoints that ask for one of these hear of it. Empty: none",
    as: as.list,
  },
  {
    name: "deliverAt",
    label: "Told at (UTC)",
    hint: "At most 30 days from now. Empty: at once",
    as: as.instant,
  },
];

export const FIELDS: readonly FormField[] = [tenant, ...EVENT_FIELDS];
