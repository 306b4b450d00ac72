import { type Api, ApiError } from "./api.ts";
import type { FileDocument, Read } from "./documents.ts";
import { Failure } from "./failure.ts";
import { label, say } from "./render.ts";
import { collectionPath, type Definition, itemPath, type ScopeName } from "./definitions.ts";
import { isObject } from "../../values/record.ts";

/** A document with what the server knows of its kind. */
export type Placed = {
  document: FileDocument;
  definition: Definition;
  scope: ScopeName | undefined;
  name: string | undefined;
};

export type Options = {
  /** Only create: what exists is an error. */
  createOnly: boolean;
  /** Only this subresource. */
  subresource: string | undefined;
};

/** What became of the documents: how the server shows them, and whether anything failed. */
export type Applied = { resources: Record<string, unknown>[]; failed: boolean };

/** Finds every document's kind and scope; those without are reported, in file order. */
export function place(
  { documents, unreadable }: Read,
  definitions: readonly Definition[],
): { placed: Placed[]; failed: boolean } {
  for (const { where: at, message } of unreadable) say(`✖ ${at}: ${message}`);
  let failed = unreadable.length > 0;
  const placed = documents.flatMap((document): Placed[] => {
    const found = placeOne(document, definitions);
    if (!("message" in found)) return [found];
    failed = true;
    say(`✖ ${where(document, found.path)}: ${found.message}`);
    return [];
  });
  return { placed, failed };
}

function placeOne(
  document: FileDocument,
  definitions: readonly Definition[],
): Placed | { message: string; path: string } {
  const { kind, group, name, metadata, apiVersion } = document.content;
  const ofKind = definitions.filter((definition) => definition.kind === kind);
  const all = ofKind.filter((definition) => (group ?? definition.group) === definition.group);
  if (all.length === 0) {
    const message = `the server doesn't have a resource type "${String(kind)}"`;
    return ofKind.length === 0
      ? { path: "kind", message }
      : { path: "group", message: `${message} in the group "${String(group)}"` };
  }
  const scope = scopeIn(metadata);
  const fitting = all.find(({ scopeKind }) => scopeKind === scope?.kind);
  if (scope !== undefined && fitting === undefined) {
    const allowed = all.flatMap(({ scopeKind }) => scopeKind ?? []);
    const wanted = scope.kind === "" ? "a scope without a kind" : `the scope "${scope.kind}"`;
    const message =
      allowed.length === 0
        ? `"${String(kind)}" has no scope`
        : `"${String(kind)}" can't be in ${wanted}, only in: ${allowed.join(", ")}`;
    return { path: "metadata.scope", message };
  }
  if (fitting === undefined)
    return {
      path: "metadata",
      message: `scope name param (-s/--scope) is required for the scoped "${String(kind)}" resource.`,
    };
  const version = fitting.versions.find((served) => served === apiVersion) ?? fitting.version;
  return {
    document,
    definition: { ...fitting, version },
    scope,
    name: typeof name === "string" && name !== "" ? name : undefined,
  };
}

function scopeIn(metadata: unknown): ScopeName | undefined {
  const scope = isObject(metadata) ? metadata["scope"] : undefined;
  if (!isObject(scope) || typeof scope["name"] !== "string") return undefined;
  const { kind, name } = scope;
  return { kind: typeof kind === "string" ? kind : "", name };
}

/** Whether two documents stand for one resource: by kind, name and scope. */
export function isSameResource(
  left: Record<string, unknown>,
  right: Record<string, unknown>,
): boolean {
  const [own, other] = [left, right].map(({ kind, name, metadata }) =>
    JSON.stringify([kind, name, scopeIn(metadata)]),
  );
  return own === other;
}

/** Scopes, Secrets, Webhooks, others with what they name before them, hooks last. */
export function ordered(placed: readonly Placed[], definitions: readonly Definition[]): Placed[] {
  const scopes = new Set(definitions.flatMap(({ scopeKind }) => scopeKind ?? []));
  const depth = ({ needs }: Definition, seen: readonly string[] = []): number =>
    Math.max(
      0,
      ...needs
        .filter((kind) => !seen.includes(kind))
        .map((kind) => {
          const target = definitions.find((definition) => definition.kind === kind);
          return target === undefined ? 0 : 1 + depth(target, [...seen, kind]);
        }),
    );
  const rank = ({ definition }: Placed): number => {
    if (scopes.has(definition.kind)) return 0;
    if (definition.kind === "Secret") return 1;
    if (definition.kind === "Webhook") return 2;
    if (definition.kind === "ResourceHook") return 100;
    return 3 + depth(definition);
  };
  return placed.toSorted((left, right) => rank(left) - rank(right));
}

/** Applies documents in their order; one that fails is reported, the others are still applied. */
export async function applyAll(
  api: Api,
  placed: readonly Placed[],
  definitions: readonly Definition[],
  options: Options,
): Promise<Applied> {
  const applied: Applied = { resources: [], failed: false };
  for (const one of placed) {
    const kind = one.definition.kind;
    const shown = label(kind, one.name ?? "?", undefined);
    try {
      applied.resources.push(await applyOne(api, one, definitions, options));
    } catch (error) {
      applied.failed = true;
      if (error instanceof ApiError) tell(error, shown, one.document);
      else if (error instanceof Error) say(`✖ ${shown} ${error.message}`);
      else throw error;
    }
  }
  return applied;
}

/** What a server has against a document, each with where it stands. */
function tell({ violations, message }: ApiError, shown: string, document: FileDocument): void {
  for (const { title, detail, parameter = "" } of violations) {
    const field = parameter === "" ? "" : `, ${parameter}`;
    say(`✖ ${shown} ${title}: ${detail}\n  at ${where(document, parameter)}${field}`);
  }
  if (violations.length === 0)
    say(`✖ ${shown} Server error: ${message}\n  at ${where(document, "")}`);
}

async function applyOne(
  api: Api,
  { document, definition, scope, name }: Placed,
  definitions: readonly Definition[],
  { createOnly, subresource }: Options,
): Promise<Record<string, unknown>> {
  const collection = collectionPath(definition, scope, definitions);
  const known =
    name === undefined || createOnly ? undefined : await api.get(itemPath(collection, name));
  if (subresource !== undefined && known === undefined)
    throw new Failure(
      `Not found error: Resource ${name ?? "?"} not found in group ${definition.group}`,
    );
  if (subresource !== undefined && document.content[subresource] === undefined)
    throw new Failure(`Validation error: The document has no subresource "${subresource}"`);
  let resource = known ?? {};
  if (subresource === undefined) {
    const { body, unchanged } =
      known === undefined
        ? { ...(await post(api, collection, document.content)), unchanged: false }
        : await putIfChanged(api, itemPath(collection, name ?? ""), document.content);
    resource = isObject(body) ? body : {};
    const shown = label(definition.kind, String(resource["name"]), scope);
    if (name === undefined)
      say(
        `⚠ "${definition.kind}/${String(resource["name"])}" was created with an autogenerated logical name.`,
      );
    if (unchanged) say(`✔ ${shown} is unchanged.`);
    else say(`✔ ${shown} has successfully been ${known === undefined ? "created" : "updated"}.`);
    for (const warning of warningsOf(resource)) say(`⚠ ${shown} ${warning}`);
  }
  const item = itemPath(collection, String(resource["name"]));
  for (const sub of subsOf(document.content, definition, subresource)) {
    const path = `${itemPath(item, sub)}?fields=${encodeURIComponent(sub)}`;
    const { body, unchanged } = await putIfChanged(api, path, { [sub]: document.content[sub] });
    if (isObject(body)) resource = { ...resource, ...body };
    const shown = label(definition.kind, String(resource["name"]), scope);
    if (!unchanged) say(`✔ ${shown} subresource "${sub}" has successfully been updated.`);
  }
  return resource;
}

/** Creates a resource. A 404 can only mean that its scope does not exist: the error then names the scope. */
async function post(
  api: Api,
  collection: string,
  content: Record<string, unknown>,
): Promise<{ body: unknown }> {
  try {
    return await api.call("POST", collection, content);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    const violations = error.violations.map((violation) => ({
      parameter: "metadata.scope.name",
      ...violation,
    }));
    throw new ApiError(error.status, violations);
  }
}

async function putIfChanged(
  api: Api,
  path: string,
  content: Record<string, unknown>,
): Promise<{ body: unknown; unchanged: boolean }> {
  const { body, headers } = await api.call("PUT", path, content, {
    "x-tributary-if-changed": "true",
  });
  return { body, unchanged: headers.get("x-tributary-unchanged") === "true" };
}

function subsOf(
  content: Record<string, unknown>,
  { subResources }: Definition,
  only: string | undefined,
): string[] {
  const named = Object.keys(content).filter(
    (key) => subResources.includes(key) || key.startsWith("x-"),
  );
  return only === undefined ? named : named.filter((key) => key === only);
}

export function warningsOf(resource: Record<string, unknown>): string[] {
  const { metadata } = resource;
  const warnings = isObject(metadata) ? metadata["warnings"] : undefined;
  return Array.isArray(warnings)
    ? warnings
        .filter(isObject)
        .filter(({ code }) => code !== "GeneratedName")
        .map(({ detail }) => String(detail))
    : [];
}

/** `hooks.yaml, document 2, line 14`. */
export const where = ({ file, index, lineOf }: FileDocument, path: string): string =>
  `${file}, document ${index}, line ${lineOf(path)}`;
