import type { Paging } from "../connectors/paging";
import type { Position, SearchPosition } from "./position";
import { readPath } from "../values/path";

/** A page as it came: its whole answer, and its records before any were filtered. */
export type ReadPage = {
  position: Position | null;
  size: number;
  answer: unknown;
  headers: Pick<Headers, "get">;
  count: number;
  records: readonly unknown[];
};

/**
 * The page after this one of a search that never gives more than `most` records: at the limit the window is
 * cut at the last record's time; when the whole window was one instant, that instant is read by id.
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
    const own = search.id === undefined ? {} : { id: search.id };
    return next({ phase, ...(from === undefined ? {} : { from }), ...own, ...seen, after });
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
