import { type DestinationDraft, headerFault, instanceDestinationId } from "../delivery/destination";
import { isOwnAddress } from "../delivery/own-address";
import { checkEgress, type EgressPolicy } from "../http/egress";
import { type Fault, parseHeaders, parseSchedule } from "./value-checks";
import type { Instance } from "./instance";

type Value = (key: string) => string | null;

/** Where an instance's notifications go, from its configuration; or what is wrong with that. */
export function destinationOf(
  instance: Pick<Instance, "id" | "organizationId" | "configuration">,
  egress: EgressPolicy,
): { ok: true; draft: DestinationDraft } | ({ ok: false } & Fault) {
  const value: Value = (key) => instance.configuration[key] ?? null;
  const url = value("event.notification.callback.url");
  if (url !== null) {
    const verdict = checkEgress(url, egress);
    if (!verdict.ok && !isOwnAddress(url, ...(egress.ownUrls ?? [])))
      return fault("event.notification.callback.url", verdict.message);
  }
  const headers = parseHeaders(value("event.notification.callback.headers") ?? "{}") ?? {};
  for (const [name, header] of Object.entries(headers)) {
    const message = headerFault(name, header);
    if (message !== undefined) return fault("event.notification.callback.headers", message);
  }
  const username = value("event.notification.basic.username");
  if (username !== null)
    headers["Authorization"] = basic(username, value("event.notification.basic.password") ?? "");
  const secret = value("event.notification.webhook.secret");
  return {
    ok: true,
    draft: {
      id: instanceDestinationId(instance.id),
      organizationId: instance.organizationId,
      kind: "instance",
      ownerId: String(instance.id),
      url,
      headers,
      legacyKey: value("event.notification.signature.key"),
      ...(secret === null ? {} : { signingSecret: secret }),
      policy: policyOf(value),
    },
  };
}

function policyOf(value: Value): Required<DestinationDraft>["policy"] {
  const rate = value("event.notification.rate");
  const schedule = value("event.notification.retry.schedule");
  const retrySchedule = schedule === null ? undefined : parseSchedule(schedule);
  const filter = value("event.notification.filter");
  const transform = value("event.notification.transform");
  return {
    ordering: orderingOf(value("event.notification.ordering")),
    deadHead: value("event.notification.ordering.dead") === "block" ? "block" : "skip",
    deactivate: deactivateOf(value("event.notification.deactivate")),
    ...(rate === null ? {} : { ratePerSecond: Number(rate) }),
    ...(retrySchedule === undefined ? {} : { retrySchedule }),
    ...(filter === null ? {} : { filter }),
    ...(transform === null ? {} : { transform }),
  };
}

/** `exhausted` is what the contract says (reference connector-events-api.md §8). */
function deactivateOf(text: string | null): "exhausted" | "never" | number {
  const days = Number(text ?? "");
  if (text === "never") return "never";
  return days >= 1 ? days : "exhausted";
}

function orderingOf(text: string | null): "none" | "object" | "source" {
  return text === "object" || text === "source" ? text : "none";
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function fault(key: string, message: string): { ok: false } & Fault {
  return { ok: false, field: `configuration.${key}`, message: `${key}: ${message}` };
}
