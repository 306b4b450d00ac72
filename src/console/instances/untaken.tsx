import type { JSX } from "hono/jsx/jsx-runtime";
import type { Attention } from "../../instances/attention";
import type { traceView } from "../../stream/traces/request";
import { Act, Instant, marked, Pill, readable, Table, type Tone } from "../parts";

/** What keeps an instance from getting or telling events, and what to do. */
export function AttentionList(props: { attention: Attention[]; now: number }): JSX.Element | null {
  const { attention, now } = props;
  if (attention.length === 0) return null;
  return (
    <>
      <h2>Needs attention</h2>
      <ul class="attention">
        {attention.map(({ code, message, since }) => (
          <li>
            <Pill tone="wait">{code.replaceAll("-", " ")}</Pill>{" "}
            {since === undefined ? null : (
              <span class="small quiet">
                since <Instant at={since} now={now} />
              </span>
            )}
            <span class="event">{marked(message)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

type Trace = ReturnType<typeof traceView>;

const TONES: Record<Trace["outcome"], Tone> = {
  "no-event": "off",
  ignored: "wait",
  refused: "bad",
  unrouted: "off",
};

/** Deliveries of the vendor that became no event: when, why, what; and a button to read one again. */
export function Untaken(props: {
  instanceId: number;
  counts: Partial<Record<string, number>>;
  traces: Trace[];
  now: number;
}): JSX.Element | null {
  const { instanceId, counts, traces, now } = props;
  const came = Object.entries(counts).filter(([, count]) => (count ?? 0) > 0);
  if (came.length === 0) return null;
  return (
    <>
      <h2 id="untaken">Deliveries without an event</h2>
      <p class="quiet">
        {came.map(([outcome, count]) => `${count} ${outcome.replace("-", " ")}`).join(", ")} so far;
        the latest of the last 7 days:
      </p>
      {traces.length === 0 ? null : (
        <Table
          heads={["When", "Why", "What came", ""]}
          rows={traces.map((trace) => [
            <Instant at={Date.parse(trace.at)} now={now} />,
            <>
              <Pill tone={TONES[trace.outcome]}>{trace.outcome.replace("-", " ")}</Pill>
              <span class="event small">{trace.reason}</span>
            </>,
            <Request request={trace.request} />,
            <Replay instanceId={instanceId} trace={trace} now={now} />,
          ])}
        />
      )}
    </>
  );
}

function Request({ request }: { request: Trace["request"] }): JSX.Element {
  const { method, url, headers, body, bodyEncoding, bytes } = request;
  const isCut = bodyEncoding === "text" && new TextEncoder().encode(body).byteLength < bytes;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return (
    <>
      <span class="event small">
        {method} {url}
      </span>
      <details>
        <summary>Headers</summary>
        <pre tabindex={0}>{lines.join("\n")}</pre>
      </details>
      {bytes === 0 ? (
        <span class="quiet small">no body</span>
      ) : (
        <details>
          <summary>
            {bytes} bytes{bodyEncoding === "base64" ? ", in base64" : ""}
          </summary>
          <pre tabindex={0}>{isCut ? `${body} …` : readable(body)}</pre>
        </details>
      )}
    </>
  );
}

function Replay(props: { instanceId: number; trace: Trace; now: number }): JSX.Element {
  const { instanceId, trace, now } = props;
  const { id, replayable, replayedAt } = trace;
  return (
    <>
      {replayable ? (
        <Act to={`/console/instances/${instanceId}/inbound/${id}/replay`} label="Replay" />
      ) : (
        <span class="quiet small">too large to replay</span>
      )}
      {replayedAt === null ? null : (
        <span class="event small quiet">
          replayed <Instant at={Date.parse(replayedAt)} now={now} />
        </span>
      )}
    </>
  );
}
