import { type DestinationState, isPaused, stateText } from "../delivery/state";
import type { Untaken } from "../stream/traces/trace";
import { isoText, type Millis } from "../values/instant";
import { eventSettings, hasCredentials, hasPolled } from "./configuration";
import { type Instance, whyOff } from "./instance";
import { tenantValues } from "./routing";
import { type WebhookFault, webhookFaults } from "./webhook-faults";

/** What keeps an instance that has events on from getting some, or from telling them, and what to do about it. */
export type Attention = { code: string; message: string; since?: Millis };

/** What is known of an instance: its callback's state, if it has one, and what came and became no event, where that was asked. */
export type Facts = {
  instance: Instance;
  callback: DestinationState | undefined;
  untaken: readonly Untaken[];
};

/** Reasons for attention, the weightiest first; none while events are off. */
export function attentionOf(facts: Facts): Attention[] {
  const { connector, configuration } = facts.instance;
  const { enabled } = eventSettings(connector, configuration);
  const found = enabled ? ROWS.flatMap((row) => row(facts)) : [];
  return found.filter((one) => one !== undefined);
}

/** Attention as every surface prints it. */
export const attentionView = (all: readonly Attention[]) =>
  all.map(({ code, message, since }) => ({
    code,
    message,
    ...(since === undefined ? {} : { since: isoText(since) }),
  }));

type Found = Attention | undefined;

/** The table. Each row looks at the same facts, and none at another row. */
const ROWS: readonly ((facts: Facts) => Found | Found[])[] = [
  nothingArrives,
  switchedOff,
  notAuthenticated,
  pollerOff,
  nothingToPoll,
  webhooksFail,
  notRegistered,
  noTenant,
  refused,
  ignored,
  callback,
];

function nothingArrives({ instance }: Facts): Found {
  const { connector, configuration, valid, pollerDisabled } = instance;
  const { modes } = eventSettings(connector, configuration);
  const polls = modes.includes("polling") && hasPolled(connector, configuration);
  const isReadByPoll =
    connector.webhook?.extraction.by === "feed" ||
    (modes.includes("polling") && hasCredentials(connector, configuration));
  const hears = modes.includes("webhook") && webhookFaults(connector, configuration).length === 0;
  const canPoll = valid && pollerDisabled === null;
  const arrives =
    whyOff(instance) === undefined && ((polls && canPoll) || (hears && (canPoll || !isReadByPoll)));
  const message = "Nothing can arrive, for the reasons that follow";
  return arrives ? undefined : { code: "nothing-arrives", message };
}

function switchedOff({ instance }: Facts): Found {
  const { id, disabled, tenant } = instance;
  const why = whyOff(instance);
  if (why === undefined) return undefined;
  return disabled
    ? { code: "disabled", message: `${why}: enable it by PUT /instances/${id}/enabled` }
    : {
        code: "tenant-disabled",
        message: `${why}: enable it by PATCH /v1/tenants/${tenant?.id ?? ""}`,
      };
}

/** Webhooks that are proved without the vendor need no credentials. */
function notAuthenticated({ instance }: Facts): Found {
  const { id, valid, invalidReason, connector, configuration } = instance;
  const { modes } = eventSettings(connector, configuration);
  const { registration, extraction } = connector.webhook ?? {};
  const isCalled =
    modes.includes("polling") || extraction?.by === "feed" || registration !== undefined;
  if (valid || !isCalled) return undefined;
  const why = invalidReason ?? "It is not authenticated";
  const message = `${connector.name} can't be called (${why}): authenticate the instance, by PATCH /instances/${id} with \`providerData\``;
  return { code: "not-authenticated", message };
}

function pollerOff({ instance: { id, pollerDisabled } }: Facts): Found {
  if (pollerDisabled === null) return undefined;
  const { resource, failureCount, disabledDate, lastError } = pollerDisabled;
  const message = `Polling was switched off after ${failureCount} failures in a row of '${resource}' (${lastError}): mend that, then PUT /instances/${id}/enabled`;
  return { code: "poller-off", message, since: disabledDate };
}

function nothingToPoll({ instance: { connector, configuration } }: Facts): Found {
  const { modes } = eventSettings(connector, configuration);
  if (!modes.includes("polling") || hasPolled(connector, configuration)) return undefined;
  const message = `${connector.name} has nothing to poll of its own: name resources in \`event.poller.configuration\`, or set \`event.vendor.type\` to webhook`;
  return { code: "nothing-to-poll", message };
}

/** Where webhooks are the way: by `event.vendor.type`, or because they are the connector's own. */
function wantsWebhooks({ instance: { connector, configuration } }: Facts): boolean {
  const { modes } = eventSettings(connector, configuration);
  const isExplicit = (configuration[TYPE] ?? null) !== null;
  return modes.includes("webhook") && (isExplicit || connector.events.defaultMode === "webhook");
}

function webhooksFail(facts: Facts): Found[] {
  const { instance } = facts;
  const { modes } = eventSettings(instance.connector, instance.configuration);
  const came = refusals(facts);
  const meanwhile = modes.includes("polling") ? "; meanwhile it is polled" : "";
  return faultsTold(facts).map((fault) => {
    const found = faultText(fault, instance, came);
    return found && { ...found, message: `${found.message}${meanwhile}` };
  });
}

/** What is wrong with webhooks where they are the way; elsewhere, what refuses those that come. */
function faultsTold(facts: Facts): WebhookFault[] {
  const { connector, configuration } = facts.instance;
  if (!eventSettings(connector, configuration).modes.includes("webhook")) return [];
  const faults = webhookFaults(connector, configuration);
  if (wantsWebhooks(facts)) return faults;
  return refusals(facts).length === 0 ? [] : faults.filter(refuses);
}

const refuses = ({ kind }: WebhookFault): boolean => kind === "no-key" || kind === "no-token";

/** Deliveries that were not proved, the latest reason first. */
const refusals = ({ untaken }: Facts): Untaken[] =>
  untaken
    .filter(({ outcome, reason }) => outcome === "refused" && reason !== CIRCLE)
    .toSorted((left, right) => right.last - left.last);

function faultText(
  fault: WebhookFault,
  { id, connector, registrationFault }: Instance,
  came: readonly Untaken[],
): Found {
  switch (fault.kind) {
    case "none":
      return {
        code: "no-webhooks",
        message: `${connector.name} has no webhooks: set \`${TYPE}\` to polling`,
      };
    case "unlisted":
      return {
        code: "no-webhook-made",
        message: `No webhook was made since \`${fault.key}\` is empty: list there what to make webhooks for`,
      };
    case "unmade":
      // `notRegistered` tells why.
      return registrationFault === null
        ? {
            code: "no-webhook-made",
            message: `No webhook was made yet for what \`${fault.key}\` lists: save the instance, by PATCH /instances/${id}`,
          }
        : undefined;
    case "no-key":
      return {
        code: "no-signature-key",
        message: `Deliveries are refused since \`${fault.key}\` is not set: set it to the key that ${connector.name} signs its webhooks with${cameText(came)}`,
        ...sinceFirst(came),
      };
    case "no-token":
      return {
        code: "no-token",
        message: `Deliveries are refused since \`${fault.key}\` is empty: set it, and have ${connector.name} send it as ?token=${cameText(came)}`,
        ...sinceFirst(came),
      };
  }
}

function notRegistered({ instance: { connector, registrationFault } }: Facts): Found {
  if (registrationFault === null) return undefined;
  const { since, count, items } = registrationFault;
  const said = items.map(({ item, message }) => `'${item}': ${message}`).join("; ");
  const key = connector.webhook?.registration?.itemsKey ?? "";
  const message = `No webhook could be made for ${count} of what \`${key}\` lists (${said}): mend that, then save the instance`;
  return { code: "registration-failed", message, since };
}

function noTenant(facts: Facts): Found {
  const { id, connector, configuration } = facts.instance;
  const { route, registration } = connector.webhook ?? {};
  if (route === undefined || registration !== undefined || !wantsWebhooks(facts)) return undefined;
  if (tenantValues(route.equals, configuration).length > 0) return undefined;
  const own = `/events/${connector.key}/${Buffer.from(String(id)).toString("base64")}`;
  const keys = route.equals.map((key) => `\`${key}\``).join(" or ");
  const message = `What comes to /events/${connector.key} can't be told to be this account's since ${keys} is not set: set it, or have ${connector.name} call ${own}`;
  return { code: "no-tenant", message };
}

/** `webhooksFail` tells of those that lack a key or token. */
function refused(facts: Facts): Found {
  const came = refusals(facts);
  const [latest] = came;
  if (latest === undefined || faultsTold(facts).some(refuses)) return undefined;
  const what =
    facts.instance.connector.webhook?.signatures.length === 0
      ? "the ?token= that it sends and `event.vendor.token`"
      : "`event.vendor.signature.key` and what signs them";
  const message = `Deliveries were refused, the latest since its proof did not fit (${latest.reason}): compare ${what}${cameText(came)}`;
  return { code: "deliveries-refused", message, ...sinceFirst(came) };
}

/** Deliveries that were proved, and came to an instance that hears no webhooks. */
function ignored({ instance, untaken }: Facts): Found {
  const { modes } = eventSettings(instance.connector, instance.configuration);
  const came = untaken.filter(({ outcome, reason }) => outcome === "ignored" && reason === UNHEARD);
  if (came.length === 0 || modes.includes("webhook")) return undefined;
  const message = `Webhooks come and are ignored since \`${TYPE}\` is polling: add webhook to it, or leave it empty${cameText(came)}`;
  return { code: "deliveries-ignored", message, ...sinceFirst(came) };
}

function callback({ instance, callback: state }: Facts): Found {
  if ((instance.configuration[CALLBACK] ?? null) === null) {
    const message = `Events are kept, and sent nowhere but to flows and destinations that take them: set \`${CALLBACK}\``;
    return { code: "no-callback", message };
  }
  if (state === undefined || !isPaused(state)) return undefined;
  const message = `The callback is ${stateText(state)}, and events wait for it: save the instance, or POST /v1/destinations/instance-${instance.id}/enable`;
  return {
    code: "callback-paused",
    message,
    ...(state.since === null ? {} : { since: state.since }),
  };
}

const sinceFirst = (came: readonly Untaken[]): { since?: Millis } =>
  came.length === 0 ? {} : { since: Math.min(...came.map(({ first }) => first)) };

const cameText = (came: readonly Untaken[]): string => {
  const count = came.reduce((sum, one) => sum + one.count, 0);
  const last = Math.max(...came.map((one) => one.last));
  return count === 0 ? "" : ` (${count} in the last day, the latest at ${isoText(last)})`;
};

/** Why a delivery is ignored by an instance that hears no webhooks. */
export const UNHEARD = "it is only polled";
/** Why a delivery is refused that came through too many of our own instances. */
export const CIRCLE = "goes round in a circle";
const CALLBACK = "event.notification.callback.url";
const TYPE = "event.vendor.type";
