import type { JSX } from "hono/jsx/jsx-runtime";
import type { Extracted } from "../../connectors/webhook";
import type { Tried } from "../../elements/catalog/try-definition.io";
import type { OwnDefinition } from "../../elements/catalog/user-connector";
import { type Entry, entriesOf } from "../../instances/entries";
import { isoTextOrNull } from "../../values/instant";
import { IfMayChange, Pill, readable, Table } from "../parts";

/** What a definition is tried with. Values of secrets are never shown again. */
export type Trial = {
  /** What an account is asked for. */
  entries: readonly Pick<Entry, "key" | "name" | "type">[];
  resources: readonly string[];
  /** What was typed, secrets left out. */
  typed: Readonly<Record<string, string>>;
  tried?: Tried | undefined;
  read?: Read | undefined;
};

/** What became of a webhook that was pasted in. */
export type Read =
  | { kind: "read"; extracted: Extracted; lacking: readonly string[] }
  | { kind: "fault"; message: string };

/** What a definition that was checked is tried with; of one that is wrong, nothing is known. */
export function trialOf(
  definition: OwnDefinition | undefined,
  typed: Readonly<Record<string, string>>,
  outcome: Pick<Trial, "tried" | "read">,
): Trial {
  if (definition === undefined) return { entries: [], resources: [], typed, ...outcome };
  const keys = new Set([
    ...definition.configuration.map(({ key }) => key),
    ...CREDENTIALS[definition.authentication.type],
    "base.url",
  ]);
  return {
    entries: entriesOf({ ...definition, id: 1 }).filter(({ key }) => keys.has(key)),
    resources: Object.entries(definition.resources).flatMap(([name, { list }]) =>
      list === undefined ? [] : name,
    ),
    typed,
    ...outcome,
  };
}

/** What is asked for beside a connector's own keys. */
const CREDENTIALS = {
  apiKey: [],
  basic: ["username", "password"],
  oauth2: ["oauth.user.token"],
} as const;

/** Asking the real API, and reading a webhook that was pasted in. */
export function TrialPanel({ trial, test }: { trial: Trial; test: string }): JSX.Element {
  return (
    <div class="sides">
      <section aria-labelledby="ask">
        <h2 id="ask">Ask the API</h2>
        <AskForm trial={trial} test={test} />
        {trial.tried === undefined ? null : <Answer tried={trial.tried} />}
      </section>
      <section aria-labelledby="read">
        <h2 id="read">Read a webhook</h2>
        <ReadForm trial={trial} test={test} />
        {trial.read === undefined ? null : <WhatItSays read={trial.read} />}
      </section>
    </div>
  );
}

function AskForm({ trial, test }: { trial: Trial; test: string }): JSX.Element {
  const { entries, resources, typed } = trial;
  return (
    <div class="card stack">
      <p class="small quiet">
        Sends one request for the first records, as an instance would. What you type here is used
        for it and not kept.
      </p>
      <div class="field">
        <label for="try.resource">Resource</label>
        <select id="try.resource" name="try.resource">
          {resources.map((name) => (
            <option value={name} selected={name === typed["try.resource"]}>
              {name}
            </option>
          ))}
        </select>
      </div>
      {entries.map(({ key, name, type }) => (
        <div class="field">
          <label for={`value.${key}`}>{name === key ? key : `${name} (${key})`}</label>
          <input
            id={`value.${key}`}
            name={`value.${key}`}
            type={type === "PASSWORD" ? "password" : "text"}
            autocomplete={type === "PASSWORD" ? "new-password" : "off"}
            value={type === "PASSWORD" ? "" : (typed[`value.${key}`] ?? "")}
          />
        </div>
      ))}
      <IfMayChange>
        <button formaction={`${test}#result`} name="do" value="call">
          Ask the API
        </button>
      </IfMayChange>
    </div>
  );
}

function Answer({ tried }: { tried: Tried }): JSX.Element {
  if (tried.kind === "not-sent")
    return (
      <p class="notice bad" id="result" role="status">
        Nothing was sent. {tried.message}
      </p>
    );
  const { request, outcome, answer, isWhole } = tried;
  return (
    <div class="stack" id="result">
      <p class={`notice ${outcome.kind === "listed" ? "good" : "bad"}`} role="status">
        {outcome.kind === "listed"
          ? `${outcome.records === 1 ? "1 record" : `${outcome.records} records`}${outcome.hasMore ? ", and there are more" : ""}`
          : outcome.message}
      </p>
      <pre tabindex={0}>{`${request.method} ${request.url}\n${Object.entries(request.headers)
        .map(([name, value]) => `${name}: ${value}`)
        .join("\n")}${request.body === undefined ? "" : `\n\n${request.body}`}`}</pre>
      {outcome.kind !== "listed" || outcome.records === 0 ? null : (
        <Events
          events={outcome.events}
          none="A poll would make no event of these: the resource is not polled, or they lack an id or a date."
        />
      )}
      <details open={outcome.kind === "failed"}>
        <summary>{isWhole ? "What it answered" : "The beginning of what it answered"}</summary>
        <pre tabindex={0}>{answer === "" ? "(nothing)" : isWhole ? readable(answer) : answer}</pre>
      </details>
    </div>
  );
}

type Told = { objectType: string; objectId: string; eventType: string; date?: string | null };

function Events({ events, none }: { events: readonly Told[]; none: string }): JSX.Element {
  if (events.length === 0) return <p class="notice bad">{none}</p>;
  return (
    <Table
      heads={["Event", "Object", "Date"]}
      rows={events
        .slice(0, MOST_EVENTS)
        .map(({ objectType, objectId, eventType, date }) => [
          <Pill tone="good">{eventType}</Pill>,
          `${objectType} ${objectId}`,
          date === null || date === undefined ? (
            <span class="quiet">none</span>
          ) : (
            <span class="date">{date}</span>
          ),
        ])}
    />
  );
}

const MOST_EVENTS = 20;

function ReadForm({ trial, test }: { trial: Trial; test: string }): JSX.Element {
  const { typed } = trial;
  return (
    <div class="card stack">
      <p class="small quiet">
        Paste what the vendor sends. Its signature is not looked at here; nothing is stored or sent.
      </p>
      <label class="field">
        <span>Headers, one on each line</span>
        <textarea name="webhook-headers" rows={3} spellcheck={false} placeholder="x-event: issues">
          {`\n${typed["webhook-headers"] ?? ""}`}
        </textarea>
      </label>
      <label class="field">
        <span>Body</span>
        <textarea name="webhook-body" rows={8} spellcheck={false}>
          {`\n${typed["webhook-body"] ?? ""}`}
        </textarea>
      </label>
      <IfMayChange>
        <button formaction={`${test}#result`} name="do" value="webhook">
          Read it
        </button>
      </IfMayChange>
    </div>
  );
}

function WhatItSays({ read }: { read: Read }): JSX.Element {
  const fault =
    read.kind === "fault"
      ? read.message
      : read.extracted.kind === "unreadable"
        ? read.extracted.message
        : undefined;
  if (fault !== undefined || read.kind === "fault" || read.extracted.kind === "unreadable")
    return (
      <p class="notice bad" id="result" role="status">
        No event. {fault}
      </p>
    );
  const events = read.extracted.changes.map((change) => ({
    ...change,
    date: change.date === undefined ? null : isoTextOrNull(change.date),
  }));
  const lacking = read.lacking.length === 0 ? "" : ` It lacks: ${read.lacking.join(", ")}.`;
  return (
    <div class="stack" id="result">
      {events.length === 0 ? null : (
        <p class="notice good" role="status">
          {events.length === 1 ? "1 event" : `${events.length} events`}
        </p>
      )}
      <Events events={events} none={`No event: no change is found in it.${lacking}`} />
    </div>
  );
}
