import { type Context, Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withSecrets } from "../../accounts/routes";
import { readConfig } from "../../config";
import type { Connector } from "../../connectors/definition";
import { parse, readJson } from "../../http/body";
import { invalid, notFound } from "../../http/refusal";
import { entriesOf } from "../configuration";
import { rememberChallenge } from "../grants/store";
import { authorizeUrl, challengeName } from "../hub/oauth";
import { catalogueEntry } from "../view";
import { connectorOf, listConnectors } from "./store";

/** `/elements`: what can be connected (reference §3). */
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
  .get("/elements/:element", async (c) => c.json(elementView(await found(c))))
  .get("/elements/:element/metadata", async (c) =>
    c.json(metadataView(await found(c), c.req.query("expand") === "true")),
  )
  .get("/elements/:element/configuration", async (c) =>
    c.json(entriesOf(await found(c)).map(catalogueEntry)),
  )
  .get("/elements/:element/oauth/url", async (c) =>
    c.json(await oauthUrl(c, await found(c), parse(oauthRequest, c.req.query()))),
  )
  .post("/elements/:element/oauth/url", async (c) =>
    c.json(await oauthUrl(c, await found(c), parse(oauthRequest, await readJson(c, 64 * 1024)))),
  );

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
  const { sessionKey } = readConfig(c.env);
  const url = authorizeUrl(connector, request, {}, sessionKey);
  if (!url.ok) throw invalid(url.message);
  if (connector.authentication.type === "oauth2" && connector.authentication.pkce)
    await rememberChallenge(
      c.env.DB,
      challengeName(c.var.asker.organizationId, connector, request),
      Date.now(),
    );
  return { oauthUrl: url.url, element: connector.key };
}

function all(c: Context<AskerEnv>): Promise<readonly Connector[]> {
  return listConnectors(c.env.DB, c.var.asker.organizationId);
}

/** The connector that a path names; another organization's is as unknown as none. */
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
  const base = {
    id,
    name,
    key,
    description,
    events: {
      supported: true,
      methods: events.methods,
      ...(events.methods.includes("polling") ? { polling: events.polling } : {}),
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
        supported: canonicalName in events.polling,
        methods: events.methods,
        eventTypes: ["CREATED", "UPDATED", ...(resource.deleted === undefined ? [] : ["DELETED"])],
      },
    })),
  };
}
