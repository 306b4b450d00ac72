import type { JSX } from "hono/jsx/jsx-runtime";
import { useContext } from "hono/jsx";
import type { EndUser } from "../../accounts/users/admin.store";
import type { BriefFlow } from "../../flows/list/store";
import { Deliveries, type Row } from "../deliveries/list";
import { eventsAddress } from "../events/search";
import { EXAMPLES } from "../examples";
import { Act, Command, Empty, Facts, Instant, MayChange, TenantLink } from "../parts";
import { Faults, Field, type FormFault } from "../form";
import { FlowTable, More, nameOf, UserState } from "./users";

/** What somebody typed who fires an event, or makes a flow. */
export type Typed = { faults: FormFault[]; values: Record<string, string> };
const NOTHING: Typed = { faults: [], values: {} };

type Shown = {
  user: EndUser;
  flows: BriefFlow[];
  nextFlows: string | null;
  rows: Row[];
  older: string | null;
  now: number;
  event?: Typed;
  flow?: Typed;
};

/** One user of an app: their flows and what ran. */
export function UserPage(props: Shown): JSX.Element {
  const { user, flows, nextFlows, rows, older, now } = props;
  const mayAct = useContext(MayChange) && user.isActive && user.deletingAt === null;
  return (
    <>
      <div class="head">
        <div>
          <h1>{nameOf(user)}</h1>
          <p class="quiet">User of your app</p>
        </div>
        <Acts user={user} />
      </div>
      <Facts
        facts={[
          ["State", <UserState user={user} />],
          ["Address", user.email],
          ["Plan", user.plan],
          ...(user.tenant === null ? [] : [["Tenant", <TenantLink id={user.tenant} />] as const]),
          ["Since", <Instant at={user.createdAt} now={now} />],
        ]}
      />
      <h2>Flows</h2>
      {flows.length === 0 ? (
        <Empty title="No flow yet" text="A flow says what an event of this user starts." />
      ) : (
        <FlowTable flows={flows} now={now} />
      )}
      <More to={nextFlows} />
      {mayAct ? <NewFlow user={user} typed={props.flow ?? NOTHING} /> : null}
      <h2>Fire a test event</h2>
      {mayAct ? <Fire user={user} typed={props.event ?? NOTHING} /> : null}
      <details>
        <summary>As your app sends it</summary>
        <Command example={EXAMPLES.appEvent} />
      </details>
      <Runs user={user} rows={rows} older={older} now={now} />
    </>
  );
}

function Runs(props: Pick<Shown, "user" | "rows" | "older" | "now">): JSX.Element {
  const { user, rows, older, now } = props;
  return (
    <>
      <h2>Runs</h2>
      <p>
        <a href={eventsAddress({ source: `user:${user.id}` })}>
          Search what this user’s app sent, or deliver it again
        </a>
      </p>
      {rows.length === 0 ? (
        <Empty title="Nothing ran yet" text="Each step that an event starts shows here." />
      ) : (
        <Deliveries rows={rows} now={now} />
      )}
      {older === null ? null : (
        <p class="more">
          <a href={older}>Older</a>
        </p>
      )}
    </>
  );
}

function Acts({ user }: { user: EndUser }): JSX.Element | null {
  const here = `/console/apps/users/${user.id}`;
  // The organization's keys act in the name of an admin.
  if (user.deletingAt !== null || (user.role === "admin" && user.isActive)) return null;
  return (
    <div class="acts">
      {user.isActive ? (
        <Act to={`${here}/disable`} label="Switch off" />
      ) : (
        <Act to={`${here}/enable`} label="Switch on" main />
      )}
    </div>
  );
}

function NewFlow({ user, typed }: { user: EndUser; typed: Typed }): JSX.Element {
  const { faults, values } = typed;
  return (
    <details open={faults.length > 0}>
      <summary>New flow</summary>
      <Faults faults={faults} />
      <form method="post" action={`/console/apps/users/${user.id}/flows`} class="card form">
        <Field id="flow-name" name="name" label="Name" value={values["name"] ?? ""} required />
        <Field
          id="flow-event"
          name="event"
          label="Event that starts it"
          value={values["event"] ?? ""}
          placeholder="contact-created"
          required
        />
        <Field
          id="flow-url"
          name="url"
          label="Callback URL"
          value={values["url"] ?? ""}
          placeholder="https://your-app.example/hook"
          hint="Where the event’s data is sent. You can change everything of it afterwards."
          required
        />
        <Field
          id="flow-example"
          name="eventDataExample"
          label="Example of the event’s data, as JSON"
          value={values["eventDataExample"] ?? ""}
          placeholder={'{"email": "ada@example.com"}'}
          lines={4}
        />
        <button class="main">Create flow</button>
      </form>
    </details>
  );
}

/** A form that sends an app event in a user's name. */
export function Fire(props: {
  user: Pick<EndUser, "id">;
  typed: Typed;
  flowId?: string;
}): JSX.Element {
  const { user, typed, flowId } = props;
  const { faults, values } = typed;
  return (
    <>
      <Faults faults={faults} />
      <form method="post" action={`/console/apps/users/${user.id}/events`} class="card form">
        {flowId === undefined ? null : <input type="hidden" name="flow" value={flowId} />}
        <Field
          id="event-name"
          name="event"
          label="Event"
          value={values["event"] ?? ""}
          placeholder="contact-created"
          required
        />
        <Field
          id="event-data"
          name="data"
          label="Data, as JSON"
          value={values["data"] ?? "{}"}
          lines={5}
        />
        <button class="main">Fire event</button>
      </form>
    </>
  );
}
