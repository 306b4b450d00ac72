import type { JSX } from "hono/jsx/jsx-runtime";
import { AllFaults, Controls, type Typing } from "../fields/controls";
import { Of } from "../parts";
import { EVENT_FIELDS, FIELDS } from "./fields";

export const PUBLISH = "/console/publish";

type Props = Typing & { organizationId: number };

/** Publishes an event. @param props.tenant to whom; undefined: whom is asked for. */
export function PublishForm(props: Props & { tenant?: string }): JSX.Element {
  const { tenant, organizationId, faults } = props;
  return (
    <form method="post" action={PUBLISH} class="card form">
      <Of id={organizationId} />
      {tenant === undefined ? null : <input type="hidden" name="tenant" value={tenant} />}
      <AllFaults faults={faults} fields={FIELDS} />
      <Controls {...props} fields={tenant === undefined ? FIELDS : EVENT_FIELDS} />
      <div class="acts">
        <button class="main">Publish</button>
        <button name="fill" value="example" formnovalidate>
          Fill in the type’s example
        </button>
      </div>
    </form>
  );
}

export const PublishPage = (props: Props): JSX.Element => (
  <>
    <div class="head">
      <div>
        <h1>Publish an event</h1>
        <p class="quiet">
          As your app does it with an API key; the next page shows who hears of it
        </p>
      </div>
    </div>
    <PublishForm {...props} />
  </>
);
