import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { readConfig } from "../../src/config";
import { sandbox } from "../../src/connectors/sandbox";
import { send } from "../../src/hub/request.client";
import { create, createOrganizations, record } from "../elements/build";
import { emitted, poll, QUIET, vendor } from "./build";

beforeAll(createOrganizations);
afterEach(() => vi.unstubAllGlobals());

it("after a page of 3 MB the next reading asks for smaller ones, until they are small again", async () => {
  const instance = await create({ ...QUIET, "pagination.max": 40 });
  let at = Date.now() + 5;
  let note = "x".repeat(75_000);
  const requests = vendor(({ searchParams }) => {
    const size = Number(searchParams.get("page_size"));
    const first = (Number(searchParams.get("page")) - 1) * size;
    const ids = Array.from({ length: 40 }, (_, index) => `${index}`).slice(first, first + size);
    return Response.json({ data: ids.map((id) => record(id, at, { note })) });
  });
  const sizes = async () => {
    const before = requests().length;
    expect((await poll(instance)).status).toBe(200);
    return requests()
      .slice(before)
      .map(({ searchParams }) => Number(searchParams.get("page_size")));
  };
  expect((await sizes())[0]).toBe(40);
  expect(new Set(await emitted(instance)).size).toBe(40);
  expect(new Set(await sizes())).toEqual(new Set([13]));
  at += 1_000;
  note = "x";
  await sizes();
  at += 1_000;
  await sizes();
  expect(await sizes()).toContain(40);
});

it("no more large answers are read at a time than there is memory for; small ones never wait", async () => {
  const config = readConfig({ ...env, EGRESS_ALLOW: "127.0.0.1" });
  vi.stubGlobal("fetch", async (url: URL) =>
    Response.json("x".repeat(Number(url.pathname.slice(1)))),
  );
  const held: { release(): void }[] = [];
  const course = {
    mayAsk: () => true,
    read: () => undefined,
    heard: () => undefined,
    hold: (one: { release(): void }) => void held.push(one),
  };
  const ask = (bytes: number) =>
    send(
      sandbox,
      { url: `http://127.0.0.1:1/${bytes}`, method: "GET", headers: {} },
      { config, course },
    );
  let read = 0;
  const large = Array.from({ length: 4 }, () => ask(9_000_000).then(() => (read += 1)));
  await expect.poll(() => held.length).toBe(1);
  await ask(1_000);
  expect(read).toBe(1);
  for (let done = 1; done <= 4; done += 1) {
    await expect.poll(() => read).toBe(done);
    for (const one of held.splice(0)) one.release();
  }
  await Promise.all(large);
});
