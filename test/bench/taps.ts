import { ledger } from "./ledger.ts";

/**
 * Counters at every tap of the platform, in one isolate's `ledger`. They wrap methods of the platform, so production code
 * holds nothing of what counts it.
 */

type Method = (this: any, ...args: any[]) => any;
const wrapped = new WeakSet<object>();

/** Replaces methods of a prototype, once. */
function wrap(prototype: Record<string, any>, methods: Record<string, (real: Method) => Method>) {
  if (wrapped.has(prototype)) return;
  wrapped.add(prototype);
  for (const [name, make] of Object.entries(methods)) {
    const real: unknown = prototype[name];
    if (typeof real !== "function") throw new Error(`The platform has no method '${name}'`);
    prototype[name] = make(real as Method);
  }
}

const prototypeOf = (object: object): Record<string, any> => Object.getPrototypeOf(object);

export function countOperations(bodies: unknown[], operationsEach: number): void {
  for (const body of bodies)
    ledger.queueOperations += operationsEach * Math.ceil(JSON.stringify(body).length / 64_000);
}

/** A request that an object has answered. */
export type Asked = {
  /** The binding that the object was found by. */
  objects: unknown;
  name: string;
  method: string;
  given: unknown[];
  answer: unknown;
};

/**
 * Object requests are counted where they are made, queue writes and D1 rows where they pass. `heard` is told what objects
 * answer.
 */
export function countUse(env: Env, heard?: (asked: Asked) => void): void {
  const counted = (real: Method): Method =>
    function (this: unknown, ...args) {
      return new Proxy(real.apply(this, args), {
        get: (stub, method: string) => {
          const called = stub[method];
          if (typeof called !== "function") return called;
          return (...given: unknown[]) => {
            ledger.objectRequests += 1;
            const answering = stub[method](...given);
            if (heard !== undefined) {
              const asked = { objects: this, name: String(stub.name), method, given };
              listen(answering, (answer) => heard({ ...asked, answer }));
            }
            return answering;
          };
        },
      });
    };
  wrap(prototypeOf(env.EVENT_STREAMS), { get: counted, getByName: counted });
  // Every result of D1 passes here with its meta, `raw()` ones too.
  let session = prototypeOf(Reflect.get(env.DB, "alwaysPrimarySession"));
  while (!Object.hasOwn(session, "_send")) session = prototypeOf(session);
  wrap(session, {
    _send: (real) =>
      async function (...args) {
        const answer = await real.apply(this, args);
        for (const { meta } of [answer].flat()) {
          ledger.d1Queries += 1;
          ledger.d1Reads += meta?.changed_db === true ? 0 : 1;
          ledger.d1RowsRead += meta?.rows_read ?? 0;
          ledger.d1RowsWritten += meta?.rows_written ?? 0;
        }
        return answer;
      },
  });
  wrap(prototypeOf(env.DELIVERIES), {
    send: (real) =>
      function (body, ...rest) {
        ledger.queueMessages += 1;
        countOperations([body], 1);
        return real.call(this, body, ...rest);
      },
    sendBatch: (real) =>
      function (messages: { body: unknown }[], ...rest) {
        ledger.queueMessages += messages.length;
        countOperations(
          messages.map(({ body }) => body),
          1,
        );
        return real.call(this, messages, ...rest);
      },
  });
}

function listen(answer: PromiseLike<unknown>, heard: (value: unknown) => void): void {
  // Whoever called it sees the error.
  void answer.then(heard, () => undefined);
}

/** Counts what a cursor read and wrote since it was looked at last. */
const seen = new WeakMap<object, { read: number; written: number; table: boolean }>();
function countRows(cursor: SqlStorageCursor<any>, query = ""): void {
  const last = seen.get(cursor) ?? { read: 0, written: 0, table: /^\s*CREATE/.test(query) };
  const { rowsRead, rowsWritten } = cursor;
  ledger.objectRowsRead += rowsRead - last.read;
  ledger[last.table ? "tableRowsWritten" : "objectRowsWritten"] += rowsWritten - last.written;
  seen.set(cursor, { ...last, read: rowsRead, written: rowsWritten });
}

export function countStorage({ storage }: DurableObjectState): void {
  wrap(prototypeOf(storage), {
    setAlarm: (real) =>
      function (...args) {
        ledger.alarmsSet += 1;
        ledger.objectRowsWritten += 1;
        return real.apply(this, args);
      },
  });
  wrap(prototypeOf(storage.sql), {
    exec: (real) =>
      function (query: string, ...args) {
        const cursor = real.call(this, query, ...args);
        wrap(prototypeOf(cursor), { toArray: consumed, one: consumed });
        countRows(cursor, query);
        return cursor;
      },
  });
}
const consumed = (real: Method): Method =>
  function () {
    const rows = real.call(this);
    countRows(this);
    return rows;
  };

/** Counts the alarms of a module's objects: each is a request. */
export function countAlarms(module: object): void {
  for (const it of Object.values(module) as { prototype?: Record<string, any> }[])
    if (it.prototype?.["alarm"] !== undefined)
      wrap(it.prototype, {
        alarm: (real) =>
          function (...args) {
            ledger.objectRequests += 1;
            return real.apply(this, args);
          },
      });
}
