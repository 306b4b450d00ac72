import type { JSX } from "hono/jsx/jsx-runtime";
import type { DryReport } from "../../polling/dry-run.io";
import { readable } from "../parts";
import { FIELDS, fieldText, parsedObject, type Offered } from "./chosen";
import { Fault, Field, linesOf } from "../form";
import { type Faults, placeOfResource, type Typed } from "./typed";

/** What the next poll would ask and find; `events` undefined: the vendor was not asked. */
export type Preview = Omit<DryReport, "events"> & { events?: DryReport["events"] };

/** The resources to choose from, each with how it is polled as fields and as JSON. */
export function Resources(props: {
  typed: Typed;
  faults: Faults;
  previews: readonly Preview[] | undefined;
}): JSX.Element {
  const { typed, faults, previews = [] } = props;
  const { resources, another } = typed;
  return (
    <fieldset id="event.poller.configuration">
      <legend>Resources to poll</legend>
      <Fault id="resources" fault={faults.get("event.poller.configuration")} />
      {resources.map((offered, index) => (
        <Resource
          offered={offered}
          id={`resource-${index}`}
          fault={faults.get(placeOfResource(offered.name))}
          preview={previews.find(({ objectType }) => objectType === offered.name)}
        />
      ))}
      <details open={another.name !== "" || faults.has("another")}>
        <summary>Poll another resource</summary>
        <div class="fields">
          <Field
            id="another"
            name="another.name"
            label="Its name"
            hint="What its events call it"
            value={another.name}
            fault={faults.get("another")}
          />
          <Field
            id="another-json"
            name="another.json"
            label="How it is polled, as JSON"
            hint="In the form that the resources above have"
            value={another.json}
            lines={linesOf(another.json)}
          />
        </div>
      </details>
    </fieldset>
  );
}

function Resource(props: {
  offered: Offered;
  id: string;
  fault: string | undefined;
  preview: Preview | undefined;
}): JSX.Element {
  const { offered, id, fault, preview } = props;
  const { name, isPolled, json } = offered;
  const configuration = parsedObject(json) ?? {};
  return (
    <div class="card resource" id={placeOfResource(name)} data-resource={id}>
      <label class="check">
        <input type="checkbox" name="poll" value={name} checked={isPolled} />
        <b>{name}</b>
      </label>
      <input type="hidden" name="resource" value={name} />
      <input type="hidden" name={`was.${name}`} value={json} />
      <Fault id={id} fault={fault} />
      <details open={fault !== undefined}>
        <summary>How {name} is polled</summary>
        <div class="fields">
          {FIELDS.map(([field, label, hint]) => (
            <Field
              id={`${id}-${field}`}
              name={`r.${name}.${field}`}
              label={label}
              hint={hint}
              value={fieldText(configuration, field)}
              data={{ "data-field": field }}
            />
          ))}
        </div>
        <Field
          id={`${id}-json`}
          name={`json.${name}`}
          label="The same as JSON"
          hint="If you change it, it counts, and the fields above do not"
          value={json}
          lines={linesOf(json)}
          data={{ "data-json": "" }}
        />
      </details>
      {preview === undefined ? null : <Previewed preview={preview} />}
    </div>
  );
}

/** What a poll would ask and find. */
export function Previewed({ preview }: { preview: Preview }): JSX.Element {
  const { request, events, error } = preview;
  return (
    <div class="preview" role="status">
      <p class="small">
        Asks: <code>{request}</code>
      </p>
      {error === null ? null : <p class="fault small">{error}</p>}
      {events === undefined || error !== null ? null : (
        <p class="small">
          {events.length === 0
            ? "It would find nothing new."
            : `It would find ${events.length === 1 ? "1 event" : `${events.length} events`}:`}
        </p>
      )}
      {events?.map(({ objectId, eventType, date, data }) => (
        <details>
          <summary class="small">
            {eventType} {objectId} <span class="quiet">{date}</span>
          </summary>
          <pre tabindex={0}>{readable(JSON.stringify(data))}</pre>
        </details>
      ))}
    </div>
  );
}
