import { parseRate, type RateLimit } from "../../connectors/rate-limit";
import type { VendorError } from "../answer";
import type { Instance } from "../../instances/instance";
import { sha256 } from "../../values/bytes";

/**
 * Which rate budget an instance's requests count against.
 *
 * A connector says what its vendor allows (`rateLimit`), and the configuration key `vendor.rate` can lower it. All
 * instances of an organization that share a limit share one `VendorBudget` object, which hands out evenly spaced
 * times for requests. Example: HubSpot allows 5 searches a second of each portal. Three instances of one
 * portal together get one every fifth of a second.
 *
 * Instances share a limit when they are of one account. The account is the value of the configuration key that the
 * connector names (HubSpot's portal, `oauth.user.id` of Dropbox and Box), else the API key or user name. OAuth
 * instances without such a value count as an account each.
 */

/** The budget as one instance sees it. */
export type Budget = {
  /**
   * Of the `VendorBudget` object: organization and connector, and the OAuth application if the limit is per
   * application.
   */
  name: string;
  /** Names the account within the object. */
  account: string;
  /** Absent: the vendor publishes no number. */
  ratePerSecond?: number;
  /** The account's instances must be polled one after another. */
  isSerial: boolean;
};

/** What paces the requests to a vendor. */
export type RateSlots = {
  /** Waits until the request may leave; `crowded`: not before `until`. */
  take(): Promise<{ kind: "go" } | { kind: "crowded"; until: number }>;
  /** The vendor refused a request for its rate: nobody who shares the budget calls before `until`. */
  refused(until: number): Promise<void>;
  /** Present where only one poll of the account may run at a time. */
  serial?: {
    /** `token` names the poll; a poll that is in stays in by calling `enter` again. */
    enter(token: string, line?: Line): Promise<Entered>;
    leave(token: string): Promise<void>;
  };
};

/** A queue message that asks to poll the account. `again`: it has been put back on the queue before. */
export type Line = { name: string; again: boolean };

/** `behind`: another poll is in. `waits`: a message that asks for the same is waiting already. */
export type Entered = { kind: "entered" } | { kind: "behind"; waits: boolean };

/** We count in windows this much longer than the vendor's, because not all requests travel equally fast. */
const GUARD_SECONDS = 0.02;

/** Undefined when the vendor has no known limit, or none that other instances could share. */
export function budgetOf(
  instance: Pick<Instance, "id" | "organizationId" | "connector" | "configuration">,
): Budget | undefined {
  const { id, organizationId, connector, configuration } = instance;
  const { rateLimit } = connector;
  const configured = parseRate(configuration["vendor.rate"] ?? "");
  if (rateLimit === undefined && configured === undefined) return undefined;
  const rates = [configured, rateLimit].flatMap((limit) =>
    limit?.requests === undefined ? [] : [limit.requests / (limit.seconds + GUARD_SECONDS)],
  );
  const name = `${organizationId}/${connector.key}`;
  const rate = rates.length === 0 ? {} : { ratePerSecond: Math.min(...rates) };
  if (rateLimit?.per === "application")
    return {
      name: `${name}/${short(configuration["oauth.api.key"] ?? "")}`,
      account: "",
      isSerial: false,
      ...rate,
    };
  const account = accountOf(instance, rateLimit);
  if (account === undefined && rates.length === 0) return undefined;
  return {
    name,
    account: account ?? `instance:${id}`,
    isSerial: account !== undefined && rateLimit?.serial === true,
    ...rate,
  };
}

function accountOf(
  { connector, configuration }: Pick<Instance, "connector" | "configuration">,
  rateLimit: RateLimit | undefined,
): string | undefined {
  const named = configuration[rateLimit?.accountKey ?? ""] ?? "";
  if (named !== "") return named;
  const { authentication } = connector;
  switch (authentication.type) {
    case "apiKey":
      return short(configuration[authentication.configurationKey] ?? "");
    case "basic":
      return short(configuration[authentication.usernameKey] ?? "");
    case "oauth2":
      return undefined;
  }
}

const short = (secret: string): string => sha256(secret, "base64url").slice(0, 22);

/** When the vendor refused a request for its rate: until when to send none. Undefined for other refusals. */
export function limitedUntil(
  { status, code, providerMessage, retryAt }: VendorError,
  rateLimit: RateLimit | undefined,
  now: number,
): number | undefined {
  const refusal = rateLimit?.refusal;
  const isOther =
    refusal !== undefined &&
    refusal.status === status &&
    (code === refusal.says || providerMessage.includes(refusal.says));
  if (status !== 429 && !isOther) return undefined;
  return rateLimit === undefined ? retryAt : (retryAt ?? now + rateLimit.pauseSeconds * 1000);
}
