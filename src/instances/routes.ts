import { type Context, Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withSecrets } from "../accounts/routes";
import { readUser } from "../accounts/store";
import { type Config, readConfig } from "../config";
import type { Connector } from "../connectors/definition";
import { type Keyring, keyring } from "../db/sealed";
import { instanceDestinationId } from "../delivery/destination";
import { parse, readJson } from "../http/body";
import { checkEgress } from "../http/egress";
import { conflict, forbidden, invalid, notFound, Refusal, unauthenticated } from "../http/refusal";
import { pageOf } from "../http/paging";
import { connectorOf } from "./catalog/store";
import {
  configurationFault,
  entriesOf,
  type Fault,
  hasCredentials,
  mergeConfiguration,
  sameConnection,
} from "./configuration";
import { destinationOf } from "./destination";
import {
  configurationChange,
  grantedConfiguration,
  type InstanceChange,
  instanceChange,
  newInstance,
  type ProviderData,
} from "./draft";
import { exchangeCode } from "./hub/client";
import type { Instance } from "./instance";
import {
  deleteInstance,
  findByToken,
  insertInstance,
  listInstances,
  listPollerDisabled,
  newToken,
  nextInstanceId,
  readInstance,
  updateInstance,
} from "./store";
import { swaggerOf } from "./swagger";
import { contractTime, entryView, findEntry, instanceView } from "./view";

/** Bodies above this are refused (reference §11). */
export const BODY_BYTES = 8 * 1024 * 1024;

/** What is wrong with an instance's poll configuration: told by a room above this one. */
export type PollingFault = (
  instance: Pick<Instance, "connector" | "configuration">,
) => Fault | undefined;

/** A room above this one that keeps the vendor's side of an instance in step. */
export type Companion = {
  /** After an instance was made or changed. */
  saved: (instance: Instance, c: Context<AskerEnv>) => Promise<void>;
  /** Before it is deleted. */
  removed: (instance: Instance, c: Context<AskerEnv>) => Promise<void>;
};

type Doors = { db: D1Database; ring: Keyring; config: Config };

/** `/instances` of the connector surface (reference §4). */
export function instanceRoutes(pollingFault: PollingFault, companion: Companion): Hono<AskerEnv> {
  return new Hono<AskerEnv>()
    .use("/instances/*", withSecrets)
    .use("/instances", withSecrets)
    .use("/jobs/*", withSecrets)
    .get("/instances", async (c) => {
      const { asker, byOrganization } = c.var;
      if (byOrganization !== true) return c.json(await shown(c, await ofToken(c)));
      const page = pageOf(c.req.query());
      const { items, total } = await listInstances(
        c.env.DB,
        doorsOf(c).ring,
        asker.organizationId,
        {
          tags: [...(c.req.queries("tags[]") ?? []), ...(c.req.queries("tags") ?? [])],
          searchText: c.req.query("searchText"),
          elementKey: c.req.query("elementKey"),
        },
        page,
      );
      if (items.length === 0) throw notFound("No instances found");
      page.answer(c, items.length, total);
      return c.json(await Promise.all(items.map((instance) => shown(c, instance))));
    })
    .post("/instances", async (c) => c.json(await shown(c, await create(c))))
    .get("/instances/count", async (c) => {
      const all = await listInstances(
        c.env.DB,
        doorsOf(c).ring,
        c.var.asker.organizationId,
        NO_FILTER,
        { offset: 0, limit: 0 },
      );
      return c.json({ totalInstances: all.total, elementInstances: all.total });
    })
    .get("/instances/polling-disabled", async (c) => c.json(await pollerDisabled(c)))
    .get("/jobs/polling-disabled", async (c) => c.json(await pollerDisabled(c)))
    .get("/instances/configuration", async (c) => c.json(configurationOf(await ofToken(c))))
    .get("/instances/configuration/:key", async (c) =>
      c.json(entryOf(await ofToken(c), c.req.param("key"))),
    )
    .patch("/instances/configuration/:key", async (c) =>
      c.json(await changeEntry(c, await ofToken(c), c.req.param("key"))),
    )
    .put("/instances/enabled", async (c) =>
      c.json(await shown(c, await enable(c, await ofToken(c), true))),
    )
    .delete("/instances/enabled", async (c) =>
      c.json(await shown(c, await enable(c, await ofToken(c), false))),
    )
    .get("/instances/docs", async (c) => c.json(swaggerOf((await ofToken(c)).connector)))
    .put("/instances", async (c) => c.json(await shown(c, await change(c, await ofToken(c)))))
    .patch("/instances", async (c) => c.json(await shown(c, await change(c, await ofToken(c)))))
    .delete("/instances", async (c) => drop(c, await ofToken(c)))
    .get("/instances/:id", async (c) => c.json(await shown(c, await ofId(c))))
    .put("/instances/:id", async (c) => c.json(await shown(c, await change(c, await ofId(c)))))
    .patch("/instances/:id", async (c) => c.json(await shown(c, await change(c, await ofId(c)))))
    .delete("/instances/:id", async (c) => drop(c, await ofId(c)))
    .get("/instances/:id/configuration", async (c) => c.json(configurationOf(await ofId(c))))
    .get("/instances/:id/configuration/:key", async (c) =>
      c.json(entryOf(await ofId(c), c.req.param("key"))),
    )
    .patch("/instances/:id/configuration/:key", async (c) =>
      c.json(await changeEntry(c, await ofId(c), c.req.param("key"))),
    )
    .put("/instances/:id/enabled", async (c) =>
      c.json(await shown(c, await enable(c, await ofId(c), true))),
    )
    .delete("/instances/:id/enabled", async (c) =>
      c.json(await shown(c, await enable(c, await ofId(c), false))),
    )
    .get("/instances/:id/docs", async (c) => c.json(swaggerOf((await ofId(c)).connector)));

  async function create(c: Context<AskerEnv>): Promise<Instance> {
    const { db, ring, config } = doorsOf(c);
    const body = parse(newInstance, await readJson(c, BODY_BYTES));
    const connector = await connectorOf(
      db,
      c.var.asker.organizationId,
      body.element.key ?? body.element.id ?? "",
    );
    if (connector === undefined)
      throw invalid(`Unknown element '${body.element.key ?? body.element.id}'`, "element");
    const now = Date.now();
    const merged = {
      ...vendorToken(connector),
      ...mergeConfiguration(connector, {}, body.configuration),
    };
    checkConfiguration(connector, merged, config);
    const configuration = await grant(c, connector, merged, body.providerData);
    const id = await nextInstanceId(db);
    const since = configuration["event.poller.since"] ?? null;
    const instance: Instance = {
      id,
      organizationId: c.var.asker.organizationId,
      userId: c.var.asker.userId,
      connector,
      name: body.name ?? `${connector.name} ${id}`,
      tags: body.tags,
      token: newToken(),
      configuration,
      externalAuthentication: body.externalAuthentication,
      valid: hasCredentials(connector, configuration),
      invalidReason: hasCredentials(connector, configuration) ? null : "No credentials yet",
      disabled: false,
      pollerDisabled: null,
      baseline: since === null ? now : Date.parse(since),
      enabledAt: now,
      createdAt: now,
      updatedAt: now,
    };
    await insertInstance(db, ring, instance, draftOf(instance, config));
    await companion.saved(instance, c);
    return readBack(db, ring, instance);
  }

  async function change(c: Context<AskerEnv>, instance: Instance): Promise<Instance> {
    const body: InstanceChange = parse(instanceChange, await readJson(c, BODY_BYTES));
    const { key, id = "" } = body.element ?? instance.connector;
    const named = await connectorOf(c.env.DB, c.var.asker.organizationId, key ?? id);
    if (named?.key !== instance.connector.key)
      throw invalid("element: An instance keeps its connector", "element");
    const merged = mergeConfiguration(
      instance.connector,
      instance.configuration,
      body.configuration ?? {},
    );
    checkConfiguration(instance.connector, merged, doorsOf(c).config);
    const configuration = await grant(c, instance.connector, merged, body.providerData);
    return save(c, instance, {
      configuration,
      name: body.name ?? instance.name,
      tags: body.tags ?? instance.tags,
    });
  }

  async function changeEntry(
    c: Context<AskerEnv>,
    instance: Instance,
    key: string,
  ): Promise<Record<string, unknown>> {
    const entry = findEntry(instance, key);
    if (entry === undefined) throw notFound(`No configuration '${key}'`);
    const { propertyValue } = parse(configurationChange, await readJson(c, BODY_BYTES));
    const configuration = mergeConfiguration(instance.connector, instance.configuration, {
      [entry.key]: propertyValue,
    });
    return entryView(await save(c, instance, { configuration }), entry);
  }

  /** Enabling resumes a poller that was switched off, its failures forgotten; the cursor stays. */
  function enable(c: Context<AskerEnv>, instance: Instance, enabled: boolean): Promise<Instance> {
    return save(c, instance, {
      disabled: !enabled,
      ...(enabled ? { pollerDisabled: null, enabledAt: Date.now() } : {}),
    });
  }

  /** Checks and writes a changed instance. One that the vendor refused is valid again with other credentials only. */
  async function save(
    c: Context<AskerEnv>,
    before: Instance,
    changes: Partial<Instance>,
  ): Promise<Instance> {
    const { db, ring, config } = doorsOf(c);
    const instance = { ...before, ...changes };
    const { connector, configuration } = instance;
    checkConfiguration(connector, configuration, config);
    const isComplete = hasCredentials(connector, configuration);
    const isRefused = !before.valid && sameConnection(before.configuration, configuration);
    const valid = isComplete && !isRefused;
    const checked: Instance = {
      ...instance,
      valid,
      invalidReason: valid ? null : isComplete ? before.invalidReason : "No credentials yet",
    };
    if (!(await updateInstance(db, ring, checked, draftOf(checked, config), Date.now())))
      throw conflict("The instance was changed by somebody else at the same time");
    await companion.saved(checked, c);
    return readBack(db, ring, checked);
  }

  async function drop(c: Context<AskerEnv>, instance: Instance): Promise<Response> {
    await companion.removed(instance, c);
    await deleteInstance(c.env.DB, instance, instanceDestinationId(instance.id));
    return c.body(null, 200);
  }

  function checkConfiguration(
    connector: Connector,
    configuration: Record<string, string | null>,
    config: Config,
  ): void {
    const fault =
      configurationFault(configuration) ??
      addressFault(configuration, config) ??
      destinationFault(configuration, config) ??
      pollingFault({ connector, configuration });
    if (fault !== undefined) throw invalid(fault.message, fault.field);
  }
}

/** Vendors that don't sign must send this with their webhooks. */
function vendorToken({ webhook }: Connector): Record<string, string> {
  if (webhook === undefined || webhook.signatures.length > 0) return {};
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString("base64url");
  return { "event.vendor.token": token };
}

const NO_FILTER = { tags: [], searchText: undefined, elementKey: undefined };
const ADDRESSES = ["base.url", "oauth.base.url", "site.address"];

function addressFault(
  configuration: Record<string, string | null>,
  config: Config,
): Fault | undefined {
  for (const key of ADDRESSES) {
    const value = configuration[key] ?? null;
    const verdict =
      value === null
        ? undefined
        : checkEgress(
            key === "site.address" && !value.includes("://") ? `https://${value}` : value,
            config.egress,
          );
    if (verdict?.ok === false)
      return { field: `configuration.${key}`, message: `${key}: ${verdict.message}` };
  }
  return undefined;
}

function destinationFault(
  configuration: Record<string, string | null>,
  config: Config,
): Fault | undefined {
  const destination = destinationOf({ id: 0, organizationId: 0, configuration }, config.egress);
  return destination.ok ? undefined : destination;
}

/** Configuration with what the caller brought to authenticate: a code is exchanged, tokens are taken. */
async function grant(
  c: Context<AskerEnv>,
  connector: Connector,
  configuration: Record<string, string | null>,
  data: ProviderData | undefined,
): Promise<Record<string, string | null>> {
  if (data === undefined) return configuration;
  const given = { ...configuration, ...grantedConfiguration(connector.authentication, data) };
  if (data.code === undefined || connector.authentication.type !== "oauth2") return given;
  const exchanged = await exchangeCode(connector, given, data.code, doorsOf(c));
  if (exchanged.ok) return { ...given, ...exchanged.configuration };
  const { message, providerMessage, status } = exchanged;
  throw new Refusal({ kind: "vendor", message, providerMessage, status });
}

function draftOf(
  instance: Instance,
  config: Config,
): Extract<ReturnType<typeof destinationOf>, { ok: true }>["draft"] {
  const destination = destinationOf(instance, config.egress);
  if (!destination.ok) throw invalid(destination.message, destination.field);
  return destination.draft;
}

async function readBack(db: D1Database, ring: Keyring, { id }: Instance): Promise<Instance> {
  const saved = await readInstance(db, ring, id);
  if (saved === undefined) throw notFound(`No instance ${id}`);
  return saved;
}

export function doorsOf(c: Context<AskerEnv>): Doors {
  const config = readConfig(c.env);
  return { db: c.env.DB, ring: keyring(config.masterKeys), config };
}

const instanceId = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);

/** The instance a path names: 404 unknown, 403 another organization's (reference §1). */
export async function ofId(c: Context<AskerEnv>): Promise<Instance> {
  const text = c.req.param("id") ?? "";
  const id = instanceId.safeParse(text);
  if (!id.success) throw notFound(`No instance with id '${text}'`);
  const { db, ring } = doorsOf(c);
  const instance = await readInstance(db, ring, id.data);
  if (instance === undefined) throw notFound(`No instance with id '${text}'`);
  if (instance.organizationId !== c.var.asker.organizationId) throw forbidden();
  return instance;
}

/** The instance whose Element token was sent. */
export async function ofToken(c: Context<AskerEnv>): Promise<Instance> {
  const { asker, elementToken } = c.var;
  if (elementToken === undefined)
    throw unauthenticated("Expected an 'Element' token in the Authorization header");
  const { db, ring } = doorsOf(c);
  const instance = await findByToken(db, ring, asker.organizationId, elementToken);
  if (instance === undefined) throw unauthenticated("Invalid Element token");
  return instance;
}

async function shown(c: Context<AskerEnv>, instance: Instance): Promise<Record<string, unknown>> {
  const user = await readUser(c.env.DB, instance.userId);
  if (user === undefined) throw new Error(`Instance ${instance.id} belongs to no user`);
  return instanceView(instance, user);
}

function configurationOf(instance: Instance): Record<string, unknown>[] {
  const known = entriesOf(instance.connector);
  const keys = new Set(known.map(({ key }) => key));
  const extra = Object.keys(instance.configuration).flatMap((key) =>
    keys.has(key) ? [] : (findEntry(instance, key) ?? []),
  );
  return [...known, ...extra].map((entry) => entryView(instance, entry));
}

function entryOf(instance: Instance, key: string): Record<string, unknown> {
  const entry = findEntry(instance, key);
  if (entry === undefined) throw notFound(`No configuration '${key}'`);
  return entryView(instance, entry);
}

async function pollerDisabled(c: Context<AskerEnv>): Promise<Record<string, unknown>[]> {
  const rows = await listPollerDisabled(c.env.DB, c.var.asker.organizationId);
  return rows.flatMap(({ id, elementKey, pollerDisabled: record }) =>
    record === null
      ? []
      : {
          instanceId: id,
          elementKey,
          resource: record.resource,
          failureCount: record.failureCount,
          disabledDate: contractTime(record.disabledDate),
          lastError: record.lastError,
        },
  );
}
