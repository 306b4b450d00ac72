import { MASK } from "../values/secret-name";
import {
  authenticationOf,
  eventSettings,
  visibleConfiguration,
  visibleValue,
} from "./configuration";
import { type Entry, entriesOf } from "./entries";
import type { Instance } from "./instance";
import { attentionOf, attentionView, type Facts } from "./attention";
import { stateView } from "../delivery/state";
import { isoSeconds } from "../values/instant";

export type UserView = { id: number; emailAddress: string; firstName: string; lastName: string };

/**
 * An instance as the contract prints it (reference connector-events-api.md §4); secrets masked. In addition come
 * `callbackState`, how the destination of its callback stands, and `attention`, what keeps it from getting or telling events.
 */
export function instanceView(facts: Facts, user: UserView): Record<string, unknown> {
  const { instance, callback } = facts;
  const { connector, configuration } = instance;
  return {
    id: instance.id,
    name: instance.name,
    createdDate: isoSeconds(instance.createdAt),
    updatedDate: isoSeconds(instance.updatedAt),
    token: instance.token,
    element: {
      id: connector.id,
      name: connector.name,
      key: connector.key,
      hub: connector.hub,
      active: true,
      authentication: { type: authenticationOf(connector, configuration).type },
    },
    tags: instance.tags,
    provisionInteractions: [],
    valid: instance.valid,
    ...(instance.invalidReason === null ? {} : { invalidReason: instance.invalidReason }),
    disabled: instance.disabled,
    configuration: visibleConfiguration(connector, configuration),
    eventsEnabled: eventSettings(connector, configuration).enabled,
    eventsNotificationCallbackUrl: configuration["event.notification.callback.url"] ?? null,
    callbackState: callback === undefined ? null : stateView(callback),
    attention: attentionView(attentionOf(facts)),
    externalAuthentication: instance.externalAuthentication,
    user,
  };
}

/** A configuration entry of an instance. */
export function entryView(instance: Instance, entry: Entry): Record<string, unknown> {
  const { connector, configuration } = instance;
  return { ...catalogueEntry(entry), propertyValue: visibleValue(connector, configuration, entry) };
}

/** A configuration key as the catalogue prints it (reference connector-events-api.md §3). */
export function catalogueEntry(entry: Entry): Record<string, unknown> {
  const { id, name, key, description, defaultValue, internal, type, required } = entry;
  return {
    id,
    name,
    key,
    description,
    defaultValue: type === "PASSWORD" && defaultValue !== null ? MASK : defaultValue,
    resellerConfig: false,
    companyConfig: false,
    active: true,
    internal,
    groupControl: false,
    displayOrder: id % 1000,
    type,
    hideFromConsole: internal,
    required,
  };
}

/**
 * The entry of a configuration id or key. Keys that the connector does not define are found if they have a
 * value.
 */
export function findEntry(instance: Instance, idOrKey: string): Entry | undefined {
  const known = entriesOf(instance.connector).find(
    ({ id, key }) => String(id) === idOrKey || key === idOrKey,
  );
  if (known !== undefined || !Object.hasOwn(instance.configuration, idOrKey)) return known;
  const extra = Object.keys(instance.configuration).toSorted().indexOf(idOrKey);
  return {
    id: instance.connector.id * 1000 + 900 + extra,
    key: idOrKey,
    name: idOrKey,
    description: "",
    defaultValue: null,
    type: "TEXTFIELD_1000",
    required: false,
    internal: false,
  };
}
