import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { EndUser } from "../../accounts/users/admin.store";
import type { BriefFlow } from "../../flows/list/store";
import { EXAMPLES } from "../examples";
import { Empty, Instant, Pill, Table } from "../parts";

/** A flow's types, in words. */
const TYPES: Record<string, string> = {
  automation: "automation",
  "integration-draft": "draft of a template",
  "integration-template": "template",
  "integration-instance": "made of a template",
  "integration-test": "test of a template",
  "integration-instance-draft": "draft of a change",
};
export const typeInWords = (type: string): string => TYPES[type] ?? type;

export const nameOf = ({ username, email }: Pick<EndUser, "username" | "email">): string =>
  username ?? email;

export function UserState({ user }: { user: EndUser }): JSX.Element {
  if (user.deletingAt !== null) return <Pill tone="bad">being deleted</Pill>;
  return user.isActive ? <Pill tone="good">active</Pill> : <Pill tone="off">switched off</Pill>;
}

export const Stage = ({ stage }: { stage: BriefFlow["stage"] }): JSX.Element => (
  <Pill tone={stage === "running" ? "good" : "off"}>{stage}</Pill>
);

/** Where a list goes on. */
export const More = ({ to }: { to: string | null }): JSX.Element | null =>
  to === null ? null : (
    <p class="more">
      <a href={to}>More</a>
    </p>
  );

type Counts = ReadonlyMap<number, { all: number; running: number }>;

/** The end users of the organization's apps. */
export function UserList(props: {
  users: EndUser[];
  counts: Counts;
  search: string;
  next: string | null;
  now: number;
}): JSX.Element {
  const { users, counts, search, next, now } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Apps</h1>
          <p class="quiet">The users of your apps, and the flows that their events start</p>
        </div>
        <div class="acts">
          <a class="button" href="/console/apps/templates">
            Templates
          </a>
        </div>
      </div>
      <form method="get" action="/console/apps" class="find" role="search">
        <label for="search">Name or address</label>
        <input id="search" name="search" type="search" value={search} />
        <button>Search</button>
      </form>
      {users.length === 0 ? (
        <NoUser search={search} />
      ) : (
        <Table
          heads={["User", "State", "Flows", "Plan", "Since"]}
          rows={users.map((user) => userRow(user, counts, now))}
        />
      )}
      {search === "" && users.length === 1 && next === null ? (
        <Empty
          title="Only the user in whose name your keys act"
          text="A user of your app is somebody whose events start their flows. This makes a first one:"
          example={EXAMPLES.appUser}
        />
      ) : null}
      <More to={next} />
    </>
  );
}

function NoUser({ search }: { search: string }): JSX.Element {
  return search === "" ? (
    <Empty
      title="No user yet"
      text="A user is somebody who uses your app: their events start their flows. This makes a first one:"
      example={EXAMPLES.appUser}
    />
  ) : (
    <Empty title="Nobody is called that" text={`No user name or address contains “${search}”.`} />
  );
}

function userRow(user: EndUser, counts: Counts, now: number): Child[] {
  const { all, running } = counts.get(user.id) ?? { all: 0, running: 0 };
  return [
    <>
      <a class="event" href={`/console/apps/users/${user.id}`}>
        {nameOf(user)}
      </a>
      {user.username === null || user.username === user.email ? null : (
        <span class="small quiet">{user.email}</span>
      )}
    </>,
    <UserState user={user} />,
    <span class="num">{all === 0 ? "none" : `${all}, ${running} running`}</span>,
    user.plan,
    <Instant at={user.createdAt} now={now} />,
  ];
}

/** Flows, those that were changed last first. */
export function FlowTable(props: {
  flows: BriefFlow[];
  names?: ReadonlyMap<number, string>;
  now: number;
}): JSX.Element {
  const { flows, names, now } = props;
  return (
    <Table
      heads={["Flow", ...(names === undefined ? [] : ["User"]), "State", "Kind", "Changed"]}
      rows={flows.map((flow) => [
        <a href={`/console/apps/flows/${flow.id}`}>
          {flow.name === "" ? "without a name" : flow.name}
        </a>,
        ...(names === undefined
          ? []
          : [
              <a href={`/console/apps/users/${flow.userId}`}>
                {names.get(flow.userId) ?? "a user who is gone"}
              </a>,
            ]),
        <Stage stage={flow.stage} />,
        typeInWords(flow.type),
        <Instant at={flow.mtime} now={now} />,
      ])}
    />
  );
}

/** The templates of all users. */
export function TemplateList(props: {
  flows: BriefFlow[];
  names: ReadonlyMap<number, string>;
  next: string | null;
  now: number;
}): JSX.Element {
  return (
    <>
      <div class="head">
        <div>
          <h1>Templates</h1>
          <p class="quiet">What was published for others to activate; each page says who did</p>
        </div>
      </div>
      {props.flows.length === 0 ? (
        <Empty
          title="No template yet"
          text="Open a flow of the kind “draft of a template” and publish it. Any user may make one: “Make a draft” on the page of a flow copies it as such."
        />
      ) : (
        <FlowTable flows={props.flows} names={props.names} now={props.now} />
      )}
      <More to={props.next} />
    </>
  );
}
