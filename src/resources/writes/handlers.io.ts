import { watchKnown, watchResource } from "./watch.io";
import { readConfig } from "../../config";
import { hopsOf } from "../../delivery/own-address";
import { keyring } from "../../db/sealed";
import { readJson } from "../../http/body";
import { invalid, notFound, Refusal } from "../../http/refusal";
import type { Address } from "../address";
import {
  type Draft,
  parseDocument,
  readSubResource,
  UNKNOWN_FIELDS,
  type UnknownFields,
} from "../document";
import { editOf } from "../edit";
import { shapeOf } from "../embed";
import { readShown } from "../embed.io";
import { parsePatch } from "../patch";
import type { ApisContext, Collection, Item } from "../read.io";
import { deleteResource, removalOf } from "../removal/remove.io";
import { type Warning } from "../resource";
import { changeResource, type Request as WriteRequest } from "./change.io";
import { refuse } from "./checks";
import { createResource } from "./create.io";
import type { Caller, WriteDoors } from "./write.io";
import { isObject } from "../../values/record";
import { copyDigits } from "../../values/digits";

const MOST_BODY_BYTES = 1_000_000;
/** Ours: a PUT that makes no difference writes neither the resource nor a change. */
const IF_CHANGED = "x-tributary-if-changed";
const UNCHANGED = "x-tributary-unchanged";

/** Reference resource-api.md §5: POST. */
export async function create(c: ApisContext, address: Collection) {
  const { version } = address;
  const shape = shapeOf(c.req.query());
  const { resource, warnings, generated } = await createFrom(c, address, await bodyOf(c));
  const named: Warning[] = generated
    ? [{ code: "GeneratedName", detail: `The name '${resource.name}' was generated` }]
    : [];
  const allWarnings = [...named, ...warnings];
  return c.json(await readShown(c.env.DB, c.var.asker, resource, version, shape, allWarnings), 201);
}

/** Makes what a document says, where the address names. */
export async function createFrom(
  c: ApisContext,
  { kind, scope, version }: Collection,
  body: unknown,
): ReturnType<typeof createResource> {
  const { draft, warnings } = documentOf(c, kind, body);
  const where = { kind, scope: scope === "all" ? null : scope };
  const made = await createResource(writeDoors(c), callerOf(c, version), where, draft);
  watchResource(c, { kind, scope: made.resource.scope, name: made.resource.name }, undefined);
  return { ...made, warnings: [...warnings, ...made.warnings] };
}

/** PUT of a resource or a subresource. */
export async function replace(c: ApisContext, address: Item) {
  const { kind, sub } = address;
  const body = await bodyOf(c);
  if (sub !== undefined) {
    if (!isObject(body) || !Object.hasOwn(body, sub))
      throw invalid(`Expected a JSON object with the key '${sub}'`, sub);
    const { value, warnings } = subResourceOf(c, kind, sub, body[sub]);
    return write(c, address, {
      expected: versionIn(body),
      spec: undefined,
      edit: () => ({ sub: copyDigits(body, { [sub]: value }), warnings }),
    });
  }
  return write(c, address, replacement(c, address, body));
}

/** Makes a resource what a document says. */
export const replaceWith = (c: ApisContext, address: Item, body: unknown) =>
  written(c, address, replacement(c, address, body));

function replacement(c: ApisContext, { kind }: Item, body: unknown) {
  const { draft, warnings } = documentOf(c, kind, body);
  return { expected: undefined, spec: draft.spec, edit: () => ({ draft, sub: {}, warnings }) };
}

/** PATCH of a resource or a subresource. */
export async function patch(c: ApisContext, address: Item) {
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
      const parts = Object.entries(edit.sub).map(([name, value]) => ({
        name,
        ...subResourceOf(c, kind, name, value),
      }));
      const main = edit.main === undefined ? undefined : documentOf(c, kind, edit.main);
      const subs = Object.fromEntries(parts.map(({ name, value }) => [name, value]));
      return {
        sub: copyDigits(edit.sub, subs),
        ...(main === undefined ? {} : { draft: main.draft }),
        warnings: [...(main?.warnings ?? []), ...parts.flatMap(({ warnings }) => warnings)],
      };
    },
  });
}

async function write(
  c: ApisContext,
  address: Item,
  request: Pick<WriteRequest, "expected" | "spec" | "edit">,
) {
  const shape = shapeOf(c.req.query());
  const { version } = address;
  const { resource, warnings, unchanged } = await written(c, address, request);
  if (unchanged === true) c.header(UNCHANGED, "true");
  return c.json(await readShown(c.env.DB, c.var.asker, resource, version, shape, warnings));
}

async function written(
  c: ApisContext,
  address: Item,
  request: Pick<WriteRequest, "expected" | "spec" | "edit">,
) {
  const doors = writeDoors(c);
  await watchKnown(c, address);
  const caller = callerOf(c, address.version);
  return changeResource(doors, caller, {
    ...request,
    key: address,
    onlyIfChanged: c.req.header(IF_CHANGED) === "true",
    removed: removalOf(doors, caller),
  });
}

/** DELETE. */
export async function remove(c: ApisContext, address: Item) {
  const shape = shapeOf(c.req.query());
  const force = c.req.query("forceDelete") === "true";
  const { version } = address;
  const deletion = await removeFrom(c, address, force);
  if (deletion.kind === "gone") return c.body(null, 204);
  const { resource, warnings } = deletion;
  return c.json(await readShown(c.env.DB, c.var.asker, resource, version, shape, warnings), 202);
}

/** Deletes a resource with what is in it. */
export async function removeFrom(
  c: ApisContext,
  address: Item,
  force: boolean,
): ReturnType<typeof deleteResource> {
  await watchKnown(c, address, true);
  return deleteResource(writeDoors(c), callerOf(c, address.version), address, force);
}

const bodyOf = (c: ApisContext): Promise<unknown> => readJson(c, MOST_BODY_BYTES);

function documentOf(
  c: ApisContext,
  kind: Address["kind"],
  body: unknown,
): { draft: Draft; warnings: Warning[] } {
  const parsed = parseDocument(kind, body, readConfig(c.env).egress, unknownFieldsOf(c));
  if (parsed.ok) return parsed;
  refuse(parsed.faults);
  throw invalid("The body is not valid");
}

function subResourceOf(c: ApisContext, kind: Address["kind"], sub: string, given: unknown) {
  const part = readSubResource(kind, sub, given, unknownFieldsOf(c));
  if (part === undefined) throw notFound(`${kind.kind} has no subresource '${sub}'`);
  refuse(part.faults);
  return part;
}

function unknownFieldsOf(c: ApisContext): UnknownFields {
  const wanted = c.req.query("unknownFields") ?? "warn";
  const known = UNKNOWN_FIELDS.find((each) => each === wanted);
  if (known === undefined)
    throw invalid(
      `Invalid 'unknownFields' parameter '${wanted}'. Supported: [${UNKNOWN_FIELDS.join(", ")}]`,
      "unknownFields",
    );
  return known;
}

function versionIn(body: Record<string, unknown>): string | undefined {
  const { metadata } = body;
  const version = isObject(metadata) ? metadata["resourceVersion"] : undefined;
  const isGiven = typeof version === "string" || typeof version === "number";
  return isGiven && version !== "" ? String(version) : undefined;
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
  const hops = hopsOf(c.req.raw.headers, readConfig(c.env).sessionKey);
  return { organizationId, userId, correlationId: c.var.requestId, version, hops };
}
