import type { PollDoors } from "./commit.io";

const STATE_PAGE = 1_000;

type StreamState = Pick<ReturnType<PollDoors["streams"]["getByName"]>, "readStatePage">;

/** The keyed state of a stream whose keys begin with `prefix`, in the order of the keys, page by page. */
export async function* statePages(
  stream: StreamState,
  prefix: string,
): AsyncGenerator<{ key: string; value: string }[]> {
  for (let last = ""; ;) {
    const page = await stream.readStatePage(prefix, last, STATE_PAGE);
    yield page;
    if (page.length < STATE_PAGE) return;
    last = page.at(-1)?.key ?? "";
  }
}
