import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Connector, Resource } from "../../connectors/definition";
import { maskedDefinition } from "../../connectors/sealed-definition";
import type { Webhook } from "../../connectors/webhook";
import { pollable } from "../../instances/entries";
import { instanceOf } from "../examples";
import { Act, Empty, Facts, IfMayChange, Pill, Table } from "../parts";
import { MethodPills, wayOf } from "./list";

export type Use = { id: number; name: string };

/** One connector: what it supports, who uses it, its definition. */
export function ConnectorPage(props: {
  connector: Connector;
  isOwn: boolean;
  uses: readonly Use[];
  hasMoreUses: boolean;
}): JSX.Element {
  const { connector, isOwn, uses, hasMoreUses } = props;
  const { key, name } = connector;
  const { id: _, ...definition } = maskedDefinition(connector);
  const here = `/console/connectors/${encodeURIComponent(key)}`;
  return (
    <>
      <div class="head">
        <div>
          <h1>{name}</h1>
          <p class="quiet">
            {key} · {isOwn ? "your own" : "built in"}
          </p>
        </div>
        <IfMayChange>
          <div class="acts">
            {isOwn ? (
              <a class="button main" href={`${here}/edit`}>
                Edit
              </a>
            ) : null}
            {isOwn ? (
              <a class="button" href={`/console/new-connector?from=${encodeURIComponent(key)}`}>
                Copy
              </a>
            ) : null}
          </div>
        </IfMayChange>
      </div>
      <About connector={connector} />
      <h2>Resources</h2>
      <Resources connector={connector} />
      {connector.webhook === undefined ? null : <WebhookFacts webhook={connector.webhook} />}
      <h2>Used by</h2>
      <Uses connectorKey={key} uses={uses} hasMore={hasMoreUses} />
      <h2>Definition</h2>
      <details>
        <summary>Show the JSON</summary>
        <pre tabindex={0}>{JSON.stringify(definition, null, 2)}</pre>
      </details>
      {isOwn ? <Deletion name={name} to={`${here}/delete`} isUsed={uses.length > 0} /> : null}
    </>
  );
}

function About({ connector }: { connector: Connector }): JSX.Element {
  const { hub, description, baseUrl, rateLimit } = connector;
  return (
    <Facts
      facts={[
        ...(description === "" ? [] : [["About", description] as const]),
        ["Hub", hub],
        ["API", <code>{baseUrl}</code>],
        ["Signs in with", wayOf(connector)],
        ["Changes come by", <MethodPills {...connector} />],
        ...(rateLimit?.requests === undefined
          ? []
          : [
              [
                "Rate limit",
                `${rateLimit.requests} requests in ${rateLimit.seconds} s, for each ${rateLimit.per}`,
              ] as const,
            ]),
      ]}
    />
  );
}

const Deletion = (props: { name: string; to: string; isUsed: boolean }): JSX.Element => (
  <IfMayChange>
    <h2>Delete</h2>
    <details>
      <summary>Delete this connector</summary>
      <p>
        {props.isUsed
          ? "It can be deleted when no instance uses it any more."
          : "No instance uses it. It can’t be had back."}
      </p>
      {props.isUsed ? null : <Act to={props.to} label={`Delete ${props.name}`} />}
    </details>
  </IfMayChange>
);

function Resources({ connector }: { connector: Connector }): JSX.Element {
  const polled = pollable(connector);
  const entries = Object.entries(connector.resources);
  if (entries.length === 0) return <p class="quiet">None: it has webhooks alone.</p>;
  return (
    <Table
      heads={["Resource", "Can be", "Paging", "Id", "Last change"]}
      rows={entries.map(([name, resource]) => rowOf(name, resource, name in polled))}
    />
  );
}

function rowOf(name: string, resource: Resource, isPolled: boolean): Child[] {
  const operations = (["list", "get", "create", "update", "delete"] as const).filter(
    (one) => resource[one] !== undefined,
  );
  return [
    <>
      <span class="event">{name}</span>
      {resource.list === undefined ? null : <code class="small quiet">{resource.list.path}</code>}
    </>,
    <>
      {isPolled ? (
        <>
          <Pill tone="good">polled</Pill>{" "}
        </>
      ) : null}
      <span class="small">{operations.join(", ")}</span>
    </>,
    resource.paging.style,
    <code>{resource.idField}</code>,
    resource.updatedField === undefined ? (
      <span class="quiet">not told</span>
    ) : (
      <code>{resource.updatedField}</code>
    ),
  ];
}

function WebhookFacts({ webhook }: { webhook: Webhook }): JSX.Element {
  const { signatures, extraction, route, handshake } = webhook;
  const [signature] = signatures;
  return (
    <>
      <h2>Webhooks</h2>
      <Facts
        facts={[
          [
            "Proved by",
            signature === undefined ? (
              "the token in the instance’s address"
            ) : (
              <>
                {signature.algorithm} in <code>{signature.header}</code>
              </>
            ),
          ],
          [
            "Read by",
            {
              paths: "paths",
              jsonata: "an expression",
              parser: "code of ours",
              feed: "a feed of changes, which it wakes",
            }[extraction.by],
          ],
          ...(handshake === undefined
            ? []
            : [["Handshake", `answers ${handshake.parameter}`] as const]),
          ...(route === undefined
            ? []
            : [["Finds the instance by", <code>{route.equals.join(", ")}</code>] as const]),
        ]}
      />
    </>
  );
}

function Uses(props: {
  connectorKey: string;
  uses: readonly Use[];
  hasMore: boolean;
}): JSX.Element {
  const { connectorKey, uses, hasMore } = props;
  if (uses.length === 0)
    return (
      <Empty
        title="No instance yet"
        text="An instance is a customer’s account. This connects a first one:"
        example={instanceOf(connectorKey)}
      />
    );
  return (
    <>
      <Table
        heads={["Instance", "Number"]}
        rows={uses.map(({ id, name }) => [
          <a href={`/console/instances/${id}`}>{name}</a>,
          <span class="num">{id}</span>,
        ])}
      />
      {hasMore ? <p class="quiet">And more.</p> : null}
    </>
  );
}
