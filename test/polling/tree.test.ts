import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TreeEntry } from "../../src/connectors/feed";
import { applyTree, sweep, type TreeReading } from "../../src/polling/feed/tree-changes";
import {
  forgottenNodes,
  type Index,
  keysOf,
  prune,
  type StateChange,
} from "../../src/polling/feed/tree-index";
import { afterPage, isAtEnd, reset, TREE_START } from "../../src/polling/feed/tree-position";

const DAY = 86_400_000;
const NOW = 100 * DAY;
const reading = (change: Partial<TreeReading> = {}): TreeReading => ({
  source: "instance:1",
  position: "1|follow|a",
  generation: 1,
  quiet: false,
  baseline: 0,
  startedAt: NOW,
  ...change,
});
const there = (id: string, path: string, rev = "1"): TreeEntry => ({
  kind: "there",
  objectType: "files",
  id,
  path,
  rev,
  date: undefined,
  data: { id },
});
const gone = (path: string): TreeEntry => ({ kind: "gone", path, data: { path } });

function changed(index: Index, state: readonly StateChange[]): Index {
  const entries = new Map<string, string>(Object.entries(index));
  for (const { key, value } of state)
    if (value === null) entries.delete(key);
    else entries.set(key, value);
  return Object.fromEntries(entries);
}

/** What pages of entries emit one after another, each applied to what the one before left. */
function follow(pages: readonly TreeEntry[][], start: Index = {}, each?: Partial<TreeReading>) {
  let index = start;
  const told: string[] = [];
  for (const page of pages) {
    const { events, state } = applyTree(page, index, reading(each));
    told.push(...events.map(({ eventType, objectId }) => `${eventType} ${objectId}`));
    index = changed(index, state);
  }
  return { told, index };
}

describe("applyTree", () => {
  it.each<[string, TreeEntry[][], string[]]>([
    ["creates what it has not seen", [[there("a", "/a")]], ["CREATED a"]],
    [
      "updates another revision",
      [[there("a", "/a")], [there("a", "/a", "2")]],
      ["CREATED a", "UPDATED a"],
    ],
    ["is silent about the same revision", [[there("a", "/a")], [there("a", "/a")]], ["CREATED a"]],
    [
      "updates what was moved",
      [[there("a", "/a")], [gone("/a"), there("a", "/b")]],
      ["CREATED a", "UPDATED a"],
    ],
    ["deletes by path", [[there("a", "/a")], [gone("/a")]], ["CREATED a", "DELETED a"]],
    ["names an unseen path that is gone", [[gone("/x")]], ["DELETED /x"]],
    [
      "deletes what another takes the place of",
      [[there("a", "/a")], [there("b", "/a")]],
      ["CREATED a", "DELETED a", "CREATED b"],
    ],
    [
      "deletes all below a folder",
      [[there("f", "/f"), there("a", "/f/a"), there("b", "/fb")], [gone("/f")]],
      ["CREATED f", "CREATED a", "CREATED b", "DELETED a", "DELETED f"],
    ],
    [
      "emits only the last of an id in one page",
      [[there("a", "/a"), there("a", "/a", "2")]],
      ["UPDATED a"],
    ],
  ])("%s", (_, pages, told) => {
    expect(follow(pages).told).toEqual(told);
  });

  it("records the first listing without events, except what is newer than the baseline", () => {
    const old = { ...there("a", "/a"), date: 5 };
    const young = { ...there("b", "/b"), date: 15 };
    const { told, index } = follow([[old, young, gone("/x")]], {}, { quiet: true, baseline: 10 });
    expect(told).toEqual(["CREATED b"]);
    expect(index["p|/a"]).toBe("a");
  });

  it.each([
    [30, "UPDATED a"],
    [31, "CREATED a"],
  ])("takes what is back after %s days for %s", (days, expected) => {
    const { index } = follow([[there("a", "/a")], [gone("/a")]]);
    const back = applyTree([there("a", "/a")], index, reading({ startedAt: NOW + days * DAY }));
    expect(back.events.map((event) => `${event.eventType} ${event.objectId}`)).toEqual([expected]);
  });

  it("keeps paths and ids in step, whatever the feed says", () => {
    const path = fc.constantFrom("/a", "/b", "/f", "/f/a", "/f/b");
    const entry = fc.oneof(
      path.map(gone),
      fc
        .tuple(fc.constantFrom("1", "2", "3"), path, fc.constantFrom("x", "y"))
        .map((all) => there(...all)),
    );
    fc.assert(
      fc.property(fc.array(fc.array(entry, { maxLength: 4 }), { maxLength: 6 }), (pages) => {
        const { index } = follow(pages);
        for (const [key, value] of Object.entries(index))
          if (key.startsWith("p|")) {
            const node = JSON.parse(index[`i|${value}`] ?? "null");
            expect(node).toMatchObject({ path: key.slice(2) });
            expect(node.gone).toBeUndefined();
          } else if (key.startsWith("i|")) {
            const node = JSON.parse(value);
            if (node.gone === undefined) expect(index[`p|${node.path}`]).toBe(key.slice(2));
          }
      }),
    );
  });

  it("reads the path and the id of an entry", () => {
    expect(keysOf([there("a", "/a"), gone("/b")])).toEqual(["p|/a", "i|a", "p|/b"]);
  });
});

describe("sweep", () => {
  it("deletes what only an earlier listing saw, and nothing twice", () => {
    const first = follow([[there("a", "/a"), there("b", "/b")], [gone("/b")]]).index;
    const second = follow([[there("c", "/c")]], first, { generation: 2 }).index;
    const nodes = Object.entries(second).flatMap(([key, value]) =>
      key.startsWith("i|") ? [{ key, value }] : [],
    );
    const { events, state } = sweep(nodes, reading({ generation: 2 }));
    expect(events.map(({ eventType, objectId }) => `${eventType} ${objectId}`)).toEqual([
      "DELETED a",
    ]);
    expect(changed(second, state)["p|/a"]).toBeUndefined();
  });
});

describe("prune", () => {
  it("forgets tombstones after thirty days, and their nodes unless they live again", () => {
    const { index } = follow([
      [there("a", "/a"), there("b", "/b")],
      [gone("/a"), gone("/b")],
    ]);
    const later = NOW + 31 * DAY;
    const restored = follow([[there("b", "/b")]], index).index;
    const tombstones = Object.keys(restored).flatMap((key) =>
      key.startsWith("t|") ? [{ key }] : [],
    );
    expect(forgottenNodes(tombstones, NOW + DAY)).toEqual([]);
    expect(forgottenNodes(tombstones, later)).toEqual(["i|a", "i|b"]);
    const left = changed(restored, prune(tombstones, restored, later));
    expect(Object.keys(left).toSorted()).toEqual(["i|b", "p|/b"]);
  });
});

describe("a tree's position", () => {
  it("goes from the first listing to following, without a sweep", () => {
    const half = afterPage(TREE_START, { position: "a", more: true }, 0);
    expect(half).toMatchObject({ phase: "listing", position: "a", quiet: true });
    const whole = afterPage(half, { position: "b", more: false }, 0);
    expect(whole).toMatchObject({ phase: "follow", position: "b", generation: 1, quiet: false });
    expect(isAtEnd(whole, true)).toBe(false);
    expect(isAtEnd(whole, false)).toBe(true);
  });

  it("lists anew when the vendor has forgotten it, as the next generation, and then sweeps", () => {
    const follow = { ...TREE_START, phase: "follow" as const, position: "a", quiet: false };
    const listing = reset(follow);
    expect(listing).toMatchObject({ phase: "listing", position: null, generation: 2 });
    expect(reset({ ...listing, position: "b" }).generation).toBe(2);
    expect(afterPage(listing, { position: "c", more: false }, 0).phase).toBe("sweep");
  });
});
