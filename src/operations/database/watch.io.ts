import { operatorsOrganization } from "../../accounts/organizations/store";
import { announceEvent } from "../../stream/announce.io";
import type { Millis } from "../../values/instant";
import { ALARMING, isNews, LIMIT_BYTES, projected } from "./size";
import { claimAnnouncement, dropAnnouncement, noteSize, readSizes } from "./size.store";

const DAY_MS = 86_400_000;

/**
 * Minutely: notes how large the database is, and tells the operator when it fills up: once, and again after a month if it
 * still does. The notification goes to the operations callback of the deployment's first organization.
 */
export async function watchDatabase(
  doors: { db: D1Database; streams: Env["EVENT_STREAMS"] },
  now: Millis,
  limitBytes = LIMIT_BYTES,
): Promise<void> {
  const { db } = doors;
  const { bytes, sizes } = await readSizes(db);
  const day = now - (now % DAY_MS);
  const noted = sizes.find((size) => size.day === day);
  if (isNews(noted, bytes)) await noteSize(db, { day, bytes });
  const isKnown = sizes.some(({ announcedAt }) => announcedAt !== null);
  if (bytes < limitBytes * ALARMING || isKnown) return;
  const organizationId = await operatorsOrganization(db);
  if (organizationId === undefined || !(await claimAnnouncement(db, day, now))) return;
  try {
    const data = projected(sizes, bytes, now, limitBytes);
    await announceEvent(doors, organizationId, {
      type: "database.filling",
      subject: "database",
      data,
    });
  } catch (error) {
    await dropAnnouncement(db);
    throw error;
  }
}
