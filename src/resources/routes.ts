import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { type AskerEnv, withToken } from "../accounts/routes";
import { readConfig } from "../config";
import { keyring } from "../db/sealed";
import { readJson } from "../http/body";
import { invalid, notFound, Refusal } from "../http/refusal";
import type { RequestIdEnv } from "../http/surface";
import { type Address, collectionLink, parseAddress, type ScopeName } from "./address";
import { type Draft, isTooDeep, parseDocument, subResourceFaults } from "./document";
import { embedsOf, fieldsOf } from "./embed";
import { editOf } from "./edit";
import type { Key } from "./key";
import { kindNamed, kindsIn } from "./kinds/registry";
import { linkHeader, listStatements, pageOf } from "./list";
import { parsePatch } from "./patch";
import { isObject, type Resource, selectFields, view, type Warning } from "./resource";
import { deleteResource, removalOf } from "./removal/store";
import {
  readContents,
  readCount,
  readPage,
  readReferrers,
  readResource,
  readResources,
} from "./store";
import {
  type Caller,
  changeResource,
  createResource,
  type Request as WriteRequest,
  type WriteDoors,
} from "./writes/store";
import { missing, refuse } from "./writes/checks";

type ApisEnv = AskerEnv & RequestIdEnv;
type ApisContext = Context<ApisEnv>;
type Item = Extract<Address, { at: "item" }>;

const MOST_BODY_BYTES = 1_000_000;
/** Ours: a PUT that makes no difference writes nothing and tells nobody. */
const IF_CHANGED = "x-tributary-if-changed";
const UNCHANGED = "x-tributary-unchanged";
/** What `embed` shows of one relation. */
const MOST_EMBEDDED = 1_000;

/** The request's id is the correlation id of its changes: a UUID on this surface. */
export const withCorrelationId = createMiddleware<RequestIdEnv>(async (c, next) => {
  c.set("requestId", crypto.randomUUID());
  await next();
});

/** What every error of this surface tells of its request (reference §6). */
export function errorMeta(c: Context): Record<string, string> {
  const asker: ApisEnv["Variables"]["asker"] | undefined = c.get("asker");
  return {
    instanceId: c.req.header("x-axway-instance-id") ?? "tributary",
    ...(asker === undefined
      ? {}
      : {
          tenantId: String(asker.organizationId),
          authenticatedUserId: String(asker.userId),
        }),
  };
}

/** Resources of every kind: `/apis/{group}/{version}/…` (reference `resource-api.md` §1 to §5). */
export const resourceRoutes = new Hono<ApisEnv>().all("*", withToken, async (c) => {
  const address = addressOf(c);
  switch (c.req.method) {
    case "GET":
      return address.at === "collection" ? list(c, address) : show(c, address);
    case "HEAD":
      if (address.at === "collection") return count(c, address);
      break;
    case "POST":
      if (address.at === "collection" && (address.scope !== "all" || address.kind.unscoped))
        return create(c, address.kind, address.scope === "all" ? null : address.scope);
      break;
    case "PUT":
      if (address.at === "item") return replace(c, address);
      break;
    case "PATCH":
      if (address.at === "item") return patch(c, address);
      break;
    case "DELETE":
      if (address.at === "item" && address.sub === undefined) return remove(c, address);
      break;
    default:
      break;
  }
  const allow = allowed(address);
  throw new Refusal({
    kind: "method",
    message: `${c.req.method} is not allowed here. Supported: [${allow}]`,
    allow,
  });
});

function allowed(address: Address): string {
  if (address.at === "collection")
    return address.scope !== "all" || address.kind.unscoped ? "GET, HEAD, POST" : "GET, HEAD";
  return address.sub === undefined ? "GET, PUT, PATCH, DELETE" : "GET, PUT, PATCH";
}

function addressOf(c: ApisContext): Address {
  const path = new URL(c.req.url).pathname.replace(/^\/apis\//, "").replace(/\/$/, "");
  const address = parseAddress(path.split("/").map(decoded));
  if (address === undefined) throw notFound(`Unknown path '${c.req.path}'`);
  return address;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw notFound(`Unknown path segment '${segment}'`);
  }
}

async function list(c: ApisContext, address: Extract<Address, { at: "collection" }>) {
  const { kind, scope, version } = address;
  const { organizationId } = c.var.asker;
  const query = c.req.query();
  const page = pageOf(query);
  const fields = fieldsOf(query["fields"]);
  const embeds = embedsOf(query["embed"]);
  const statements = listStatements(organizationId, kind, scope, query, page);
  await refuseMissingScope(c, scope);
  const { items, total } = await readPage(c.env.DB, statements, page);
  const path = `/apis${collectionLink(kind, version, scope === "all" ? null : scope)}`;
  c.header("X-Axway-Total-Count", String(total));
  c.header("Link", linkHeader(path, new URL(c.req.url).search, page, total));
  const shown = await Promise.all(
    items.map(async (item) => ({
      ...selectFields(view(item, version), fields),
      ...(await embedded(c, item, embeds, version)),
    })),
  );
  return c.json(shown);
}

async function count(c: ApisContext, address: Extract<Address, { at: "collection" }>) {
  const { kind, scope } = address;
  const query = c.req.query();
  const wanted = query["count"] ?? "accessible";
  if (wanted !== "all" && wanted !== "accessible")
    throw invalid(`Invalid 'count' parameter '${wanted}'. Supported: [all, accessible]`, "count");
  const statements = listStatements(c.var.asker.organizationId, kind, scope, query, {
    page: 1,
    pageSize: 1,
  });
  await refuseMissingScope(c, scope);
  c.header("X-Axway-Total-Count", String(await readCount(c.env.DB, statements.count)));
  return c.body(null, 200);
}

async function refuseMissingScope(c: ApisContext, scope: ScopeName | "all"): Promise<void> {
  if (scope !== "all")
    await found(c, { kind: kindNamed(scope.kind), scope: null, name: scope.name });
}

async function show(c: ApisContext, address: Item) {
  const resource = await found(c, address);
  const { sub, version } = address;
  if (sub !== undefined) {
    const value = Object.hasOwn(resource.content.sub, sub) ? resource.content.sub[sub] : undefined;
    if (value === undefined)
      throw notFound(
        `Subresource ${sub} of ${resource.name} not found in group ${resource.kind.group}`,
      );
    return c.json({ [sub]: value });
  }
  return c.json(await presented(c, resource, version, []));
}

async function create(c: ApisContext, kind: Address["kind"], scope: ScopeName | null) {
  const { version } = addressOf(c);
  const draft = documentOf(c, kind, await bodyOf(c));
  const { resource, warnings, generated } = await createResource(
    writeDoors(c),
    callerOf(c, version),
    { kind, scope },
    draft,
  );
  const named: Warning[] = generated
    ? [{ code: "GeneratedName", detail: `The name '${resource.name}' was generated` }]
    : [];
  return c.json(await presented(c, resource, version, [...named, ...warnings]), 201);
}

async function replace(c: ApisContext, address: Item) {
  const { kind, sub } = address;
  const body = await bodyOf(c);
  if (sub !== undefined) {
    if (!isObject(body) || !Object.hasOwn(body, sub))
      throw invalid(`Expected a JSON object with the key '${sub}'`, sub);
    checkSub(kind, sub, body[sub]);
    return write(c, address, {
      expected: versionIn(body),
      spec: undefined,
      edit: () => ({ sub: { [sub]: body[sub] } }),
    });
  }
  const draft = documentOf(c, kind, body);
  return write(c, address, {
    expected: undefined,
    spec: draft.spec,
    edit: () => ({ draft, sub: {} }),
  });
}

async function patch(c: ApisContext, address: Item) {
  const type = c.req.header("content-type") ?? "";
  if (!/^application\/json-patch\+json\s*(;|$)/i.test(type))
    throw new Refusal({
      kind: "not-json",
      message: `Expected Content-Type application/json-patch+json, got '${type}'`,
    });
  const { kind, sub } = address;
  const parsed = parsePatch(await bodyOf(c));
  if (!parsed.ok) throw invalid(parsed.message, parsed.field);
  const expected = c.req.header("if-match")?.replaceAll(/^(W\/)?"|"$/g, "");
  return write(c, address, {
    expected: expected === "*" ? undefined : expected,
    spec: undefined,
    edit: (current) => {
      const edit = editOf(current, parsed.operations, sub);
      if (!edit.ok) throw invalid(edit.message, edit.field);
      for (const [name, value] of Object.entries(edit.sub)) checkSub(kind, name, value);
      return {
        sub: edit.sub,
        ...(edit.main === undefined ? {} : { draft: documentOf(c, kind, edit.main) }),
      };
    },
  });
}

async function write(
  c: ApisContext,
  address: Item,
  request: Pick<WriteRequest, "expected" | "spec" | "edit">,
) {
  const doors = writeDoors(c);
  const { version } = address;
  const caller = callerOf(c, version);
  const { resource, warnings, unchanged } = await changeResource(doors, caller, {
    ...request,
    key: address,
    onlyIfChanged: c.req.header(IF_CHANGED) === "true",
    removed: removalOf(doors, caller),
  });
  if (unchanged === true) c.header(UNCHANGED, "true");
  return c.json(await presented(c, resource, version, warnings));
}

async function remove(c: ApisContext, address: Item) {
  const force = c.req.query("forceDelete") === "true";
  const { version } = address;
  const deletion = await deleteResource(writeDoors(c), callerOf(c, version), address, force);
  if (deletion.kind === "gone") return c.body(null, 204);
  return c.json(await presented(c, deletion.resource, version, deletion.warnings), 202);
}

/** A resource as the request wants it: `fields` and `embed` applied. */
async function presented(
  c: ApisContext,
  resource: Resource,
  version: Address["version"],
  warnings: readonly Warning[],
): Promise<Record<string, unknown>> {
  const query = c.req.query();
  return {
    ...selectFields(view(resource, version, warnings), fieldsOf(query["fields"])),
    ...(await embedded(c, resource, embedsOf(query["embed"]), version)),
  };
}

async function embedded(
  c: ApisContext,
  resource: Resource,
  embeds: ReturnType<typeof embedsOf>,
  version: Address["version"],
): Promise<Record<string, unknown>> {
  if (embeds.length === 0) return {};
  const metadata: Record<string, unknown> = {};
  for (const embed of embeds)
    metadata[embed.slice("metadata.".length)] = await related(c, resource, embed, version);
  return { _embedded: { metadata } };
}

async function related(
  c: ApisContext,
  resource: Resource,
  embed: ReturnType<typeof embedsOf>[number],
  version: Address["version"],
): Promise<unknown> {
  const shown = (resources: Iterable<Resource>): unknown =>
    Array.from(resources, (other) => view(other, version));
  switch (embed) {
    case "metadata.references":
      return shown(
        (await readResources(c.env.DB, resource.organizationId, namedBy(resource))).values(),
      );
    case "metadata.scopedResources":
      return shown(
        await readContents(c.env.DB, resource, kindsIn(resource.kind.kind), MOST_EMBEDDED),
      );
    case "metadata.referencedByResources":
      return shown(await readReferrers(c.env.DB, [resource]));
    case "metadata.accessRights": {
      const canWrite = c.var.asker.scopes.includes("write");
      return { canChangeOwner: canWrite, canDelete: canWrite, canWrite, canRead: true };
    }
  }
}

function namedBy({ content, scope }: Resource): Key[] {
  return content.references.map(({ kind, name }) => ({ kind: kindNamed(kind), scope, name }));
}

async function bodyOf(c: ApisContext): Promise<unknown> {
  const body = await readJson(c, MOST_BODY_BYTES);
  if (isTooDeep(body)) throw invalid("The body is nested more than 100 levels deep");
  return body;
}

async function found(c: ApisContext, key: Key): Promise<Resource> {
  const resource = await readResource(c.env.DB, c.var.asker.organizationId, key);
  if (resource === undefined) throw missing(key);
  return resource;
}

function documentOf(c: ApisContext, kind: Address["kind"], body: unknown): Draft {
  const parsed = parseDocument(kind, body, readConfig(c.env).egress);
  if (parsed.ok) return parsed.draft;
  refuse(parsed.faults);
  throw invalid("The body is not valid");
}

function checkSub(kind: Address["kind"], sub: string, value: unknown): void {
  const faults = subResourceFaults(kind, sub, value);
  if (faults === undefined) throw notFound(`${kind.kind} has no subresource '${sub}'`);
  refuse(faults);
}

function versionIn(body: Record<string, unknown>): string | undefined {
  const { metadata } = body;
  const version = isObject(metadata) ? metadata["resourceVersion"] : undefined;
  return typeof version === "string" && version !== "" ? version : undefined;
}

function writeDoors(c: ApisContext): WriteDoors {
  const config = readConfig(c.env);
  return {
    db: c.env.DB,
    streams: c.env.EVENT_STREAMS,
    ring: keyring(config.masterKeys),
    config,
    later: (work) => c.executionCtx.waitUntil(work),
  };
}

function callerOf(c: ApisContext, version: Address["version"]): Caller {
  const { organizationId, userId } = c.var.asker;
  return { organizationId, userId, correlationId: c.var.requestId, version };
}
