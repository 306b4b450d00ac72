import { builtIn } from "./catalog";
import type { Connector } from "./definition";

const CHANGES = ["CREATED", "UPDATED", "DELETED"] as const;

/** What happens to a connector's objects, as its events are called: `contacts.CREATED`. */
function namesOf({ events, resources, webhook }: Connector): string[] {
  const isTold = webhook !== undefined || events.feed !== undefined;
  const names = isTold
    ? Object.keys(resources)
    : Object.keys({ ...events.polling, ...events.pollingOnRequest });
  return names.flatMap((name) =>
    CHANGES.filter((change) => isTold || !resources[name]?.unpolled.includes(change)).map(
      (change) => `${name}.${change}`,
    ),
  );
}

const connectorsByName = Map.groupBy(
  builtIn.flatMap((connector) => namesOf(connector).map((name) => ({ name, connector }))),
  ({ name }) => name,
);

/** The event types of built-in connectors, by name, and which connectors have them. */
export const connectorEventTypes: readonly { name: string; description: string }[] = [
  ...connectorsByName,
]
  .map(([name, found]) => ({
    name,
    description: `Of ${found.map(({ connector }) => connector.name).join(", ")}`,
  }))
  .toSorted((a, b) => (a.name < b.name ? -1 : 1));
