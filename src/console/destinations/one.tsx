import type { Child } from "hono/jsx";
import { useContext } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { DestinationView } from "../../operations/destinations/view";
import { eventsAddress } from "../events/search";
import { Act, Facts, Instant, MayChange, Of, Pill, TenantLink } from "../parts";
import { State, stateOf } from "../state";
import { addressOf } from "./back";
import { Typings } from "../fields/controls";
import { DestinationForm, type FormProps } from "./new";
import { Hours } from "./page";

type Props = FormProps & {
  name: string;
  /** The page of what it belongs to; undefined: that has none. */
  owner: string | undefined;
  view: DestinationView;
  now: number;
};

/** One destination: how it stands, what may be done about it, and how it is changed. */
export function DestinationPage(props: Props): JSX.Element {
  const { name, view, parts, typed } = props;
  const here = addressOf(view.id);
  return (
    <>
      <div class="head">
        <div>
          <h1>{name}</h1>
          <p class="quiet">
            {KINDS[view.kind]} {view.id}
          </p>
        </div>
        <Acts view={view} />
      </div>
      <About {...props} />
      <p class="more">
        <a href={eventsAddress({ destinationId: view.id })}>What was sent to it</a>
      </p>
      {useContext(MayChange) ? (
        <>
          <h2>Change</h2>
          <DestinationForm {...props} to={here} label="Save" />
          {view.kind === "endpoint" ? <Delete {...props} /> : null}
        </>
      ) : (
        <>
          <h2>Settings</h2>
          <Typings fields={parts.flatMap(({ fields }) => fields)} typed={typed} />
        </>
      )}
    </>
  );
}

const KINDS: Record<DestinationView["kind"], string> = {
  instance: "Callback of an instance,",
  subscription: "Callback of a subscription,",
  webhook: "Webhook of a resource,",
  "flow-step": "Step of a flow,",
  operations: "Operational callback,",
  endpoint: "Endpoint",
};

const OWNERS: Partial<typeof KINDS> = { instance: "its instance", "flow-step": "its flow" };

function Acts({ view }: { view: DestinationView }): JSX.Element {
  const here = addressOf(view.id);
  const back = <input type="hidden" name="next" value={here} />;
  const isCalm = view.enabled && view.circuit.state === "closed";
  return (
    <div class="acts">
      {view.url === null ? null : (
        <Act to={`${here}/test`} label="Send a test">
          {back}
        </Act>
      )}
      {isCalm || view.state.name === "paused by tenant" ? null : (
        <Act to={`${here}/enable`} label="Enable" main>
          {back}
        </Act>
      )}
      {view.enabled ? (
        <Act to={`${here}/disable`} label="Disable">
          {back}
        </Act>
      ) : null}
      <a class="button" href={`${here}/keys`}>
        Signing keys
      </a>
      {view.stats.dead === 0 ? null : (
        <Act to={`${here}/recover`} label="Recover">
          {back}
          <Hours label="Deliver again what died in" />
        </Act>
      )}
      {view.stats.pending === 0 ? null : (
        <Act to={`${here}/cancel`} label="Cancel">
          {back}
          <Hours label="Cancel what waits and was made in" />
        </Act>
      )}
    </div>
  );
}

function About({ view, owner, now }: Props): JSX.Element {
  const { stats, circuit, tenant } = view;
  const { openedAt, nextProbeAt } = circuit;
  const { p50Ms, p99Ms } = stats;
  const times = p50Ms === null ? "" : `, half within ${p50Ms} ms, nearly all within ${p99Ms} ms`;
  const facts: (readonly [string, Child] | false)[] = [
    ["Address", view.url ?? "none"],
    owner !== undefined && ["Belongs to", <a href={owner}>{OWNERS[view.kind]}</a>],
    typeof tenant === "string" && ["Tenant", <TenantLink id={tenant} />],
    ["State", <State state={stateOf(view.state)} now={now} />],
    openedAt !== null && [
      "Circuit",
      <>
        <Pill tone="bad">open</Pill> since <Instant at={Date.parse(openedAt)} now={now} />
        {nextProbeAt === null ? null : (
          <>
            , tried again <Instant at={Date.parse(nextProbeAt)} now={now} />
          </>
        )}
      </>,
    ],
    ["Last 24 hours", `${stats.delivered24h} delivered, ${stats.failed24h} failed${times}`],
    ["Left over", `${stats.pending} waiting, ${stats.dead} dead`],
  ];
  return <Facts facts={facts.filter((fact) => fact !== false)} />;
}

/** A second step, which says what goes with it. */
function Delete({ view, organizationId }: Props): JSX.Element {
  const { pending, dead } = view.stats;
  const removed = [
    "its settings",
    "its signing keys",
    ...(pending === 0 ? [] : [`what waits for it (${pending})`]),
    ...(dead === 0 ? [] : [`the way to recover what is dead (${dead})`]),
  ];
  return (
    <>
      <h2>Delete</h2>
      <details>
        <summary>Delete this endpoint</summary>
        <form method="post" action={`${addressOf(view.id)}/delete`} class="card form">
          <Of id={organizationId} />
          <p>
            Removed are {removed.slice(0, -1).join(", ")} and {removed.at(-1)}. What was sent to it
            stays to be looked at until retention ends.
          </p>
          <button>Delete it for good</button>
        </form>
      </details>
    </>
  );
}
