import type { JSX } from "hono/jsx/jsx-runtime";
import type { DestinationRecord } from "../../delivery/destination";
import { isoText } from "../../values/instant";
import { Choice } from "../form";
import { Copyable, Facts, Instant } from "../parts";
import { addressOf } from "./endpoints";
import { Token } from "../visitors/page";

/** How long a secret that was renewed signs beside the new one: seconds, and in words. */
export const OVERLAPS = [
  [0, "signs no more"],
  [86_400, "signs too for a day"],
  [604_800, "signs too for a week"],
] as const;

/** What an endpoint's messages are signed with, and how that is renewed. */
export function SecretPage(props: { record: DestinationRecord; now: number }): JSX.Element {
  const { destination, keys } = props.record;
  const here = addressOf(destination.id);
  const secret = destination.signers.find(({ algorithm }) => algorithm === "v1")?.secret;
  const retiring = keys.filter(({ expiresAt }) => expiresAt !== null && expiresAt > props.now);
  return (
    <>
      <div class="head">
        <div>
          <h1>Signing secret</h1>
          <p class="quiet">
            Of <a href={here}>{props.record.traits?.description ?? "this endpoint"}</a>. Whoever has
            it can forge messages: keep it where your server alone reads it.
          </p>
        </div>
      </div>
      <Copyable text={secret ?? ""} label="the signing secret" />
      {retiring.length === 0 ? null : (
        <>
          <h2>Signing beside it</h2>
          <Facts
            facts={retiring.map(({ createdAt, expiresAt }) => [
              `Made ${isoText(createdAt).slice(0, 10)}`,
              <>
                until <Instant at={expiresAt ?? 0} now={props.now} />
              </>,
            ])}
          />
        </>
      )}
      <h2>Renew</h2>
      <form method="post" action={`${here}/rotate`} class="card form">
        <Token />
        <Choice
          id="overlap"
          name="overlap"
          label="The old secret"
          hint="While both sign, a message has a signature of each: receivers take either"
          value="86400"
          of={OVERLAPS.map(([seconds, words]) => [String(seconds), words] as const)}
        />
        <button class="main">Renew the secret</button>
      </form>
    </>
  );
}
