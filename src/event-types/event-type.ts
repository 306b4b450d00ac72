import { CompiledSchema } from "./schema/compile";

/** What is known of the events of one name. */
export type EventType = {
  name: string;
  description: string;
  /** JSON Schema of the data, draft 2020-12; null: any data will do. */
  schema: Record<string, unknown> | null;
  /** Data as a receiver may expect it; null: none is given. */
  example: unknown;
  /** One more with each change of the schema, from 1. */
  version: number;
  deprecated: boolean;
  /** By an older version: JSONata that makes its data out of the next version's. */
  conversions: Record<string, string>;
};

/** Of built-in connectors: the type's name, and whose events these are. */
export type BuiltInType = Pick<EventType, "name" | "description">;

/** An event type as `/v1` prints it (reference v1-api.md). */
export type EventTypeView = EventType & { builtIn: boolean };

export const ownView = (type: EventType): EventTypeView => ({ ...type, builtIn: false });

export const builtInView = ({ name, description }: BuiltInType): EventTypeView => ({
  name,
  description,
  schema: null,
  example: null,
  version: 1,
  deprecated: false,
  conversions: {},
  builtIn: true,
});

/** What is wrong with data: the dotted path within it, `""` for all of it, and why. */
export type DataFault = { path: string; message: string };

const compiled = new WeakMap<object, CompiledSchema>();

/**
 * What is wrong with an event's data by its type's schema; nothing without one. The same type is made ready once. However
 * hostile schema and data are, it takes a bounded time (`schema/work.ts`).
 */
export function faultsOf({ schema }: Pick<EventType, "schema">, data: unknown): DataFault[] {
  if (schema === null) return [];
  const known = compiled.get(schema) ?? new CompiledSchema(schema);
  compiled.set(schema, known);
  // A schema that an older release took and this one does not checks nothing, so that events go on.
  if (known.faults.length > 0) return [];
  return known.check(data).map(({ path, message }) => ({ path: path.join("."), message }));
}
