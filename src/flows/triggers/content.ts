import * as z from "zod";
import { membersOf } from "../../values/stored-json";

/** What somebody sent to a trigger, as it reaches the flow: credentials are left out. */
export const content = z.object({
  method: z.string(),
  data: z.unknown(),
  query: membersOf<string>(),
  headers: membersOf<string>(),
});
export type Content = z.infer<typeof content>;

const DROPPED =
  /^(authorization|proxy-authorization|cookie|cookie2|set-cookie|x-api-key|idempotency-key|cf-.*|x-forwarded-.*|x-real-ip)$/;

/** Headers that may enter a flow: none that proves who somebody is. */
export function forwardedHeaders(headers: Iterable<[string, string]>): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !DROPPED.test(name.toLowerCase())));
}
