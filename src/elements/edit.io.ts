import type { Context } from "hono";
import type { AskerEnv } from "../accounts/asker.io";
import type { Config } from "../config";
import type { Connector } from "../connectors/definition";
import { instanceDestinationId } from "../delivery/destination";
import { parse, readJson } from "../http/body";
import { conflict, invalid, notFound, Refusal } from "../http/refusal";
import { reviveSaved } from "../operations/destinations/revive.io";
import { doorsOf, draftOf, readBack, shown, watchInstance } from "../instances/lookup.io";
import { connectorOf } from "../connectors/store";
import { openedDefinition } from "../connectors/sealed-definition";
import type { Fault } from "../instances/value-checks";
import { hasCredentials, mergeConfiguration } from "../instances/configuration";
import {
  configurationChange,
  type InstanceChange,
  instanceChange,
  type NewInstance,
  newInstance,
} from "../instances/draft";
import { authenticationFault, faultsOf } from "../instances/configuration-fault";
import { firstBaseline, type Instance, switched, withValidity } from "../instances/instance";
import {
  deleteInstance,
  insertInstance,
  newToken,
  nextInstanceId,
  updateInstance,
} from "../instances/store";
import { unknownKeyWarnings } from "../instances/unknown-keys";
import { boundsOf } from "./poll-bounds.io";
import { checkOwnCallback } from "./own-callback.io";
import { applicationFor, granted, vendorToken, withApplication } from "./granted.io";
import { tenantOfTags } from "./tenant-tag.io";
import { entryView, findEntry } from "../instances/view";
import { isObject } from "../values/record";

/** Bodies above this are refused (reference connector-events-api.md §11). */
const BODY_BYTES = 8 * 1024 * 1024;
/** How often an edit is tried when others edit the instance at the same time. */
const MOST_TRIES = 5;

/** What is wrong with an instance's poll configuration. The room `polling`, above this one, knows. */
export type PollingFaults = (instance: Pick<Instance, "connector" | "configuration">) => Fault[];

/** The room `inbound`, above this one, registers an instance's webhooks with its vendor. */
export type Companion = {
  /** After an instance was made or changed; `before`: as it was, unless it is new. */
  saved: (instance: Instance, c: Context<AskerEnv>, before?: Instance) => Promise<void>;
  /** Before it is deleted. */
  removed: (instance: Instance, c: Context<AskerEnv>) => Promise<void>;
};

type Configuration = Record<string, string | null>;

/** An instance as it is after an edit, and what its caller should know of what they sent. */
export type Edited = { instance: Instance; warnings: string[] };

/** An edited instance as the contract prints it; `warnings` only where there are some. */
export async function shownEdited(
  c: Context<AskerEnv>,
  { instance, warnings }: Edited,
): Promise<Record<string, unknown>> {
  return withWarnings(await shown(c, instance), warnings);
}

function withWarnings(view: Record<string, unknown>, warnings: string[]): Record<string, unknown> {
  return warnings.length === 0 ? view : { ...view, warnings };
}

/** What a program sends of an instance. */
export const readInstance = (c: Context<AskerEnv>): Promise<unknown> => readJson(c, BODY_BYTES);

/** Creating, changing and deleting instances, for all the paths and pages that can name one. */
export class InstanceEdits {
  readonly #pollingFaults: PollingFaults;
  readonly #companion: Companion;

  constructor(pollingFaults: PollingFaults, companion: Companion) {
    this.#pollingFaults = pollingFaults;
    this.#companion = companion;
  }

  /**
   * @param given What `POST /instances` takes.
   * @param pinned The connector that the path names; then the body need not name it.
   * @param taken An id that was taken for it before.
   */
  async create(
    c: Context<AskerEnv>,
    given: unknown,
    pinned?: Connector,
    taken?: number,
  ): Promise<Edited> {
    const { db, ring, config } = doorsOf(c);
    const { organizationId, userId } = c.var.asker;
    const body = parse(newInstance, pinned === undefined ? given : withElement(given, pinned));
    const connector = await connectorIn(c, body, pinned);
    const now = Date.now();
    const own = mergeConfiguration(connector, vendorToken(connector), body.configuration);
    const merged = await withApplication(c, connector, own, body.providerData);
    this.#check({ connector, configuration: merged }, undefined, config);
    const configuration = {
      ...merged,
      ...(await granted(c, connector, merged, body.providerData)),
    };
    const tenant = await tenantOfTags(c, body.tags);
    const id = taken ?? (await nextInstanceId(db));
    const name = body.name ?? `${connector.name} ${id}`;
    const instance: Instance = {
      id,
      organizationId,
      userId,
      connector,
      name,
      tags: body.tags.length === 0 ? [name] : body.tags,
      tenant,
      token: newToken(),
      configuration,
      externalAuthentication: body.externalAuthentication,
      valid: hasCredentials(connector, configuration),
      invalidReason: hasCredentials(connector, configuration) ? null : "No credentials yet",
      disabled: false,
      pollerDisabled: null,
      registrationFault: null,
      baseline: firstBaseline(configuration, now),
      pollsUntil: null,
      enabledAt: now,
      createdAt: now,
      updatedAt: now,
    };
    await this.#insert(c, instance);
    const warnings = unknownKeyWarnings(connector, Object.keys(body.configuration));
    return { instance: await readBack(db, ring, instance), warnings };
  }

  async #insert(c: Context<AskerEnv>, instance: Instance): Promise<void> {
    const { db, ring, config } = doorsOf(c);
    await checkOwnCallback(c, instance, undefined);
    await insertInstance(db, ring, instance, draftOf(instance, config));
    watchInstance(c, instance, true);
    await this.#companion.saved(instance, c);
  }

  /** @param given What `PATCH /instances/{id}` takes. */
  async change(c: Context<AskerEnv>, instance: Instance, given: unknown): Promise<Edited> {
    const body: InstanceChange = parse(instanceChange, given);
    const { connector } = instance;
    const { key, id = "" } = body.element ?? connector;
    const named = await connectorOf(c.env.DB, c.var.asker.organizationId, key ?? id);
    if (named?.key !== connector.key)
      throw invalid("element: An instance keeps its connector", "element");
    const about = { given: instance.configuration, data: body.providerData };
    const app = await applicationFor(c, connector, about);
    const merge = (current: Configuration): Configuration =>
      mergeConfiguration(connector, { ...current, ...app }, body.configuration ?? {});
    const merged = merge(instance.configuration);
    this.#check({ connector, configuration: merged }, instance, doorsOf(c).config);
    const moved = body.tags === undefined ? {} : { tenant: await tenantOfTags(c, body.tags) };
    const grant = await granted(c, connector, merged, body.providerData);
    const saved = await this.#save(c, instance, (current) => ({
      configuration: { ...merge(current.configuration), ...grant },
      name: body.name ?? current.name,
      tags: body.tags ?? current.tags,
      ...moved,
    }));
    const warnings = unknownKeyWarnings(connector, Object.keys(body.configuration ?? {}));
    return { instance: saved, warnings };
  }

  async changeEntry(
    c: Context<AskerEnv>,
    instance: Instance,
    key: string,
  ): Promise<Record<string, unknown>> {
    const entry = findEntry(instance, key);
    if (entry === undefined) throw notFound(`No configuration '${key}'`);
    const { propertyValue } = parse(configurationChange, await readJson(c, BODY_BYTES));
    const change = { [entry.key]: propertyValue };
    const saved = await this.#save(c, instance, ({ connector, configuration }) => ({
      configuration: mergeConfiguration(connector, configuration, change),
    }));
    return withWarnings(entryView(saved, entry), unknownKeyWarnings(saved.connector, [entry.key]));
  }

  enable(c: Context<AskerEnv>, instance: Instance, enabled: boolean): Promise<Instance> {
    return this.#save(c, instance, () => switched(enabled, Date.now()));
  }

  async drop(c: Context<AskerEnv>, instance: Instance): Promise<void> {
    await this.#companion.removed(instance, c);
    await deleteInstance(c.env.DB, instance, instanceDestinationId(instance.id));
  }

  /**
   * Checks and writes a changed instance. If somebody else (or a token refresh) changed it since it was read, the
   * edit is made again on the new state, so that both changes are kept.
   */
  async #save(
    c: Context<AskerEnv>,
    read: Instance,
    edit: (current: Instance) => Partial<Instance>,
  ): Promise<Instance> {
    const { db, ring, config } = doorsOf(c);
    let current = read;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const edited = withValidity(current, { ...current, ...edit(current) });
      const instance = { ...edited, ...(await boundsOf(c, current, edited)) };
      this.#check(instance, current, config);
      await checkOwnCallback(c, instance, current);
      if (await updateInstance(db, ring, instance, draftOf(instance, config), Date.now())) {
        await this.#companion.saved(instance, c, current);
        await reviveSaved(c, instance.organizationId, instanceDestinationId(instance.id));
        return readBack(db, ring, instance);
      }
      current = await readBack(db, ring, read);
    }
    throw conflict("The instance is changed by others all the time");
  }

  /** Everything that is wrong with what an instance is to be; `before`: as it is, unless it is new. */
  faults(checked: Checked, before: Checked | undefined, config: Config): Fault[] {
    const { connector, configuration } = checked;
    const authentication = authenticationFault(connector, configuration);
    return [
      ...(authentication === undefined ? [] : [authentication]),
      ...faultsOf(configuration, config),
      ...(isPolledAlike(checked, before) ? [] : this.#pollingFaults(checked)),
    ];
  }

  #check(checked: Checked, before: Checked | undefined, config: Config): void {
    const violations = this.faults(checked, before, config);
    const [first] = violations;
    if (first !== undefined) throw new Refusal({ kind: "invalid", ...first, violations });
  }
}

/** The connector that a body names. @throws Refusal `invalid` when there is none, or another one than the path names. */
async function connectorIn(
  c: Context<AskerEnv>,
  { element: { key, id = "" } }: NewInstance,
  pinned: Connector | undefined,
): Promise<Connector> {
  const { db, ring } = doorsOf(c);
  const named = key ?? id;
  const stored = await connectorOf(db, c.var.asker.organizationId, named);
  if (stored === undefined) throw invalid(`Unknown element '${named}'`, "element");
  if (pinned !== undefined && stored.key !== pinned.key)
    throw invalid(`element: Expected '${pinned.key}', got '${named}'`, "element");
  return openedDefinition(ring, stored);
}

type Checked = Pick<Instance, "connector" | "configuration">;

/** What was stored once keeps nobody from changing something else. */
function isPolledAlike({ connector, configuration }: Checked, before: Checked | undefined) {
  const keys = ["event.poller.configuration", "event.poller.urls", "event.objects"];
  return (
    before?.connector.id === connector.id &&
    keys.every((key) => (configuration[key] ?? null) === (before.configuration[key] ?? null))
  );
}

/** A body without `element` gets the one that the path names. */
function withElement(body: unknown, { key }: Connector): unknown {
  return isObject(body) && !("element" in body) ? { ...body, element: { key } } : body;
}
