import type { JSX } from "hono/jsx/jsx-runtime";
import type { DestinationView } from "../../operations/destinations/view";
import { Act, Copyable, Facts, IfMayChange, Instant, Pill, Table } from "../parts";
import { State, stateOf } from "../state";

type Key = DestinationView["signing"]["keys"][number];

/** For how long the old keys sign beside a new one: seconds, and in words. */
export const OVERLAPS = [
  [0, "end at once"],
  [3_600, "sign for another hour"],
  [86_400, "sign for another day"],
  [604_800, "sign for another week"],
] as const;

const KINDS = {
  v1: "shared secret (HMAC)",
  v1a: "key pair (ed25519)",
} as const;

/** A destination's signing keys: which sign now, until when, and a new one. */
export function KeysPage(props: {
  name: string;
  item: DestinationView;
  /** The secret of a key that was just made: it is shown this once. */
  made: string | undefined;
  now: number;
}): JSX.Element {
  const { name, item, made, now } = props;
  const { keys } = item.signing;
  return (
    <>
      <div class="head">
        <div>
          <h1>Signing keys</h1>
          <p class="quiet">Of {name}</p>
        </div>
        <a class="button" href="/console/destinations">
          Destinations
        </a>
      </div>
      {made === undefined ? null : (
        <section class="notice good link" role="status">
          <p>This is the new secret. Give it to the receiver now: it is not shown here again.</p>
          <pre>{made}</pre>
        </section>
      )}
      <Facts
        facts={[
          ["Address", item.url ?? "none"],
          ["State", <State state={stateOf(item.state)} now={now} />],
        ]}
      />
      <h2>Keys</h2>
      <Table
        heads={["Kind", "Made", "Signs"]}
        rows={keys.map((key) => [
          <span class="event">{KINDS[key.algorithm]}</span>,
          <Instant at={Date.parse(key.createdAt)} now={now} />,
          <Signs of={key} now={now} />,
        ])}
      />
      <PublicKeys keys={keys} />
      <Rotation id={item.id} />
    </>
  );
}

const PublicKeys = ({ keys }: { keys: readonly Key[] }): JSX.Element => (
  <>
    {keys.map(({ publicKey }) =>
      publicKey === null ? null : (
        <>
          <h3>Public key: receivers verify with it</h3>
          <Copyable text={publicKey} label="the public key" />
        </>
      ),
    )}
  </>
);

function Signs({ of, now }: { of: Key; now: number }): JSX.Element {
  if (of.expiresAt === null) return <Pill tone="good">signs</Pill>;
  const at = Date.parse(of.expiresAt);
  if (at <= now) return <Pill tone="off">ended</Pill>;
  return (
    <>
      <Pill tone="wait">signs too</Pill>{" "}
      <span class="small quiet">
        ends <Instant at={at} now={now} />
      </span>
    </>
  );
}

function Rotation({ id }: { id: string }): JSX.Element {
  return (
    <IfMayChange>
      <h2>Make a new key</h2>
      <p class="quiet">
        Callbacks carry a signature of each key until the old ones end, so the receiver can change
        over without missing one.
      </p>
      <Act to={`/console/destinations/${encodeURIComponent(id)}/rotate`} label="Rotate" main>
        <select name="algorithm" aria-label="Kind of key">
          {Object.entries(KINDS).map(([value, words]) => (
            <option value={value}>{words}</option>
          ))}
        </select>
        <select name="overlapSeconds" aria-label="Old keys of this kind">
          {OVERLAPS.map(([seconds, words]) => (
            <option value={String(seconds)} selected={seconds === 86_400}>
              old ones {words}
            </option>
          ))}
        </select>
      </Act>
    </IfMayChange>
  );
}
