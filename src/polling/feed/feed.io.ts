import { feeds } from "../../connectors/parsers";
import type { ResourceReport } from "../report";
import type { Run } from "../commit.io";
import { pollLog } from "./log.io";
import { pollTree } from "./tree.io";

/** Reads the instance's feed of everything to its end. @returns whether the poll goes on. */
export async function pollFeed(run: Run, report: ResourceReport): Promise<boolean> {
  const name = run.instance.connector.events.feed;
  const feed = name === undefined ? undefined : feeds[name];
  switch (feed?.kind) {
    case "log":
      return pollLog(run, feed, report);
    case "tree":
      return pollTree(run, feed, report);
    case "bulk":
    case undefined:
      return true;
  }
}
