import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { instanceDestinationId } from "../../delivery/destination";
import { type Reason, WORDS } from "../../operations/deliveries/because";
import type { Attention } from "../../instances/attention";
import { marked } from "../parts";
import { Act, Instant, Pill } from "../parts";
import { State } from "../state";
import {
  type DeadCause,
  SHOWN,
  type TroubledCallback,
  type TroubledInstance,
  type Troubles,
} from "./trouble";

/** What needs attention, each with what mends it. */
export function NeedsAttention(props: { troubles: Troubles; now: number }): JSX.Element {
  const { troubles, now } = props;
  const { instances, callbacks, causes } = troubles;
  const isCalm = instances.length + callbacks.length + causes.length === 0;
  return (
    <>
      <h2>Needs attention</h2>
      {isCalm ? (
        <p class="card">
          <Pill tone="good">all well</Pill> Nothing that is known of needs you.
        </p>
      ) : null}
      <Group title="Accounts" all={instances} more="/console/instances">
        {(one) => <InstanceItem instance={one} now={now} />}
      </Group>
      <Group title="Callbacks" all={callbacks} more="/console/destinations">
        {(one) => <CallbackItem callback={one} now={now} />}
      </Group>
      <Group title="Dead letters" all={causes} more="/console/destinations">
        {(one) => <CauseItem cause={one} now={now} />}
      </Group>
    </>
  );
}

function Group<Item>(props: {
  title: string;
  all: readonly Item[];
  /** Where the others are. */
  more: string;
  children: (item: Item) => Child;
}): JSX.Element | null {
  const { title, all, more, children } = props;
  if (all.length === 0) return null;
  return (
    <>
      <h3 class="quiet">{title}</h3>
      <ul class="attention">{all.slice(0, SHOWN).map((item) => children(item))}</ul>
      {all.length < SHOWN ? null : (
        <p class="more small">
          <a href={more}>There may be more</a>
        </p>
      )}
    </>
  );
}

/** One thing: what it is called, how it stands, why; and at its side what mends it. */
function Item(props: {
  name: string;
  href: string | undefined;
  state: Child;
  why: Child;
  act: Child;
}): JSX.Element {
  const { name, href, state, why, act } = props;
  return (
    <li class="mend">
      <div>
        <b>{href === undefined ? name : <a href={href}>{name}</a>}</b> {state}
        <span class="event small">{why}</span>
      </div>
      <div class="acts">{act}</div>
    </li>
  );
}

function InstanceItem(props: { instance: TroubledInstance; now: number }): JSX.Element {
  const { id, name, reasons } = props.instance;
  const [first, ...rest] = reasons;
  const isDeaf = first?.code === "nothing-arrives";
  const told = isDeaf ? rest : reasons;
  const [reason, ...others] = told;
  return (
    <Item
      name={name}
      href={`/console/instances/${id}`}
      state={
        <>
          {isDeaf ? <Pill tone="bad">nothing arrives</Pill> : null}
          {reason === undefined ? null : <Why reason={reason} now={props.now} />}
        </>
      }
      why={
        <>
          {reason === undefined ? null : marked(reason.message)}
          {others.length === 0 ? null : `; and ${others.length} more`}
        </>
      }
      act={<Mend id={id} code={reason?.code} />}
    />
  );
}

function Why({ reason, now }: { reason: Attention; now: number }): JSX.Element {
  return (
    <>
      {" "}
      <Pill tone="wait">{reason.code.replaceAll("-", " ")}</Pill>
      {reason.since === undefined ? null : (
        <span class="small quiet">
          {" "}
          since <Instant at={reason.since} now={now} />
        </span>
      )}
    </>
  );
}

/** What mends an instance by one click, or the very page on which it is mended. */
function Mend({ id, code }: { id: number; code: string | undefined }): JSX.Element {
  const here = `/console/instances/${id}`;
  if (code === "poller-off" || code === "disabled")
    return <Act to={`${here}/enable`} label="Enable" main />;
  if (code === "registration-failed")
    return <Act to={`${here}/enable`} label="Register again" main />;
  if (code === "not-authenticated") return <Act to={`${here}/reconnect`} label="Reconnect" main />;
  if (code === "callback-paused")
    return (
      <Act
        to={`/console/destinations/${instanceDestinationId(id)}/enable`}
        label="Enable callback"
        main
      />
    );
  const isUntaken = code === "deliveries-refused" || code === "deliveries-ignored";
  return (
    <a class="button" href={isUntaken ? `${here}#untaken` : `${here}/edit`}>
      {isUntaken ? "See why" : "Set up"}
    </a>
  );
}

function CallbackItem(props: { callback: TroubledCallback; now: number }): JSX.Element {
  const { id, name, href, url, state, circuit, isOwn } = props.callback;
  const isOpen = circuit !== undefined && circuit.state !== "closed";
  const isOff = state.name !== "degraded";
  const here = `/console/destinations/${encodeURIComponent(id)}`;
  return (
    <Item
      name={name}
      href={href}
      state={
        <>
          <State state={state} now={props.now} />
          {isOpen ? <Pill tone="bad">circuit open</Pill> : null}
          {isOpen && circuit.nextProbeAt !== null ? (
            <span class="small quiet">
              {" "}
              tried again <Instant at={circuit.nextProbeAt} now={props.now} />
            </span>
          ) : null}
        </>
      }
      why={<span class="quiet">{url}</span>}
      act={
        isOwn ? null : (
          <>
            {url === null ? null : <Act to={`${here}/test`} label="Test" />}
            {isOff || isOpen ? (
              <Act to={`${here}/enable`} label={isOff ? "Enable" : "Try now"} main />
            ) : null}
          </>
        )
      }
    />
  );
}

/** How far back the button delivers again: as long as events are kept at most. */
const RECOVERED_HOURS = "168";

function CauseItem({ cause, now }: { cause: DeadCause; now: number }): JSX.Element {
  const { destinationId, name, href, n, last, reason, to } = cause;
  const here = `/console/destinations/${encodeURIComponent(destinationId)}`;
  return (
    <Item
      name={name}
      href={href}
      state={
        <>
          <Pill tone="bad">{`${n.toLocaleString("en-US")} dead`}</Pill>
          <span class="small quiet">
            {" "}
            the latest <Instant at={last} now={now} />
          </span>
        </>
      }
      why={wordsOf(reason)}
      act={
        to === "gone" ? null : to === "paused" ? (
          <Act to={`${here}/enable`} label="Enable" main />
        ) : (
          <Act to={`${here}/recover`} label="Recover" main>
            <input type="hidden" name="hours" value={RECOVERED_HOURS} />
          </Act>
        )
      }
    />
  );
}

const wordsOf = (reason: string | null): string =>
  reason !== null && Object.hasOwn(WORDS, reason) ? WORDS[reason as Reason] : (reason ?? "");
