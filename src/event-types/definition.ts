import * as z from "zod";
import { expressionFault } from "../expressions/syntax";
import { isDeeper } from "../values/depth";
import { isObject } from "../values/record";
import { convert } from "./convert";
import { type EventType, faultsOf } from "./event-type";
import { CompiledSchema } from "./schema/compile";
import { keywordFaults } from "./schema/keywords";

const MOST_TEXT = 65_536;
/** Levels of objects and lists of a schema. */
const DEEPEST_SCHEMA = 64;
const MOST_CONVERSIONS = 50;

export const typeName = z
  .string("Expected a name")
  .regex(/^[A-Za-z0-9._-]{1,128}$/, "Expected 1 to 128 letters, digits, '.', '_' or '-'");

const json = z.unknown().superRefine((value, context) => {
  if ((JSON.stringify(value) ?? "").length > MOST_TEXT)
    context.addIssue({ code: "custom", message: `Expected at most ${MOST_TEXT} characters` });
});

const schema = z
  .custom<Record<string, unknown>>(isObject, "Expected an object, or null")
  .superRefine((value, context) => {
    const message = isDeeper(value, DEEPEST_SCHEMA)
      ? `Expected at most ${DEEPEST_SCHEMA} levels`
      : JSON.stringify(value).length > MOST_TEXT
        ? `Expected at most ${MOST_TEXT} characters`
        : undefined;
    if (message !== undefined) {
      context.addIssue({ code: "custom", message });
      return;
    }
    const written = [...keywordFaults(value)];
    const faults = written.length > 0 ? written : new CompiledSchema(value).faults;
    for (const { path, message: why } of faults)
      context.addIssue({ code: "custom", path, message: why });
  });

const conversion = z.string("Expected JSONata").superRefine((text, context) => {
  const message = expressionFault(text);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

const fields = {
  description: z.string().max(4_000).default(""),
  schema: schema
    .nullable()
    .default(null)
    .describe("JSON Schema of the data, draft 2020-12; null: any data"),
  example: json.default(null).describe("Data that the schema allows"),
  deprecated: z.boolean("Expected true or false").default(false),
  conversions: z
    .record(z.string().regex(/^[1-9]\d{0,5}$/, "Expected the number of a version"), conversion)
    .refine((given) => Object.keys(given).length <= MOST_CONVERSIONS, {
      error: `Expected at most ${MOST_CONVERSIONS}`,
    })
    .default({})
    .describe("By an older version: JSONata that makes its data out of the next version's"),
};

/** A new event type, as it is sent. */
export const newType = z.strictObject({ name: typeName, ...fields });

/** All of an event type that there is, as it is sent: what is left out is as in a new one. */
export const changedType = z.strictObject({
  ...fields,
  name: typeName.optional().describe("As in the path"),
  version: z.int().optional().describe("The one that is replaced; another is refused with 409"),
  builtIn: z.literal(false).optional(),
});

export type Definition = Omit<EventType, "version">;

/** What is wrong with a type beyond its single fields: its example by the schema, and its conversions by the example. */
export async function* typeFaults(
  type: EventType,
): AsyncGenerator<{ field: string; message: string }> {
  const hasExample = type.example !== null;
  if (hasExample)
    for (const { path, message } of faultsOf(type, type.example))
      yield { field: path === "" ? "example" : `example.${path}`, message };
  for (const older of Object.keys(type.conversions).map(Number)) {
    const field = `conversions.${older}`;
    if (older >= type.version) {
      yield { field, message: `Expected a version before ${type.version}` };
    } else if (hasExample) {
      const made = await convert(type, type.example, older);
      if (!made.ok) yield { field, message: `Of the example: ${made.message}` };
    }
  }
}
