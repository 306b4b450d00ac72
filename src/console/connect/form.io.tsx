import type { Context } from "hono";
import type { Connector } from "../../connectors/definition";
import type { Attempt } from "../../delivery/attempt";
import { InstanceEdits } from "../../elements/edit.io";
import { Refusal } from "../../http/refusal";
import { consentAddress } from "../../hub/applications/edit.io";
import { instanceAddress, sharedAddress } from "../../inbound/address";
import { registrar } from "../../inbound/registration/registrar.io";
import { mergeConfiguration } from "../../instances/configuration";
import { entriesOf, isSealedKey } from "../../instances/entries";
import type { Instance } from "../../instances/instance";
import { doorsOf } from "../../instances/lookup.io";
import { pollingFaults } from "../../polling/settings";
import { baseUrlOf } from "../overview/routes";
import { readForm } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { askedAs } from "./chosen";
import { ownApp } from "./consent.io";
import { InstanceForm } from "./form";
import { guideOf } from "./guides";
import { keepTyped, keptBefore } from "./kept.io";
import type { Preview } from "./resources";
import { CONNECT_SCRIPT } from "./script";
import { changesOf, type Faults, placed, readTyped, type Typed, typedOf } from "./typed";

/** Poll configurations are the larger part. */
const FORM_BYTES = 1024 * 1024;

/** The same edits that `POST` and `PATCH /instances` make. */
export const edits = new InstanceEdits(pollingFaults, registrar);

/** What a form is about: a new instance of a connector, or one that is there. */
export type Subject = { connector: Connector; instance: Instance | undefined };

/** A form as it came in. */
export type Sent = {
  typed: Typed;
  secrets: Record<string, string>;
  /** As `POST` and `PATCH /instances` take it. */
  configuration: Record<string, unknown>;
  /** The configuration as it would be then. */
  merged: Record<string, string | null>;
  faults: Map<string, string>;
  do: string | null;
};

export async function readSent(c: Context<ConsoleEnv>, subject: Subject): Promise<Sent> {
  const { connector, instance } = subject;
  const form = await readForm(c, FORM_BYTES);
  const read = readTyped(connector, form);
  const secrets = { ...keptBefore(c, connector, form.get("kept")), ...read.secrets };
  const stored = instance?.configuration ?? {};
  const before = instance === undefined ? undefined : typedOf(connector, instance, false);
  const changes = changesOf(connector, before, { typed: read.typed, secrets }, stored);
  const configuration =
    instance === undefined && read.typed.way === "oauth2"
      ? { ...changes.configuration, "oauth.callback.url": consentAddress(c) }
      : changes.configuration;
  const merged = mergeConfiguration(connector, stored, configuration);
  const checked = { connector, configuration: merged };
  const violations = edits.faults(checked, instance, doorsOf(c).config);
  const faults = new Map([
    ...placed(violations, read.typed.resources, placesOf(connector)),
    ...read.faults,
    ...changes.faults,
  ]);
  return { typed: read.typed, secrets, configuration, merged, faults, do: form.get("do") };
}

const placesOf = (connector: Connector): Set<string> =>
  new Set(["name", ...entriesOf(connector).map(({ key }) => key)]);

/** What a refusal says of the form; anything else is no matter of the form. */
export function faultsOfRefusal(error: unknown, { typed }: Sent, connector: Connector): Faults {
  if (!(error instanceof Refusal)) throw error;
  const { reason, message } = error;
  if (reason.kind === "vendor") return new Map([["", message]]);
  if (reason.kind !== "invalid" && reason.kind !== "conflict") throw error;
  const one = { field: reason.field, message };
  const all = reason.kind === "invalid" ? (reason.violations ?? [one]) : [one];
  return placed(all, typed.resources, placesOf(connector));
}

type Showing = {
  typed: Typed;
  secrets?: Record<string, string>;
  faults?: Faults;
  made?: Record<string, string>;
  previews?: Preview[];
  tested?: { attempt: Attempt };
};

/** The page with the form. */
export async function showForm(
  c: Context<ConsoleEnv>,
  { connector, instance }: Subject,
  { typed, secrets = {}, faults = new Map(), made = {}, previews, tested }: Showing,
): Promise<Response> {
  const isNew = instance === undefined;
  const stored = Object.entries(instance?.configuration ?? {}).flatMap(([key, value]) =>
    value !== null && isSealedKey(connector, key) ? key : [],
  );
  const here = isNew ? `/console/connect/${connector.key}` : `/console/instances/${instance.id}`;
  const title = isNew ? `Connect ${connector.name}` : `Edit ${instance.name}`;
  if (faults.size > 0) c.status(422);
  const mayChange = c.var.asker.scopes.includes("write");
  return c.render(
    <InstanceForm
      title={title}
      connector={connector}
      typed={typed}
      faults={faults}
      held={new Set([...stored, ...Object.keys(secrets)])}
      made={made}
      to={isNew ? here : `${here}/edit`}
      back={isNew ? "/console/connect" : here}
      isNew={isNew}
      asked={askedAs(connector, instance?.configuration ?? {})}
      submit={isNew ? "Create instance" : "Save"}
      guide={guideOf(connector, consentAddress(c))}
      kept={keepTyped(c, connector, secrets)}
      hasOwnApp={isNew && (await ownApp(c, connector)) !== undefined}
      addresses={{
        own: instance === undefined ? undefined : ownAddress(c, instance, mayChange),
        shared: sharedAddress(baseUrlOf(c), connector),
      }}
      previews={previews}
      tested={tested?.attempt}
    />,
    { title, here: "instances", script: CONNECT_SCRIPT },
  );
}

/** Where the vendor sends an instance's webhooks; the token that proves them is for those who may change the instance. */
export function ownAddress(
  c: Context<ConsoleEnv>,
  { id, connector, configuration }: Instance,
  mayChange: boolean,
): string {
  const address = instanceAddress(baseUrlOf(c), connector, id);
  const token = configuration["event.vendor.token"] ?? null;
  if (connector.webhook?.signatures.length !== 0 || token === null) return address;
  return `${address}?token=${mayChange ? encodeURIComponent(token) : "…"}`;
}
