import type { JSX } from "hono/jsx/jsx-runtime";
import { Facts, Instant } from "../parts";
import type { Unprocessed } from "../../flows/unprocessed/store";
import { MessageActs } from "./runs";

/** One message that failed for good, with what it carries. */
export function MessagePage(props: {
  row: Unprocessed;
  flow: string;
  step: string;
  view: Record<string, unknown>;
  now: number;
}): JSX.Element {
  const { row, flow, step, view, now } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Unprocessed message</h1>
          <p class="quiet">
            {step} in <a href={`/console/apps/flows/${row.flowId}`}>{flow}</a>
          </p>
        </div>
        <MessageActs id={row.id} />
      </div>
      <Facts
        facts={[
          ["Failed", <Instant at={row.createdAt} now={now} />],
          ["Why", row.error],
          ["Tries", <a href={`/console/deliveries/${row.id}`}>each request and its answer</a>],
        ]}
      />
      <h2>What it carries</h2>
      <pre tabindex={0}>{JSON.stringify(view["messages"], null, 2)}</pre>
    </>
  );
}
