import * as z from "zod";

/**
 * What the vendor allows. Instances of an organization that share the limit use it up together
 * (`hub/budget/limit.ts`).
 */
export const rateLimitSchema = z.strictObject({
  requests: z
    .number()
    .int()
    .positive()
    .max(100_000)
    .optional()
    .describe(
      "Absent: the vendor publishes no number. After a refusal all who share the limit still pause.",
    ),
  seconds: z.number().positive().max(86_400).default(60).describe("In any window of this length."),
  per: z.enum(["application", "account"]).default("account"),
  accountKey: z
    .string()
    .optional()
    .describe(
      "The configuration key whose value identifies the account. Without a value, instances with the same API key or user name are one account, and each OAuth instance is an account by itself.",
    ),
  serial: z
    .literal(true)
    .optional()
    .describe(
      "The vendor wants one request at a time of an account, so its instances are polled one by one.",
    ),
  pauseSeconds: z
    .number()
    .int()
    .positive()
    .max(86_400)
    .default(60)
    .describe("How long to pause after a refusal that names no time."),
  refusal: z
    .strictObject({ status: z.number().int(), says: z.string().min(1) })
    .optional()
    .describe(
      "How the vendor refuses for the rate if not by 429: the status, and a text in its message or code.",
    ),
});
export type RateLimit = z.infer<typeof rateLimitSchema>;

/** `100/60`: requests in any so many seconds. */
export function parseRate(text: string): { requests: number; seconds: number } | undefined {
  const [, requests = "0", seconds = "0"] = /^(\d{1,6})\/(\d{1,5})$/.exec(text.trim()) ?? [];
  const rate = { requests: Number(requests), seconds: Number(seconds) };
  return rate.requests > 0 && rate.seconds > 0 && rate.seconds <= 86_400 ? rate : undefined;
}
