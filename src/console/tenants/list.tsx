import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Tenant } from "../../accounts/tenants/tenant";
import { EXAMPLES } from "../examples";
import { Empty, IfMayChange, Instant, Of, Pill, Table } from "../parts";
import type { Faults } from "../settings/faults";
import { Field, FormFault } from "../settings/parts";
import { TenantFields } from "./fields";
import type { Typed } from "./form";

type Props = {
  tenants: readonly Tenant[];
  search: string;
  next: string | null;
  organizationId: number;
  typed: Typed & { id: string };
  faults: Faults;
  now: number;
};

/** The organization's tenants, a page of them, and a form to make one. */
export function TenantList(props: Props): JSX.Element {
  const { tenants, search, next, faults, now } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Tenants</h1>
          <p class="quiet">
            Your customers: instances, users, destinations and events may belong to one
          </p>
        </div>
      </div>
      <FormFault faults={faults} />
      <form method="get" action="/console/tenants" class="find" role="search">
        <label for="search">Id or name</label>
        <input id="search" name="search" type="search" value={search} />
        <button>Search</button>
      </form>
      {tenants.length === 0 ? (
        <NoTenant search={search} />
      ) : (
        <Table
          heads={["Tenant", "State", "Rate", "Kept for", "Since"]}
          rows={tenants.map((tenant) => cellsOf(tenant, now))}
        />
      )}
      {next === null ? null : (
        <p class="more">
          <a href={next}>More</a>
        </p>
      )}
      <IfMayChange>
        <h2>Make a tenant</h2>
        <NewTenant {...props} />
      </IfMayChange>
    </>
  );
}

function cellsOf(tenant: Tenant, now: number): Child[] {
  const { id, name, rate, retentionDays, createdAt } = tenant;
  return [
    <>
      <a class="event" href={`/console/tenants/${encodeURIComponent(id)}`}>
        {name}
      </a>
      {name === id ? null : <span class="small quiet">{id}</span>}
    </>,
    <TenantState tenant={tenant} />,
    rate === null ? <span class="quiet">no limit</span> : `${rate} a second`,
    retentionDays === null ? <span class="quiet">as the organization</span> : daysOf(retentionDays),
    <Instant at={createdAt} now={now} />,
  ];
}

export const TenantState = ({ tenant }: { tenant: Tenant }): JSX.Element =>
  tenant.disabled ? <Pill tone="off">disabled</Pill> : <Pill tone="good">active</Pill>;

export const daysOf = (days: number): string => (days === 1 ? "1 day" : `${days} days`);

function NoTenant({ search }: { search: string }): JSX.Element {
  return search === "" ? (
    <Empty
      title="No tenant yet"
      text="A tenant is a customer of yours. Tag an instance `tenant:<id>` to put it into one, or make a user with `tenant`. This makes a first tenant:"
      example={EXAMPLES.tenant}
    />
  ) : (
    <Empty title="No tenant is called that" text={`No id or name contains “${search}”.`} />
  );
}

function NewTenant({ organizationId, typed, faults }: Props): JSX.Element {
  return (
    <form method="post" action="/console/tenants" class="card settings">
      <Of id={organizationId} />
      <Field
        name="id"
        label="Id"
        hint="As your own system calls the customer: letters, digits, '.', '_' and '-'"
        faults={faults}
      >
        {(described) => (
          <input {...described} value={typed.id} maxlength={64} autocomplete="off" required />
        )}
      </Field>
      <TenantFields typed={typed} faults={faults} />
      <button class="main">Make the tenant</button>
    </form>
  );
}
