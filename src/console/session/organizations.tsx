import type { JSX } from "hono/jsx/jsx-runtime";
import type { OwnOrganization } from "../../accounts/members/store";
import { Instant, Pill, Table } from "../parts";

/** The organizations of a member, and a way from one to another. */
export function OrganizationsPage(props: {
  organizations: OwnOrganization[];
  /** The id of the one that this browser looks at. */
  current: number;
  now: number;
}): JSX.Element {
  const { organizations, current, now } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Organizations</h1>
          <p class="quiet">
            Those you belong to. Each browser looks at one at a time, with your role there.
          </p>
        </div>
      </div>
      <Table
        heads={["Organization", "Your role", "Last seen there", ""]}
        rows={organizations.map(({ id, name, role, lastSeenAt }) => [
          name,
          role,
          lastSeenAt === null ? "never" : <Instant at={lastSeenAt} now={now} />,
          id === current ? (
            <Pill tone="good">this one</Pill>
          ) : (
            <form method="post" action={`/console/organizations/${id}/switch`}>
              <button>Switch</button>
            </form>
          ),
        ])}
      />
    </>
  );
}
