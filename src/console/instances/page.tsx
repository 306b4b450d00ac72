import type { JSX } from "hono/jsx/jsx-runtime";
import { visibleConfiguration } from "../../instances/configuration";
import { MASK } from "../../values/secret-name";
import { isSealedKey } from "../../instances/entries";
import type { Instance } from "../../instances/instance";
import { Deliveries, type Row } from "../deliveries/list";
import { Act, Empty, Facts, Instant, Pill } from "../parts";
import type { Standing } from "./health";

/** One instance: how it does, what it brought, how it is set up. */
export function InstancePage(props: {
  instance: Instance;
  standing: Standing;
  rows: Row[];
  older: string | null;
  now: number;
}): JSX.Element {
  const { instance, standing, rows, older, now } = props;
  const here = `/console/instances/${instance.id}`;
  const off = instance.disabled || instance.pollerDisabled !== null;
  return (
    <>
      <div class="head">
        <div>
          <h1>{instance.name}</h1>
          <p class="quiet">
            {instance.connector.name} · instance {instance.id}
          </p>
        </div>
        <div class="acts">
          {standing.polled && !off ? <Act to={`${here}/poll`} label="Poll now" main /> : null}
          {off ? (
            <Act to={`${here}/enable`} label="Enable" main />
          ) : (
            <Act to={`${here}/disable`} label="Disable" />
          )}
        </div>
      </div>
      <Facts
        facts={[
          ["Status", <Pill tone={standing.tone}>{standing.word}</Pill>],
          ...(standing.why === null ? [] : [["Why", standing.why] as const]),
          ["Events", standing.mode],
          [
            "Last poll",
            standing.lastPoll === null ? "never" : <Instant at={standing.lastPoll} now={now} />,
          ],
          ["Failures in a row", standing.failures],
          ["Callback", standing.callback ?? "none: events are kept, and go nowhere"],
          ...(instance.tags.length === 0 ? [] : [["Tags", instance.tags.join(", ")] as const]),
          ["Created", <Instant at={instance.createdAt} now={now} />],
        ]}
      />
      <h2>Notifications</h2>
      {rows.length === 0 ? (
        <Empty
          title="No notification yet"
          text={
            standing.polled
              ? "Change something in the account at the vendor, then poll now. Only what changes after the instance was created counts."
              : "What the vendor's webhooks bring shows here."
          }
        />
      ) : (
        <Deliveries rows={rows} now={now} />
      )}
      {older === null ? null : (
        <p class="more">
          <a href={older}>Older</a>
        </p>
      )}
      <h2>Configuration</h2>
      <Facts facts={configurationOf(instance)} />
    </>
  );
}

/** What is set, secrets masked. */
function configurationOf({ connector, configuration }: Instance): [string, string][] {
  return Object.entries(visibleConfiguration(connector, configuration))
    .filter(([, value]) => value !== null && value !== "")
    .map(([key, value]) => [key, isSealedKey(connector, key) ? MASK : (value ?? "")]);
}
