import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { countTry, forgiveTry, purgeTries, type Try } from "../../src/accounts/sign-in.store";

const NOW = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

let names = 0;
/** Somebody nobody has tried to be yet, at an address of their own. */
const fresh = (change: Partial<Try> = {}): Try => {
  names += 1;
  return { door: "user", name: `name-${names}`, address: `198.51.100.${names}`, ...change };
};

/** Seconds that a try at `now` has to wait; 0 when it may be made, and then it has failed. */
async function wait(tried: Try, now = NOW): Promise<number> {
  const until = await countTry(env.DB, tried, now);
  return until === undefined ? 0 : (until - now) / 1000;
}

async function fail(tried: Try, times: number, now = NOW): Promise<void> {
  for (let n = 0; n < times; n += 1) expect(await wait(tried, now)).toBe(0);
}

/** As after many failures, which would take long to make. */
const failed = (key: string, count: number) =>
  env.DB.prepare("INSERT OR REPLACE INTO sign_in_failures VALUES (?, ?, ?)")
    .bind(key, count, NOW)
    .run();

describe("failed tries to sign in", () => {
  it("make their name wait at their address after ten, twice as long each time, a quarter of an hour at most", async () => {
    const tried = fresh();
    await fail(tried, 10);
    let now = NOW;
    const waits: number[] = [];
    for (let n = 0; n < 9; n += 1) {
      const seconds = await wait(tried, now);
      waits.push(seconds);
      now += seconds * 1000;
      expect(await wait(tried, now)).toBe(0);
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 640, 900, 900]);
  });

  it("are all counted when they are made at once", async () => {
    const tried = fresh();
    const told = await Promise.all(Array.from({ length: 14 }, () => wait(tried)));
    expect(told.filter((seconds) => seconds === 0)).toHaveLength(10);
    expect(told.filter((seconds) => seconds === 10)).toHaveLength(4);
  });

  it("keep nobody out who comes from another address, or under another name, or at the other door", async () => {
    const tried = fresh();
    await fail(tried, 10);
    expect(await wait(tried)).toBe(10);
    expect(await wait({ ...tried, address: fresh().address })).toBe(0);
    expect(await wait({ ...tried, name: fresh().name })).toBe(0);
    expect(await wait({ ...tried, door: "member" })).toBe(0);
  });

  it("from many addresses at one name make strangers wait a minute at most, and an address that was fine never", async () => {
    const owner = fresh();
    await wait(owner);
    await forgiveTry(env.DB, owner, NOW);
    await failed(`user name ${owner.name}`, 120);
    const stranger = { ...owner, address: fresh().address };
    await fail(stranger, 1);
    expect(await wait(stranger)).toBe(60);
    expect(await wait({ ...owner, address: fresh().address })).toBe(60);
    expect(await wait(owner)).toBe(0);
  });

  it("at many names from one address make it wait, and nobody else", async () => {
    const guesser = fresh();
    await failed(`user address ${guesser.address}`, 499);
    await fail(guesser, 1);
    expect(await wait({ ...guesser, name: fresh().name })).toBe(10);
    expect(await wait(fresh())).toBe(0);
  });

  it("are forgotten a quarter of an hour after the last wait", async () => {
    const tried = fresh();
    await fail(tried, 10);
    await fail(tried, 10, NOW + 10_000 + 15 * MINUTE);
  });

  it("are forgiven by one that is right", async () => {
    const tried = fresh();
    await fail(tried, 9);
    await wait(tried);
    await forgiveTry(env.DB, tried, NOW);
    await fail(tried, 10);
  });

  it("write nothing while they wait, and are purged when they no longer count", async () => {
    const tried = fresh();
    const rows = () =>
      env.DB.prepare("SELECT * FROM sign_in_failures")
        .all()
        .then(({ results }) => results);
    await fail(tried, 10);
    const before = await rows();
    for (let n = 0; n < 5; n += 1) await wait(tried);
    expect(await rows()).toEqual(before);
    await purgeTries(env.DB, NOW + DAY + 16 * MINUTE);
    expect((await rows()).filter(({ key }) => String(key).includes(tried.name))).toEqual([]);
  });
});
