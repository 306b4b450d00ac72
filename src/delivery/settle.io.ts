import type { DeliveryItem, DeliveryMessage, Outcome, Settlement } from "./attempt";
import { recordExceptions } from "./exceptions.store";
import { count } from "../metering/counter.io";

const SETTLE_TRIES = 4;
/** A message is written, read and acknowledged: each is one operation of the queue. */
const OPERATIONS_A_MESSAGE = 3;

export type SettlingDoors = { db: D1Database; streams: Env["EVENT_STREAMS"] };

/**
 * Collects the outcomes of one stream's messages in a batch, and settles them in few requests. A message holds a bundle
 * of notifications, which go to several destinations; the stream may send the bundle again only when all of them are
 * done.
 */
export class Settling {
  private ended: { bundle: number; outcomes: Outcome[] }[] = [];
  /** By bundle: how many of its groups are not done yet. A group is what goes to one destination. */
  private readonly underWay = new Map<number, number>();
  private readonly items: DeliveryItem[] = [];
  private readonly doors: SettlingDoors;
  private readonly stream: string;
  private readonly slow: readonly string[];

  /** @param slow ids of destinations that are to stay in the slow lane. */
  constructor(stream: string, doors: SettlingDoors, slow: readonly string[]) {
    this.stream = stream;
    this.doors = doors;
    this.slow = slow;
  }

  /** A message is begun, whose notifications go to so many destinations. */
  begin({ bundle, items }: DeliveryMessage, groups: number): void {
    this.items.push(...items);
    this.underWay.set(bundle, groups);
    this.tally(items[0], { queueOperations: OPERATIONS_A_MESSAGE });
  }

  /** One group of a bundle is done. */
  end(bundle: number, outcomes: Outcome[]): void {
    this.underWay.set(bundle, (this.underWay.get(bundle) ?? 0) - 1);
    this.ended.push({ bundle, outcomes });
  }

  /** Settles what ended since the last time. `lagging`: ids of destinations that hang, new ones only. */
  async settle(lagging: string[]): Promise<void> {
    const { ended, stream, doors } = this;
    if (ended.length === 0 && lagging.length === 0) return;
    this.ended = [];
    const settlements: Settlement[] = [...Map.groupBy(ended, ({ bundle }) => bundle)].map(
      ([bundle, parts]) => ({
        bundle,
        outcomes: parts.flatMap(({ outcomes }) => outcomes),
        last: this.underWay.get(bundle) === 0,
      }),
    );
    const rows = await withRetries(() =>
      doors.streams.getByName(stream).settle(settlements, [...lagging, ...this.slow]),
    );
    // A stream of the version before does not say.
    this.tally(this.items[0], { objectRequests: 1, rowsWritten: rows ?? 0 });
    const { organizationId } = this.owner();
    const outcomes = ended.flatMap((part) => part.outcomes);
    await recordExceptions(
      doors.db,
      { name: stream, organizationId },
      this.items,
      outcomes,
      Date.now(),
    );
  }

  private owner(): { organizationId: number; source: string } {
    const slash = this.stream.indexOf("/");
    return {
      organizationId: Number(this.stream.slice(0, slash)),
      source: this.stream.slice(slash + 1),
    };
  }

  /** Counts what a message costs. Its destinations share the cost, which is counted for the first of them. */
  private tally(item: DeliveryItem | undefined, more: Parameters<typeof count>[1]): void {
    count({ ...this.owner(), destinationId: item?.destinationId ?? "" }, more, Date.now());
  }
}

async function withRetries(settle: () => Promise<number | undefined>): Promise<number | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await settle();
    } catch (error) {
      if (tries >= SETTLE_TRIES) throw error;
      await scheduler.wait(50 * 4 ** tries);
    }
  }
}
