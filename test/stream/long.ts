import { runInDurableObject } from "cloudflare:test";
import { freshStream, type Stream } from "./build";

/** Times of the events of `longStream` are this far apart. */
export const STEP_MS = 1_000;
export const BEGAN = Date.UTC(2026, 0, 1);

/**
 * A stream as an earlier version left it after `count` events, each with a notification of its own that was kept, ten in a row of
 * `bundles`, where the events lie too, or, `apart`, a thousand in a row of `segments`. Event n is of
 * object `o<n>`, came at `BEGAN + n * STEP_MS`, and is of type `accounts`. Each hundredth is of the object `often`,
 * and the first is a `DELETED` of type `rare`, to the destination `seldom`.
 */
export async function longStream(count: number, isApart = false): Promise<Stream> {
  const stream = freshStream();
  await runInDurableObject(stream, (object, { storage: { sql } }) => {
    // Its tables are made when something is stored.
    Reflect.get(object, "parts").store.setMeta("name", stream.name ?? "");
    sql.exec(
      `INSERT INTO bundles (id, next_at, later, body, at, segment, count, events_to)
       WITH RECURSIVE rows(first) AS (SELECT 1 UNION ALL SELECT first + 10 FROM rows WHERE first + 10 < ?1),
       ten(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM ten WHERE n < 9)
       SELECT first, NULL, 0,
         (SELECT json_group_array(json_object(
           'seq', first + n, 'createdAt', ?2 + (first - 1) / ?4 * ?4 * ?3,
           'destinationId', iif(first + n = 1, 'seldom', NULL),
           'envelope', json('{"format":"verbatim"}'), 'events', json_array(first + n),
           'state', iif(first + n = 1, json('{"kind":"delivered","at":1}'), json('{"kind":"kept"}')),
           'tries', 0, 'attempts', json('[]'))) FROM ten),
         ?2 + (first - 1) / ?4 * ?4 * ?3,
         json_object('events', (SELECT json_group_array(json_object(
           'id', 'e' || (first + n), 'seq', first + n,
           'objectType', iif(first + n = 1, 'rare', 'accounts'),
           'objectId', iif((first + n) % 100 = 0, 'often', 'o' || (first + n)),
           'eventType', iif(first + n = 1, 'DELETED', 'CREATED'),
           'date', 1, 'data', json_quote('{"n":' || (first + n) || '}'),
           'receivedAt', ?2 + (first - 1) / ?4 * ?4 * ?3, 'notifications', json_array(first + n))) FROM ten)),
         10, first + 9
       FROM rows`,
      count,
      BEGAN,
      STEP_MS,
      isApart ? 1_000 : 10,
    );
    if (isApart)
      sql.exec(`
        INSERT INTO segments (seq, part, at, body, count)
        SELECT min(e.value ->> 'seq'), 0, min(b.at),
          json_object('events', json_group_array(json(e.value))), count(*)
        FROM bundles b, json_each(b.segment, '$.events') e
        GROUP BY ((e.value ->> 'seq') - 1) / 1000;
        UPDATE bundles SET segment = NULL, count = 0,
          events_to = (events_to - 1) / 1000 * 1000 + 1000;
      `);
    Reflect.get(object, "parts").commits.last = { event: count, notification: count };
  });
  return stream;
}

/** Rows of the object's tables that `work` reads. */
export async function rowsRead(stream: Stream, work: () => Promise<unknown>): Promise<number> {
  const before = await stream.meter();
  await work();
  return (await stream.meter()).rowsRead - before.rowsRead;
}

/** Lets the index take in everything. */
export const caughtUp = (stream: Stream): Promise<void> =>
  runInDurableObject(stream, (object) => {
    const { search, commits } = Reflect.get(object, "parts");
    while (search.isBehind(commits.last)) search.catchUp(commits.last);
  });
