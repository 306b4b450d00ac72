import type { JSX } from "hono/jsx/jsx-runtime";
import { Instant, Table } from "../parts";
import { browserName } from "./browser-name";

export type OwnSession = {
  id: string;
  address: string;
  userAgent: string;
  /** Epoch ms. */
  createdAt: number;
  seenAt: number;
  endsAt: number;
  /** Whether it is the one that looks at the page. */
  isThis: boolean;
};

/** Where somebody is signed in. */
export function SessionsPage(props: { sessions: OwnSession[]; now: number }): JSX.Element {
  const { sessions, now } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Sessions</h1>
          <p class="quiet">
            Browsers where you are signed in. A session ends 12 hours after it was last used, and 30
            days after you signed in.
          </p>
        </div>
        {sessions.length < 2 ? null : (
          <form method="post" action="/console/sessions/end-others">
            <button>Sign out everywhere else</button>
          </form>
        )}
      </div>
      <Table
        heads={["Browser", "Address", "Signed in", "Last used", "Ends", ""]}
        rows={sessions.map((session) => [
          <span title={session.userAgent}>{browserName(session.userAgent)}</span>,
          session.address,
          <Instant at={session.createdAt} now={now} />,
          session.isThis ? "this one" : <Instant at={session.seenAt} now={now} />,
          <Instant at={session.endsAt} now={now} />,
          <form method="post" action={`/console/sessions/${session.id}/end`}>
            <button>Sign out</button>
          </form>,
        ])}
      />
    </>
  );
}
