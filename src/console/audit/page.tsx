import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { AuditRow } from "../../accounts/audit.store";
import { Empty, Instant, Table } from "../parts";

/** By what entries are looked for, all of it in the address. */
export const FIELDS = ["actor", "action", "from", "to"] as const;
export type Typed = Partial<Record<(typeof FIELDS)[number], string>>;

type Props = {
  entries: readonly AuditRow[];
  /** What who did it is called. */
  names: ReadonlyMap<string, string>;
  older: string | null;
  days: number;
  typed: Typed;
  now: number;
};

/** Who changed what, from where, what it was before and what it is since. */
export function AuditPage({ entries, names, older, days, typed, now }: Props): JSX.Element {
  return (
    <>
      <div class="head">
        <div>
          <h1>Audit</h1>
          <p class="quiet">Entries are kept for {days} days</p>
        </div>
      </div>
      <Filters typed={typed} />
      {entries.length === 0 ? (
        <Empty
          title={Object.keys(typed).length === 0 ? "Nothing was changed yet" : "Nothing like that"}
          text="Every change and every look at a secret shows here."
        />
      ) : (
        <Table
          heads={["When", "Who", "What", "Changes"]}
          rows={entries.map((entry) => [
            <Instant at={entry.at} now={now} />,
            <>
              <a href={`/console/audit?actor=${encodeURIComponent(entry.actor)}`}>
                {names.get(entry.actor) ?? entry.actor}
              </a>
              <div class="quiet">{entry.address ?? "from an unknown address"}</div>
            </>,
            <>
              <span class="event">{entry.action}</span>
              <div class="quiet">{entry.target}</div>
            </>,
            <Changes entry={entry} />,
          ])}
        />
      )}
      {older === null ? null : (
        <p>
          <a href={older}>Older entries</a>
        </p>
      )}
    </>
  );
}

/** Who and what are the whole words of the list, since these have indexes. */
function Filters({ typed }: { typed: Typed }): JSX.Element {
  return (
    <form method="get" action="/console/audit" class="filters">
      <label>
        Who
        <input name="actor" value={typed.actor ?? ""} placeholder="member:1" />
      </label>
      <label>
        What
        <input name="action" value={typed.action ?? ""} placeholder="instance.update" />
      </label>
      <label>
        From
        <input type="date" name="from" value={typed.from ?? ""} />
      </label>
      <label>
        To
        <input type="date" name="to" value={typed.to ?? ""} />
      </label>
      <button>Filter</button>
      {Object.keys(typed).length === 0 ? null : <a href="/console/audit">All entries</a>}
    </form>
  );
}

/** Each member that differs: `rate: 5 → 10`. Of old entries only the names of what was sent are known. */
function Changes({ entry }: { entry: AuditRow }): JSX.Element {
  const { before = {}, after = {} } = entry.differences ?? {};
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  if (names.length === 0) return <span class="quiet">{entry.changes.join(", ")}</span>;
  return (
    <div class="changes">
      {names.map((name) => (
        <div>
          {name}: {valueOf(before[name])} → {valueOf(after[name])}
        </div>
      ))}
    </div>
  );
}

const valueOf = (value: unknown): Child =>
  value === undefined ? (
    <span class="quiet">none</span>
  ) : (
    <code>{typeof value === "string" ? value : JSON.stringify(value)}</code>
  );
