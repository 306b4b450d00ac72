import * as z from "zod";

const SECRETS = ["hmac-sha256", "hmac-sha1", "hmac-sha512"] as const;

/**
 * How a vendor proves a new address, as data (reference connector-events-api.md §7): it sends a text, its challenge, and
 * expects it back. Dropbox: `{"parameter":"challenge"}`. Slack: `{"method":"POST","in":"body","parameter":"challenge",
 * "requires":{"type":"url_verification"}}`.
 */
export const handshakeSchema = z
  .strictObject({
    method: z.enum(["GET", "POST"]).default("GET"),
    in: z
      .enum(["query", "body"])
      .default("query")
      .describe(
        "Where `parameter`, and the names of `requires`, are looked for: query parameters, or paths of the body.",
      ),
    parameter: z.string().min(1).max(100),
    requires: z
      .record(z.string(), z.string())
      .default({})
      .describe(
        'It is a handshake only when these have these values (`{"hub.mode":"subscribe"}`).',
      ),
    verifyToken: z
      .strictObject({ parameter: z.string(), configurationKey: z.string() })
      .optional()
      .describe(
        "This parameter has to be the value of this configuration key (Meta: `hub.verify_token`).",
      ),
    hmac: z
      .strictObject({
        algorithm: z.enum(SECRETS).default("hmac-sha256"),
        encoding: z.enum(["hex", "base64"]).default("hex"),
      })
      .optional()
      .describe("`${hmac}` in the answer: of the challenge, by the instance's signature key."),
    answer: z
      .record(z.string(), z.string().max(200))
      .optional()
      .describe(
        "The answer as JSON, whose texts may hold `${challenge}` and `${hmac}`; absent: the challenge as plain text.",
      ),
  })
  .refine(({ method, in: where }) => method === "POST" || where === "query", {
    message: "Expected 'query': a GET has no body",
    path: ["in"],
  });
export type Handshake = z.infer<typeof handshakeSchema>;
