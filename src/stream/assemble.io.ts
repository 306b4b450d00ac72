import { Cancellation } from "./cancellation.io";
import { Commits } from "./commit.io";
import { Gathering } from "./gathering.io";
import { History } from "./history.io";
import { Jobs } from "./jobs/jobs.io";
import { EventLog } from "./log/store";
import { Head } from "./head.store";
import type { Last } from "./meta";
import { DestinationHealth } from "./outbox/destination-health";
import { Dispatcher } from "./outbox/dispatcher.io";
import type { Queues } from "./outbox/lanes.io";
import { Outbox } from "./outbox/outbox.io";
import { Positions } from "./outbox/positions.store";
import { type Bundle, OutboxStore } from "./outbox/store";
import { UntoldStore } from "./outbox/untold.io";
import { Resend } from "./resend.io";
import { Retention } from "./retention.io";
import { Finder } from "./search/finder.io";
import { SearchIndex } from "./search/search-index.io";
import { StreamStore } from "./store";
import { TraceStore } from "./traces/store";

/** The latest bundles, from which a stream that restarted learns which destinations answered quickly. */
const LATEST_BUNDLES = 4;

export type Parts = ReturnType<typeof assemble>;

/** Puts a stream together over its storage. `name` and `queues` are functions: neither may be there yet at the start. */
export function assemble(
  { sql, transactionSync }: { sql: SqlStorage; transactionSync: (work: () => void) => void },
  { db, queues, name }: { db: D1Database; queues: () => Queues; name: () => string },
) {
  const store = new StreamStore(sql);
  const log = new EventLog(store);
  const bundles = new OutboxStore(store);
  const history = new History(bundles, log, name, (bundleId, notification) =>
    dispatcher.isSent(bundleId, notification),
  );
  const latest = bundles.before(Number.MAX_SAFE_INTEGER, LATEST_BUNDLES);
  bundles.restore(latest[0]);
  const head = new Head(store);
  log.ids.restore(head.stored.ids);
  const last = lastNumbers(head, log, latest);
  const health = healthFromHistory(latest);
  const sending = { store, head, bundles, history, health, queues, name };
  const dispatcher: Dispatcher = new Dispatcher(sending, last.notification);
  const untold = new UntoldStore(store);
  const outbox = new Outbox({ bundles, health, dispatcher, untold });
  const cancelling = { bundles, history, outbox, dispatcher, untold, db, name };
  const cancellation = new Cancellation(cancelling);
  const lastOf = (): Last => commits.last;
  const { search, positions, finder } = searching({ store, log, bundles, history }, lastOf);
  const gathering = new Gathering(bundles, search);
  const committing = { store, head, log, search, outbox, gathering, last };
  const commits: Commits = new Commits({
    ...committing,
    unsettled: () => dispatcher.unsettled(),
    transaction: transactionSync,
  });
  return {
    store,
    traces: new TraceStore(store),
    log,
    bundles,
    positions,
    search,
    finder,
    history,
    dispatcher,
    outbox,
    commits,
    untold,
    cancellation,
    jobs: new Jobs({ ...cancelling, store, log, commits, search, cancellation }),
    resend: new Resend({ store, bundles, history, outbox, dispatcher, search }),
    retention: new Retention({ store, head, log, bundles, positions, search, commits, outbox }),
  };
}

/** What finds a stream's events and notifications by their place or by what they are about. */
function searching(
  doors: { store: StreamStore; log: EventLog; bundles: OutboxStore; history: History },
  last: () => Last,
) {
  const { store, log, history } = doors;
  const positions = new Positions(store, () => last().notification);
  const search = new SearchIndex(
    store,
    {
      first: () => log.firstSeq() ?? last().event + 1,
      read: (from, to) => log.events(from, to).events,
    },
    {
      first: () => positions.firstSeq() ?? last().notification + 1,
      read: (from, to) => history.between(from, to),
    },
  );
  return { positions, search, finder: new Finder({ ...doors, positions, search, last }) };
}

/** The highest numbers given out: as stored, or of the rows that another version wrote. */
function lastNumbers({ stored: { last } }: Head, log: EventLog, [newest]: readonly Bundle[]): Last {
  return {
    event: Math.max(last.event, log.lastSeq()),
    notification: Math.max(last.notification, newest?.notifications.at(-1)?.seq ?? 0),
  };
}

/** `latest`: bundles, newest first. */
function healthFromHistory(latest: readonly Bundle[]): DestinationHealth {
  const health = new DestinationHealth();
  for (const { notifications } of latest.toReversed())
    for (const notification of notifications) health.learnFrom(notification);
  return health;
}
