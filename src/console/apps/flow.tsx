import { useContext } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Fault } from "../../flows/descriptor";
import type { Flow } from "../../flows/flow";
import type { Hit } from "../../flows/logs/hits";
import type { Unprocessed } from "../../flows/unprocessed/store";
import type { NotificationView } from "../../stream/history";
import { Act, Copyable, Empty, Facts, Instant, MayChange, Table } from "../parts";
import { Diagram } from "./diagram";
import { Faults, type FormFault } from "../form";
import { Calls, Messages, Runs } from "./runs";
import { Sharing } from "./sharing";
import type { Drawn, Step } from "./steps";
import { Activations, type Activation } from "./templates";
import { Fire, type Typed } from "./user";
import { Stage, typeInWords } from "./users";

export type FlowShown = {
  flow: Flow;
  owner: string;
  drawn: Drawn | undefined;
  /** Why what was asked of it was not done. */
  refused: FormFault[];
  /** What keeps it from being started. */
  faults: Fault[];
  /** The addresses of its webhooks. */
  addresses: { step: Step; url: string }[];
  messages: Unprocessed[];
  nextMessages: string | null;
  views: NotificationView[];
  older: string | null;
  calls: Hit[];
  /** Of a template: who activated it. */
  activations: { items: Activation[]; total: number; next: string | null } | undefined;
  event: Typed | undefined;
  shareFaults: FormFault[];
  now: number;
};

/** One flow: what it does, how it stands, what ran and what didn't. */
export function FlowPage(props: FlowShown): JSX.Element {
  const { flow, owner, drawn, faults, activations, messages, nextMessages, now } = props;
  const steps = new Map((drawn?.steps ?? []).map((step) => [step.id, step]));
  return (
    <>
      <div class="head">
        <div>
          <h1>{flow.name === "" ? "without a name" : flow.name}</h1>
          <p class="quiet">
            {typeInWords(flow.type)} of <a href={`/console/apps/users/${flow.userId}`}>{owner}</a>
          </p>
        </div>
        <Acts flow={flow} />
      </div>
      <Faults faults={props.refused} title="That was not done:" />
      <About flow={flow} now={now} />
      <Unready faults={faults} flow={flow} steps={steps} />
      <h2>What it does</h2>
      {drawn === undefined || drawn.steps.length === 0 ? (
        <Empty title="Nothing yet" text="Edit it: a trigger first, then the steps below it." />
      ) : (
        <Steps drawn={drawn} name={flow.name} />
      )}
      <Addresses addresses={props.addresses} />
      {activations === undefined ? null : <Activations flow={flow} {...activations} />}
      <Messages rows={messages} steps={steps} next={nextMessages} now={now} />
      <TestEvent flow={flow} event={props.event} />
      <h2>Runs</h2>
      <Runs views={props.views} steps={steps} now={now} />
      {props.older === null ? null : (
        <p class="more">
          <a href={props.older}>Older</a>
        </p>
      )}
      <Calls hits={props.calls} now={now} />
      <Sharing flow={flow} faults={props.shareFaults} />
      <Removal flow={flow} />
    </>
  );
}

function Acts({ flow }: { flow: Flow }): JSX.Element {
  const here = `/console/apps/flows/${flow.id}`;
  const isDraft = flow.type.endsWith("-draft");
  return (
    <div class="acts">
      {flow.stage === "running" ? (
        <Act to={`${here}/stop`} label="Stop" />
      ) : (
        <Act to={`${here}/start`} label="Start" main />
      )}
      {isDraft ? <Act to={`/console/apps/drafts/${flow.id}/publish`} label="Publish" /> : null}
      {flow.type === "automation" ? <Act to={`${here}/draft`} label="Make a draft" /> : null}
      <a class="button" href={`${here}/edit`}>
        {useContext(MayChange) ? "Edit" : "As JSON"}
      </a>
    </div>
  );
}

function About({ flow, now }: { flow: Flow; now: number }): JSX.Element {
  return (
    <Facts
      facts={[
        ["State", <Stage stage={flow.stage} />],
        ...(flow.description === "" ? [] : [["Description", flow.description] as const]),
        ["Started", flow.started === null ? "never" : <Instant at={flow.started} now={now} />],
        [
          "Changed",
          <>
            <Instant at={flow.mtime} now={now} /> (revision {flow.revision})
          </>,
        ],
        ...(flow.originFlowId === null
          ? []
          : [
              [
                "Made of",
                <a href={`/console/apps/flows/${flow.originFlowId}`}>
                  the flow it was copied from
                </a>,
              ] as const,
            ]),
      ]}
    />
  );
}

function Unready(props: {
  faults: Fault[];
  flow: Flow;
  steps: ReadonlyMap<string, Step>;
}): JSX.Element | null {
  const { faults, flow, steps } = props;
  if (faults.length === 0) return null;
  return (
    <>
      <h2>Before it can start</h2>
      <ul class="attention">
        {faults.map(({ componentId, field, message }) => (
          <li>
            <a href={`/console/apps/flows/${flow.id}/edit#step-${componentId ?? ""}`}>
              {steps.get(componentId ?? "")?.name ?? componentId ?? "the flow"}
            </a>{" "}
            <span class="small quiet">{field}</span>
            <span class="event">{message}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

const AFTER_ERROR: Record<Step["onError"], string> = {
  storeUnprocessed: "is kept as unprocessed",
  errorPort: "goes on at its error port",
  stopFlow: "stops the flow",
};

function Steps({ drawn, name }: { drawn: Drawn; name: string }): JSX.Element {
  const names = new Map(drawn.steps.map((step) => [step.id, step.name]));
  const after = ({ id, port }: Step["after"][number]): string =>
    `${names.get(id) ?? id}${port === "error" ? ", when it fails" : ""}`;
  return (
    <div class="stack">
      <Diagram drawn={drawn} label={`${name} as a diagram; the table below says the same`} />
      <Table
        heads={["Step", "Does", "After", "A failure"]}
        rows={drawn.steps.map((step) => [
          <b>{step.name}</b>,
          step.does,
          step.trigger === undefined ? step.after.map(after).join(" or ") : "starts the flow",
          step.trigger === undefined ? AFTER_ERROR[step.onError] : "",
        ])}
      />
    </div>
  );
}

const callOf = (url: string): string => `curl -X POST '${url}' \\
  -H 'Content-Type: application/json' \\
  -d '{"hello": "world"}'`;

function Addresses({ addresses }: Pick<FlowShown, "addresses">): JSX.Element | null {
  const mayChange = useContext(MayChange);
  if (addresses.length === 0) return null;
  return (
    <>
      <h2>Webhook</h2>
      {mayChange ? (
        <div class="stack">
          {addresses.map(({ step, url }) => (
            <>
              <p class="quiet">
                A call of this address starts {step.name}; keep it to yourself and the caller:
              </p>
              <Copyable text={callOf(url)} label={`the command that starts ${step.name}`} />
            </>
          ))}
        </div>
      ) : (
        <p class="quiet">Whoever has its address may start the flow: editors see it here.</p>
      )}
    </>
  );
}

function TestEvent({ flow, event }: { flow: Flow; event: Typed | undefined }): JSX.Element | null {
  const mayChange = useContext(MayChange);
  if (event === undefined || !mayChange) return null;
  return (
    <details>
      <summary>Fire a test event</summary>
      <Fire user={{ id: flow.userId }} typed={event} flowId={flow.id} />
    </details>
  );
}

function Removal({ flow }: { flow: Flow }): JSX.Element | null {
  if (!useContext(MayChange)) return null;
  return (
    <details class="more">
      <summary>Delete this flow</summary>
      <p>
        It stops at once, and its steps, its webhook’s address and its unprocessed messages go with
        it.
      </p>
      <Act to={`/console/apps/flows/${flow.id}/delete`} label="Delete for good" />
    </details>
  );
}
