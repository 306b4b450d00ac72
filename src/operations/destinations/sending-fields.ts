import * as z from "zod";
import type { Destination } from "../../delivery/destination";
import { mapSecret } from "../../delivery/auth";
import { callMs, LONGEST_CALL_MS, TIMEOUT_MS } from "../../delivery/call-time";
import { CONCURRENCY } from "../../delivery/seats";
import { keyBytes, profileHeaderFault } from "../../delivery/signature-profile";
import type { Violation } from "../../http/refusal";
import { isObject, recordOf } from "../../values/record";
import { MASK } from "../../values/secret-name";
import { placeholdersOf } from "../../values/signature/rule";
import { authFaults, authField, type World } from "./auth-fields";

/** How the calls of an endpoint are made. */

const headerName = z.string("Expected the name of a header").superRefine((name, context) => {
  const message = profileHeaderFault(name);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

/** A text with placeholders of these names alone. */
const template = (most: number, ...names: string[]) => {
  const told = names.map((name) => `\${${name}}`).join(", ");
  return z
    .string()
    .max(most)
    .regex(/^[\x20-\x7e]*$/, "Expected printable ASCII")
    .refine((text) => placeholdersOf(text).every((name) => names.includes(name)), {
      error: `Expected no other placeholders than ${told}`,
    });
};

const signature = z
  .strictObject({
    header: headerName.describe("Carries the signature"),
    prefix: template(128, "timestamp", "id")
      .default("")
      .describe("Before each signature: `sha256=`, `t=${timestamp},v1=`"),
    separator: z
      .enum([" ", ","], "Expected a space or a comma")
      .nullable()
      .optional()
      .describe("While keys are rotated each signs, with this between; absent: the newest alone"),
    encoding: z.enum(["hex", "base64"], "Expected hex or base64"),
    algorithm: z
      .enum(["sha256", "sha1", "sha512"], "Expected sha256, sha1 or sha512")
      .default("sha256")
      .describe("Of the HMAC"),
    content: template(256, "body", "timestamp", "id")
      .refine((text) => text.includes("${body}"), "Expected a text that holds ${body}")
      .default("${body}")
      .describe("What is signed: `${timestamp}.${body}`, `v0:${timestamp}:${body}`"),
    secret: z
      .string()
      .min(1)
      .max(512)
      .nullable()
      .optional()
      .describe("The key; absent: the destination's signing secret, which is rotated"),
    keyFormat: z
      .enum(["text", "base64", "hex", "whsec"], "Expected text, base64, hex or whsec")
      .optional()
      .describe(
        "How the key's bytes are written in it; `whsec`: base64 after whsec_. By default `text` of a secret given here, `whsec` of the destination's own",
      ),
    timestampHeader: headerName
      .nullable()
      .optional()
      .describe("Carries `${timestamp}`, the time of the try in seconds"),
    idHeader: headerName.nullable().optional().describe("Carries `${id}`, the `webhook-id`"),
  })
  .transform(({ separator, secret, keyFormat, timestampHeader, idHeader, ...rest }) => ({
    ...rest,
    keyFormat: keyFormat ?? (typeof secret === "string" ? "text" : "whsec"),
    ...(typeof separator === "string" && { separator }),
    ...(typeof secret === "string" && { secret }),
    ...(typeof timestampHeader === "string" && { timestampHeader }),
    ...(typeof idHeader === "string" && { idHeader }),
  }));

const MILLISECONDS = `Expected a whole number of milliseconds, 1000 to ${LONGEST_CALL_MS}`;

const SEATS = `Expected a whole number, 1 to ${CONCURRENCY}`;

export const sendingFields = {
  timeoutMs: z
    .int(MILLISECONDS)
    .min(1_000, MILLISECONDS)
    .max(LONGEST_CALL_MS, MILLISECONDS)
    .nullable()
    .optional()
    .describe(`How long a call may take, ${TIMEOUT_MS} if nothing is said`),
  concurrency: z
    .int(SEATS)
    .min(1, SEATS)
    .max(CONCURRENCY, SEATS)
    .nullable()
    .optional()
    .describe(`Calls at a time, ${CONCURRENCY} if nothing is said`),
  signature: signature
    .nullable()
    .optional()
    .describe(
      "A signature beside the Standard Webhooks headers, as another sender made it for the same receiver",
    ),
  auth: authField.nullable().optional().describe("How its calls prove who makes them"),
};

/** An endpoint as it is, as far as it says how it is called. */
export type Stored = Pick<Destination, "policy" | "headers" | "signature" | "auth">;

/** What is wrong with how calls are to be made, beside the shapes of what was sent. */
export function sendingFaults(sent: unknown, stored: Stored, world: World): Violation[] {
  return [...signatureFaults(sent, stored), ...authFaults(sent, stored, world)];
}

function signatureFaults(sent: unknown, stored: Stored): Violation[] {
  const { signature: given, headers = stored.headers } = recordOf(sent);
  const profile = given === undefined ? stored.policy.signature : given;
  if (!isObject(profile)) return [];
  const faults = given === undefined ? [] : secretFaults(profile, stored.signature?.secret);
  const taken = new Map<string, string>();
  for (const name of Object.keys(recordOf(headers))) taken.set(name.toLowerCase(), "headers");
  for (const field of ["header", "timestampHeader", "idHeader"]) {
    const name = profile[field];
    if (typeof name !== "string") continue;
    const by = taken.get(name.toLowerCase());
    if (by !== undefined)
      faults.push({
        field: given === undefined ? `headers.${name}` : `signature.${field}`,
        message: `'${name}' is set by ${given === undefined ? "signature" : by} already`,
      });
    taken.set(name.toLowerCase(), `signature.${field}`);
  }
  return faults;
}

function secretFaults(
  { secret: given, keyFormat }: Readonly<Record<string, unknown>>,
  stored: string | null | undefined,
): Violation[] {
  const field = "signature.secret";
  const secret = given === MASK ? stored : given;
  if (given === MASK && typeof secret !== "string")
    return [{ field, message: `'${MASK}' keeps a stored value, and there is none` }];
  const format = (["base64", "hex", "whsec"] as const).find((one) => one === keyFormat);
  if (format === undefined) return [];
  if (typeof secret !== "string")
    return format === "whsec"
      ? []
      : [
          {
            field: "signature.keyFormat",
            message: "The destination's signing secret is read as whsec or text",
          },
        ];
  return keyBytes(format, secret) === undefined
    ? [{ field, message: `It is not written as keyFormat '${format}' says` }]
    : [];
}

/** How an endpoint's calls are made, as it is shown: what is not set by its default, secrets masked. */
export function sendingView({ policy, auth }: Pick<Destination, "policy" | "auth">) {
  const { signature, concurrency = CONCURRENCY } = policy;
  return {
    timeoutMs: callMs(policy),
    concurrency,
    signature: signature === undefined ? null : signatureView(signature),
    auth: auth === undefined ? { type: "none" as const } : mapSecret(auth, () => MASK),
  };
}

function signatureView({ sealed, ...profile }: NonNullable<Destination["policy"]["signature"]>) {
  const none = { separator: null, timestampHeader: null, idHeader: null };
  return { ...none, ...profile, secret: sealed === undefined ? null : MASK };
}
