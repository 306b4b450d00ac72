import { useContext } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { stringify } from "yaml";
import type { ScopeName } from "../../resources/address";
import { kindNamed, kinds, kindsIn } from "../../resources/kinds/registry";
import type { BriefChange } from "../../resources/log/store";
import type { Resource } from "../../resources/resource";
import { EXAMPLES } from "../examples";
import { Faults, Field, type FormFault } from "../form";
import { Act, Empty, MayChange } from "../parts";
import { CreateForm, type FormGiven } from "./forms";
import { Changes, Kinds, Older, pageOfCollection, pageOfItem, plural, ResourceTable } from "./list";

/** What stands alone, beside the scopes themselves. */
const OUTSIDE = kinds.filter(
  ({ unscoped, kind }) => unscoped && kind !== "Environment" && kind !== "Integration",
);

/** Environments and integrations, what is outside of them, and what changed last. */
export function OverviewPage(props: {
  scopes: { kind: "Environment" | "Integration"; items: Resource[]; isAll: boolean }[];
  counts: ReadonlyMap<string, number>;
  changes: BriefChange[];
  older: string | null;
  now: number;
}): JSX.Element {
  const { scopes, counts, changes, older, now } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Resources</h1>
          <p class="quiet">
            Environments and what is in them; each change calls the hooks that wait for it
          </p>
        </div>
      </div>
      {scopes.map(({ kind: name, items, isAll }) => {
        const kind = kindNamed(name);
        return (
          <>
            <h2>{plural(kind)}</h2>
            {items.length > 0 ? (
              <ResourceTable items={items} now={now} />
            ) : name === "Environment" ? (
              <Empty
                title="No environment yet"
                text="An environment holds services, webhooks, hooks and secrets. This makes a first one, and so does the form behind the link below:"
                example={EXAMPLES.environment}
              />
            ) : null}
            <p class="more">
              <a href={pageOfCollection(kind, null)}>
                {isAll ? `New ${kind.singular}` : `All ${plural(kind).toLowerCase()}, and new ones`}
              </a>
            </p>
          </>
        );
      })}
      <h2>Outside of environments</h2>
      <Kinds kinds={OUTSIDE} counts={counts} scope={null} />
      <h2>Latest changes</h2>
      <Changes changes={changes} now={now} />
      <Older to={older} />
    </>
  );
}

/** The way up: to the scope, and to everything. */
function Way({ scope }: { scope: ScopeName | null }): JSX.Element {
  return (
    <p class="quiet">
      <a href="/console/resources">Resources</a>
      {scope === null ? null : (
        <>
          {" › "}
          <a href={pageOfItem(kindNamed(scope.kind), null, scope.name)}>{scope.name}</a>
        </>
      )}
    </p>
  );
}

/** The resources of a kind in a scope, and a form that makes one. */
export function CollectionPage(
  props: FormGiven & {
    items: Resource[];
    next: string | null;
    /** Changes that the hook which is typed would have been called for; undefined: nobody asked. */
    matched: { changes: BriefChange[]; looked: number } | undefined;
    now: number;
  },
): JSX.Element {
  const { kind, scope, items, next, matched, now } = props;
  const mayChange = useContext(MayChange);
  return (
    <>
      <div class="head">
        <div>
          <h1>{plural(kind)}</h1>
          <Way scope={scope} />
        </div>
      </div>
      {items.length === 0 ? (
        <Empty
          title={`No ${kind.kind} here yet`}
          text={mayChange ? "The form below makes one." : "Editors make one here."}
        />
      ) : (
        <ResourceTable items={items} now={now} />
      )}
      {next === null ? null : (
        <p class="more">
          <a href={next}>More</a>
        </p>
      )}
      {matched === undefined ? null : <Matched {...matched} now={now} />}
      {mayChange ? (
        <>
          <h2 id="new">New {kind.kind}</h2>
          <CreateForm {...props} />
        </>
      ) : null}
    </>
  );
}

function Matched(props: { changes: BriefChange[]; looked: number; now: number }): JSX.Element {
  const { changes, looked, now } = props;
  return (
    <>
      <h2>Would have matched</h2>
      <p role="status">
        {changes.length} of the latest {looked} changes.
      </p>
      {changes.length === 0 ? null : <Changes changes={changes} now={now} />}
    </>
  );
}

export type ItemShown = {
  resource: Resource;
  /** As its surface shows it. */
  document: unknown;
  /** What was typed in its place, and what is wrong with it. */
  typed: { text: string; faults: FormFault[] } | undefined;
  counts: ReadonlyMap<string, number>;
  /** Of a scope or a watch topic. */
  changes: BriefChange[] | undefined;
  older: string | null;
  now: number;
};

/** One resource: what is in it, as a document, its log. */
export function ItemPage(props: ItemShown): JSX.Element {
  const { resource, counts, changes, older, now } = props;
  const { kind, scope, name, title } = resource;
  const held = kindsIn(kind.kind);
  return (
    <>
      <div class="head">
        <div>
          <h1>{title === "" ? name : title}</h1>
          <Way scope={scope} />
          <p class="quiet">
            <a href={pageOfCollection(kind, scope)}>{kind.kind}</a> {name}
          </p>
        </div>
      </div>
      {held.length === 0 ? null : (
        <>
          <h2>What is in it</h2>
          <Kinds kinds={held} counts={counts} scope={{ kind: kind.kind, name }} />
        </>
      )}
      <Document {...props} />
      {changes === undefined ? null : (
        <>
          <h2>{kind.kind === "WatchTopic" ? "What it has seen" : "Its changes"}</h2>
          <Changes changes={changes} now={now} />
          <Older to={older} />
        </>
      )}
      <Removal resource={resource} holds={held.length > 0} />
    </>
  );
}

function Document({ resource, document, typed }: ItemShown): JSX.Element {
  const mayChange = useContext(MayChange);
  const json = JSON.stringify(document, null, 2);
  const { kind, scope, name } = resource;
  const to = pageOfItem(kind, scope, name).replace("/resources/", "/resources/replace/");
  return (
    <>
      <h2>As a document</h2>
      <pre tabindex={0}>{stringify(JSON.parse(json))}</pre>
      <details open={typed !== undefined}>
        <summary>{mayChange ? "Edit as JSON" : "As JSON"}</summary>
        <Faults faults={typed?.faults ?? []} />
        {mayChange ? (
          <form method="post" action={to} class="card form wide">
            <Field
              id="document"
              name="document"
              label={`${kind.kind}, as JSON`}
              value={typed?.text ?? json}
              hint="Stars stand for what is sealed: leave them, and it stays."
              lines={18}
            />
            <button class="main">Save</button>
          </form>
        ) : (
          <pre tabindex={0}>{json}</pre>
        )}
      </details>
    </>
  );
}

function Removal(props: { resource: Resource; holds: boolean }): JSX.Element | null {
  const { kind, scope, name } = props.resource;
  if (!useContext(MayChange)) return null;
  const to = pageOfItem(kind, scope, name).replace("/resources/", "/resources/delete/");
  return (
    <details class="more">
      <summary>Delete it</summary>
      <p>
        {props.holds
          ? "Everything that is in it goes with it, and all that depends on that."
          : "What depends on it goes with it."}
      </p>
      <Act to={to} label="Delete for good" />
    </details>
  );
}
