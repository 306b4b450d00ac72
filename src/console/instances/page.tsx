import type { JSX } from "hono/jsx/jsx-runtime";
import { instanceDestinationId } from "../../delivery/destination";
import { isEnabledByItself } from "../../delivery/state";
import {
  authenticationOf,
  eventSettings,
  visibleConfiguration,
} from "../../instances/configuration";
import { MASK } from "../../values/secret-name";
import { maskedUrl } from "../../values/secret-text";
import { instanceSource } from "../../stream/stream-name";
import { isSealedKey } from "../../instances/entries";
import type { Attention } from "../../instances/attention";
import type { Instance } from "../../instances/instance";
import { Deliveries, type Row } from "../deliveries/list";
import { eventsAddress } from "../events/search";
import { Act, Copyable, Empty, Facts, Instant, Pill, TenantLink } from "../parts";
import { State } from "../state";
import type { Health } from "./health";
import { AttentionList, Untaken } from "./untaken";

type Shown = { instance: Instance; health: Health; now: number };

/** One instance: its health, its notifications, its configuration. */
export function InstancePage(
  props: Shown & {
    rows: Row[];
    /** The address of older notifications; null when there are none. */
    older: string | null;
    attention: Attention[];
    /** Where the vendor sends its webhooks. */
    address: string;
    untaken: Omit<Parameters<typeof Untaken>[0], "instanceId" | "now">;
  },
): JSX.Element {
  const { instance, health, rows, older, attention, address, untaken, now } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>{instance.name}</h1>
          <p class="quiet">
            {instance.connector.name} · instance {instance.id}
          </p>
        </div>
        <Acts instance={instance} health={health} />
      </div>
      <HealthFacts instance={instance} health={health} now={now} />
      <AttentionList attention={attention} now={now} />
      <h2>Notifications</h2>
      <p>
        <a href={eventsAddress({ source: instanceSource(instance.id) })}>
          Search its events, or deliver them again
        </a>
      </p>
      {rows.length === 0 ? (
        <NoNotification polled={health.polled} />
      ) : (
        <Deliveries rows={rows} now={now} />
      )}
      {older === null ? null : (
        <p class="more">
          <a href={older}>Older</a>
        </p>
      )}
      <Untaken instanceId={instance.id} {...untaken} now={now} />
      <Webhooks instance={instance} address={address} />
      <h2>Configuration</h2>
      <Facts facts={configurationOf(instance)} />
    </>
  );
}

/** Where the vendor's webhooks go; some are made there by us. */
function Webhooks({ instance, address }: { instance: Instance; address: string }) {
  const { connector, configuration } = instance;
  const { enabled, modes } = eventSettings(connector, configuration);
  if (!enabled || !modes.includes("webhook")) return null;
  const isMade = connector.webhook?.registration !== undefined;
  return (
    <>
      <h2>Webhooks</h2>
      <p class="quiet">
        {isMade
          ? `They are made for you at ${connector.name}, and go to`
          : `Have ${connector.name} send them to`}
      </p>
      <Copyable text={address} label="the address" />
    </>
  );
}

function Acts({ instance, health }: Pick<Shown, "instance" | "health">): JSX.Element {
  const here = `/console/instances/${instance.id}`;
  const callback = `/console/destinations/${instanceDestinationId(instance.id)}`;
  const isOff = instance.disabled || instance.pollerDisabled !== null;
  const { callbackState } = health;
  const { connector, configuration, valid } = instance;
  const isConsented = authenticationOf(connector, configuration).type === "oauth2";
  return (
    <div class="acts">
      {isConsented && !valid ? (
        <Act to={`${here}/reconnect`} label={`Connect with ${connector.name}`} main />
      ) : null}
      {health.polled && !isOff ? <Act to={`${here}/poll`} label="Poll now" main /> : null}
      {callbackState !== undefined && isEnabledByItself(callbackState) ? (
        <Act to={`${callback}/enable`} label="Enable callback" main />
      ) : null}
      {isOff ? (
        <Act to={`${here}/enable`} label="Enable" main />
      ) : (
        <Act to={`${here}/disable`} label="Disable" />
      )}
      {callbackState === undefined ? null : (
        <Act to={`${callback}/test`} label="Send test">
          <input type="hidden" name="next" value={here} />
        </Act>
      )}
      {isConsented && valid ? <Act to={`${here}/reconnect`} label="Reconnect" /> : null}
      <a class="button" href={`${here}/edit`}>
        Edit
      </a>
      <a class="button" href={`${here}/delete`}>
        Delete
      </a>
    </div>
  );
}

function NoNotification({ polled }: { polled: boolean }): JSX.Element {
  return (
    <Empty
      title="No notification yet"
      text={
        polled
          ? "Change something in the account at the vendor, then poll now. Only what changes after the instance was created counts."
          : "What the vendor's webhooks bring shows here."
      }
    />
  );
}

function HealthFacts({ instance, health, now }: Shown): JSX.Element {
  const { tone, word, reason, mode, lastPoll, failures, unreachable, callback, callbackState } =
    health;
  return (
    <Facts
      facts={[
        ["Status", <Pill tone={tone}>{word}</Pill>],
        ...(reason === null ? [] : [["Why", reason] as const]),
        ["Events", mode],
        ["Last poll", lastPoll === null ? "never" : <Instant at={lastPoll} now={now} />],
        ["Failures in a row", failures],
        ...(unreachable === undefined
          ? []
          : [
              ["No answer since", <Instant at={unreachable.since} now={now} />] as const,
              ["Next try", <Instant at={unreachable.nextAt} now={now} />] as const,
            ]),
        ["Callback", callback ?? "none: events are kept, and go nowhere"],
        ...(callbackState === undefined
          ? []
          : [["Callback's state", <State state={callbackState} now={now} />] as const]),
        ...(instance.tenant === null
          ? []
          : [["Tenant", <TenantLink id={instance.tenant.id} />] as const]),
        ...(instance.tags.length === 0 ? [] : [["Tags", instance.tags.join(", ")] as const]),
        ["Created", <Instant at={instance.createdAt} now={now} />],
      ]}
    />
  );
}

/** The configuration keys that have a value; secrets are masked. */
function configurationOf({ connector, configuration }: Instance): [string, string][] {
  return Object.entries(visibleConfiguration(connector, configuration))
    .filter(([, value]) => value !== null && value !== "")
    .map(([key, value]) => [key, isSealedKey(connector, key) ? MASK : maskedUrl(value ?? "")]);
}
