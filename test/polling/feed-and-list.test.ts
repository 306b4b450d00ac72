import { beforeAll, describe, expect, it } from "vitest";
import { readCursor } from "../../src/polling/cursor";
import { emulate, platform, stored } from "../platform";
import { boxEmulator } from "../vendors/box";
import { dropboxEmulator } from "../vendors/dropbox";
import type { Answer, Incoming } from "../vendors/server";
import { connect, HOUR, pollWell } from "./pitfalls/connect";

/** An account's feed and a list that the user configured, polled by one instance. */

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});

type Vendor = {
  resource: object;
  list: { path: string; answer: (ids: readonly string[]) => object };
  answer: (request: Incoming) => Answer;
  /** Makes a change, without a date, that the feed has to tell. */
  change: (id: string) => void;
};

const vendors: Record<string, () => Vendor> = {
  box: () => {
    const box = boxEmulator();
    return {
      resource: { url: "/hubs/documents/users", idField: "id" },
      list: { path: "/2.0/users", answer: (ids) => ({ entries: ids.map((id) => ({ id })) }) },
      answer: box.answer,
      change: (id) => box.log(`e-${id}`, "ITEM_UPLOAD", { type: "file", id, etag: "0" }),
    };
  },
  dropbox: () => {
    const dropbox = dropboxEmulator();
    return {
      resource: { url: "/hubs/documents/search?where=query='report'", idField: "id" },
      list: {
        path: "/2/files/search_v2",
        answer: (ids) => ({ matches: ids.map((id) => ({ id })), has_more: false }),
      },
      answer: dropbox.answer,
      change: (id) => dropbox.put(id, `/${id}`, "file", Date.now() - 1_000 * HOUR),
    };
  },
};

describe.each(Object.keys(vendors))("an instance of %s with a feed and a list", (key) => {
  async function start() {
    const { resource, list, answer, change } = vendors[key]!();
    const listed: string[] = [];
    emulate((request) =>
      request.path === list.path ? { status: 200, body: list.answer(listed) } : answer(request),
    );
    const { id } = await connect(on, key, { "event.poller.configuration": { listed: resource } });
    await pollWell(on, id);
    return { id, listed, change };
  }
  const cursorOf = async (id: number) => readCursor((await on.streamOf(id).inspect()).cursor);
  const ids = async (id: number) => (await stored(on, id)).map(({ objectId }) => objectId);

  it("keeps its place in the feed when the list's position is written", async () => {
    const { id, listed, change } = await start();
    expect((await cursorOf(id)).feed?.phase).toBe("follow");
    listed.push("u1");
    await pollWell(on, id);
    change("f1");
    await pollWell(on, id);
    expect(await ids(id)).toEqual(["u1", "f1"]);
    expect(Object.keys((await cursorOf(id)).resources).toSorted()).toEqual(["feed", "listed"]);
  });

  it("forgets that the vendor asked to wait when the list was read again", async () => {
    const { id, listed } = await start();
    const cursor = await cursorOf(id);
    await on.streamOf(id).commit({
      cursor: JSON.stringify({ ...cursor, notBefore: Date.now() + HOUR }),
      events: [],
      targets: [],
    });
    listed.push("u1");
    await pollWell(on, id);
    const after = await cursorOf(id);
    expect(after.notBefore).toBeUndefined();
    expect(after.feed?.phase).toBe("follow");
  });
});
