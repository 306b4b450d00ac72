import { type Child, createContext, useContext } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { isoTextOrNull } from "../values/instant";
import { jsonValue } from "../values/json";
import { commandOf, type Example } from "./examples";

export type Tone = "good" | "bad" | "wait" | "off";

export function Pill({ tone, children }: { tone: Tone; children: Child }): JSX.Element {
  return <span class={`pill ${tone}`}>{children}</span>;
}

/** An instant as a distance from now (`3 min ago`); the exact time shows when it is pointed at. */
export function Instant({ at, now }: { at: number; now: number }): JSX.Element {
  const iso = isoTextOrNull(at);
  if (iso === null) return <span title={String(at)}>no date</span>;
  return (
    <time datetime={iso} title={`${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`}>
      {fromNow(at, now)}
    </time>
  );
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** `3 min ago`, `in 2 h`, `just now`. */
export function fromNow(at: number, now: number): string {
  const distance = Math.abs(now - at);
  const unit = UNITS.find(([, ms]) => distance >= ms);
  if (unit === undefined) return "just now";
  const text = `${Math.floor(distance / unit[1])} ${unit[0]}`;
  return at > now ? `in ${text}` : `${text} ago`;
}

/** Whether the member who sees the page may change anything. */
export const MayChange = createContext(false);

/** What only members see who may change something. */
export function IfMayChange({ children }: { children: Child }): JSX.Element | null {
  return useContext(MayChange) ? <>{children}</> : null;
}

/** A button that changes something: not shown to members who may only read. */
export function Act(props: {
  to: string;
  main?: boolean;
  label: string;
  children?: Child;
}): JSX.Element | null {
  if (!useContext(MayChange)) return null;
  return (
    <form method="post" action={props.to}>
      {props.children}
      <button {...(props.main === true ? { class: "main" } : {})}>{props.label}</button>
    </form>
  );
}

/** Which organization a form is about: another tab may have switched to another one. */
export const Of = ({ id }: { id: number }): JSX.Element => (
  <input type="hidden" name="organization" value={String(id)} />
);

/**
 * A table that becomes a list of cards on a narrow screen. `keys`: what tells its rows apart, of a table that is
 * brought up to date row by row.
 */
export function Table(props: {
  heads: string[];
  rows: Child[][];
  keys?: readonly string[];
}): JSX.Element {
  const { heads, rows, keys } = props;
  return (
    <table>
      <thead>
        <tr>{heads.map((head) => (head === "" ? <td /> : <th scope="col">{head}</th>))}</tr>
      </thead>
      <tbody>
        {rows.map((cells, row) => (
          <tr {...(keys === undefined ? {} : { "data-key": keys[row] ?? "" })}>
            {cells.map((cell, index) => (
              <td data-label={heads[index] ?? ""}>
                <div>{cell}</div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A list of names and values. */
export function Facts({ facts }: { facts: readonly (readonly [string, Child])[] }): JSX.Element {
  return (
    <dl>
      {facts.map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  );
}

/** Where programs reach this deployment, and which organization the page is about. */
export const Place = createContext({ baseUrl: "", organizationId: 0 });

/** Shown in the place of an empty list: what to do next, as a command to copy and, where it goes, by one click. */
export function Empty(props: { title: string; text: string; example?: Example }): JSX.Element {
  const { title, text, example } = props;
  return (
    <div class="empty">
      <p class="title">{title}</p>
      <p>{text}</p>
      {example === undefined ? null : <Command example={example} />}
      {example?.demo === undefined ? null : <Demo {...example.demo} />}
    </div>
  );
}

/** An example as a command, with the person's own values, to be taken away. */
export function Command(props: { example: Example; proof?: string }): JSX.Element {
  const { baseUrl } = useContext(Place);
  return <Copyable text={commandOf(props.example, baseUrl, props.proof)} label="the command" />;
}

/** The same as the command, done here. */
function Demo({ label, to, fields }: NonNullable<Example["demo"]>): JSX.Element {
  return (
    <Act to={to} label={label} main>
      <Of id={useContext(Place).organizationId} />
      {Object.entries(fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
    </Act>
  );
}

/** A message with what stands in backticks as code. */
export const marked = (message: string): (JSX.Element | string)[] =>
  message.split("`").map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part));

/** JSON made readable; anything else as it is. */
export function readable(text: string): string {
  try {
    return JSON.stringify(jsonValue(text), null, 2);
  } catch {
    return text;
  }
}

/** The way to a tenant, by its id. */
export const TenantLink = ({ id }: { id: string }): JSX.Element => (
  <a href={`/console/tenants/${encodeURIComponent(id)}`}>{id}</a>
);

/** The way to a new instance, for members who may make one. */
export function ConnectLink(): JSX.Element | null {
  if (!useContext(MayChange)) return null;
  return (
    <a class="button main" href="/console/connect">
      Connect an account
    </a>
  );
}

/** Text to be taken away. The button shows where scripts run; without them the text is selected as any other. */
export function Copyable(props: { text: string; label: string }): JSX.Element {
  const { text, label } = props;
  return (
    <div class="copyable">
      <button type="button" class="copy" aria-label={`Copy ${label}`} hidden>
        Copy
      </button>
      <pre tabindex={0} role="group" aria-label={label}>
        {text}
      </pre>
    </div>
  );
}
