import type { Connector, Resource } from "../connectors/definition";

/** What `/objects` and `/objects/{name}/metadata` show of a connector. */

export function objectNames(connector: Connector): string[] {
  return Object.keys(connector.resources);
}

export type ObjectField = { vendorPath: string; type: "string" | "datetime"; primaryKey?: true };
export type ObjectMetadata = {
  name: string;
  fields: ObjectField[];
  operations: string[];
  /** Field → operators that `where` may use on it; null when the vendor gets the `where` unchanged. */
  where: Record<string, readonly string[]> | null;
  maxPageSize: number;
};

export function objectMetadata(name: string, resource: Resource): ObjectMetadata {
  const { idField, updatedField, createdField, maxPageSize } = resource;
  const operations = (["list", "get", "create", "update", "delete"] as const).filter(
    (operation) => resource[operation] !== undefined,
  );
  const dates = [updatedField, createdField].flatMap((field): ObjectField[] =>
    field === undefined ? [] : [{ vendorPath: field, type: "datetime" }],
  );
  const where = Object.entries(resource.where).map(
    ([field, { operators }]): [string, readonly string[]] => [field, operators],
  );
  return {
    name,
    fields: [{ vendorPath: idField, type: "string", primaryKey: true }, ...dates],
    operations,
    where: resource.passThrough === undefined ? Object.fromEntries(where) : null,
    maxPageSize,
  };
}

/** `GET /hubs`: each hub with the connectors that are in it. */
export function hubsOf(connectors: readonly Connector[]): { key: string; elements: string[] }[] {
  const hubs = Map.groupBy(connectors, ({ hub }) => hub);
  return [...hubs].map(([key, members]) => ({
    key,
    elements: members.map((member) => member.key),
  }));
}
