import {
  createExecutionContext,
  createMessageBatch,
  runInDurableObject,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { EventStream } from "../../src/stream/stream.object";
import worker from "../../src/index";
import { CALLBACK, callV1, stubOutside } from "../elements/build";

/** The stream of an instance of my organization. */
export const streamOf = ({ id }: { id: number }): DurableObjectStub<EventStream> =>
  env.EVENT_STREAMS.getByName(`1/instance:${id}`);

/** Hands messages to the Worker's queue handler, as the platform would. */
export async function consume(
  queue: "tributary-polls" | "tributary-polls-slow" | "tributary-deliveries",
  bodies: readonly unknown[],
  bindings: Partial<Env> = {},
): Promise<void> {
  const messages = bodies.map((body, index) => ({
    id: String(index),
    timestamp: new Date(),
    attempts: 1,
    body,
  }));
  const batch = createMessageBatch(queue, messages);
  const context = createExecutionContext();
  await worker.queue(batch, { ...env, ...bindings }, context);
  await waitOnExecutionContext(context);
}

/** A queue that keeps what is sent instead of bringing it anywhere. */
export function keepingQueue(): { queue: Queue; bodies: any[] } {
  const bodies: any[] = [];
  const sendBatch = async (messages: Iterable<MessageSendRequest>): Promise<void> => {
    for (const { body } of messages) bodies.push(structuredClone(body));
  };
  const send = (body: unknown): Promise<void> => sendBatch([{ body }]);
  const queue: any = { send, sendBatch };
  return { queue, bodies };
}

/** Keeps the delivery messages of a stream from the queue, so that the test is the queue. */
export async function keepDeliveries(stream: DurableObjectStub<EventStream>): Promise<any[]> {
  const { queue, bodies } = keepingQueue();
  await runInDurableObject(stream, (object) => {
    Reflect.set(object, "env", { ...env, DELIVERIES: queue, DELIVERIES_SLOW: queue });
  });
  return bodies;
}

export type Meter = { rowsRead: number; rowsWritten: number };

/** The database, and what is read and written through it by single statements. */
export function meteredDatabase(): { db: D1Database; meter: Meter } {
  const meter: Meter = { rowsRead: 0, rowsWritten: 0 };
  const count = <T>(result: D1Result<T>): D1Result<T> => {
    meter.rowsRead += result.meta.rows_read;
    meter.rowsWritten += result.meta.rows_written;
    return result;
  };
  const metered = (statement: D1PreparedStatement): D1PreparedStatement => {
    const own: Pick<D1PreparedStatement, "bind" | "all" | "run"> & { raw: () => Promise<any> } = {
      bind: (...values) => metered(statement.bind(...values)),
      all: async <T>() => count(await statement.all<T>()),
      run: async <T>() => count(await statement.run<T>()),
      // The rows as arrays come without figures: the same rows as objects have their columns in order.
      raw: async () => count(await statement.all()).results.map((row) => Object.values(row)),
    };
    return own as D1PreparedStatement;
  };
  const db = { prepare: (query: string) => metered(env.DB.prepare(query)) } as D1Database;
  return { db, meter };
}

const CALLED_BACK = new URL(CALLBACK).host;

/** Nothing is sent: what is emitted stands in the history. */
export const QUIET = { "event.notification.callback.url": null };

/** A vendor whose every list is what `lists` holds; the URLs it was asked. */
export function vendor(lists: { data: unknown[] } | ((url: URL) => Response)) {
  const sent = stubOutside(({ url }) =>
    url.host === CALLED_BACK
      ? new Response()
      : typeof lists === "function"
        ? lists(url)
        : Response.json(lists),
  );
  return () => sent.map(({ url }) => url).filter(({ host }) => host !== CALLED_BACK);
}

export async function poll({ id }: { id: number }) {
  const { status, body } = await callV1("POST", `/instances/${id}/poll`);
  return { status, ...body, first: body.resources?.[0] };
}

/** Type and object of all events so far, oldest first. */
export async function emitted(instance: { id: number }): Promise<string[]> {
  const { events } = await streamOf(instance).events({ after: 0, limit: 1_000 });
  return events.map(({ eventType, objectId }) => `${eventType} ${objectId}`);
}
