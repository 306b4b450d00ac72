import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { Act, Facts, IfMayChange, Instant, Pill } from "../parts";
import { Hours } from "../destinations/page";
import { State, stateOf } from "../state";
import { addressOf, EndpointForm, type Shown, type Typing } from "./endpoints";
import { Token } from "../visitors/page";

type Props = Typing & { endpoint: Shown; now: number };

/** One endpoint: how it stands and why, what may be done about it, and how it is changed. */
export function EndpointPage(props: Props): JSX.Element {
  const { endpoint, typed, faults, offers } = props;
  const { view, description } = endpoint;
  const here = addressOf(view.id);
  return (
    <>
      <div class="head">
        <div>
          <h1>{description ?? view.url}</h1>
          {description === null ? null : <p class="quiet">{view.url}</p>}
        </div>
        <Acts view={view} />
      </div>
      <About {...props} />
      <p class="more">
        <a href={`/portal/messages?destinationId=${encodeURIComponent(view.id)}`}>Its messages</a>
      </p>
      <IfMayChange>
        <h2>Signing secret</h2>
        <p>
          Each message is signed, so that you can tell it from a forged one.{" "}
          <a href={`${here}/signing-secret`}>Show or renew the secret</a>
        </p>
        {view.stats.dead === 0 ? null : <Recover here={here} dead={view.stats.dead} />}
        <h2>Change</h2>
        <EndpointForm to={here} label="Save" {...{ typed, faults, offers }} />
        <h2>Delete</h2>
        <details>
          <summary>Delete this endpoint</summary>
          <Act to={`${here}/delete`} label="Delete it for good">
            <Token />
            <p>What waits for it is not delivered any more.</p>
          </Act>
        </details>
      </IfMayChange>
    </>
  );
}

function Acts({ view }: { view: Shown["view"] }): JSX.Element {
  const here = addressOf(view.id);
  const isCalm = view.enabled && view.circuit.state === "closed";
  return (
    <div class="acts">
      <Act to={`${here}/test`} label="Send a test">
        <Token />
      </Act>
      {isCalm ? null : (
        <Act to={`${here}/enable`} label="Turn on" main>
          <Token />
        </Act>
      )}
      {view.enabled ? (
        <Act to={`${here}/disable`} label="Turn off">
          <Token />
        </Act>
      ) : null}
    </div>
  );
}

function About({ endpoint: { view, eventTypes }, now }: Props): JSX.Element {
  const { stats, circuit } = view;
  const { openedAt, nextProbeAt } = circuit;
  const pauses: (readonly [string, Child])[] =
    openedAt === null
      ? []
      : [
          [
            "Calls",
            <>
              <Pill tone="bad">stopped</Pill> after failures in a row,{" "}
              <Instant at={Date.parse(openedAt)} now={now} />
              {nextProbeAt === null ? null : (
                <>
                  ; tried again <Instant at={Date.parse(nextProbeAt)} now={now} />
                </>
              )}
            </>,
          ],
        ];
  const { p50Ms, p99Ms } = stats;
  const times = p50Ms === null ? "" : `, half within ${p50Ms} ms, nearly all within ${p99Ms} ms`;
  return (
    <Facts
      facts={[
        ["State", <State state={stateOf(view.state)} now={now} />],
        ...pauses,
        ["Hears of", eventTypes.includes("*") ? "all types" : eventTypes.join(", ")],
        ["Last 24 hours", `${stats.delivered24h} delivered, ${stats.failed24h} failed${times}`],
        ["Left over", `${stats.pending} waiting, ${stats.dead} dead`],
      ]}
    />
  );
}

function Recover({ here, dead }: { here: string; dead: number }): JSX.Element {
  return (
    <>
      <h2>Recover</h2>
      <p class="quiet">
        {dead === 1 ? "One message was" : `${dead} messages were`} given up after too many failures.
      </p>
      <div class="acts">
        <Act to={`${here}/recover`} label="Send again" main>
          <Token />
          <Hours label="Send again what died in" />
        </Act>
      </div>
    </>
  );
}
