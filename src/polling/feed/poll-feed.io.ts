import { feeds } from "../../connectors/parsers";
import type { ResourceReport } from "../report";
import type { PollState } from "../commit.io";
import { pollLog } from "./poll-log.io";
import { pollTree } from "./poll-tree.io";

/** Reads the instance's feed of everything to its end. @returns whether the poll goes on. */
export async function pollFeed(poll: PollState, report: ResourceReport): Promise<boolean> {
  const name = poll.instance.connector.events.feed;
  const feed = name === undefined ? undefined : feeds[name];
  switch (feed?.kind) {
    case "log":
      return pollLog(poll, feed, report);
    case "tree":
      return pollTree(poll, feed, report);
    case "bulk":
    case undefined:
      return true;
  }
}
