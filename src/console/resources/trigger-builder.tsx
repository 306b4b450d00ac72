import type { JSX } from "hono/jsx/jsx-runtime";
import type { ScopeName } from "../../resources/address";
import { kinds } from "../../resources/kinds/registry";
import { Choice, Field } from "../form";
import { ROWS, TYPES } from "./documents";

/** No hook fires for a Secret. */
const KINDS = [
  ["", "none"],
  ["*/*", "any kind"],
  ...kinds
    .filter(({ secret }) => secret === undefined)
    .map(({ group, kind }) => [`${group}/${kind}`, `${kind} (${group})`] as const),
] as const;

/** What a hook waits for, a row for each trigger, and which webhooks it calls. */
export function TriggerBuilder(props: {
  scope: ScopeName | null;
  webhooks: string[];
  form: URLSearchParams;
}): JSX.Element {
  const { scope, webhooks, form } = props;
  const chosen = new Set(form.getAll("webhook"));
  const others = [...chosen].filter((name) => name !== "" && !webhooks.includes(name));
  return (
    <>
      {Array.from({ length: ROWS }, (_, row) => (
        <TriggerRow row={row} scope={scope} form={form} />
      ))}
      <fieldset>
        <legend>Webhooks it calls</legend>
        {[...webhooks, ...others].map((name) => (
          <label>
            <input type="checkbox" name="webhook" value={name} checked={chosen.has(name)} /> {name}
          </label>
        ))}
        {webhooks.length === 0 ? (
          <span class="quiet small">There is none here yet: name one, and create it next.</span>
        ) : null}
      </fieldset>
      <Field id="webhook" name="webhook" label="Another webhook, by its name" value="" />
    </>
  );
}

function TriggerRow(props: {
  row: number;
  scope: ScopeName | null;
  form: URLSearchParams;
}): JSX.Element {
  const { row, scope, form } = props;
  const kind = form.get(`kind-${row}`) ?? "";
  return (
    <details class="card" open={row === 0 || kind !== ""}>
      <summary>Trigger {row + 1}</summary>
      <div class="form wide">
        <Choice id={`kind-${row}`} name={`kind-${row}`} label="Kind" value={kind} of={KINDS} />
        <Types row={row} form={form} />
        <Field
          id={`name-${row}`}
          name={`name-${row}`}
          label="Name"
          value={form.get(`name-${row}`) ?? ""}
          placeholder="*"
          hint="One resource by its name; without one, any."
        />
        {scope === null ? null : (
          <Choice
            id={`where-${row}`}
            name={`where-${row}`}
            label="Where"
            value={form.get(`where-${row}`) ?? "here"}
            of={[
              ["here", `in ${scope.name}`],
              ["anywhere", "anywhere"],
            ]}
          />
        )}
      </div>
    </details>
  );
}

function Types({ row, form }: { row: number; form: URLSearchParams }): JSX.Element {
  const isNew = !form.has(`kind-${row}`);
  return (
    <fieldset>
      <legend>When it is</legend>
      {TYPES.map((type) => (
        <label>
          <input
            type="checkbox"
            name={`${type}-${row}`}
            value="yes"
            checked={isNew || form.get(`${type}-${row}`) === "yes"}
          />{" "}
          {type}
        </label>
      ))}
    </fieldset>
  );
}
