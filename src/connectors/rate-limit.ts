import * as z from "zod";

/** What the vendor allows. All of an organization's instances that share it are held to it together. */
export const rateLimitSchema = z.strictObject({
  /** Absent: no figure is known; what the vendor refuses with still holds for all who share it. */
  requests: z.number().int().positive().max(100_000).optional(),
  /** In any window of this length. */
  seconds: z.number().positive().max(86_400).default(60),
  per: z.enum(["application", "account"]).default("account"),
  /**
   * The configuration key that names the account; absent or empty: who has the same API key or user name. An
   * OAuth grant says of itself whose it is or nothing: without a name each instance is an account of its own.
   */
  accountKey: z.string().optional(),
  /** The vendor wants calls of one account one after another: its instances are polled one by one. */
  serial: z.literal(true).optional(),
  /** How long a refusal is waited out that does not say. */
  pauseSeconds: z.number().int().positive().max(86_400).default(60),
  /** A refusal that is no 429: its status, and text in the vendor's message or code. */
  refusal: z.strictObject({ status: z.number().int(), says: z.string().min(1) }).optional(),
});
export type RateLimit = z.infer<typeof rateLimitSchema>;

/** `100/60`: requests in any so many seconds. */
export function parseRate(text: string): { requests: number; seconds: number } | undefined {
  const [, requests = "0", seconds = "0"] = /^(\d{1,6})\/(\d{1,5})$/.exec(text.trim()) ?? [];
  const rate = { requests: Number(requests), seconds: Number(seconds) };
  return rate.requests > 0 && rate.seconds > 0 && rate.seconds <= 86_400 ? rate : undefined;
}
