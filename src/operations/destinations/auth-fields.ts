import * as z from "zod";
import { type Auth, authKinds, mapSecret } from "../../delivery/auth";
import type { Certificate } from "../../delivery/certificates.io";
import type { Destination } from "../../delivery/destination";
import { checkEgress, type EgressPolicy } from "../../http/egress";
import type { Violation } from "../../http/refusal";
import { recordOf } from "../../values/record";
import { MASK } from "../../values/secret-name";
import { urlSecrets } from "../../values/secret-text";

/** How the calls of an endpoint prove who makes them, as it is sent. */
export const authField = z
  .discriminatedUnion(
    "type",
    [z.strictObject({ type: z.literal("none") }), ...authKinds],
    "Expected an object whose type is none, basic, bearer, oauth2 or mtls",
  )
  .transform((auth) => (auth.type === "none" ? null : auth));

/** What a deployment allows and has. */
export type World = {
  egress: EgressPolicy;
  certificate: (name: string) => Certificate | undefined;
};

type Stored = Pick<Destination, "policy" | "headers" | "auth">;

/** What is wrong with it, beside its shape. */
export function authFaults(sent: unknown, stored: Stored, world: World): Violation[] {
  const { auth: given } = recordOf(sent);
  const parsed = authField.safeParse(given);
  const auth = given === undefined ? stored.auth : parsed.data;
  if (auth === undefined || auth === null) return [];
  return [
    ...(given === undefined
      ? []
      : [...secretFaults(auth, stored.auth), ...reachFaults(auth, world)]),
    ...headerFaults(auth, recordOf(sent), stored),
  ];
}

function secretFaults(auth: Auth, stored: Auth | undefined): Violation[] {
  const faults: Violation[] = [];
  mapSecret(auth, (secret, name) => {
    const field = `auth.${name}`;
    if (secret !== MASK) return secret;
    if (stored?.type !== auth.type)
      faults.push({ field, message: `'${MASK}' keeps a stored value, and there is none` });
    // Whoever may not read the secret shall not have it sent to themselves.
    else if (
      stored.type === "oauth2" &&
      auth.type === "oauth2" &&
      stored.tokenUrl !== auth.tokenUrl
    )
      faults.push({ field, message: "Expected the secret itself, since tokenUrl is another" });
    return secret;
  });
  return faults;
}

/** A token's address that may not be called, a certificate that isn't there. */
function reachFaults(auth: Auth, { egress, certificate }: World): Violation[] {
  if (auth.type === "mtls")
    return certificate(auth.binding) === undefined
      ? [{ field: "auth.binding", message: `The deployment has no certificate '${auth.binding}'` }]
      : [];
  if (auth.type !== "oauth2") return [];
  const field = "auth.tokenUrl";
  const verdict = checkEgress(auth.tokenUrl, egress);
  if (!verdict.ok) return [{ field, message: verdict.message }];
  return urlSecrets(auth.tokenUrl).length > 0
    ? [{ field, message: "Expected no credentials in the URL" }]
    : [];
}

/** Where something else sets the header that carries the credentials. */
function headerFaults(
  { type }: Auth,
  { auth: given, headers, signature }: Record<string, unknown>,
  stored: Stored,
): Violation[] {
  if (type === "mtls") return [];
  const names = Object.keys(recordOf(headers ?? stored.headers)).map((name): [string, string] => [
    `headers.${name}`,
    name,
  ]);
  const profile = signature === undefined ? stored.policy.signature : signature;
  for (const [field, name] of Object.entries(recordOf(profile)))
    if (/header$/i.test(field) && typeof name === "string")
      names.push([`signature.${field}`, name]);
  return names.flatMap(([field, name]) =>
    name.toLowerCase() === "authorization"
      ? {
          field: given === undefined ? field : "auth.type",
          message: `'${name}' is set by ${given === undefined ? "auth" : field} already`,
        }
      : [],
  );
}
