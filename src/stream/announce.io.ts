import { readSettings } from "../accounts/organization.store";
import type { Announce } from "../delivery/notice";
import { streamName } from "./stream-name";
import {
  operationalCommit,
  type OperationalEvent,
  OPERATIONS_SOURCE,
  operationsDestinationId,
} from "./operational-event";

/** Keeps an operational event, and sends it to the organization's callback if it has one. */
export async function announceEvent(
  doors: { db: D1Database; streams: Env["EVENT_STREAMS"] },
  organizationId: number,
  event: OperationalEvent,
): Promise<void> {
  const { operationsCallback } = await readSettings(doors.db, organizationId);
  const wanted = operationsCallback !== undefined;
  const stream = doors.streams.getByName(streamName({ organizationId, source: OPERATIONS_SOURCE }));
  await stream.commit(
    operationalCommit(event, wanted ? operationsDestinationId(organizationId) : null, Date.now()),
  );
}

/** Announces what happened to a destination, unless it is the operations callback itself: that would have no end. */
export const announcer =
  (doors: Parameters<typeof announceEvent>[0]): Announce =>
  async ({ id, kind, organizationId }, { type, ...data }) => {
    if (kind === "operations") return;
    const event = { type, subject: id, data: { destinationId: id, ...data } };
    await announceEvent(doors, organizationId, event);
  };
