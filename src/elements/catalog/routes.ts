import { type Context, Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withSecrets } from "../../accounts/asker.io";
import { readConfig } from "../../config";
import type { Connector } from "../../connectors/definition";
import { parse, readJson } from "../../http/body";
import { invalid, notFound } from "../../http/refusal";
import { entriesOf, pollable } from "../../instances/entries";
import { applicationOf } from "../../hub/applications/choice.io";
import { appHandle } from "../../hub/authorize";
import { requestAuthorization } from "../../hub/authorize.io";
import { isObject } from "../../values/record";
import { catalogueEntry } from "../../instances/view";
import { connectorOf, listConnectors } from "../../connectors/store";
import { maskedDefinition } from "../../connectors/sealed-definition";
import { isOwn } from "./own-connectors.io";

/** `/elements`: what can be connected (reference connector-events-api.md §3). */
export const catalogRoutes = new Hono<AskerEnv>()
  .use("/elements", withSecrets)
  .use("/elements/*", withSecrets)
  .get("/elements", async (c) => c.json((await all(c)).map(elementView)))
  .get("/elements/keys", async (c) => c.json((await all(c)).map(({ key }) => key)))
  .get("/elements/metadata", async (c) =>
    c.json(
      (await all(c)).map((connector) => metadataView(connector, c.req.query("expand") === "true")),
    ),
  )
  .get("/elements/:element", async (c) => {
    const connector = await found(c);
    const { id: _, ...definition } = connector;
    return c.json({
      ...elementView(connector),
      // What `PUT` takes; of built-in ones it is not told.
      ...(isOwn(connector) ? { definition: maskedDefinition(definition) } : {}),
    });
  })
  .get("/elements/:element/metadata", async (c) =>
    c.json(metadataView(await found(c), c.req.query("expand") === "true")),
  )
  .get("/elements/:element/configuration", async (c) =>
    c.json(entriesOf(await found(c)).map(catalogueEntry)),
  )
  .get("/elements/:element/oauth/url", async (c) =>
    c.json(await oauthUrl(c, await found(c), parse(oauthRequest, withoutEmpty(c.req.query())))),
  )
  .get("/elements/:element/oauth/url/default", async (c) =>
    c.json(await defaultUrl(c, await found(c), parse(defaultRequest, withoutEmpty(c.req.query())))),
  )
  .get("/elements/:element/oauth/token", async (c) => {
    const { key, authentication } = await found(c);
    throw invalid(
      authentication.type === "oauth2"
        ? `Connector '${key}' speaks OAuth 2, which has no request token; see oauth/url`
        : `Connector '${key}' has no OAuth`,
    );
  })
  .post("/elements/:element/oauth/url", async (c) =>
    c.json(
      await oauthUrl(
        c,
        await found(c),
        parse(oauthRequest, withoutEmpty(await readJson(c, 64 * 1024))),
      ),
    ),
  );

/** An empty parameter is an absent one: `&scope=` leaves the connector's own scopes. */
function withoutEmpty(given: unknown): unknown {
  if (!isObject(given)) return given;
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
}

const defaultRequest = z.object({
  callbackUrl: z.string().optional(),
  scope: z.string().optional(),
  siteAddress: z.string().optional(),
  state: z.string().optional(),
});

/**
 * An authorize URL with the application of the organization, or else of the platform. The caller sends `configuration.secret` back as
 * `providerData.secret`.
 */
async function defaultUrl(
  c: Context<AskerEnv>,
  connector: Connector,
  query: z.infer<typeof defaultRequest>,
): Promise<{ oauthUrl: string; element: string; configuration: { secret: string } }> {
  const config = readConfig(c.env);
  const { organizationId } = c.var.asker;
  const app = await applicationOf(organizationId, connector, { db: c.env.DB, config });
  if (app === undefined) throw notFound(`There is no application of '${connector.key}'`);
  if (query.callbackUrl !== undefined && query.callbackUrl !== app.callbackUrl)
    throw invalid(
      `callbackUrl: Expected that of the application, '${app.callbackUrl}'`,
      "callbackUrl",
    );
  const request = { ...query, apiKey: app.key, callbackUrl: app.callbackUrl };
  const secret = appHandle(config.sessionKey, organizationId, connector);
  return { ...(await oauthUrl(c, connector, request)), configuration: { secret } };
}

const oauthRequest = z.object({
  apiKey: z.string("Expected the OAuth client id"),
  apiSecret: z.string().optional(),
  callbackUrl: z.string("Expected the OAuth callback URL"),
  scope: z.string().optional(),
  siteAddress: z.string().optional(),
  state: z.string().optional(),
});

async function oauthUrl(
  c: Context<AskerEnv>,
  connector: Connector,
  request: z.infer<typeof oauthRequest>,
): Promise<{ oauthUrl: string; element: string }> {
  const doors = { db: c.env.DB, config: readConfig(c.env) };
  const url = await requestAuthorization(c.var.asker.organizationId, connector, request, doors);
  if (!url.ok) throw invalid(url.message);
  return { oauthUrl: url.url, element: connector.key };
}

function all(c: Context<AskerEnv>): Promise<readonly Connector[]> {
  return listConnectors(c.env.DB, c.var.asker.organizationId);
}

/** The connector that a path names. One of another organization is a 404, like an unknown one. */
export async function found(c: Context<AskerEnv>): Promise<Connector> {
  const name = c.req.param("element") ?? "";
  const connector = await connectorOf(c.env.DB, c.var.asker.organizationId, name);
  if (connector === undefined) throw notFound(`No element '${name}'`);
  return connector;
}

function elementView(connector: Connector): Record<string, unknown> {
  const { id, key, name, hub, description, authentication } = connector;
  return {
    id,
    key,
    name,
    hub,
    description,
    active: true,
    authentication: { type: authentication.type },
    configuration: entriesOf(connector).map(catalogueEntry),
  };
}

function metadataView(connector: Connector, expand: boolean): Record<string, unknown> {
  const { id, key, name, description, events, resources, authentication } = connector;
  const polling = pollable(connector);
  const base = {
    id,
    name,
    key,
    description,
    events: {
      supported: true,
      methods: events.methods,
      ...(events.methods.includes("polling") ? { polling } : {}),
    },
  };
  if (!expand) return base;
  return {
    ...base,
    authenticationType: authentication.type,
    active: true,
    discovery: {},
    bulk: { upload: false, download: false },
    usage: {},
    resources: Object.entries(resources).map(([canonicalName, resource]) => ({
      canonicalName,
      operations: ["list", "get", "create", "update", "delete"].filter((name) => name in resource),
      events: {
        supported: canonicalName in polling,
        methods: events.methods,
        eventTypes: [
          "CREATED",
          "UPDATED",
          ...(resource.deleted === undefined && events.feed === undefined ? [] : ["DELETED"]),
        ],
      },
    })),
  };
}
