import { useContext } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Flow } from "../../flows/flow";
import type { Ticket } from "../../flows/templates/tickets.store";
import { Act, MayChange, Pill, Table } from "../parts";
import { Field } from "../form";
import { More, Stage } from "./users";

export type Activation = {
  id: string;
  name: string;
  user: string;
  userId: number;
  stage: Flow["stage"];
};

/** Who made something of a template, and what brings all of it up to date. */
export function Activations(props: {
  flow: Flow;
  items: Activation[];
  total: number;
  next: string | null;
}): JSX.Element {
  const { flow, items, total, next } = props;
  const here = `/console/apps/integrations/${flow.id}`;
  return (
    <>
      <h2>Activated{total === 0 ? "" : total === 1 ? " once" : ` ${total} times`}</h2>
      {items.length === 0 ? (
        <p class="quiet">Nobody yet: share it below, and activate it for a user here.</p>
      ) : (
        <Table
          heads={["User", "Flow", "State"]}
          rows={items.map(({ id, name, user, userId, stage }) => [
            <a href={`/console/apps/users/${userId}`}>{user}</a>,
            <a href={`/console/apps/flows/${id}`}>{name}</a>,
            <Stage stage={stage} />,
          ])}
        />
      )}
      <More to={next} />
      {useContext(MayChange) ? (
        <div class="acts more">
          {items.length === 0 ? null : (
            <Act to={`${here}/update-all`} label="Update all" main>
              <label class="small">
                <input type="checkbox" name="drop" value="yes" /> end what is under way
              </label>
            </Act>
          )}
          <form method="post" action={`${here}/activate`} class="find">
            <Field
              id="activate-user"
              name="user"
              label="Activate it for the user"
              value=""
              required
            />
            <button>Activate</button>
          </form>
        </div>
      ) : null}
    </>
  );
}

/** How far an update of all that was made of a template is. */
export function UpdatePage({ flow, ticket }: { flow: Flow; ticket: Ticket }): JSX.Element {
  const { status, stepsDone, stepsTotal, errors } = ticket;
  return (
    <>
      <div class="head">
        <div>
          <h1>Update of {flow.name}</h1>
          <p class="quiet">
            <a href={`/console/apps/flows/${flow.id}`}>Back to the template</a>
          </p>
        </div>
      </div>
      <p role="status">
        <Pill tone={status === "completed" ? "good" : status === "failed" ? "bad" : "wait"}>
          {status}
        </Pill>{" "}
        {stepsDone} of {stepsTotal} looked at
      </p>
      {errors.length === 0 ? null : (
        <Table
          heads={["Flow", "Why it is as it was"]}
          rows={errors.map(({ flowId, message }) => [
            <a href={`/console/apps/flows/${flowId}`}>Open the flow</a>,
            message,
          ])}
        />
      )}
    </>
  );
}
