import type { Context } from "hono";
import type { AskerEnv } from "../accounts/asker.io";
import { watchChange } from "../accounts/watch.io";
import type { z } from "zod";
import { faultsOf } from "../http/faults";
import { conflict, notFound, Refusal, type Violation } from "../http/refusal";
import { digitsAlong } from "../values/digits";
import { canonicalJson } from "../values/json";
import { quoted } from "../values/text";
import { changedType, newType, typeFaults } from "./definition";
import type { EventType } from "./event-type";
import { forgetEventTypes } from "./find.io";
import {
  deleteType,
  insertType,
  readTypeRow,
  replaceType,
  sizeOfTypes,
  type TypeRow,
  typeOf,
} from "./store";

/** Making, changing and deleting event types, for `/v1` and the console. */

const MOST_TYPES = 1_000;
/** Of schemas, examples and conversions of all types of an organization: they are exported in one document. */
const MOST_CHARACTERS = 4_000_000;

/** @throws Refusal `invalid` with everything that is wrong, `conflict` for a name that is taken. */
export async function createType(c: Context<AskerEnv>, given: unknown): Promise<EventType> {
  const { organizationId } = c.var.asker;
  const type: EventType = { ...read(newType, given), version: 1 };
  await refuseFaults(type);
  const { types } = await roomFor(c, type);
  if (types >= MOST_TYPES) throw conflict(`An organization has at most ${MOST_TYPES} event types`);
  if (!(await insertType(c.env.DB, organizationId, type, Date.now())))
    throw conflict(`name: '${type.name}' exists`, "name");
  forgetEventTypes(organizationId);
  return type;
}

/**
 * Replaces the type that the path names; a schema that says something else is a new version.
 * @throws Refusal `invalid` with everything that is wrong, `conflict` when it is another version, or was changed meanwhile.
 */
export async function changeType(c: Context<AskerEnv>, given: unknown): Promise<EventType> {
  const row = await typeRowOfPath(c);
  const before = typeOf(row);
  const { name = row.name, version = row.version, builtIn: _, ...rest } = read(changedType, given);
  if (name !== row.name) throw conflict(`name: A type keeps its name '${row.name}'`, "name");
  if (version !== row.version)
    throw conflict(`version: The type is at version ${row.version}`, "version");
  const isSame = canonicalJson(before.schema) === canonicalJson(rest.schema);
  const type = { ...rest, name, version: isSame ? version : version + 1 };
  await refuseFaults(type);
  await roomFor(c, type);
  if (!(await replaceType(c.env.DB, row, type, Date.now())))
    throw conflict(`The event type '${name}' was changed meanwhile`);
  forgetEventTypes(row.organizationId);
  return type;
}

/** @throws Refusal `not-found`. */
export async function removeType(c: Context<AskerEnv>): Promise<EventType> {
  const row = await typeRowOfPath(c);
  await deleteType(c.env.DB, row.organizationId, row.name);
  forgetEventTypes(row.organizationId);
  return typeOf(row);
}

/** The organization's own type that the path's `:name` names. @throws Refusal `not-found`. */
export async function typeRowOfPath(c: Context<AskerEnv>): Promise<TypeRow> {
  const name = c.req.param("name") ?? "";
  const { organizationId } = c.var.asker;
  const read = () => readTypeRow(c.env.DB, organizationId, name);
  const row = await read();
  if (row === undefined) throw notFound(`No event type '${quoted(name)}'`);
  watchChange(
    c,
    () => typeOf(row),
    async () => {
      const now = await read();
      return now && typeOf(now);
    },
  );
  return row;
}

/** @throws Refusal `invalid` with everything that is wrong. */
function read<T>(schema: z.ZodType<T>, given: unknown): T {
  const result = schema.safeParse(given);
  if (result.success) return digitsAlong(given, result.data);
  throw refusalOf(faultsOf(result.error));
}

async function refuseFaults(type: EventType): Promise<void> {
  const violations = await Array.fromAsync(typeFaults(type));
  if (violations.length > 0) throw refusalOf(violations);
}

function refusalOf(violations: readonly Violation[]): Refusal {
  const { field = "", message = "" } = violations[0] ?? {};
  return new Refusal({
    kind: "invalid",
    message: `${field === "" ? "Body" : quoted(field)}: ${message}`,
    violations,
    ...(field === "" ? {} : { field }),
  });
}

/** @throws Refusal `conflict` when there is no room for a type of this size. */
async function roomFor(
  c: Context<AskerEnv>,
  { schema, example, conversions }: EventType,
): Promise<{ types: number }> {
  const size = await sizeOfTypes(c.env.DB, c.var.asker.organizationId);
  const own = JSON.stringify([schema, example, conversions]).length;
  if (size.characters + own > MOST_CHARACTERS)
    throw conflict(`An organization's event types have at most ${MOST_CHARACTERS} characters`);
  return size;
}
