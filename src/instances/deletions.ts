/**
 * What a stream's state keeps of deletions, so that each is told once however many ways it is seen in: by a field of the
 * record, by a webhook, by the vendor's list of deletions, by a comparison of all ids.
 */

/** The key under which the stream keeps an id that a snapshot has seen. */
export const snapshotKey = (resource: string, id: string): string => `s|${resource}|${id}`;

/** The key under which the stream keeps that an object's deletion was told. */
export const deadKey = (resource: string, id: string): string => `dead|${resource}|${id}`;
