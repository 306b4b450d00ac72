import type { JSX } from "hono/jsx/jsx-runtime";
import type { Proof } from "../../operations/deliveries/proof";
import { isoText } from "../../values/instant";
import { Copyable, Facts } from "../parts";

/** So much of a body is shown within what was signed, in UTF-16 units. */
const MOST_BODY = 4_000;

/** What the signatures of a request were made of, for a receiver whose own come out otherwise. */
export function Proofs(props: { proofs: readonly Proof[]; body: string }): JSX.Element | null {
  const { proofs, body } = props;
  if (proofs.length === 0) return null;
  return (
    <>
      <h2>Signatures</h2>
      <p class="quiet small">
        If yours come out otherwise: compare the secret, sign the bytes as they came and not JSON
        that was read and written again, and take the time from the header.
      </p>
      {proofs.map((proof) => (
        <details>
          <summary>
            {proof.header} by {proof.algorithm === "v1a" ? proof.key : `the secret ${proof.key}`}
          </summary>
          <div class="stack">
            <Facts facts={factsOf(proof)} />
            <Copyable text={signedContent(proof, body)} label="what was signed" />
            {commandOf(proof) === undefined ? null : (
              <Copyable text={commandOf(proof) ?? ""} label="a command that signs it" />
            )}
          </div>
        </details>
      ))}
    </>
  );
}

const METHODS: Record<Proof["algorithm"], string> = {
  v1: "HMAC-SHA256 with the secret’s bytes (base64 after whsec_), in base64",
  v1a: "ed25519; the public key is after whpk_",
  sha256: "HMAC-SHA256 with the key as text, in base64",
};

function factsOf({ algorithm, timestamp, signature, prefix }: Proof): [string, string][] {
  const seconds = Number(timestamp ?? Number.NaN);
  return [
    ["Signature", signature],
    ["Made by", METHODS[algorithm]],
    ...(timestamp === null
      ? []
      : [["Timestamp", `${timestamp} (${isoText(seconds * 1000)})`] as [string, string]]),
    ["Of", prefix === "" ? "the body" : `webhook-id, webhook-timestamp and the body, with dots`],
  ];
}

const signedContent = ({ prefix }: Proof, body: string): string =>
  body.length > MOST_BODY
    ? `${prefix}${body.slice(0, MOST_BODY)} … (${body.length - MOST_BODY} more characters)`
    : `${prefix}${body}`;

/** What signs a body in a file as the platform did; the secret stays with whoever has it. */
function commandOf({ algorithm, prefix }: Proof): string | undefined {
  switch (algorithm) {
    case "v1":
      return `KEY=$(printf %s "\${SECRET#whsec_}" | base64 -d | od -An -tx1 | tr -d ' \\n')
{ printf %s '${prefix}'; cat body.json; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64`;
    case "sha256":
      return 'openssl dgst -sha256 -hmac "$SECRET" -binary body.json | base64';
    case "v1a":
      return undefined;
  }
}
