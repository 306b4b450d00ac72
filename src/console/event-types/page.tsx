import type { JSX } from "hono/jsx/jsx-runtime";
import type { DataFault, EventTypeView } from "../../event-types/event-type";
import { Act, Copyable, Empty, Facts, IfMayChange, Of, Pill } from "../parts";
import { addressOf } from "./list";

/** What was typed to be tested, and what is wrong with it. */
export type Trial = { body: string; faults: readonly DataFault[] };

/** One event type: what it says, and a body tested by it. */
export function TypePage(props: {
  type: EventTypeView;
  organizationId: number;
  trial: Trial | undefined;
}): JSX.Element {
  const { type, organizationId, trial } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>{type.name}</h1>
          <p class="quiet">
            {type.description === "" ? "Nothing is said of it" : type.description}
          </p>
        </div>
        {type.builtIn ? null : <Acts name={type.name} />}
      </div>
      <Facts
        facts={[
          ["Version", type.version],
          ["State", type.deprecated ? <Pill tone="wait">deprecated</Pill> : "in use"],
          ["Whose", type.builtIn ? "a connector’s" : "your own"],
        ]}
      />
      <h2>Data</h2>
      <Data type={type} />
      <Conversions type={type} />
      {type.schema === null ? null : (
        <Test type={type} organizationId={organizationId} trial={trial} />
      )}
      {type.builtIn ? null : (
        <details class="more">
          <summary>Delete</summary>
          <p>Events of this name can be published still, and nothing checks them.</p>
          <Act to={`${addressOf(type.name)}/delete`} label={`Delete ${type.name} for good`}>
            <Of id={organizationId} />
          </Act>
        </details>
      )}
    </>
  );
}

const Acts = ({ name }: { name: string }): JSX.Element => (
  <IfMayChange>
    <div class="acts">
      <a class="button" href={`/console/publish?type=${encodeURIComponent(name)}`}>
        Publish one
      </a>
      <a class="button" href={`${addressOf(name)}/edit`}>
        Edit
      </a>
    </div>
  </IfMayChange>
);

function Data({ type: { schema, example } }: { type: EventTypeView }): JSX.Element {
  return (
    <div class="stack">
      {schema === null ? (
        <Empty title="Any data" text="It has no schema, so nothing is checked." />
      ) : (
        <Copyable label="the schema" text={JSON.stringify(schema, null, 2)} />
      )}
      {example === null ? null : (
        <>
          <p class="quiet">For example</p>
          <Copyable label="the example" text={JSON.stringify(example, null, 2)} />
        </>
      )}
    </div>
  );
}

function Conversions({ type: { conversions } }: { type: EventTypeView }): JSX.Element | null {
  const versions = Object.entries(conversions);
  if (versions.length === 0) return null;
  return (
    <>
      <h2>Older versions</h2>
      <p class="quiet">What makes their data, for destinations that stay with them</p>
      <Facts
        facts={versions.map(([version, expression]) => [
          `Version ${version}`,
          <code>{expression}</code>,
        ])}
      />
    </>
  );
}

function Test(props: {
  type: EventTypeView;
  organizationId: number;
  trial: Trial | undefined;
}): JSX.Element {
  const { type, organizationId, trial } = props;
  const body = trial?.body ?? JSON.stringify(type.example ?? {}, null, 2);
  return (
    <IfMayChange>
      <h2 id="test">Test a body</h2>
      <form method="post" action={`${addressOf(type.name)}/test#test`} class="card form wide">
        <Of id={organizationId} />
        <div class="field">
          <label for="body">Data of an event</label>
          <textarea id="body" name="body" rows={8} spellcheck={false}>{`\n${body}`}</textarea>
        </div>
        {trial === undefined ? null : <Result faults={trial.faults} />}
        <button>Check it</button>
      </form>
    </IfMayChange>
  );
}

function Result({ faults }: Pick<Trial, "faults">): JSX.Element {
  if (faults.length === 0)
    return (
      <p class="notice good" role="status">
        It is as the schema says.
      </p>
    );
  return (
    <div class="notice bad" role="alert">
      <ul>
        {faults.map(({ path, message }) => (
          <li>
            <code>{path === "" ? "all of it" : path}</code>: {message}
          </li>
        ))}
      </ul>
    </div>
  );
}
