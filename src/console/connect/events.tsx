import type { JSX } from "hono/jsx/jsx-runtime";
import { described, Fault } from "../form";
import { Copyable } from "../parts";
import { type FormProps, Part, Steps } from "./part";
import { Previewed, Resources } from "./resources";
import { type Choice, choicesOf, type sectionsOf } from "./sections";
import { Settings } from "./settings";

const CHOICE: Record<Choice, [string, string]> = {
  off: ["Off", "nothing is told of this account"],
  webhook: ["Webhooks", "the vendor tells us at once"],
  polling: ["Polling", "we ask the vendor now and then"],
  both: ["Both", "webhooks at once, and polling for what they miss"],
};

/** How changes reach us, and what is polled. */
export function Events(
  props: FormProps & { sections: ReturnType<typeof sectionsOf> },
): JSX.Element {
  const { connector, typed, faults, sections, guide } = props;
  const choices = choicesOf(connector);
  return (
    <Part title="Events">
      <fieldset id="events" class="choices" {...described("events", "", faults.get("events"))}>
        <legend>How changes reach us</legend>
        {choices.map((choice) => (
          <label class="check">
            <input
              type="radio"
              name="events"
              value={choice}
              checked={typed.events === choice}
              data-choice={choice}
            />
            <span>
              <b>{CHOICE[choice][0]}</b> <span class="quiet">{CHOICE[choice][1]}</span>
            </span>
          </label>
        ))}
        <Fault id="events" fault={faults.get("events")} />
      </fieldset>
      {choices.includes("webhook") ? (
        <div class="form-webhooks">
          <h3>Webhooks</h3>
          <Steps steps={guide.webhooks} />
          <Addresses {...props} />
          <Settings {...props} entries={sections.webhooks} />
        </div>
      ) : null}
      {choices.includes("polling") ? (
        <div class="form-polls" id="polling">
          <h3>Polling</h3>
          <Settings {...props} entries={sections.polling} />
          <Polled {...props} />
        </div>
      ) : null}
    </Part>
  );
}

function Addresses({ addresses: { own, shared }, connector }: FormProps): JSX.Element | null {
  if (connector.webhook?.registration !== undefined) return null;
  return (
    <dl class="flat">
      <dt>This instance's address</dt>
      <dd>
        {own === undefined ? (
          "shown once it is made"
        ) : (
          <Copyable text={own} label="this instance's address" />
        )}
      </dd>
      {shared === undefined ? null : (
        <>
          <dt>App-wide address</dt>
          <dd>
            <Copyable text={shared} label="the app-wide address" />
          </dd>
        </>
      )}
    </dl>
  );
}

function Polled(props: FormProps): JSX.Element {
  const { asked, connector, typed, to, previews } = props;
  return (
    <>
      {asked === "resources" ? <Resources {...props} /> : null}
      {asked === "feed" ? (
        <p class="quiet">
          {connector.name} tells all changes of the account in one feed: there is nothing to choose.
        </p>
      ) : null}
      {asked === "lines" ? (
        <p class="quiet">
          What is polled stands in Poll URLs, under More settings. Empty that to choose resources
          here.
        </p>
      ) : null}
      {previews
        ?.filter(({ objectType }) => !typed.resources.some(({ name }) => name === objectType))
        .map((preview) => (
          <Previewed preview={preview} />
        ))}
      <button formaction={`${to}/test#polling`} name="do" value="preview" formnovalidate>
        Preview the next poll
      </button>
    </>
  );
}
