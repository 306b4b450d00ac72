import type { JSX } from "hono/jsx/jsx-runtime";
import type { Tenant } from "../../accounts/tenants/tenant";
import { Act, Empty, Facts, IfMayChange, Instant, Of } from "../parts";
import { publishedSource } from "../../publish/publication";
import { eventsAddress } from "../events/search";
import type { Offers } from "../fields/controls";
import { PublishForm } from "../publish/form";
import type { Faults } from "../settings/faults";
import { FormFault } from "../settings/parts";
import type { Belongings, Named } from "./belongings.io";
import { type MadeLink, TenantLinks } from "./links";
import { TenantFields } from "./fields";
import type { Typed } from "./form";
import { daysOf, TenantState } from "./list";

type Props = {
  tenant: Tenant;
  belongings: Belongings;
  /** What its people can connect by themselves. */
  connectors: readonly { key: string; name: string }[];
  /** A link for them, if one was just made. */
  made: MadeLink | undefined;
  /** What the form of an event offers. */
  offers: Offers;
  organizationId: number;
  typed: Typed;
  faults: Faults;
  now: number;
};

/** A tenant: what belongs to it, what it came to, and how it is changed. */
export function TenantPage(props: Props): JSX.Element {
  const { tenant, organizationId, typed, faults } = props;
  const address = `/console/tenants/${encodeURIComponent(tenant.id)}`;
  return (
    <>
      <div class="head">
        <div>
          <h1>{tenant.name}</h1>
          <p class="quiet">
            Tenant {tenant.id}, <TenantState tenant={tenant} />
          </p>
        </div>
        <div class="acts">
          <Act
            to={`${address}/${tenant.disabled ? "enable" : "disable"}`}
            label={tenant.disabled ? "Enable" : "Disable"}
          >
            <Of id={organizationId} />
          </Act>
        </div>
      </div>
      <FormFault faults={faults} />
      <About {...props} />
      <Owns {...props} />
      <Events {...props} />
      <IfMayChange>
        <TenantLinks {...props} address={address} />
        <h2>Change</h2>
        <form method="post" action={address} class="card settings">
          <Of id={organizationId} />
          <TenantFields typed={typed} faults={faults} />
          <button class="main">Save</button>
        </form>
        <h2>Delete</h2>
        <Delete tenant={tenant} address={address} organizationId={organizationId} />
      </IfMayChange>
    </>
  );
}

function About({ tenant, belongings: { usage }, now }: Props): JSX.Element {
  const { createdAt, rate, retentionDays } = tenant;
  return (
    <Facts
      facts={[
        ["Since", <Instant at={createdAt} now={now} />],
        ["Rate", rate === null ? "no limit" : `${rate} calls a second`],
        [
          "Kept for",
          retentionDays === null ? "as long as the organization's" : daysOf(retentionDays),
        ],
        [
          "Last 30 days",
          `${figure(usage.events)} events, ${figure(usage.delivered)} delivered, ${figure(usage.failed)} failed, $${usage.costUsd.toFixed(4)}`,
        ],
      ]}
    />
  );
}

/** What belongs to it, by kind. */
function Owns({ tenant, belongings }: Props): JSX.Element {
  const { instances, users, destinations, counts } = belongings;
  return (
    <>
      <Kind
        title="Instances"
        many={instances}
        count={counts.instances}
        none={`Tag an instance tenant:${tenant.id} to put it here.`}
      />
      <Kind
        title="Users"
        many={users}
        count={counts.users}
        none={`Make a user with "tenant": "${tenant.id}", or change one so.`}
      />
      <Kind
        title="Destinations"
        many={destinations}
        count={counts.destinations}
        none="Those of its instances and flows come with these; others are made with this tenant."
      />
      <IfMayChange>
        <p class="more">
          <a href={`/console/destinations/new?tenant=${encodeURIComponent(tenant.id)}`}>
            New endpoint
          </a>
        </p>
      </IfMayChange>
    </>
  );
}

/** What was published to it, and a form that publishes more. */
const Events = ({ tenant, offers, organizationId }: Props): JSX.Element => (
  <>
    <h2>Published events</h2>
    <p>
      <a href={eventsAddress({ source: publishedSource(tenant.id) })}>
        What was published to {tenant.name}
      </a>
    </p>
    <IfMayChange>
      <details>
        <summary>Publish an event</summary>
        <PublishForm {...{ organizationId, offers }} tenant={tenant.id} typed={{}} faults={{}} />
      </details>
    </IfMayChange>
  </>
);

const figure = (n: number): string => n.toLocaleString("en-US");

/** What belongs to a tenant of one kind. */
function Kind(props: { title: string; many: Named[]; count: number; none: string }): JSX.Element {
  const { title, many, count, none } = props;
  return (
    <>
      <h2>
        {title} {count === 0 ? null : <span class="quiet">{figure(count)}</span>}
      </h2>
      {many.length === 0 ? (
        <Empty title="None yet" text={none} />
      ) : (
        <ul>
          {many.map(({ name, href }) => (
            <li>
              <a href={href}>{name}</a>
            </li>
          ))}
          {count > many.length ? (
            <li class="quiet">and {figure(count - many.length)} more</li>
          ) : null}
        </ul>
      )}
    </>
  );
}

/** A second step, so that nobody loses a customer by a click. */
function Delete(props: { tenant: Tenant; address: string; organizationId: number }): JSX.Element {
  const { tenant, address, organizationId } = props;
  return (
    <details>
      <summary>Delete {tenant.name}, and all that is its</summary>
      <form method="post" action={`${address}/delete`} class="card settings">
        <Of id={organizationId} />
        <p>
          Its instances, users, destinations and events are deleted with it. Keys that reach nothing
          else are revoked.
        </p>
        <label>
          Type {tenant.id} to delete it
          <input name="confirm" autocomplete="off" required />
        </label>
        <button>Delete {tenant.name} for good</button>
      </form>
    </details>
  );
}
