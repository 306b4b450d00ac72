import type { Paging } from "../connectors/paging";
import type { Position, SearchPosition } from "./position";
import { readPath } from "../values/path";

/** A page of a list: the vendor's whole answer, and all its records before we filter any out. */
export type ReadPage = {
  position: Position | null;
  size: number;
  answer: unknown;
  headers: Pick<Headers, "get">;
  count: number;
  records: readonly unknown[];
};

/**
 * The page after this one of a search whose vendor gives at most `most` results (HubSpot: 10,000), sorted by time.
 * At that limit we start a new search from the time of the last record on. If all the results have one and the same
 * time, that would find them again for ever: then the records of this instant are read in the order of ids, and
 * after them the search goes on one millisecond later.
 */
export function nextSearch(
  paging: Extract<Paging, { style: "search" }>,
  page: ReadPage,
): Position | null {
  const { position, answer, records, size } = page;
  const search: SearchPosition =
    position !== null && "search" in position ? position.search : { phase: "time" };
  const { phase, from } = search;
  const last = records.at(-1);
  const time = epochText(readPath(last, paging.timePath)) ?? search.lastTime;
  const lastId = highestId(records, paging.idPath, search.lastId);
  const seen = {
    ...(time === undefined ? {} : { lastTime: time }),
    ...(lastId === undefined ? {} : { lastId }),
  };
  const after = cursorText(readPath(answer, paging.cursorPath));
  const next = (change: SearchPosition): Position => ({ search: change });
  if (after === undefined)
    return phase === "time" || from === undefined
      ? null
      : next({ phase: "time", from: String(BigInt(from) + 1n) });
  if (Number(after) + size <= paging.most) {
    const id = search.id === undefined ? {} : { id: search.id };
    return next({ phase, ...(from === undefined ? {} : { from }), ...id, ...seen, after });
  }
  if (phase === "id")
    return lastId === undefined || from === undefined ? null : next({ phase, from, id: lastId });
  if (time === undefined) return null;
  return time === from ? next({ phase: "id", from, id: "0" }) : next({ phase: "time", from: time });
}

function epochText(value: unknown): string | undefined {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : String(at);
}

/** Ids are compared as numbers: "9" comes before "10". */
function highestId(
  records: readonly unknown[],
  path: string,
  before: string | undefined,
): string | undefined {
  return records.reduce<string | undefined>((highest, record) => {
    const id = cursorText(readPath(record, path));
    if (id === undefined || !/^\d+$/.test(id)) return highest;
    return highest === undefined || BigInt(id) > BigInt(highest) ? id : highest;
  }, before);
}

export function cursorText(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}
