import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { AuditRow } from "../../accounts/audit.store";
import { Empty, Instant, Table } from "../parts";

type Props = { entries: readonly AuditRow[]; older: string | null; days: number; now: number };

/** Who changed what, from where, what it was before and what it is since. */
export function AuditPage({ entries, older, days, now }: Props): JSX.Element {
  return (
    <>
      <div class="head">
        <div>
          <h1>Audit</h1>
          <p class="quiet">Entries are kept for {days} days</p>
        </div>
      </div>
      {entries.length === 0 ? (
        <Empty
          title="Nothing was changed yet"
          text="Every change and every look at a secret shows here."
        />
      ) : (
        <Table
          heads={["When", "Who", "What", "Changes"]}
          rows={entries.map((entry) => [
            <Instant at={entry.at} now={now} />,
            <>
              {entry.actor}
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

/** Each member that differs: `rate: 5 → 10`. Of old entries only the names of what was sent are known. */
function Changes({ entry }: { entry: AuditRow }): JSX.Element {
  const { before = {}, after = {} } = entry.differences ?? {};
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  if (names.length === 0) return <span class="quiet">{entry.changes.join(", ")}</span>;
  return (
    <>
      {names.map((name) => (
        <div>
          {name}: {valueOf(before[name])} → {valueOf(after[name])}
        </div>
      ))}
    </>
  );
}

const valueOf = (value: unknown): Child =>
  value === undefined ? (
    <span class="quiet">none</span>
  ) : (
    <code>{typeof value === "string" ? value : JSON.stringify(value)}</code>
  );
