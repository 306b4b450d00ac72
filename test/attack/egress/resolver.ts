import { serve, type Server } from "../../vendors/server.ts";

/** Resolvers' answers by the end of the name; a name with another end has no address. */
const ZONES: Record<string, { type: number; data: string }[]> = {
  ".loopback.example.com": [{ type: 1, data: "127.0.0.2" }],
  ".six.example.com": [{ type: 28, data: "::1" }],
  ".mapped.example.com": [{ type: 28, data: "::ffff:127.0.0.2" }],
  ".private.example.com": [{ type: 1, data: "10.0.0.1" }],
  ".metadata.example.com": [{ type: 1, data: "169.254.169.254" }],
  ".alias.example.com": [
    { type: 5, data: "inner.example.com." },
    { type: 1, data: "192.168.1.1" },
  ],
  ".both.example.com": [
    { type: 1, data: "93.184.216.34" },
    { type: 1, data: "127.0.0.2" },
  ],
};

/** Names that a resolver says are at addresses nobody may call. */
export const HIDDEN_ENDS: readonly string[] = Object.keys(ZONES);

export type Resolver = Server;

/** DNS over HTTPS, in its JSON form. */
export async function startResolver(): Promise<Resolver> {
  return serve(({ query }) => {
    const name = query.get("name") ?? "";
    const type = query.get("type") === "AAAA" ? 28 : 1;
    const end = HIDDEN_ENDS.find((one) => name.endsWith(one)) ?? "";
    const all = ZONES[end] ?? [];
    const answers = all.filter((answer) => answer.type === type || answer.type === 5);
    return { status: 200, body: { Status: 0, Answer: answers } };
  });
}
