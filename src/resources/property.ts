import type { Kind } from "./kinds/kind";
import { dependentsOf, kindsIn } from "./kinds/registry";

/** What a property is in SQL. `around` puts a condition on an element of a list into its EXISTS. */
export type Property = {
  type: "name" | "text" | "number" | "time";
  sql: string;
  around?: (condition: string) => string;
};

/** A list that `=with=` looks into: its elements' own properties. */
export type ElementList = {
  around: (condition: string) => string;
  property: (name: string) => Property | undefined;
};

/** What properties are looked up in: a kind (undefined: any), its alias, and a way to bind a value. */
export type Place = {
  kind: Kind | undefined;
  alias: string;
  bind: (value: string) => string;
  fresh: () => string;
};

const quotedList = (kinds: readonly Kind[]): string =>
  kinds.map(({ kind }) => `'${kind}'`).join(", ");

/** Properties of every kind, as the refusal of an unknown one lists them. */
export function supportedProperties(kind: Kind): string[] {
  const scoped = kind.scopes.length > 0;
  return [
    "title",
    "tags",
    "name",
    "attributes.*",
    "owner.id",
    "metadata.id",
    "metadata.state",
    "metadata.resourceVersion",
    "metadata.audit.createTimestamp",
    "metadata.audit.modifyTimestamp",
    ...["kind", "name", "id", "owner.id"].map((name) => `metadata.scope.${name}`),
    ...["references", "deletedReferences"].flatMap((list) =>
      ["id", "kind", "name"].map((name) => `metadata.${list}.${name}`),
    ),
    ...kind.queryParams,
    ...(kind.unscoped
      ? ["kind", "metadata.id", "metadata.references.id"].map((name) => `scopedResources.${name}`)
      : []),
    ...(scoped ? ["scopeResource.*"] : []),
    "referencedByResources.*",
  ];
}

/** A property by its name in the query language; undefined when there is none. */
export function propertyOf(name: string, place: Place): Property | undefined {
  const { alias } = place;
  const simple = simpleProperty(name, place);
  if (simple !== undefined) return simple;
  if (name.startsWith("attributes.")) {
    const key = place.bind(name.slice("attributes.".length));
    return {
      type: "text",
      sql: `(SELECT value FROM json_each(${alias}.content, '$.attributes') WHERE key = ${key})`,
    };
  }
  if (name === "tags") {
    const element = place.fresh();
    return {
      type: "text",
      sql: `${element}.value`,
      around: (condition) => elements(alias, "tags", element, condition),
    };
  }
  for (const [prefix, list] of lists(place))
    if (name.startsWith(`${prefix}.`)) {
      const inner = list.property(name.slice(prefix.length + 1));
      if (inner === undefined) return undefined;
      const { around = (condition: string): string => condition } = inner;
      return { ...inner, around: (condition) => list.around(around(condition)) };
    }
  return undefined;
}

/** The list a property is, for `=with=`. */
export function listOf(name: string, place: Place): ElementList | undefined {
  return lists(place).find(([prefix]) => prefix === name)?.[1];
}

function simpleProperty(name: string, { kind, alias }: Place): Property | undefined {
  const text = (sql: string): Property => ({ type: "text", sql });
  const inContent = (path: string): Property => text(`json_extract(${alias}.content, '$.${path}')`);
  switch (name) {
    case "name":
      return { type: "name", sql: `${alias}.name` };
    case "title":
      return text(`${alias}.title`);
    case "kind":
      return kind === undefined ? text(`${alias}.kind`) : undefined;
    case "owner.id":
      return inContent("owner.id");
    case "metadata.id":
      return text(`${alias}.id`);
    case "metadata.state":
      return text(`${alias}.state`);
    case "metadata.resourceVersion":
      return { type: "number", sql: `${alias}.version` };
    case "metadata.audit.createTimestamp":
      return { type: "time", sql: `${alias}.created_at` };
    case "metadata.audit.modifyTimestamp":
      return { type: "time", sql: `${alias}.modified_at` };
    case "metadata.scope.kind":
      return text(`nullif(substr(${alias}.scope, 1, instr(${alias}.scope, '/') - 1), '')`);
    case "metadata.scope.name":
      return text(`nullif(substr(${alias}.scope, instr(${alias}.scope, '/') + 1), '')`);
    case "metadata.scope.id":
      return inContent("scopeId");
    default:
      break;
  }
  if (kind === undefined || !kind.queryParams.includes(name)) return undefined;
  return inContent(name.startsWith("spec.") ? name : `sub.${name}`);
}

/** The lists of a resource, by the prefix of their elements' properties. */
function lists(place: Place): [string, ElementList][] {
  const { kind, alias } = place;
  const found: [string, ElementList][] = [
    ["metadata.references", referenceList(place, "references")],
    ["metadata.deletedReferences", referenceList(place, "deletedReferences")],
    ["metadata.scope.owner", ownerOfScope(place)],
  ];
  if (kind === undefined) return found;
  if (kind.unscoped) {
    const held = kindsIn(kind.kind);
    found.push([
      "scopedResources",
      related(place, (row) =>
        held.length === 0
          ? "0"
          : `${row}.kind IN (${quotedList(held)}) AND ${row}.scope = ${alias}.kind || '/' || ${alias}.name`,
      ),
    ]);
  }
  if (kind.scopes.length > 0) found.push(["scopeResource", related(place, scopeOf(alias))]);
  const dependents = dependentsOf(kind.kind);
  found.push([
    "referencedByResources",
    related(place, (row) =>
      dependents.length === 0
        ? "0"
        : `${row}.kind IN (${quotedList(dependents)}) AND ${row}.scope = ${alias}.scope AND EXISTS
           (SELECT 1 FROM json_each(${row}.content, '$.references') AS target
            WHERE json_extract(target.value, '$.id') = ${alias}.id)`,
    ),
  ]);
  return found;
}

const scopeOf =
  (alias: string) =>
  (row: string): string =>
    `${alias}.scope <> '' AND ${row}.scope = ''
     AND ${row}.kind = substr(${alias}.scope, 1, instr(${alias}.scope, '/') - 1)
     AND ${row}.name = substr(${alias}.scope, instr(${alias}.scope, '/') + 1)`;

function ownerOfScope(place: Place): ElementList {
  const scope = related(place, scopeOf(place.alias));
  return {
    around: scope.around,
    property: (name) => (name === "id" ? scope.property("owner.id") : undefined),
  };
}

function referenceList({ alias, fresh }: Place, list: string): ElementList {
  const element = fresh();
  return {
    around: (condition) => elements(alias, list, element, condition),
    property: (name) =>
      name === "id" || name === "kind" || name === "name"
        ? { type: "text", sql: `json_extract(${element}.value, '$.${name}')` }
        : undefined,
  };
}

/** Other resources of the organization that stand in some relation to this one. */
function related(place: Place, relation: (row: string) => string): ElementList {
  const row = place.fresh();
  const { alias } = place;
  return {
    around: (condition) =>
      `EXISTS (SELECT 1 FROM resources AS ${row}
        WHERE ${row}.organization_id = ${alias}.organization_id AND ${relation(row)} AND ${condition})`,
    property: (name) => propertyOf(name, { ...place, kind: undefined, alias: row }),
  };
}

function elements(alias: string, list: string, element: string, condition: string): string {
  return `EXISTS (SELECT 1 FROM json_each(${alias}.content, '$.${list}') AS ${element} WHERE ${condition})`;
}
