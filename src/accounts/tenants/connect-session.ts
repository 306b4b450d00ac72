import * as z from "zod";
import type { Millis } from "../../values/instant";
import { isAncestor, isOwnMachine, ORIGIN_EXPECTED } from "./portal-session";

const CONNECTORS = "Expected a list of 1 to 100 keys of connectors";
const NAME = "Expected a name of at most 255 characters";
const RETURN =
  "Expected an https URL, or on one's own machine an http one: https://app.example/connected";

/** Whether a text is an address that somebody's browser may be sent back to. */
function isReturnAddress(text: string): boolean {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  return (protocol === "https:" || isOwnMachine(hostname)) && `${username}${password}` === "";
}

/** What an organization asks for, that people of its tenant connect an account. */
export const newConnectSession = z.strictObject({
  connectors: z
    .array(z.string(CONNECTORS).min(1, CONNECTORS).max(128, CONNECTORS), CONNECTORS)
    .min(1, CONNECTORS)
    .max(100, CONNECTORS)
    .optional()
    .describe("What they may choose from; by default all that they can connect by themselves"),
  returnTo: z
    .string(RETURN)
    .max(2_048, "Expected at most 2048 characters")
    .refine(isReturnAddress, RETURN)
    .optional()
    .describe("Where they are sent back to, with instanceId and state"),
  origin: z
    .string(ORIGIN_EXPECTED)
    .refine(isAncestor, ORIGIN_EXPECTED)
    .optional()
    .describe("Of the page that opens it, or frames it, and gets a message in the end"),
  state: z
    .string("Expected a text")
    .max(1_024, "Expected at most 1024 characters")
    .optional()
    .describe("Yours: it comes back with them"),
  instanceId: z
    .union([z.int().positive(), z.string().regex(/^[1-9]\d{0,14}$/)], "Expected an instance's id")
    .transform(Number)
    .optional()
    .describe("The instance that is connected again; by default a new one is made"),
  name: z.string(NAME).trim().min(1, NAME).max(255, NAME).optional().describe("Of the instance"),
  configuration: z
    .record(z.string(), z.unknown(), "Expected an object of configuration keys")
    .optional()
    .describe("Settings of the instance, which they are not asked for"),
});

/** What a session is for, as it is kept. */
export const connectTerms = z.object({
  /** Keys; null: whatever people can connect by themselves. */
  connectors: z.array(z.string()).nullable(),
  /** Its instance is connected again. */
  isAgain: z.boolean(),
  returnTo: z.string().nullable(),
  origin: z.string().nullable(),
  state: z.string().nullable(),
  name: z.string().nullable(),
  configuration: z.record(z.string(), z.unknown()),
});
export type ConnectTerms = z.infer<typeof connectTerms>;

/** A consent that somebody was sent off to give: what they come back with, and what they said of the account before. */
export const begunConsent = z.object({
  state: z.string(),
  connector: z.string(),
  configuration: z.record(z.string(), z.unknown()),
  url: z.string(),
});
export type BegunConsent = z.infer<typeof begunConsent>;

/** Of a tenant's people: what they may connect. */
export type ConnectSession = {
  id: string;
  organizationId: number;
  tenantId: string;
  /** In whose name the instance is made: the organization's first user, as for its keys. */
  userId: number;
  terms: ConnectTerms;
  instanceId: number | null;
  consent: BegunConsent | null;
  connectedAt: Millis | null;
  expiresAt: Millis;
};

/** Where somebody is sent back to in the end; undefined: nobody said where. */
export function returnAddress(
  { returnTo, state }: Pick<ConnectTerms, "returnTo" | "state">,
  end: { instanceId: number } | { error: "cancelled" },
): string | undefined {
  if (returnTo === null) return undefined;
  const url = new URL(returnTo);
  for (const [name, value] of Object.entries(end)) url.searchParams.set(name, String(value));
  if (state !== null) url.searchParams.set("state", state);
  return url.href;
}
