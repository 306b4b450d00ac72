import * as z from "zod";
import { type EgressPolicy, parseAllowList } from "./http/egress";
import { withoutTrailing } from "./values/text";
import { type MemberSignIn, memberSignIn } from "./values/member-sign-in";
import { type OAuthApp, oauthApps } from "./values/oauth-app";
import { publishQueues } from "./values/publish-queues";

/** The environment, read once and typed. Nothing else reads environment variables. */
export type Config = {
  /** What vendors and self-callbacks see, without a trailing slash; absent: the request's own origin. */
  publicUrl: string | undefined;
  /** All names that we are reached by, `publicUrl` first. */
  publicUrls: readonly string[];
  egress: EgressPolicy;
  /** Origins that browsers may call from; `*` stands for any. */
  corsOrigins: readonly string[];
  signup: "open" | "closed";
  /** Who makes organizations beside whoever has the bootstrap key. */
  organizations: "operator" | "owners";
  /** Base64 keys, newest first: the first seals, all of them open. */
  masterKeys: readonly string[];
  sessionKey: string;
  /** Absent: `POST /v1/bootstrap` does not exist. */
  bootstrapKey: string | undefined;
  /** The organization that a local stack begins with, as `POST /v1/bootstrap` takes it. */
  localAccount: string | undefined;
  /** `ticks`: each cron tick advances schedule time by one minute, however often it comes. */
  schedule: "clock" | "ticks";
  /** OAuth applications of the platform itself, by connector key. */
  oauthApps: Readonly<Record<string, OAuthApp>>;
  /** Absent: members sign in by password and passkey alone. */
  memberSignIn: MemberSignIn | undefined;
  /** Queues of applications whose messages are published, each with the organization that publishes them. */
  publishQueues: ReadonlyMap<string, number>;
  /** `product` in the events of API resources. */
  product: string;
  /** The share of invocations that log a line each, 0 to 1; errors are logged always. */
  logSampling: number;
};

const list = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  );

const environment = z.object({
  TRIBUTARY_PUBLIC_URL: list.pipe(z.array(z.url("Expected URLs, the first of which vendors see"))),
  EGRESS_ALLOW: list,
  CORS_ORIGINS: list,
  SIGNUP: z.enum(["open", "closed"]).default("closed"),
  ORGANIZATIONS: z.enum(["operator", "owners"]).default("operator"),
  MASTER_KEY: list.refine(
    (keys) => keys.length > 0 && keys.every((key) => Buffer.from(key, "base64").length === 32),
    "Expected a base64 key of 32 bytes",
  ),
  SESSION_KEY: z
    .string("Expected at least 32 characters")
    .min(32, "Expected at least 32 characters"),
  BOOTSTRAP_KEY: z.string().min(16).optional(),
  LOCAL_ACCOUNT: z.string().optional(),
  DOH_URL: z
    .union([z.literal(""), z.url()], "Expected the URL of a resolver, or nothing")
    .default(""),
  SCHEDULE: z.enum(["clock", "ticks"]).default("clock"),
  TRIBUTARY_PRODUCT: z.string().default("AmplifyCentral"),
  OAUTH_APPS: oauthApps.default({}),
  MEMBER_SIGN_IN: memberSignIn.optional(),
  PUBLISH_QUEUES: publishQueues.default(new Map()),
  LOG_SAMPLING: z.coerce.number("Expected a number from 0 to 1").min(0).max(1).default(0),
  ENVIRONMENT: z.enum(["local", "deployed"]).default("deployed"),
});

const known = new WeakMap<object, Config>();

const HOW = {
  MASTER_KEY: "npx wrangler secret put MASTER_KEY",
  SESSION_KEY: "npx wrangler secret put SESSION_KEY",
} as const;

/** What is wrong with the settings of a deployment: each variable, and what was expected. */
export class Misconfigured extends Error {
  readonly lacks: readonly { name: string; reason: string }[];
  constructor({ issues }: z.ZodError) {
    const lacks = issues.map(({ path: [variable = "", ...inside], message }) => {
      const name = String(variable);
      const where = inside.length === 0 ? "" : `${inside.join(".")}: `;
      const how = name in HOW ? `. Run: ${HOW[name as keyof typeof HOW]}` : "";
      return { name, reason: `${where}${message}${how}` };
    });
    super(lacks.map(({ name, reason }) => `Environment variable ${name}: ${reason}`).join("; "));
    this.name = "Misconfigured";
    this.lacks = lacks;
  }
}

/** @throws Misconfigured when the deployment is. */
export function readConfig(env: object): Config {
  const cached = known.get(env);
  if (cached !== undefined) return cached;
  const parsed = environment.safeParse(env);
  if (!parsed.success) throw new Misconfigured(parsed.error);
  const values = parsed.data;
  const publicUrls = values.TRIBUTARY_PUBLIC_URL.map((url) => withoutTrailing(url, "/"));
  const config: Config = {
    publicUrl: publicUrls[0],
    publicUrls,
    egress: {
      allow: parseAllowList(values.EGRESS_ALLOW),
      allowHttp: values.ENVIRONMENT === "local",
      ownUrls: publicUrls,
      ownHost: publicUrls[0] === undefined ? undefined : new URL(publicUrls[0]).hostname,
      resolver: values.DOH_URL === "" ? undefined : values.DOH_URL,
    },
    corsOrigins: values.CORS_ORIGINS,
    signup: values.SIGNUP,
    organizations: values.ORGANIZATIONS,
    masterKeys: values.MASTER_KEY,
    sessionKey: values.SESSION_KEY,
    bootstrapKey: values.BOOTSTRAP_KEY,
    localAccount: values.ENVIRONMENT === "local" ? values.LOCAL_ACCOUNT : undefined,
    schedule: values.SCHEDULE,
    oauthApps: values.OAUTH_APPS,
    memberSignIn: values.MEMBER_SIGN_IN,
    publishQueues: values.PUBLISH_QUEUES,
    product: values.TRIBUTARY_PRODUCT,
    logSampling: values.LOG_SAMPLING,
  };
  known.set(env, config);
  return config;
}
