import { type BuiltInType, builtInView, type EventTypeView, ownView } from "./event-type";
import { listTypes, readTypeRow, typeOf } from "./store";

export type Wanted = {
  /** Names after this one. */
  after: string;
  /** What the names hold, in whatever case. */
  search: string;
  /** Of connectors alone, or without them. */
  builtIn: boolean | undefined;
  limit: number;
};

/** A page of an organization's types and of those that connectors have, by name; its own stand in the place of those. */
export async function pageOfTypes(
  db: D1Database,
  organizationId: number,
  builtInTypes: readonly BuiltInType[],
  { after, search, builtIn, limit }: Wanted,
): Promise<{ items: EventTypeView[]; isMore: boolean }> {
  const own =
    builtIn === true
      ? []
      : await listTypes(db, organizationId, { after, search, limit: limit + 1 });
  const taken = new Set(own.map(({ name }) => name));
  const theirs =
    builtIn === false
      ? []
      : builtInTypes.filter(
          ({ name }) =>
            name > after && !taken.has(name) && name.toLowerCase().includes(search.toLowerCase()),
        );
  const all = [...own.map(ownView), ...theirs.map(builtInView)].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  return { items: all.slice(0, limit), isMore: all.length > limit };
}

/** A type by its name: the organization's own, else a connector's. */
export async function findType(
  db: D1Database,
  organizationId: number,
  builtInTypes: readonly BuiltInType[],
  name: string,
): Promise<EventTypeView | undefined> {
  const row = await readTypeRow(db, organizationId, name);
  if (row !== undefined) return ownView(typeOf(row));
  const theirs = builtInTypes.find((type) => type.name === name);
  return theirs === undefined ? undefined : builtInView(theirs);
}
