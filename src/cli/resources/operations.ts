import { isDeepStrictEqual } from "node:util";
import { isObject, recordOf } from "../../values/record.ts";
import { maskedUrl } from "../../values/secret-text.ts";
import type { Definition } from "./definitions.ts";
import { withDefaults } from "./diff.ts";

/**
 * Tenants and destinations as documents. `spec` is what `/v1` takes of one, `name` a tenant's id, or a destination's name,
 * which is that of one of its tenant (`metadata.scope`). What a document leaves out stays as it is.
 */

const GROUP = "operations";

const columns = (...own: [name: string, jsonPath: string][]): Definition["columns"] =>
  [["Name", ".name"] as const, ...own, ["Resource Kind", ".kind"] as const].map(
    ([name, jsonPath]) => ({ name, type: "string", jsonPath }),
  );

const common = { group: GROUP, version: "v1", versions: ["v1"], subResources: [], needs: [] };

const destination = {
  ...common,
  kind: "Destination",
  plural: "destinations",
  words: ["destinations", "destination", "dest"],
  columns: columns(
    ["URL", ".spec.url"],
    ["State", ".metadata.state"],
    ["Tenant", ".metadata.scope.name"],
  ),
};

/** The kinds of `/v1`, beside those that the server's discovery tells. */
export const OPERATIONS: readonly Definition[] = [
  {
    ...common,
    kind: "Tenant",
    plural: "tenants",
    words: ["tenants", "tenant"],
    scopeKind: undefined,
    columns: columns(["Title", ".title"]),
  },
  { ...destination, scopeKind: undefined },
  { ...destination, scopeKind: "Tenant" },
];

export const isOperations = ({ group }: Pick<Definition, "group">): boolean => group === GROUP;

type Values = Record<string, unknown>;
export type OperationsKind = "Tenant" | "Destination";

/** What a path names. `tenant`: `-` for a destination of none; absent: of any. */
export type Target = { kind: OperationsKind; tenant?: string; name?: string };

/** `/operations/v1/tenants/acme/destinations/billing`; undefined for a path of another group. */
export function targetOf(path: string): Target | undefined {
  const [, group, , first, ...rest] = path.split("?", 1).join("").split("/");
  if (group !== GROUP) return undefined;
  const [one, inner, name] = rest.map(decodeURIComponent);
  if (first === "tenants" && inner === undefined)
    return { kind: "Tenant", ...(one && { name: one }) };
  return first === "tenants"
    ? { kind: "Destination", ...(one && { tenant: one }), ...(name && { name }) }
    : { kind: "Destination", ...(one && { tenant: "-", name: one }) };
}

/** Where in a document fields of `/v1` stand that are none of its `spec`. */
const ELSEWHERE: Record<OperationsKind, Record<string, string>> = {
  Tenant: { id: "name", name: "title" },
  Destination: { name: "name", tenant: "metadata.scope.name" },
};

/** A field of `/v1` as a path in a document. */
export function placeOf(kind: OperationsKind, field: string): string {
  const [first = "", ...rest] = field.split(".");
  const place = ELSEWHERE[kind][first] ?? `spec.${first}`;
  return [place, ...rest].join(".");
}

/** The schema of a kind's `spec`, in the description of `/v1`. */
export function specSchemaOf(kind: OperationsKind, openApi: unknown): Values {
  const path = ["paths", addressOf(kind), "post", "requestBody", "content", "application/json"];
  const schema = recordOf([...path, "schema"].reduce((at, key) => recordOf(at)[key], openApi));
  const properties = Object.entries(recordOf(schema["properties"])).filter(
    ([name]) => !Object.hasOwn(ELSEWHERE[kind], name),
  );
  return { ...schema, properties: Object.fromEntries(properties) };
}

export const schemaName = (kind: OperationsKind): string => `${GROUP}.v1.${kind}Spec`;

export const addressOf = (kind: OperationsKind): string =>
  kind === "Tenant" ? "/v1/tenants" : "/v1/destinations";

/** What `/v1` shows, as a document; members that are null are left out. */
export function documentOf(kind: OperationsKind, item: Values, schema: Values): Values {
  const { id, name, tenant, state } = item;
  const spec = Object.keys(recordOf(schema["properties"])).flatMap((key): [string, unknown][] => {
    const value = item[key] ?? null;
    const isKnown = isObject(value) && objectSchema(key, value, schema) !== undefined;
    return value === null ? [] : [[key, isKnown ? withoutNulls(value) : value]];
  });
  const head = { group: GROUP, apiVersion: "v1", kind };
  if (kind === "Tenant") return { ...head, name: id, title: name, spec: Object.fromEntries(spec) };
  const scope = typeof tenant === "string" ? { scope: { kind: "Tenant", name: tenant } } : {};
  return {
    ...head,
    name: name ?? id,
    metadata: { id, state: recordOf(state)["name"], ...scope },
    spec: { ...Object.fromEntries(spec), enabled: isOn(item) },
  };
}

/** Whether its owner has it switched on: its receiver, its tenant or failures may pause it all the same. */
function isOn({ enabled, state }: Values): boolean {
  const { is, by } = recordOf(state);
  return is === "paused" ? by !== "operator" && (by !== null || enabled === true) : true;
}

const KNOWN = ["group", "apiVersion", "kind", "name", "metadata", "spec"];

/** Why a document is none of its kind, and where; undefined: it is one. */
export function documentFault(
  kind: OperationsKind,
  document: Values,
): { parameter: string; detail: string } | undefined {
  const known = kind === "Tenant" ? [...KNOWN, "title"] : KNOWN;
  const stray = Object.keys(document).find((key) => !known.includes(key));
  if (stray !== undefined) return { parameter: stray, detail: `A ${kind} has no '${stray}'` };
  if (typeof document["name"] !== "string") return { parameter: "name", detail: "Expected a name" };
  const { spec = {} } = document;
  return isObject(spec) ? undefined : { parameter: "spec", detail: "Expected an object" };
}

/** A document as `/v1` takes a new one. */
export function creationOf({ kind, tenant }: Target, document: Values): Values {
  const { name, title } = document;
  const spec = recordOf(document["spec"]);
  if (kind === "Tenant")
    return { ...spec, id: name, ...(title === undefined ? {} : { name: title }) };
  return { ...spec, name, ...(tenant === undefined || tenant === "-" ? {} : { tenant }) };
}

/** What a document says otherwise than `/v1` shows it, as `/v1` takes a change. Masks stand for what is stored. */
export function changesOf(document: Values, shown: Values, schema: Values): Values {
  const there = recordOf(shown["spec"]);
  const beside = { schema, there };
  const spec = Object.entries(recordOf(document["spec"])).filter(
    ([key, value]) => !isDeepStrictEqual(filled(key, value, beside) ?? null, there[key] ?? null),
  );
  const { title } = document;
  return {
    ...Object.fromEntries(spec),
    ...(title === undefined || title === shown["title"] ? {} : { name: title }),
  };
}

/** A document's `spec` beside what is there: with what it leaves out, and the masks of the secrets that it tells. */
export function specBeside(spec: unknown, there: unknown, schema: unknown): Values {
  const shown = recordOf(there);
  const beside = { schema: recordOf(schema), there: shown };
  const given = Object.entries(recordOf(spec)).flatMap(([key, value]): [string, unknown][] => {
    if (value === null && shown[key] === undefined) return [];
    const isSame = key === "url" && typeof value === "string" && maskedUrl(value) === shown[key];
    return [[key, isSame ? shown[key] : filled(key, value, beside)]];
  });
  return { ...shown, ...Object.fromEntries(given) };
}

/**
 * A member of `spec` as it is shown once it is applied: with what its schema fills in, and what the server chooses, which can
 * be left out and is never null.
 */
function filled(key: string, value: unknown, { schema, there }: Beside): unknown {
  const own = isObject(value) ? objectSchema(key, value, schema) : undefined;
  if (own === undefined || !isObject(value)) return value;
  const given = withoutNulls(recordOf(withDefaults(value, own)));
  const chosen = Object.entries(recordOf(there[key])).filter(
    ([name]) => given[name] === undefined && !isNullable(recordOf(own["properties"])[name]),
  );
  return { ...Object.fromEntries(chosen), ...given };
}

/** What a spec is beside what is there. */
type Beside = { schema: Values; there: Values };

/** The schema of a member that is an object of known members; of several kinds of objects the one that a value is. */
function objectSchema(key: string, value: Values, schema: Values): Values | undefined {
  const [one, ...others] = variantsOf(recordOf(schema["properties"])[key]).filter(
    ({ properties }) =>
      Object.entries(recordOf(properties)).every(([name, property]) => {
        const { const: only } = recordOf(property);
        return only === undefined || only === value[name];
      }),
  );
  return others.length === 0 ? one : undefined;
}

/** The objects that a schema lets through. */
function variantsOf(schema: unknown): Values[] {
  const { anyOf, oneOf, properties } = recordOf(schema);
  const inner = [anyOf, oneOf].flatMap((all) => (Array.isArray(all) ? all : []));
  return [...(isObject(properties) ? [recordOf(schema)] : []), ...inner.flatMap(variantsOf)];
}

const isNullable = (schema: unknown): boolean => {
  const { anyOf, type } = recordOf(schema);
  return type === "null" || (Array.isArray(anyOf) && anyOf.some(isNullable));
};

const withoutNulls = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
