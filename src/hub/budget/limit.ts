import { parseRate, type RateLimit } from "../../connectors/rate-limit";
import type { VendorError } from "../answer";
import type { Instance } from "../../instances/instance";
import { sha256 } from "../../values/bytes";

/** A vendor's rate budget, as far as one instance takes part in it. */
export type Budget = {
  /** The object that keeps it: one per organization and connector, and application where the limit is its. */
  name: string;
  /** What the vendor knows it by; an instance whose account has no name is one by itself. */
  account: string;
  /** Absent: no figure is known. */
  ratePerSecond?: number;
  /** Polls of the account come one after another. */
  isSerial: boolean;
};

/** What a request of the vendor must have before it leaves. */
export type RateSlots = {
  /** Waits until the request may leave; `crowded`: not before `until`. */
  take(): Promise<{ kind: "go" } | { kind: "crowded"; until: number }>;
  /** The vendor refused one: nobody of the budget calls before `until`. */
  refused(until: number): Promise<void>;
  /** Present where a poll must have the account to itself. */
  serial?: {
    /** `token` is the poll's, which stays inside by entering again. */
    enter(token: string, line?: Line): Promise<Entered>;
    leave(token: string): Promise<void>;
  };
};

/** What a message that is sent away comes back as; `again`: it was sent away before. */
export type Line = { name: string; again: boolean };

/** `waits`: one that would do the same is in line already. */
export type Entered = { kind: "entered" } | { kind: "behind"; waits: boolean };

/** Windows are held this much longer than the vendor's: requests take more or less time to get there. */
const GUARD_SECONDS = 0.02;

/** The budget an instance calls under; undefined when no limit is known and nobody else is of its account. */
export function budgetOf(
  instance: Pick<Instance, "id" | "organizationId" | "connector" | "configuration">,
): Budget | undefined {
  const { id, organizationId, connector, configuration } = instance;
  const { rateLimit } = connector;
  const own = parseRate(configuration["vendor.rate"] ?? "");
  if (rateLimit === undefined && own === undefined) return undefined;
  const rates = [own, rateLimit].flatMap((limit) =>
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

/** Whether the vendor's refusal says that it was asked too much, and until when to leave it alone. */
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
