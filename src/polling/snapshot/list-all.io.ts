import { readId } from "../../hub/field";
import { listRecords } from "../../hub/records.client";
import { beginAgain, type Census, countPage, gapOf, newCensus } from "../census";
import type { PollState } from "../commit.io";
import { parseHubUrl } from "../hub-url";
import { MOST_SCANS } from "../limits";
import { allDead } from "../lives.io";
import { isNumbered } from "../plan";
import type { PolledResource } from "../polled-resource";
import { isDeleted } from "../records";
import { failureText } from "../../hub/answer";

/** A list of more pages than this is taken for incomplete, and nothing is concluded from it. */
const MOST_PAGES = 1_000;

/** What all readings of a list together have shown. */
type Listed = {
  /** Ids of all records, and of those that are not marked as deleted. */
  present: Set<string>;
  alive: Set<string>;
  /** Records whose deletion was told before, as JSON. */
  back: Map<string, string>;
};

export type ListedWhole = ({ ok: true } & Listed) | { ok: false; message: string };

/**
 * The ids of the whole list, without the conditions of the poll's URL: of all pages, or none. A list whose records don't
 * add up is read again (`census.ts`), and none is believed that never does. Numbered pages shift when a record on one
 * of them is deleted, and another slips through; so when a recorded id is missing, they are read once more.
 */
export async function listRecorded(
  poll: PollState,
  { url, idField, resource: name }: PolledResource,
  recorded: ReadonlySet<string>,
): Promise<ListedWhole> {
  const hub = parseHubUrl(url.split("?")[0] ?? url);
  if (!hub.ok) return hub;
  const { resource } = hub.request;
  const dead = await allDead(poll, name);
  const listed: Listed = { present: new Set(), alive: new Set(), back: new Map() };
  const census = newCensus();
  const numbered = isNumbered(poll.instance.connector.resources[resource]);
  let gap: string | undefined;
  let isConfirmed = false;
  for (let readings = 0; readings < MOST_SCANS; readings += 1) {
    if (readings > 0) beginAgain(census);
    const read = await readWhole(poll, { resource, idField, dead }, listed, census);
    if (!read.ok) return read;
    gap = gapOf(census, numbered);
    if (gap !== undefined) continue;
    const isSure = !numbered || read.pages === 1 || recorded.isSubsetOf(listed.present);
    if (isSure || isConfirmed) return { ok: true, ...listed };
    isConfirmed = true;
  }
  return { ok: false, message: `incomplete: ${gap ?? "the list changes while it is read"}` };
}

type Wanted = { resource: string; idField: string; dead: ReadonlySet<string> };

/** Reads the list once, from its first page to its last. */
async function readWhole(
  poll: PollState,
  { resource, idField, dead }: Wanted,
  { present, alive, back }: Listed,
  census: Census,
): Promise<{ ok: true; pages: number } | { ok: false; message: string }> {
  const { deleted, maxPageSize = 100 } = poll.instance.connector.resources[resource] ?? {};
  let position: Parameters<typeof listRecords>[2]["position"];
  for (let pages = 1; pages <= MOST_PAGES; pages += 1) {
    const paged = position === undefined ? {} : { position };
    const query = { pageSize: maxPageSize, byId: true, ...paged };
    const page = await listRecords(poll.instance, resource, query, poll.doors);
    if (page.kind !== "page") return { ok: false, message: failureText(page) };
    if (page.silent === true) return { ok: false, message: "A page of the list had no content" };
    countPage(census, page);
    for (const record of page.records) {
      const id = readId(record, idField);
      if (id === undefined) continue;
      present.add(id);
      if (isDeleted(record, deleted)) continue;
      alive.add(id);
      if (dead.has(id)) back.set(id, JSON.stringify(record));
    }
    if (page.next === null) return { ok: true, pages };
    position = page.next;
  }
  return { ok: false, message: `More than ${MOST_PAGES} pages` };
}
