import * as z from "zod";
import { type Fault, webhookFaults } from "./webhook";
import type { EgressPolicy } from "../http/egress";
import { LONGEST_NAME, LONGEST_TITLE, NAME } from "./kinds/field";
import type { Kind } from "./kinds/kind";
import type { Finalizer, Owner, Warning } from "./resource";
import { isZero, withoutUnknown, withoutZeros } from "./absent";
import { isObject } from "../values/record";
import { brief, quoted } from "../values/text";
import { MASK } from "../values/secret-name";
import { hasToken, unmaskedUrl } from "../values/secret-text";

/** What a body says of a resource; `undefined` members were not in it. */
export type Draft = {
  name: string | undefined;
  title: string | undefined;
  attributes: Record<string, string>;
  tags: string[];
  finalizers: Finalizer[] | undefined;
  owner: Owner | null | undefined;
  spec: Record<string, unknown>;
  resourceVersion: string | undefined;
};

export type ParsedDocument =
  | { ok: true; draft: Draft; warnings: Warning[] }
  | { ok: false; faults: Fault[] };

/** What becomes of members that a kind's schema does not know (`?unknownFields=`): left out with a warning or without, or refused. */
export const UNKNOWN_FIELDS = ["warn", "ignore", "error"] as const;
export type UnknownFields = (typeof UNKNOWN_FIELDS)[number];

const name = z
  .string()
  .max(LONGEST_NAME, `Name is longer than ${LONGEST_NAME} characters.`)
  .regex(NAME, "Name is not valid.");

/** Generated clients send `{"type": "team", "id": ""}` for no owner. */
const withoutOwner = (owner: unknown): unknown =>
  isObject(owner) && owner["id"] === "" ? undefined : owner;

/** Group, version, kind, most of metadata and unknown keys are ignored (reference resource-api.md §3). */
const envelope = z.object({
  name: z.preprocess((text) => (text === "" ? null : text), name.nullish()),
  title: z
    .string()
    .max(LONGEST_TITLE)
    .refine((text) => text.isWellFormed(), "Half of a surrogate pair is no text")
    .nullish(),
  attributes: z.record(z.string(), z.string()).nullish(),
  tags: z.array(z.string()).nullish(),
  finalizers: z
    .array(z.object({ name: z.string().min(1), description: z.string().optional() }))
    .nullish(),
  owner: z.preprocess(
    withoutOwner,
    z
      .object({
        type: z.literal("team"),
        id: z.string().min(1),
        organization: z.object({ id: z.string() }).optional(),
        user: z.object({ id: z.string() }).optional(),
      })
      .nullish(),
  ),
  metadata: z.object({ resourceVersion: z.union([z.string(), z.number()]).nullish() }).nullish(),
});

/** A body of POST or PUT, checked against its kind: every violation at once, each with its dotted path. */
export function parseDocument(
  kind: Kind,
  body: unknown,
  egress: EgressPolicy,
  unknownFields: UnknownFields,
): ParsedDocument {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    return { ok: false, faults: [{ field: "", message: "Expected a JSON object" }] };
  const head = envelope.safeParse(body);
  const given: unknown = "spec" in body ? body.spec : undefined;
  const read = readPart(kind.spec, given ?? {}, "spec", unknownFields);
  const spec = kind.spec.safeParse(read.value);
  const subs = Object.entries(body).flatMap(([sub, value]) =>
    Object.hasOwn(kind.subResources, sub) && !isZero(value)
      ? [readSubResource(kind, sub, value, unknownFields)]
      : [],
  );
  const faults = [
    ...(head.success ? [] : faultsOf(head.error, "")),
    ...read.faults,
    ...(spec.success && kind.kind === "Webhook" ? webhookFaults(spec.data, egress) : []),
    // Not stored with the main part, but a document is taken as a whole or not at all.
    ...subs.flatMap((part) => part?.faults ?? []),
  ];
  if (!head.success || !spec.success || faults.length > 0) return { ok: false, faults };
  const { title, attributes, tags, finalizers, owner, metadata } = head.data;
  const version = metadata?.resourceVersion;
  return {
    ok: true,
    warnings: [...read.warnings, ...subs.flatMap((part) => part?.warnings ?? [])],
    draft: {
      name: head.data.name ?? undefined,
      title: title ?? undefined,
      attributes: attributes ?? {},
      tags: tags ?? [],
      finalizers: finalizers === null ? [] : finalizers,
      owner,
      spec: spec.data,
      resourceVersion:
        version === null || version === undefined || version === "" ? undefined : String(version),
    },
  };
}

/** So many unknown members of a part are told; the others are left out as they are. */
const MOST_WARNINGS = 100;

/** A spec or a subresource without what counts as absent in it, and all that is wrong with the rest. */
export type Part = { value: unknown; faults: Fault[]; warnings: Warning[] };

function readPart(
  schema: z.ZodType,
  given: unknown,
  prefix: string,
  unknownFields: UnknownFields,
): Part {
  const { value: known, unknown } = withoutUnknown(schema, given);
  const value = withoutZeros(schema, known);
  const parsed = schema.safeParse(value);
  const unknownFaults = unknown.map((path): Fault => {
    const message = `Unknown property '${path.slice(path.lastIndexOf(".") + 1)}'`;
    return { field: `${prefix}.${path}`, message };
  });
  return {
    value,
    faults: [
      ...(parsed.success ? [] : faultsOf(parsed.error, prefix)),
      ...(unknownFields === "error" ? unknownFaults : []),
    ],
    warnings:
      unknownFields === "warn"
        ? unknownFaults.slice(0, MOST_WARNINGS).map(({ field, message }) => ({
            code: "UnknownProperty",
            detail: `${quoted(field)}: ${brief(message)}, which is not stored`,
          }))
        : [],
  };
}

/** A subresource's value, checked; `x-…` and null are taken as they come. Undefined: the kind has no such subresource. */
export function readSubResource(
  kind: Kind,
  sub: string,
  value: unknown,
  unknownFields: UnknownFields,
): Part | undefined {
  const asItComes: Part = { value, faults: [], warnings: [] };
  if (/^x-./.test(sub)) return asItComes;
  const schema = Object.hasOwn(kind.subResources, sub) ? kind.subResources[sub] : undefined;
  if (schema === undefined) return undefined;
  return value === null ? asItComes : readPart(schema, value, sub, unknownFields);
}

/** Masks in place of secret values that were never stored, so that there is nothing to keep. */
export function maskFaults(
  member: "data" | "headers",
  values: Readonly<Record<string, string>>,
  stored: Readonly<Record<string, string>>,
): Fault[] {
  return Object.entries(values)
    .filter(([key, value]) => value === MASK && !Object.hasOwn(stored, key))
    .map(([key]) => ({
      field: `spec.${member}.${key}`,
      message: `'${MASK}' keeps a stored value, and '${key}' has none`,
    }));
}

/** What a Webhook's URL can't hold: masks for which nothing is stored, and what only the platform may have sealed. */
export function urlFaults(
  { url }: Record<string, unknown>,
  stored: Record<string, unknown> = {},
): Fault[] {
  if (typeof url !== "string") return [];
  const fault = (message: string): Fault[] => [{ field: "spec.url", message }];
  if (hasToken(url)) return fault("'~sealed.' is for the platform's own use");
  const before = stored["url"];
  const kept = typeof before === "string" ? unmaskedUrl(url, before) : url;
  return kept.includes(MASK) ? fault(`'${MASK}' keeps a stored value, and there is none`) : [];
}

function faultsOf(error: z.ZodError, prefix: string): Fault[] {
  return error.issues.flatMap((issue): Fault[] => {
    const path = [prefix, ...issue.path.map(String)].filter((part) => part !== "");
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => ({
        field: [...path, key].join("."),
        message: `Unknown property '${key}'`,
      }));
    const field = path.join(".");
    const meta = field === "name" ? { meta: { regexp: NAME.source } } : {};
    return [{ field, message: issue.message, ...meta }];
  });
}

const ADJECTIVES =
  "giant quiet brave early lucky merry noble proud rapid sunny tidy vivid witty amber calm eager".split(
    " ",
  );
const NOUNS =
  "warrior river falcon meadow harbor summit willow comet lantern otter canyon maple raven delta island ember".split(
    " ",
  );

/** A name like `giant-warrior` for a number in [0, 1). */
export function inventedName(chance: number): string {
  const pick = Math.floor(chance * ADJECTIVES.length * NOUNS.length);
  return `${ADJECTIVES[pick % ADJECTIVES.length] ?? ""}-${NOUNS[Math.floor(pick / ADJECTIVES.length)] ?? ""}`;
}
