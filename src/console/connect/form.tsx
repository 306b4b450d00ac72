import { useContext } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { entriesOf } from "../../instances/entries";
import { partition } from "../../values/lists";
import { Attempts } from "../deliveries/page";
import { MayChange } from "../parts";
import { Events } from "./events";
import { Faults, Field, linesOf } from "../form";
import { type Entries, type FormProps, Part, Steps } from "./part";
import { APP_KEYS, sectionsOf, waysOf } from "./sections";
import { idOf, Settings, type Shown } from "./settings";
import { placeOfResource } from "./typed";

/** An instance's form: to make one, or to change it. */
export function InstanceForm(props: FormProps): JSX.Element {
  const { title, to, back, submit, connector, typed, faults, kept } = props;
  const sections = sectionsOf(connector);
  const mayChange = useContext(MayChange);
  return (
    <>
      <div class="head">
        <div>
          <h1>{title}</h1>
          <p class="quiet">{connector.description}</p>
        </div>
        <a class="button" href={back}>
          Back
        </a>
      </div>
      <Summary faults={faults} connector={connector} />
      <form class="instance form-hears" method="post" action={to}>
        <fieldset class="plain" disabled={!mayChange}>
          <button class="unseen" tabindex={-1} aria-hidden="true">
            {submit}
          </button>
          {kept === "" ? null : <input type="hidden" name="kept" value={kept} />}
          <Part title="Name">
            <Field
              id="name"
              name="name"
              label="What to call it"
              hint={props.isNew ? "Empty: the connector's name and a number" : ""}
              value={typed.name}
              fault={faults.get("name")}
            />
          </Part>
          <Account {...props} entries={sections.account} />
          <Events {...props} sections={sections} />
          <Callback {...props} entries={sections.callback} />
          <More {...props} entries={sections.more} />
          {mayChange ? (
            <p class="acts">
              <button class="main">{submit}</button>
              <a class="button" href={back}>
                Cancel
              </a>
            </p>
          ) : null}
        </fieldset>
      </form>
    </>
  );
}

/** All that is wrong, each with a way to its field. */
function Summary({ faults, connector }: Pick<Shown, "faults" | "connector">): JSX.Element {
  const names = new Map(entriesOf(connector).map(({ key, name }) => [key, name]));
  return (
    <Faults
      title={
        faults.size === 1
          ? "One thing is to be put right:"
          : `${faults.size} things are to be put right:`
      }
      faults={[...faults].map(([place, message]) => ({
        place: names.get(place) ?? place,
        message,
        control: place === "" ? undefined : anchorOf(place),
      }))}
    />
  );
}

const anchorOf = (place: string): string =>
  ["name", "another", "other", "events"].includes(place) ||
  place.startsWith(placeOfResource("")) ||
  place === "event.poller.configuration"
    ? place
    : idOf(place);

function Account(props: FormProps & Entries): JSX.Element {
  const { connector, typed, guide, hasOwnApp, entries } = props;
  const [ofApp, others] = partition(entries, ({ key }) => hasOwnApp && APP_KEYS.includes(key));
  const ways = waysOf(connector);
  return (
    <Part title="Account">
      {hasOwnApp ? (
        <p class="quiet">
          An application of {connector.name} is set up: whoever has the account consents to it, and
          no key is needed.
        </p>
      ) : (
        <Steps steps={guide.account} />
      )}
      {ways.length < 2 ? null : (
        <fieldset>
          <legend>How it signs in</legend>
          {ways.map((way) => (
            <label class="check">
              <input type="radio" name="way" value={way} checked={typed.way === way} />
              {WAYS[way]}
            </label>
          ))}
        </fieldset>
      )}
      <Settings {...props} entries={others} />
      {ofApp.length === 0 ? null : (
        <details open={ofApp.some(({ key }) => props.faults.has(key))}>
          <summary>Use another application</summary>
          <Steps steps={guide.account} />
          <Settings {...props} entries={ofApp} />
        </details>
      )}
    </Part>
  );
}

const WAYS = {
  oauth2: "by consent (OAuth)",
  apiKey: "by a key or token",
  basic: "by user name and password",
};

function Callback(props: FormProps & Entries): JSX.Element {
  const { tested } = props;
  return (
    <Part title="Callback">
      <p class="quiet">
        Where events are sent, signed. Empty: they are kept, for flows and for later.
      </p>
      <Settings {...props} />
      <button
        formaction={`${props.to}/test#c.event.notification.signature.key`}
        name="do"
        value="generate"
        formnovalidate
      >
        Generate a signature key
      </button>{" "}
      <button
        formaction={`${props.to}/test#c.event.notification.callback.url`}
        name="do"
        value="send"
        formnovalidate
      >
        Send test
      </button>
      {tested === undefined ? null : (
        <div class="preview" role="status">
          <p class="small">A sample was sent, signed with the keys above:</p>
          <Attempts attempts={[tested]} now={tested.at} />
        </div>
      )}
    </Part>
  );
}

function More(props: FormProps & Entries): JSX.Element {
  const { typed, faults, entries } = props;
  const isOpen = faults.has("other") || entries.some(({ key }) => faults.has(key));
  return (
    <details class="card part" open={isOpen}>
      <summary>More settings</summary>
      <div class="fields">
        <Field id="tags" name="tags" label="Tags" hint="Separated by commas" value={typed.tags} />
        <Settings {...props} />
      </div>
      <Field
        id="other"
        name="other"
        label="Settings without a field, as JSON"
        hint='{"a.key": "a value"}'
        value={typed.other}
        lines={linesOf(typed.other)}
        fault={faults.get("other")}
      />
    </details>
  );
}
