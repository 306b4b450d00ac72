import * as z from "zod";
import type { ResourceRow } from "../db/resources";
import { membersOf, storedJson } from "../values/stored-json";
import { itemLink, type ScopeName } from "./address";
import type { Kind } from "./kinds/kind";
import { findKind, type Version } from "./kinds/registry";
import { isObject } from "../values/record";
import { MASK } from "../values/secret-name";
import { maskedHeaders, maskedUrl } from "../values/secret-text";
import { isoText } from "../values/instant";
import { copyDigits } from "../values/digits";

/** What a resource names (reference resource-api.md §3); `selfLink` is made when it is shown. */
const reference = z.object({
  id: z.string(),
  group: z.string(),
  kind: z.string(),
  name: z.string(),
  scopeKind: z.string().exactOptional(),
  scopeName: z.string().exactOptional(),
  type: z.enum(["hard", "soft"]),
});
export type Reference = z.infer<typeof reference>;

const finalizer = z.object({ name: z.string(), description: z.string().optional() });
export type Finalizer = z.infer<typeof finalizer>;

const owner = z.object({
  type: z.literal("team"),
  id: z.string(),
  organization: z.object({ id: z.string() }).optional(),
  user: z.object({ id: z.string() }).optional(),
});
export type Owner = z.infer<typeof owner>;

/** What of a resource is one JSON value in its row. */
export const storedContent = storedJson(
  z.object({
    attributes: membersOf<string>(),
    tags: z.array(z.string()),
    finalizers: z.array(finalizer),
    owner: owner.exactOptional(),
    /** Of a Secret: `data` holds sealed values. */
    spec: membersOf<unknown>(),
    /** Of a Webhook: sealed values of the headers that `spec` has masked. */
    headers: membersOf<string>().exactOptional(),
    /** Subresources by name. */
    sub: membersOf<unknown>(),
    references: z.array(reference),
    deletedReferences: z.array(reference),
    /** Id of the scope, which lives at least as long. */
    scopeId: z.string().exactOptional(),
  }),
);
export type Content = ReturnType<typeof storedContent.read>;

/** A row, but for its order in lists, with its texts read. */
export type Resource = Omit<ResourceRow, "kind" | "scope" | "seq" | "content"> & {
  kind: Kind;
  scope: ScopeName | null;
  content: Content;
};

/** A remark in the reply to a write. */
export type Warning = { code: string; detail: string };

/** `2020-09-04T22:41:30.892+0000`: the one form existing clients decode. */
export const contractTime = (at: number): string => `${isoText(at).slice(0, 23)}+0000`;

export const destinationId = (webhookId: string): string => `webhook-${webhookId}`;

/** A resource as the contract prints it (reference resource-api.md §3), its secrets masked. */
export function view(
  resource: Resource,
  version: Version,
  warnings: readonly Warning[] = [],
): Record<string, unknown> {
  const { kind, content } = resource;
  return copyDigits(content.sub, {
    group: kind.group,
    apiVersion: version,
    kind: kind.kind,
    name: resource.name,
    title: resource.title,
    metadata: metadataOf(resource, version, warnings),
    attributes: content.attributes,
    tags: content.tags,
    finalizers: content.finalizers,
    ...(content.owner === undefined ? {} : { owner: content.owner }),
    spec: visibleSpec(kind, content.spec),
    ...content.sub,
  });
}

function metadataOf(
  resource: Resource,
  version: Version,
  warnings: readonly Warning[],
): Record<string, unknown> {
  const { kind, scope, name, content, state } = resource;
  return {
    id: resource.id,
    audit: {
      createTimestamp: contractTime(resource.createdAt),
      createUserId: resource.createdBy,
      modifyTimestamp: contractTime(resource.modifiedAt),
      modifyUserId: resource.modifiedBy,
    },
    ...(scope === null
      ? {}
      : {
          scope: {
            id: content.scopeId ?? "",
            kind: scope.kind,
            name: scope.name,
            selfLink: scopeLink(scope, version),
          },
        }),
    resourceVersion: String(resource.version),
    ...(state === null ? {} : { state }),
    references: content.references.map((reference) => referenceView(reference, version)),
    ...(content.deletedReferences.length === 0
      ? {}
      : {
          deletedReferences: content.deletedReferences.map((reference) =>
            referenceView(reference, version),
          ),
        }),
    ...(kind.kind === "Webhook" ? { destinationId: destinationId(resource.id) } : {}),
    selfLink: itemLink(kind, version, scope, name),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

export function referenceView(reference: Reference, version: Version): Record<string, unknown> {
  const { scopeKind, scopeName } = reference;
  const kind = findKind(reference.kind);
  const scope =
    scopeKind === undefined || scopeName === undefined
      ? null
      : { kind: scopeKind, name: scopeName };
  return {
    ...reference,
    ...(kind === undefined ? {} : { selfLink: itemLink(kind, version, scope, reference.name) }),
  };
}

export function scopeLink(scope: ScopeName, version: Version): string | undefined {
  const kind = findKind(scope.kind);
  return kind === undefined ? undefined : itemLink(kind, version, null, scope.name);
}

/** A spec as everybody sees it: values of Secrets, and what may be credentials in a Webhook's headers and URL, are masked. */
export function visibleSpec(kind: Kind, spec: Record<string, unknown>): Record<string, unknown> {
  if (kind.kind === "Webhook") {
    const { url, headers } = spec;
    return {
      ...spec,
      ...(typeof url === "string" ? { url: maskedUrl(url) } : {}),
      ...(headers === undefined ? {} : { headers: maskedHeaders(headersOf(spec)) }),
    };
  }
  if (kind.secret === undefined) return spec;
  return { ...spec, data: Object.fromEntries(Object.keys(dataOf(spec)).map((key) => [key, MASK])) };
}

/** The `data` of a Secret's spec. */
export const dataOf = ({ data }: Record<string, unknown>): Record<string, string> => textsIn(data);

/** The `headers` of a Webhook's spec. */
export const headersOf = ({ headers }: Record<string, unknown>): Record<string, string> =>
  textsIn(headers);

function textsIn(members: unknown): Record<string, string> {
  if (typeof members !== "object" || members === null) return {};
  return Object.fromEntries(
    Object.entries(members).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}

/**
 * Only the keys named by `fields`: top-level ones, subresources, dotted paths (`owner.id`); unknown ones
 * are ignored. Undefined: everything.
 */
export function selectFields(
  document: Record<string, unknown>,
  fields: readonly string[] | undefined,
): Record<string, unknown> {
  if (fields === undefined) return document;
  const selected: Record<string, unknown> = {};
  for (const field of fields) copyPath(document, selected, field.split("."));
  return selected;
}

function copyPath(
  from: Record<string, unknown>,
  into: Record<string, unknown>,
  path: readonly string[],
): void {
  const [key = "", ...rest] = path;
  if (!Object.hasOwn(from, key) || key === "__proto__") return;
  const value = from[key];
  if (rest.length === 0 || !isObject(value)) {
    if (rest.length === 0) {
      into[key] = value;
      copyDigits(from, into);
    }
    return;
  }
  const inner = Object.hasOwn(into, key) ? into[key] : undefined;
  if (inner === value) return;
  const target = isObject(inner) ? inner : {};
  copyPath(value, target, rest);
  if (Object.keys(target).length > 0) into[key] = target;
}
