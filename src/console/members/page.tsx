import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { type Role, ROLES } from "../../accounts/members/role";
import type { MemberState } from "../../accounts/members/state";
import { Copyable, Instant, Of, Pill, Table, type Tone } from "../parts";

export type ShownMember = {
  id: number;
  email: string;
  role: Role;
  state: MemberState;
  /** Epoch ms. */
  lastSeenAt: number | null;
};

const TONES: Record<MemberState, Tone> = { active: "good", invited: "wait", expired: "off" };

/** What each role may do, in words. */
const MAY: Record<Role, string> = {
  viewer: "looks at everything",
  editor: "changes everything but members and keys",
  owner: "changes everything",
};

/** A one-time link that was just made: it is shown on this page, and never again. */
export type NewLink = { email: string; link: string; days: number };

type Shown = {
  members: ShownMember[];
  /** Who looks at the page. */
  self: number;
  isOwner: boolean;
  organizationId: number;
  now: number;
};

/** Who operates the organization; owners manage them here. */
export function MembersPage(
  props: Shown & { made?: NewLink; fault?: string; email?: string },
): JSX.Element {
  const { members, isOwner, made, fault } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Members</h1>
          <p class="quiet">
            Who signs in here, and as what.
            {isOwner ? "" : " Owners invite and remove members, and give them their roles."}
          </p>
        </div>
      </div>
      {fault === undefined ? null : (
        <p class="notice bad" role="alert">
          {fault}
        </p>
      )}
      {made === undefined ? null : <LinkOnce made={made} />}
      <Table
        heads={["Member", "Role", "State", "Last seen", ...(isOwner ? [""] : [])]}
        rows={members.map((member) => row(member, props))}
      />
      {isOwner ? <Invite organizationId={props.organizationId} email={props.email ?? ""} /> : null}
    </>
  );
}

function row(member: ShownMember, shown: Shown): Child[] {
  const { id, email, role, state, lastSeenAt } = member;
  return [
    <>
      <b>{email}</b>
      {id === shown.self ? <span class="quiet"> · you</span> : null}
    </>,
    role,
    <Pill tone={TONES[state]}>{state}</Pill>,
    lastSeenAt === null ? (
      <span class="quiet">never</span>
    ) : (
      <Instant at={lastSeenAt} now={shown.now} />
    ),
    ...(shown.isOwner ? [<Manage member={member} shown={shown} />] : []),
  ];
}

function LinkOnce({ made: { email, link, days } }: { made: NewLink }): JSX.Element {
  return (
    <section class="notice good link" role="status">
      <p>
        Send this link to {email}. It is shown this once only, and is good once, for{" "}
        {days === 1 ? "a day" : `${days} days`}.
      </p>
      <Copyable text={link} label="the link" />
    </section>
  );
}

function Invite(props: { organizationId: number; email: string }): JSX.Element {
  return (
    <>
      <h2>Invite a member</h2>
      <form method="post" action="/console/members" class="invite">
        <Of id={props.organizationId} />
        <label>
          E-mail
          <input type="email" name="email" value={props.email} autocomplete="off" required />
        </label>
        <label>
          Role
          <Roles chosen="viewer" />
        </label>
        <button class="main">Invite</button>
      </form>
      <ul class="quiet small">
        {ROLES.map((role) => (
          <li>
            <b>{role}</b> {MAY[role]}
          </li>
        ))}
      </ul>
    </>
  );
}

const Roles = ({ chosen }: { chosen: Role }): JSX.Element => (
  <select name="role" aria-label="Role">
    {ROLES.map((role) => (
      <option value={role} selected={role === chosen}>
        {role}
      </option>
    ))}
  </select>
);

function Manage({ member, shown }: { member: ShownMember; shown: Shown }): JSX.Element {
  const { id, role, state } = member;
  const isActive = state === "active";
  const act = (what: string, label: string, field?: Child) => (
    <form method="post" action={`/console/members/${id}/${what}`}>
      <Of id={shown.organizationId} />
      {field}
      <button>{label}</button>
    </form>
  );
  return (
    <details>
      <summary>Manage</summary>
      <div class="acts manage">
        {act("role", "Change role", <Roles chosen={role} />)}
        {act("link", isActive ? "New password link" : "New invitation")}
        {isActive ? act("end-sessions", "End sessions") : null}
        {isActive && id !== shown.self && role !== "owner"
          ? act("transfer", "Hand my ownership over")
          : null}
        {act("remove", isActive ? "Remove" : "Take back")}
      </div>
    </details>
  );
}
