import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { authorization, call, signingSecret } from "./costs.ts";
import { type Load, type LoadResult, runLoad } from "./load.ts";
import type { Running } from "./server.ts";

const DESTINATIONS = 100;
/** A receiver's time to answer (15 s), and a little. */
const FIRST_TIMEOUT_MS = 17_000;
const MOST_WAIT_MS = 1_200_000;

const destinations = (server: Running, name: string, count: number, url: string): Promise<any> =>
  call(server, "POST", "/bench/destinations", authorization.key, {
    name,
    count,
    url,
    signingSecret,
  });

const commitAll = (server: Running, stream: string, ids: readonly string[]): Promise<any> =>
  call(server, "POST", "/bench/events", authorization.key, { stream, ids });

/** A Worker with a hundred destinations, each with a stream, of which one gets an event a second all the time. */
export type Hundred = { server: Running; door: Load["door"] };

/**
 * How the 99 others fare where one of a hundred destinations stopped answering, after its first timeout, and
 * where none did: round by round in turns, so that what the machine's host does meets both.
 */
export async function deadAmong(
  hundreds: { well: Hundred; ill: Hundred },
  receiver: Receiver,
  rounds: number,
): Promise<{ well: LoadResult[]; ill: LoadResult[] }> {
  const hundredths = await Promise.all([startReceiver(), startReceiver()]);
  const [wellHundredth, illHundredth] = hundredths;
  for (const [{ server }, { url }] of [
    [hundreds.well, wellHundredth],
    [hundreds.ill, illHundredth],
  ] as const) {
    await destinations(server, "many", DESTINATIONS - 1, `${receiver.url}/many/{index}`);
    await destinations(server, "hundredth", 1, `${url}/hundredth`);
  }
  const shape = { streams: DESTINATIONS - 1, prefix: "many", events: 500, ratePerSecond: 50 };
  const run = async ({ server, door }: Hundred): Promise<LoadResult> => {
    // Objects that slept wake up uncounted, here as there.
    const ids = [randomBytes(4).toString("hex")];
    for (let n = 0; n < shape.streams; n += 1) await commitAll(server, `many${n}`, ids);
    return runLoad({ ...shape, door, callbackUrl: "" }, receiver);
  };
  let running = true;
  const feeds = Object.values(hundreds).map(async ({ server }) => {
    for (let sent = 0; running; sent += 1) {
      await commitAll(server, "hundredth0", [`${randomBytes(4).toString("hex")}-${sent}`]);
      await sleep(1_000);
    }
  });
  await run(hundreds.well);
  await run(hundreds.ill);
  illHundredth.respond = () => ({ status: 200, delayMs: Infinity });
  await sleep(FIRST_TIMEOUT_MS);
  const results = { well: [] as LoadResult[], ill: [] as LoadResult[] };
  for (let done = 0; done < rounds; done += 1) {
    results.well.push(await run(hundreds.well));
    results.ill.push(await run(hundreds.ill));
  }
  running = false;
  await Promise.all(feeds);
  // Its connections are let go only now: nobody else waits for them.
  await Promise.all(hundredths.map((one) => one.close()));
  return results;
}

/** One event of a mebibyte: accepted, kept, sent; how long until it is whole at the receiver. */
export async function mebibyte(
  server: Running,
  receiver: Receiver,
): Promise<{ ms: number; intact: boolean }> {
  await destinations(server, "large", 1, `${receiver.url}/large`);
  receiver.deliveries.length = 0;
  receiver.respond = () => ({ status: 200 });
  const filler = randomBytes(2 ** 20).toString("base64url");
  const head = `{"text":"ä😀`;
  const text = `${head}${filler.slice(0, 2 ** 20 - Buffer.byteLength(head) - 2)}"}`;
  const began = performance.now();
  const path = "/v1/destinations/load-large0/test";
  const tried = await call(server, "POST", path, authorization.key, { event: JSON.parse(text) });
  const delivery = receiver.deliveries.find(({ path: to }) => to === "/large");
  const intact =
    tried.status === 200 && delivery?.text === text && delivery.standardVerified === true;
  return { ms: performance.now() - began, intact };
}

export type Recovered = {
  count: number;
  /** Until all had died, and from the recovery until all had arrived. */
  diedSeconds: number;
  recoveredSeconds: number;
  missing: number;
  /** How often the killed process had delivered what it could not settle any more. */
  repeated: number;
  /** So many were still to come when other traffic began. */
  left: number;
  /** Other traffic, before and meanwhile. */
  quiet: LoadResult;
  live: LoadResult;
};

/** Lets `count` notifications die, and recovers them; everything is killed at one blow in the middle of that. */
export async function recoverMany(
  server: Running,
  receiver: Receiver,
  load: Pick<Load, "door">,
  count: number,
): Promise<Recovered> {
  const gone = await startReceiver({ respond: () => ({ status: 410 }) });
  await destinations(server, "gone", 1, `${gone.url}/gone`);
  await destinations(server, "live", 1, `${receiver.url}/live`);
  const path = "/v1/destinations/load-gone0";
  const since = new Date(Date.now() - 60_000).toISOString();
  let began = performance.now();
  const ids = Array.from({ length: count }, (_, index) => `dead-${index}`);
  for (let from = 0; from < count; from += 500)
    await commitAll(server, "gone0", ids.slice(from, from + 500));
  await until(async () => (await view()).stats.dead >= count);
  const diedSeconds = (performance.now() - began) / 1000;
  const traffic = { ...load, callbackUrl: "", streams: 1, prefix: "live" };
  await runLoad({ ...traffic, events: 1 }, receiver);
  const quiet = await runLoad({ ...traffic, events: 100, ratePerSecond: 50 }, receiver);
  const arrived = new Map<string, number>();
  gone.respond = ({ webhookId = "" }) => {
    arrived.set(webhookId, (arrived.get(webhookId) ?? 0) + 1);
    return { status: 200 };
  };
  await call(server, "PATCH", path, authorization.key, { enabled: true });
  began = performance.now();
  const { jobId } = await call(server, "POST", `${path}/recover`, authorization.key, { since });
  await until(() => arrived.size > count / 10);
  await server.crash();
  // Nobody knows any more that this destination is well: its first event goes the slow lane.
  await runLoad({ ...traffic, events: 1 }, receiver);
  const left = count - arrived.size;
  const live = await runLoad({ ...traffic, events: 100, ratePerSecond: 50 }, receiver);
  await until(() => arrived.size >= count);
  const recoveredSeconds = (performance.now() - began) / 1000;
  await until(
    async () =>
      (await call(server, "GET", `/v1/jobs/${jobId}`, authorization.key)).status === "done",
  );
  await gone.close();
  const repeated = [...arrived.values()].filter((times) => times > 1).length;
  const missing = count - arrived.size;
  return { count, diedSeconds, recoveredSeconds, missing, repeated, left, quiet, live };

  function view(): Promise<any> {
    return call(server, "GET", path, authorization.key);
  }
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const giveUpAt = Date.now() + MOST_WAIT_MS; !(await holds()); await sleep(250))
    if (Date.now() > giveUpAt) throw new Error(`It did not come to hold in ${MOST_WAIT_MS} ms`);
}
