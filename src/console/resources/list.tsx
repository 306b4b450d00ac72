import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { collectionLink, itemLink, type ScopeName } from "../../resources/address";
import type { Kind } from "../../resources/kinds/kind";
import type { BriefChange } from "../../resources/log/store";
import { WORD } from "../../resources/match";
import type { Resource } from "../../resources/resource";
import { findKind } from "../../resources/kinds/registry";
import { Empty, Instant, Pill, Table } from "../parts";

/** The console's address of what lies at one below `/apis`. */
export const pageOf = (link: string): string =>
  `/console/resources${link.replace(/^\/([^/]+)\/v1\//, "/$1/")}`;
export const pageOfItem = (kind: Kind, scope: ScopeName | null, name: string): string =>
  pageOf(itemLink(kind, "v1", scope, name));
export const pageOfCollection = (kind: Kind, scope: ScopeName | null): string =>
  pageOf(collectionLink(kind, "v1", scope));

/** `API services`: what a kind's resources are called. */
export const plural = ({ kind }: Kind): string =>
  `${kind.replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, " ")}s`;

export function ResourceTable({ items, now }: { items: Resource[]; now: number }): JSX.Element {
  return (
    <Table
      heads={["Name", "Title", "Changed"]}
      rows={items.map(({ kind, scope, name, title, state, modifiedAt }): Child[] => [
        <>
          <a href={pageOfItem(kind, scope, name)}>{name}</a>{" "}
          {state === null ? null : <Pill tone="wait">{state.toLowerCase()}</Pill>}
        </>,
        title,
        <Instant at={modifiedAt} now={now} />,
      ])}
    />
  );
}

/** What is in a scope, or outside of all: each kind with how many there are. */
export function Kinds(props: {
  kinds: readonly Kind[];
  counts: ReadonlyMap<string, number>;
  scope: ScopeName | null;
}): JSX.Element {
  const { kinds, counts, scope } = props;
  return (
    <Table
      heads={["Kind", "How many"]}
      rows={kinds.map((kind) => [
        <a href={pageOfCollection(kind, scope)}>{plural(kind)}</a>,
        <span class="num">{counts.get(kind.kind) ?? 0}</span>,
      ])}
    />
  );
}

/** Changes, newest first. */
export function Changes({ changes, now }: { changes: BriefChange[]; now: number }): JSX.Element {
  if (changes.length === 0)
    return <Empty title="No change" text="Whatever is made, changed or deleted shows here." />;
  return (
    <Table
      heads={["When", "What", "Resource"]}
      rows={changes.map(({ at, type, kind: name, scope, name: resource }) => {
        const kind = findKind(name);
        return [
          <Instant at={at} now={now} />,
          `${name} ${WORD[type]}`,
          <>
            {kind === undefined || type === "ResourceDeleted" ? (
              resource
            ) : (
              <a href={pageOfItem(kind, scope, resource)}>{resource}</a>
            )}
            {scope === null ? null : <span class="event small quiet">in {scope.name}</span>}
          </>,
        ];
      })}
    />
  );
}

export const Older = ({ to }: { to: string | null }): JSX.Element | null =>
  to === null ? null : (
    <p class="more">
      <a href={to}>Older</a>
    </p>
  );
