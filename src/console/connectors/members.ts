import * as z from "zod";
import { shape } from "../../elements/catalog/user-connector";
import { isObject } from "../../values/record";

/** A member of a definition: its path, where `*` stands for any name or number, and what the schema says of it. */
export type Member = { path: string; type: string; description: string; values: string[] };

let all: readonly Member[] | undefined;

/** Every member that a definition may have, in the order of the schema. */
export function definitionMembers(): readonly Member[] {
  all ??= [
    ...new Map(
      walk(
        z.toJSONSchema(shape, { io: "input", unrepresentable: "any", reused: "inline" }),
        "",
      ).map((member) => [member.path, member]),
    ).values(),
  ];
  return all;
}

function walk(schema: unknown, path: string): Member[] {
  if (!isObject(schema)) return [];
  const shapes = [...listOf(schema["anyOf"]), ...listOf(schema["oneOf"])];
  const properties = isObject(schema["properties"]) ? Object.entries(schema["properties"]) : [];
  const inside = [
    ...properties.flatMap(([name, member]) => {
      const here = path === "" ? name : `${path}.${name}`;
      return [memberOf(here, member), ...walk(member, here)];
    }),
    ...walk(schema["items"], `${path}.*`),
    ...walk(schema["additionalProperties"], `${path}.*`),
  ];
  return [...inside, ...shapes.flatMap((one) => walk(one, path))];
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function memberOf(path: string, schema: unknown): Member {
  const of = (name: string): unknown => (isObject(schema) ? schema[name] : undefined);
  const constant = of("const");
  const values = [...listOf(of("enum")), ...(constant === undefined ? [] : [constant])].map(String);
  const type = of("type");
  return {
    path,
    type: typeof type === "string" ? type : "",
    description: typeof of("description") === "string" ? String(of("description")) : "",
    values,
  };
}
